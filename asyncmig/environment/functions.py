"""Values that env.py may also give as a function, sync or async, of the Context or of nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from asyncmig.environment.context import Context

__all__ = ["settle"]


async def settle(value: object, context: Context) -> object:
    """The value itself, or what the function returns, awaited where it is awaitable."""
    if callable(value):
        value = value(context) if _takes_context(value) else value()
    return await value if inspect.isawaitable(value) else value


def _takes_context(function: Callable[..., object]) -> bool:
    """Whether the first parameter must be given. One with a default is the function's own, unless named context."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    first = next(iter(parameters), None)
    if first is None or first.kind not in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD):
        return False
    return first.default is first.empty or first.name == "context"
