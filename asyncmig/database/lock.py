"""The run lock: one runner at a time, the others wait without blocking anybody.

On PostgreSQL it is an advisory lock on the very connection that runs the steps: losing one loses both. It is
polled, never waited for inside the server: a session that sits in pg_advisory_lock() holds a snapshot,
CREATE INDEX CONCURRENTLY of the lock's holder waits for that snapshot, and PostgreSQL calls it a deadlock.
On SQLite, BEGIN IMMEDIATE of each step is the lock.
"""

from __future__ import annotations

import hashlib
import random
import time
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import anyio

from asyncmig.database.driver import Driver, driver_of
from asyncmig.database.events import LockWaiting, Observer, announce_async
from asyncmig.errors import LockTimeout

if TYPE_CHECKING:
    import sqlalchemy as sa

    from asyncmig.database.connection import Connection
    from asyncmig.dialects.lease import HeldLease

__all__ = ["AdvisoryLock", "HeldElsewhere", "NoLock", "RunLock", "lock_key"]

_FIRST_DELAY = 0.05
_LONGEST_DELAY = 1.0
_ANNOUNCE_AFTER = 0.5

_HOLDER = """
SELECT a.pid, a.application_name, a.usename, a.client_addr, now() - a.backend_start
FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_stat_activity AS a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
  AND ((l.classid::bigint << 32) | l.objid::bigint) = {key}
"""


def lock_key(schema: str, version_table: str) -> int:
    """A signed 64-bit key for pg_advisory_lock, which is itself a database's own (manual, "Advisory Locks")."""
    text = f"asyncmig\0{schema}\0{version_table}"
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


class HeldElsewhere(Exception):
    """Another runner holds the lock, and nobody wanted to wait for it."""


class RunLock(ABC):
    """`exclusive`: whether, once acquired, nobody else changes version rows until it is released.

    `waited` is in seconds. `release` is right after a failed or cancelled `acquire` too.
    """

    exclusive: bool
    waited: float = 0.0
    held: HeldLease | None = None
    """What proves in each commit that the lock is still ours; None where the connection itself is the proof."""

    @abstractmethod
    async def acquire(self, connection: Connection) -> None:
        """Take the lock; LockTimeout at the deadline."""

    @abstractmethod
    async def release(self, connection: Connection) -> None: ...

    def verify(self, driver: Driver) -> None:
        """RunLockLost when somebody else has taken the lock over; asked after a commit that could not prove it."""
        return


class NoLock(RunLock):
    """SQLite, and lock = "none": the compare-and-swap of each step has to do."""

    exclusive = False

    async def acquire(self, connection: Connection) -> None:
        return

    async def release(self, connection: Connection) -> None:
        return


class AdvisoryLock(RunLock):
    """A session lock, or `in_transaction` one that ends with the caller's own. Without `timeout` it is now or never."""

    exclusive = True

    def __init__(
        self,
        schema: str | None,
        version_table: str,
        timeout: float | None,
        observer: Observer | None,
        *,
        in_transaction: bool = False,
    ) -> None:
        self.schema = schema
        self.version_table = version_table
        self.timeout = timeout
        self.observer = observer
        self.in_transaction = in_transaction
        self._key: int | None = None
        self._perhaps_held = False

    async def acquire(self, connection: Connection) -> None:
        started = time.monotonic()
        delay = _FIRST_DELAY
        announced = False
        while not await connection.run_sync(self._try):
            if self.timeout is None:
                raise HeldElsewhere
            self.waited = time.monotonic() - started
            if self.waited >= self.timeout:
                raise await self._timed_out(connection)
            if not announced and self.waited >= _ANNOUNCE_AFTER:
                announced = True
                holder = await connection.run_sync(self._holder)
                await announce_async(self.observer, LockWaiting(self.waited, holder))
            await anyio.sleep(min(delay * random.uniform(0.5, 1.5), max(self.timeout - self.waited, 0.01)))
            delay = min(delay * 1.5, _LONGEST_DELAY)

    async def release(self, connection: Connection) -> None:
        if self._perhaps_held and not self.in_transaction and not connection.sync.invalidated:
            await connection.run_sync(self._release)

    def _try(self, connection: sa.Connection) -> bool:
        driver = driver_of(connection)
        if self._key is None:
            self._key = lock_key(self.schema or _current_schema(driver), self.version_table)
        function = "pg_try_advisory_xact_lock" if self.in_transaction else "pg_try_advisory_lock"
        # Set before asking: a cancellation may come between the server's yes and our hearing it.
        self._perhaps_held = True
        self._perhaps_held = bool(driver.fetch(f"SELECT {function}({self._key})")[0][0])
        return self._perhaps_held

    def _release(self, connection: sa.Connection) -> None:
        driver_of(connection).fetch(f"SELECT pg_advisory_unlock({self._key})")

    def _holder(self, connection: sa.Connection) -> str | None:
        assert self._key is not None
        rows = driver_of(connection).fetch(_HOLDER.format(key=self._key))
        if not rows:
            return None
        pid, application, user, address, age = rows[0]
        who = f"{application or 'a session'} (pid {pid}, user {user}"
        return f"{who}{f', from {address}' if address else ''}, connected for {str(age).split('.')[0]})"

    async def _timed_out(self, connection: Connection) -> LockTimeout:
        holder = await connection.run_sync(self._holder) or "another runner"
        return LockTimeout(
            f"Waited {self.waited:.0f} s for the run lock, which {holder} holds. Nothing was applied.",
            hint="Let it finish, end it, or raise lock_timeout.",
        )


def _current_schema(driver: Driver) -> str:
    return str(driver.fetch("SELECT current_schema()")[0][0])
