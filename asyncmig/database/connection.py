"""One connection of a run: synchronous inside the greenlet, awaited from outside.

SQLAlchemy's AsyncConnection is a shell around its Connection and loads the ORM with it: 60 ms that a start with
nothing to do need not pay. So the shell is put on when a script asks for it, and not before.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Generator
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, TypeVarTuple

from sqlalchemy.util import greenlet_spawn

from asyncmig.errors import UsageError

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import AsyncConnection

__all__ = ["Connection"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class Connection:
    """`sync` is SQLAlchemy's Connection over an async driver: to be used inside `run_sync` only."""

    __slots__ = ("_shell", "sync")

    def __init__(self, sync: sa.Connection, shell: AsyncConnection | None = None) -> None:
        self.sync = sync
        self._shell = shell

    @classmethod
    def given(cls, connection: AsyncConnection) -> Connection:
        """Around the caller's own connection; UsageError when it is not open."""
        sync = connection.sync_connection
        if sync is None:
            raise UsageError("connection= is not open yet.", hint="Use `async with engine.connect() as connection`.")
        return cls(sync, connection)

    async def run_sync(self, function: Callable[[sa.Connection, *Ts], T], *arguments: *Ts) -> T:
        """What `function(connection, ...)` returns; it may use the connection as if the driver were synchronous."""
        work = greenlet_spawn(function, self.sync, *arguments)
        if self.sync.dialect.driver != "aiosqlite":
            return await work
        result: T = await _Interruptible(work, self.sync)
        return result

    def as_async(self) -> AsyncConnection:
        """The same connection for code that awaits."""
        if self._shell is None:
            from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

            self._shell = AsyncConnection(AsyncEngine(self.sync.engine), self.sync)
        return self._shell

    async def invalidate(self) -> None:
        """Close the connection to the server, whatever state it is in; the pool gets a fresh one."""
        await greenlet_spawn(self.sync.invalidate)

    async def close(self) -> None:
        await greenlet_spawn(self.sync.close)


class _Interruptible:
    """Work on a SQLite connection that ends its running statement first when it is cancelled.

    Whoever hears of the cancellation below (SQLAlchemy closes the connection then) waits for the driver's thread,
    and with it for the end of the statement: so the statement has to go before anybody hears of anything.
    """

    __slots__ = ("_connection", "_work")

    def __init__(self, work: Coroutine[Any, Any, Any], connection: sa.Connection) -> None:
        self._work = work
        self._connection = connection

    def __await__(self) -> Generator[Any, Any, Any]:
        send: Callable[[], Any] = partial(self._work.send, None)
        while True:
            try:
                future = send()
            except StopIteration as stop:
                return stop.value
            try:
                yield future
            except GeneratorExit:
                self._work.close()
                raise
            except BaseException as error:
                self._interrupt()
                send = partial(self._work.throw, error)
            else:
                send = partial(self._work.send, None)

    def _interrupt(self) -> None:
        if self._connection.closed or self._connection.invalidated:
            return
        raw: Any = self._connection.connection.dbapi_connection
        # A coroutine that never waits: sqlite3_interrupt may be called from any thread.
        with suppress(StopIteration, ValueError):
            raw.driver_connection.interrupt().send(None)
