"""Who holds the lock that a step waits for: seen from a second connection while it waits, because afterwards nobody knows."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
import sqlalchemy as sa

from asyncmig.database.driver import driver_of
from asyncmig.database.failures import detail_of, is_retryable, message_of
from asyncmig.errors import DatabaseError
from asyncmig.url import redact

if TYPE_CHECKING:
    from asyncmig.database.connection import Connection

__all__ = ["READING_PERIOD", "Blocker", "LockWatch", "named"]

logger = logging.getLogger("asyncmig")

_LONGEST_PERIOD = 0.4
"""PostgreSQL looks for a deadlock after a second (deadlock_timeout), and ends one of the two at once."""

READING_PERIOD = 2.0
"""Seconds between the looks while something is only read, which takes less."""

_STOP_SECONDS = 2.0
_QUERY_LENGTH = 100

_ACTIVITY = """
SELECT a.pid, a.application_name, a.state, a.query, date_trunc('second', now() - coalesce(a.xact_start, a.query_start))
FROM unnest({pids}) AS b (pid) JOIN pg_catalog.pg_stat_activity AS a ON a.pid = b.pid ORDER BY a.xact_start
"""
_LITERAL = re.compile(r"'(?:[^']|'')*'")
_BLOCKED_BY = re.compile(r"blocked by process (\d+)")


@dataclass(frozen=True, slots=True)
class Blocker:
    """A session that holds what the step wants; `age` is its transaction's. Literals in `query` are left out."""

    pid: int
    application: str | None
    state: str | None
    query: str
    age: str

    def __str__(self) -> str:
        doing = f"{self.state}, last " if self.state and self.state.startswith("idle") else ""
        return f"{self.application or 'a session'} (pid {self.pid}, for {self.age}, {doing}query: {self.query})"


def named(blockers: tuple[Blocker, ...]) -> str:
    """The blockers as the end of a sentence; empty where nobody is known."""
    if not blockers:
        return ""
    return f"; blocked by {', '.join(map(str, blockers))}"


@dataclass(slots=True)
class LockWatch:
    """Looks every `period` seconds while a step runs; None: never, only at what a deadlock's message says.

    `aside` opens the second connection, which is not made before the first look.
    """

    aside: Callable[[], AbstractAsyncContextManager[Connection]]
    backend: int | None
    period: float | None
    tells: bool = False  # whether each that is seen is a warning at once: nobody else would say why nothing happens
    _connections: AsyncExitStack = field(default_factory=AsyncExitStack)
    _second: Connection | None = None
    _seen: tuple[Blocker, ...] = ()

    @classmethod
    def of(
        cls,
        aside: Callable[[], AbstractAsyncContextManager[Connection]],
        backend: int | None,
        lock_timeout: float | None,
    ) -> LockWatch:
        """Often enough to see whom a statement waits for before `lock_timeout` ends it."""
        return cls(aside, backend, min(lock_timeout / 3, _LONGEST_PERIOD) if lock_timeout and backend else None)

    @asynccontextmanager
    async def around(self) -> AsyncIterator[None]:
        """Watch while the block runs."""
        self._seen = ()
        if self.period is None:
            yield
            return
        stop = asyncio.Event()
        looking = asyncio.create_task(self._look(stop, self.period), name="asyncmig lock watch")
        try:
            yield
        finally:
            stop.set()
            with anyio.move_on_after(_STOP_SECONDS, shield=True):
                await asyncio.wait([looking])
            if not looking.done():
                looking.cancel()
                with suppress(asyncio.CancelledError):
                    await looking

    async def found(self, error: BaseException) -> tuple[Blocker, ...]:
        """Who blocked the step that failed with `error`, as far as it was seen."""
        if not is_retryable(error):
            return ()
        told = _BLOCKED_BY.findall(detail_of(error) or "")
        others = [int(pid) for pid in told if int(pid) != self.backend]
        if not self._seen and others:
            await self._ask(f"ARRAY[{', '.join(map(str, others))}]")
        return self._seen

    async def aclose(self) -> None:
        self._second = None
        connections, self._connections = self._connections, AsyncExitStack()
        with suppress(sa.exc.SQLAlchemyError, OSError):  # gone already, which is what was wanted
            await connections.aclose()

    async def _look(self, stop: asyncio.Event, period: float) -> None:
        while not stop.is_set():
            with anyio.move_on_after(period):
                await stop.wait()
            if not stop.is_set():
                await self._ask(f"pg_catalog.pg_blocking_pids({self.backend})")

    async def _ask(self, pids: str) -> None:
        """What is not seen is not said: the step's own error matters more."""
        try:
            if self._second is None:
                self._second = await self._connections.enter_async_context(self.aside())
            found = await self._second.run_sync(_blockers, pids)
            if self.tells and {one.pid for one in found} - {one.pid for one in self._seen}:
                logger.warning("reading waits for a lock%s", named(found))
            self._seen = found or self._seen
        except (sa.exc.SQLAlchemyError, OSError, DatabaseError) as error:
            logger.debug("could not look who blocks the step: %s", message_of(error))
            await self.aclose()


def _blockers(connection: sa.Connection, pids: str) -> tuple[Blocker, ...]:
    rows = driver_of(connection).fetch(_ACTIVITY.format(pids=pids))
    return tuple(
        Blocker(pid, application, state, _shown(query or ""), str(age)) for pid, application, state, query, age in rows
    )


def _shown(query: str) -> str:
    text = redact(_LITERAL.sub("'...'", " ".join(query.split())))
    return text if len(text) <= _QUERY_LENGTH else f"{text[:_QUERY_LENGTH]}..."
