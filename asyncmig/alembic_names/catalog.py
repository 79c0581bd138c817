"""Which of our modules stands behind which module of alembic."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import FunctionType, MappingProxyType, MethodType
from typing import Any

__all__ = ["MODULES", "ONLY_OURS", "PACKAGES", "NotOurs", "lookup", "public_names"]

MODULES: Mapping[str, str | None] = MappingProxyType(
    {
        "alembic": None,
        "alembic.autogenerate": "autogenerate",
        "alembic.autogenerate.api": "autogenerate",
        "alembic.autogenerate.compare": "autogenerate",
        "alembic.autogenerate.render": "autogenerate",
        "alembic.autogenerate.rewriter": "rewriter",
        "alembic.config": "config",
        "alembic.context": "context",
        "alembic.ddl": "ddl",
        "alembic.ddl.base": "ddl",
        "alembic.ddl.impl": "ddl",
        "alembic.ddl.postgresql": "ddl",
        "alembic.ddl.sqlite": "ddl",
        "alembic.environment": "environment",
        "alembic.migration": "migration",
        "alembic.op": "op",
        "alembic.operations": "operations",
        "alembic.operations.base": "operations",
        "alembic.operations.ops": "ops",
        "alembic.runtime": None,
        "alembic.runtime.environment": "environment",
        "alembic.runtime.migration": "migration",
        "alembic.script": "script",
        "alembic.script.base": "script",
        "alembic.util": "util",
        "alembic.util.exc": "util",
        "alembic.util.langhelpers": "util",
    }
)
"""Its module here, by alembic's module; None for a package that has only submodules."""

ONLY_OURS = frozenset({"alembic.context", "alembic.op"})
"""What these have is there inside a run only as ours; of other modules the installed one's other names are left."""

PACKAGES = frozenset(name.rpartition(".")[0] for name in MODULES) - {""}


class NotOurs(LookupError):
    """The name is not one that we give."""


def lookup(module: str, name: str) -> Any:
    """What `module.name` is inside a run; submodules are imported, so that packages need not import them."""
    if f"{module}.{name}" in MODULES:
        return import_module(f"{module}.{name}")
    own = MODULES.get(module)
    if own is None:
        raise NotOurs
    path = f"asyncmig.alembic_names.{own}"
    implementation = import_module(path)
    if name not in implementation.__all__ and (name.startswith("_") or not hasattr(implementation, "__getattr__")):
        raise NotOurs
    try:
        value = getattr(implementation, name)
    except AttributeError:
        raise NotOurs from None
    if module in ONLY_OURS and isinstance(value, FunctionType | MethodType):
        from asyncmig.alembic_names.functions import by_context

        return by_context(module, path, name)
    return value


def public_names(module: str) -> list[str]:
    """What `from module import *` brings inside a run."""
    own = MODULES.get(module)
    names = import_module(f"asyncmig.alembic_names.{own}").__all__ if own else ()
    below = (name.rpartition(".")[2] for name in MODULES if name.rpartition(".")[0] == module)
    return sorted({*names, *below})
