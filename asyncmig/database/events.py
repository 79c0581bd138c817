"""What a run tells whoever watches it: a bar, a log, a tracer."""

from __future__ import annotations

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

from sqlalchemy.util import await_only

from asyncmig.database.failures import message_of
from asyncmig.database.report import StepReport
from asyncmig.revisions.plan import Direction

if TYPE_CHECKING:
    from asyncmig.operations.base import Origin

__all__ = [
    "BatchFinished",
    "Event",
    "LockWaiting",
    "Observer",
    "Retrying",
    "StatementStarted",
    "StepFailed",
    "StepFinished",
    "StepStarted",
    "Warned",
    "announce",
    "announce_async",
    "at_target",
    "both",
    "facts",
    "hears_late",
    "hears_statements",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Told:
    """`target` is which of a fleet's databases it happened at; None where there is one database."""

    target: str | None = None


@dataclass(frozen=True, slots=True)
class StepStarted(_Told):
    """`index` counts from 1 up to `total`."""

    revision: str
    direction: Direction
    message: str
    index: int
    total: int


@dataclass(frozen=True, slots=True)
class StatementStarted(_Told):
    """`number` counts from 1 within the step; `sql` holds placeholders, never values of parameters."""

    revision: str
    number: int
    sql: str
    origin: Origin | None


@dataclass(frozen=True, slots=True)
class StepFinished(_Told):
    report: StepReport
    index: int
    total: int


@dataclass(frozen=True, slots=True)
class StepFailed(_Told):
    """Also for a step that was cancelled: `error` is then what cancelled it."""

    revision: str
    direction: Direction
    error: BaseException


@dataclass(frozen=True, slots=True)
class LockWaiting(_Told):
    """The run lock is held by somebody else: `seconds` so far, `holder` in words where it is known."""

    seconds: float
    holder: str | None


@dataclass(frozen=True, slots=True)
class Retrying(_Told):
    """A step lost a lock in the database and starts again after `delay` seconds."""

    revision: str
    attempt: int
    delay: float
    reason: str


@dataclass(frozen=True, slots=True)
class BatchFinished(_Told):
    """A batch of `op.batches` is committed: `rows` so far, of about `total` (None where nobody knows)."""

    revision: str
    table: str
    number: int
    rows: int
    total: int | None


@dataclass(frozen=True, slots=True)
class Warned(_Told):
    message: str


Event = StepStarted | StatementStarted | StepFinished | StepFailed | LockWaiting | Retrying | BatchFinished | Warned
Observer = Callable[[Event], Awaitable[None] | None]


def announce(observer: Observer | None, event: Event) -> None:
    """Tell the observer from inside the step's greenlet; an async observer is awaited there."""
    if observer is not None:
        answer = observer(event)
        if answer is not None and inspect.isawaitable(answer):
            await_only(answer)


async def announce_async(observer: Observer | None, event: Event) -> None:
    """Tell the observer from ordinary async code."""
    if observer is not None:
        answer = observer(event)
        if answer is not None and inspect.isawaitable(answer):
            await answer


def hears_statements(observer: Observer | None) -> bool:
    """Whether it has to be told of each statement: not where an attribute of that name says no."""
    return observer is not None and bool(getattr(observer, "hears_statements", True))


def hears_late(observer: Observer | None) -> bool:
    """Whether it may be told of steps when several of them are through: where an attribute of that name says yes."""
    return observer is None or bool(getattr(observer, "hears_late", False))


@dataclass(frozen=True, slots=True)
class _Both:
    first: Observer
    second: Observer

    @property
    def hears_statements(self) -> bool:
        return hears_statements(self.first) or hears_statements(self.second)

    @property
    def hears_late(self) -> bool:
        return hears_late(self.first) and hears_late(self.second)

    async def __call__(self, event: Event) -> None:
        await announce_async(self.first, event)
        await announce_async(self.second, event)


@dataclass(frozen=True, slots=True)
class _AtTarget:
    observer: Observer
    target: str

    @property
    def hears_statements(self) -> bool:
        return hears_statements(self.observer)

    @property
    def hears_late(self) -> bool:
        return hears_late(self.observer)

    def __call__(self, event: Event) -> Awaitable[None] | None:
        return self.observer(replace(event, target=self.target))


def both(first: Observer, second: Observer) -> Observer:
    """One observer that tells two, in this order."""
    return _Both(first, second)


def at_target(observer: Observer, target: str) -> Observer:
    """An observer that tells `observer` where it happened, too."""
    return _AtTarget(observer, target)


def facts(event: Event) -> dict[str, object]:
    """The event as a flat object of JSON's types, its kind first: what logs, tracers and `--events` show.

    An error is its type and its first sentence, without the statement and the values that SQLAlchemy adds.
    """
    flat: dict[str, object] = {"event": _SNAKE.sub("_", type(event).__name__).lower()}
    for name in (field.name for field in fields(event)):
        if name != "target" or event.target is not None:
            flat |= _flat(name, getattr(event, name))
    return flat


_SNAKE = re.compile(r"(?<!^)(?=[A-Z])")


def _flat(name: str, value: object) -> dict[str, object]:
    match value:
        case StepReport():
            inner = (field.name for field in fields(value))
            return {key: item for name in inner for key, item in _flat(name, getattr(value, name)).items()}
        case BaseException():
            return {"error": type(value).__name__, "message": message_of(value)}
        case tuple():
            return {name: [str(item) for item in value]}
        case None | bool() | int() | float():
            return {name: value}
        case _:
            return {name: str(value)}
