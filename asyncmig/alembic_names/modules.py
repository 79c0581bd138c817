"""Module objects that answer by context: ours inside a run, as without asyncmig elsewhere.

Helpers keep the modules that they imported, so the object must be right for ever, not only when it is imported. There
are two kinds. Where alembic is installed, the module is the installed one, and only its class is another while a run
is under way. Where it is not, it is a stand-in, which sys.modules holds no longer than a run lasts.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

from asyncmig.alembic_names.active import project_run
from asyncmig.alembic_names.catalog import ONLY_OURS, NotOurs, lookup, public_names

__all__ = ["InstalledModule", "StandIn"]


class _ByContext(ModuleType):
    def __getattribute__(self, name: str) -> Any:
        # Python's own machinery reads dunder names (__spec__, __path__) of a module: they are never ours.
        if project_run() is None or (name.startswith("__") and name != "__all__"):
            return super().__getattribute__(name)
        module = super().__getattribute__("__name__")
        try:
            return public_names(module) if name == "__all__" else lookup(module, name)
        except NotOurs:
            # The installed op and context have functions too, but no step of ours behind them.
            if module in ONLY_OURS and not name.startswith("_"):
                raise AttributeError(f"module {module!r} has no attribute {name!r} in asyncmig", name=name) from None
            return super().__getattribute__(name)

    def __dir__(self) -> list[str]:
        names = super().__getattribute__("__dict__")
        if project_run() is None:
            return sorted(names)
        return sorted({*names, *public_names(super().__getattribute__("__name__"))})


class InstalledModule(_ByContext):
    """The class of an installed alembic's module while a run is under way somewhere in the process."""


class StandIn(_ByContext):
    """Stands for a module of an alembic that is not installed; outside a run it is empty."""
