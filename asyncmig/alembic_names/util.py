"""`alembic.util`: the few of its names that scripts and env.py use."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

from asyncmig.alembic_names.dispatch import Dispatcher, DispatchPriority, PriorityDispatcher, PriorityDispatchResult
from asyncmig.errors import UsageError
from asyncmig.url import redact

__all__ = [
    "CommandError",
    "DispatchPriority",
    "Dispatcher",
    "PriorityDispatchResult",
    "PriorityDispatcher",
    "obfuscate_url_pw",
    "rev_id",
    "to_list",
    "to_tuple",
]


class CommandError(UsageError):
    """What scripts raise to stop with a message of their own."""

    def __init__(self, *messages: object) -> None:
        super().__init__(" ".join(str(message) for message in messages))


def rev_id() -> str:
    """A new revision id."""
    return uuid4().hex[-12:]


def to_tuple(x: Any, default: tuple[Any, ...] | None = None) -> tuple[Any, ...] | None:
    if x is None:
        return default
    return tuple(x) if isinstance(x, Iterable) and not isinstance(x, str) else (x,)


def to_list(x: Any, default: list[Any] | None = None) -> list[Any] | None:
    values = to_tuple(x)
    return default if values is None else list(values)


def obfuscate_url_pw(url: Any) -> str:
    """The URL without its password."""
    return redact(str(url))
