"""Where the operations of a running script go: one interface, live or recording, found by context.

The sink of the running step is a ContextVar, never a module global: two migrators in one process,
in two tasks or two threads, never notice each other.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Protocol

from asyncmig.errors import NoMigrationRunning
from asyncmig.operations.base import Operation, Origin

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import AsyncConnection

    from asyncmig.operations.backfills import Backfill, Batch
    from asyncmig.operations.context import MigrationContext

__all__ = ["Sink", "StepOwner", "current_sink", "origin_in", "running", "running_sink"]


class Sink(Protocol):
    """What the facade needs of a step. `script` is the path whose frames give an operation its line."""

    @property
    def script(self) -> str: ...

    @property
    def naming_convention(self) -> Mapping[str, Any] | None: ...

    @property
    def sqlalchemy_dialect(self) -> sa.engine.Dialect: ...

    def guard(self) -> None:
        """NoMigrationRunning when called from a child task or another thread than the step's own."""

    def emit(self, operation: Operation, origin: Origin | None) -> Any:
        """Execute now, or keep. The result of an Execute is its CursorResult when live, None when recording."""

    def bind(self, origin: Origin | None) -> sa.Connection:
        """The step's own connection; DynamicScript when recording."""

    def connection(self, origin: Origin | None) -> Awaitable[AsyncConnection]:
        """The same connection for an async script; DynamicScript, at the call, when recording."""

    def run_async(
        self,
        origin: Origin | None,
        function: Callable[..., Awaitable[Any]],
        args: Sequence[Any],
        keywords: Mapping[str, Any],
    ) -> Any:
        """What `function(connection, *args, **keywords)` comes to; DynamicScript when recording."""

    def batches(self, operation: Backfill, origin: Origin | None) -> AsyncIterator[Batch]:
        """The batches, live; none when recording, which keeps the operation."""

    def migration_context(self) -> MigrationContext: ...

    def autocommit_block(self, origin: Origin | None) -> AbstractContextManager[None]: ...


current_sink: ContextVar[Sink] = ContextVar("asyncmig_sink")


@contextmanager
def running(sink: Sink) -> Iterator[None]:
    """Bind `op` to `sink` for the block, in this context only."""
    token = current_sink.set(sink)
    try:
        yield
    finally:
        current_sink.reset(token)


def running_sink() -> Sink:
    """The guarded sink of the running step; NoMigrationRunning where there is none."""
    sink = current_sink.get(None)
    if sink is None:
        raise NoMigrationRunning(
            "No migration is running here, so `op` has no database to work on.",
            hint="Use `op` inside upgrade() or downgrade() of a revision script and let asyncmig run the script.",
        )
    sink.guard()
    return sink


def origin_in(script: str, skip: int = 1) -> Origin | None:
    """The line of `script` that is running, seen from `skip` frames further out; None when it is not among the callers."""
    frame: FrameType | None = sys._getframe(skip)
    while frame is not None:
        if frame.f_code.co_filename == script:
            return Origin(Path(script), frame.f_lineno)
        frame = frame.f_back
    return None


class StepOwner:
    """Remembers which thread and which task a step runs in.

    `current` names the task: asyncio.current_task for a live step, threading.get_ident where nothing awaits.
    It is a parameter because this package knows no event loop.
    """

    __slots__ = ("_current", "_owner", "_thread")

    def __init__(self, current: Callable[[], object]) -> None:
        self._current = current
        self._owner = current()
        self._thread = threading.get_ident()

    def check(self) -> None:
        """NoMigrationRunning unless called in the thread and task that made this object."""
        # The thread first: asyncio.current_task raises where no loop is running.
        if threading.get_ident() != self._thread:
            raise NoMigrationRunning(
                "`op` was used from another thread than the one that runs the migration.",
                hint="Collect the values in the thread and call `op` from upgrade() itself.",
            )
        if self._current() != self._owner:
            raise NoMigrationRunning(
                "`op` was used from a task that the migration started.",
                hint="Await the work and call `op` from upgrade() itself: one connection runs one statement at a time.",
            )
