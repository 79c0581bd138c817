"""`alembic.op`: every directive of asyncmig and every registered one, as a function."""

from __future__ import annotations

from typing import Any, Final

from asyncmig.alembic_names.operations import Operations

_operations: Final = Operations()


def __getattr__(name: str) -> Any:
    if name == "__all__":
        return [name for name in dir(Operations) if not name.startswith("_") and callable(getattr(Operations, name))]
    if name.startswith("_"):
        raise AttributeError(f"op has no {name!r}")
    return getattr(_operations, name)
