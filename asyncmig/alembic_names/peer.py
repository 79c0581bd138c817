"""The installed alembic, where helpers and plug-ins were imported with it before the run."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, Final, cast

from asyncmig.alembic_names.active import outside, project_run

__all__ = ["installed_attribute", "loaded_operations", "plant", "registered_directive", "uproot"]


def installed_attribute(module: str, name: str) -> Any:
    """`module.name` of the installed alembic; None where there is no such alembic or no such name."""
    with outside():
        try:
            return getattr(import_module(module), name, None)
        except ModuleNotFoundError:
            return None


def loaded_operations() -> Any:
    """The installed alembic's Operations class, when it is loaded: a plug-in may have registered with it."""
    with outside():
        return getattr(sys.modules.get("alembic.operations"), "Operations", None)


class _Planted:
    """What functions taken from an installed alembic.op or alembic.context before the run find behind them.

    They call through a global of their module, which is empty unless alembic itself runs.
    """

    def __init__(self, module: str) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        if project_run() is None:
            raise NameError(f"{self._module}.{name} was called where no migration runs.")
        return getattr(import_module(self._module), name)


_PLANTED: Final = {name: _Planted(name) for name in ("alembic.op", "alembic.context")}


def registered_directive(name: str) -> Callable[..., Any] | None:
    """A directive that a plug-in registered with the installed alembic; None for Alembic's own."""
    function = getattr(loaded_operations(), name, None)
    # Alembic writes a function around the class that was registered.
    operation_class = getattr(function, "__globals__", {}).get("op_cls")
    if operation_class is None or operation_class.__module__.startswith("alembic."):
        return None
    return cast("Callable[..., Any]", function)


def plant(module: ModuleType) -> None:
    planted = _PLANTED.get(module.__name__)
    if planted is not None and vars(module).get("_proxy") is None:
        vars(module)["_proxy"] = planted


def uproot(module: ModuleType) -> None:
    if isinstance(vars(module).get("_proxy"), _Planted):
        del vars(module)["_proxy"]
