"""Functions that a helper may keep: `from alembic.op import add_column` must be right in the next run, and outside."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

from asyncmig.alembic_names.active import project_run
from asyncmig.alembic_names.peer import installed_attribute

__all__ = ["by_context"]


@cache
def by_context(module: str, implementation: str, name: str) -> Callable[..., Any]:
    """`module.name` of alembic: ours inside a run, the installed one outside."""

    def function(*arguments: Any, **keywords: Any) -> Any:
        found = None if project_run() else installed_attribute(module, name)
        if found is None:
            found = getattr(import_module(implementation), name)
        return found(*arguments, **keywords)

    function.__name__ = function.__qualname__ = name
    function.__module__ = module
    function.__doc__ = getattr(import_module(implementation), name).__doc__
    return function
