"""The run lock as a row: for PostgreSQL behind a pooler that lends a server connection for one transaction only.

No session holds anything there, so the lock is a lease that runs out by the server's clock unless it is extended.
It is taken, extended and given back on a second connection of its own. What makes it safe is not the clock but the
token: each taking gives the next number, and every commit of a step proves that the number is still the run's own.
A run that was paused until somebody else took over can commit nothing more.
"""

from __future__ import annotations

import asyncio
import getpass
import logging
import os
import random
import socket
import time
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from typing import TYPE_CHECKING

import anyio
import sqlalchemy as sa

from asyncmig.database.driver import Driver, driver_of
from asyncmig.database.events import LockWaiting, Observer, announce_async
from asyncmig.database.failures import is_access_denied, is_unique_violation, message_of, way_to_write
from asyncmig.database.lock import HeldElsewhere, RunLock
from asyncmig.dialects.lease import HeldLease, LeaseSql
from asyncmig.errors import LockTimeout, RunLockLost, VersionTableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from asyncmig.database.connection import Connection

__all__ = ["CallersLease", "LeaseLock", "whoever_runs"]

logger = logging.getLogger("asyncmig")

_FIRST_DELAY = 0.1
_LONGEST_DELAY = 2.0
_ANNOUNCE_AFTER = 0.5
_BEATS = 5
"""How often a lease is extended while it lasts: several beats may be missed before it runs out."""

_STOP_SECONDS = 3.0


def whoever_runs() -> str:
    """This process, as the lease names its holder to others."""
    try:
        user = f"{getpass.getuser()}@"
    except (KeyError, OSError):
        user = ""  # a container may run under a user id that has no name
    return f"{user}{socket.gethostname()} (pid {os.getpid()})"


class LeaseLock(RunLock):
    """`aside` opens the second connection; `seconds` is how long the lease outlives a run that was killed.

    Without `timeout` it is now or never (HeldElsewhere).
    """

    exclusive = True

    def __init__(
        self,
        sql: LeaseSql,
        aside: Callable[[], AbstractAsyncContextManager[Connection]],
        timeout: float | None,
        seconds: float,
        observer: Observer | None,
        holder: str | None = None,
    ) -> None:
        self.sql = sql
        self.timeout = timeout
        self.seconds = seconds
        self.observer = observer
        self.holder = holder or whoever_runs()
        self._aside = aside
        self._connections = AsyncExitStack()
        self._second: Connection | None = None
        self._stop = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None

    async def acquire(self, connection: Connection) -> None:
        second = await self._connected()
        await second.run_sync(_make_table, self.sql)
        token = await self._poll(second)
        self.held = HeldLease(self.sql, token)
        self._beating = asyncio.create_task(self._beat(token), name="asyncmig lease")

    async def release(self, connection: Connection) -> None:
        try:
            await self._stop_beating()
            if self.held is not None:
                second = await self._connected()
                await second.run_sync(_run, self.sql.give_back(self.held.token))
        except (sa.exc.SQLAlchemyError, OSError) as error:
            logger.warning(
                "the lease was not given back, and runs out within %g s: %s", self.seconds, message_of(error)
            )
        finally:
            self.held = None
            await self._disconnect()

    def verify(self, driver: Driver) -> None:
        if self.held is None:
            return
        ((token, holder, _left),) = driver.fetch(self.sql.state()) or [(None, None, None)]
        if token != self.held.token:
            now = f"{holder} has it now" if holder else "another run has had it since"
            raise RunLockLost(
                f"Lost the run lock: it was not extended for {self.seconds:g} s, and {now}. Nothing more was done.",
                hint="Was the process paused, or its event loop blocked? Run it again: it goes on from where the database is.",
            )

    # Taking

    async def _poll(self, second: Connection) -> int:
        started = time.monotonic()
        delay = _FIRST_DELAY
        announced = False
        while (token := await second.run_sync(_take, self.sql, self.holder, self.seconds)) is None:
            if self.timeout is None:
                raise HeldElsewhere
            self.waited = time.monotonic() - started
            if self.waited >= self.timeout:
                raise await self._timed_out(second)
            if not announced and self.waited >= _ANNOUNCE_AFTER:
                announced = True
                await announce_async(self.observer, LockWaiting(self.waited, await second.run_sync(self._named)))
            await anyio.sleep(min(delay * random.uniform(0.5, 1.5), max(self.timeout - self.waited, 0.01)))
            delay = min(delay * 1.5, _LONGEST_DELAY)
        return token

    def _named(self, connection: sa.Connection) -> str | None:
        return _holder(driver_of(connection), self.sql)

    async def _timed_out(self, second: Connection) -> LockTimeout:
        holder = await second.run_sync(self._named) or "another run"
        return LockTimeout(
            f"Waited {self.waited:.0f} s for the run lock, which {holder} holds. Nothing was applied.",
            hint="Let it finish, end it, or raise lock_timeout.",
        )

    # Keeping

    async def _beat(self, token: int) -> None:
        """Extend the lease until told to stop, or until it is somebody else's: then every commit fails anyway."""
        while not await self._told_to_stop():
            try:
                second = await self._connected()
                if not await second.run_sync(_execute, self.sql.extend(token, self.seconds)):
                    logger.warning("the run lock was taken over by another run: nothing more is committed here")
                    return
            except (sa.exc.SQLAlchemyError, OSError) as error:
                # The server may be restarting: while nobody else takes the lease, it stays ours.
                logger.warning("the lease could not be extended: %s", message_of(error))
                await self._disconnect()
            except Exception:
                logger.warning("the lease is not extended any more", exc_info=True)
                return

    async def _told_to_stop(self) -> bool:
        with anyio.move_on_after(self.seconds / _BEATS):
            await self._stop.wait()
        return self._stop.is_set()

    async def _stop_beating(self) -> None:
        """Let a beat that is under way end: its connection is needed afterwards."""
        if self._beating is None:
            return
        self._stop.set()
        _, late = await asyncio.wait([self._beating], timeout=_STOP_SECONDS)
        if late:
            self._beating.cancel()
            with suppress(asyncio.CancelledError):
                await self._beating
            await self._disconnect()
        self._beating = None

    async def _connected(self) -> Connection:
        if self._second is None:
            self._second = await self._connections.enter_async_context(self._aside())
        return self._second

    async def _disconnect(self) -> None:
        self._second = None
        connections, self._connections = self._connections, AsyncExitStack()
        try:
            await connections.aclose()
        except (sa.exc.SQLAlchemyError, OSError) as error:
            logger.debug("the lease's connection was gone already: %s", message_of(error))


class CallersLease(RunLock):
    """The lease inside a caller's transaction: the row stays locked, and so taken, until that transaction ends."""

    exclusive = True

    def __init__(self, sql: LeaseSql, timeout: float | None) -> None:
        self.sql = sql
        self.timeout = timeout

    async def acquire(self, connection: Connection) -> None:
        await connection.run_sync(_make_table, self.sql)
        started = time.monotonic()
        while await connection.run_sync(_take, self.sql, whoever_runs(), 0) is None:
            if self.timeout is None:
                raise HeldElsewhere
            self.waited = time.monotonic() - started
            if self.waited >= self.timeout:
                holder = await connection.run_sync(lambda sync: _holder(driver_of(sync), self.sql)) or "another run"
                raise LockTimeout(
                    f"Waited {self.waited:.0f} s for the run lock, which {holder} holds. Nothing was applied.",
                    hint="Let it finish, end it, or raise lock_timeout.",
                )
            await anyio.sleep(min(random.uniform(0.1, 0.5), max(self.timeout - self.waited, 0.01)))

    async def release(self, connection: Connection) -> None:
        return


def _take(connection: sa.Connection, sql: LeaseSql, holder: str, seconds: float) -> int | None:
    """The token of a lease that was free: looked at first, then taken if it still is as it was."""
    driver = driver_of(connection)
    ((token, _holder, left),) = driver.fetch(sql.state()) or [(None, None, None)]
    if token is None or (left is not None and left > 0):
        return None
    return token + 1 if driver.execute(sql.take(token, holder, seconds)) else None


def _execute(connection: sa.Connection, sql: str) -> int:
    return driver_of(connection).execute(sql)


def _run(connection: sa.Connection, sql: str) -> None:
    driver_of(connection).run(sql)


def _holder(driver: Driver, sql: LeaseSql) -> str | None:
    rows = driver.fetch(sql.state())
    if not rows or rows[0][1] is None:
        return None
    _, holder, left = rows[0]
    return f"{holder}{f', whose lease has {left} s left,' if left is not None and left > 0 else ''}"


def _make_table(connection: sa.Connection, sql: LeaseSql) -> None:
    driver = driver_of(connection)
    if not driver.fetch(sql.exists())[0][0]:
        try:
            driver.run(sql.create())
        except sa.exc.DBAPIError as error:
            if is_access_denied(error):
                raise VersionTableError(
                    f"Table {sql.table} is missing and may not be created: {message_of(error)}. Nothing was applied.",
                    hint=way_to_write(
                        error,
                        'Grant CREATE on the schema, or let an owner run `asyncmig ensure-version` with lock = "lease".',
                    ),
                ) from error
            # IF NOT EXISTS looks before it leaps: several starters may meet in the catalog's own index.
            if not is_unique_violation(error):
                raise
    driver.run(sql.fill())
