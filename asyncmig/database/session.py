"""The connection of a run: who owns it, its lock, its transactions, its ledger.

Two kinds: a connection of our own, where every step commits; and the caller's, inside whose transaction every
step is a savepoint and nothing is committed.
"""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

import sqlalchemy as sa

from asyncmig.database.cancel import backend_of, end_work
from asyncmig.database.driver import Driver, driver_of
from asyncmig.database.failures import is_access_denied, is_busy, message_of
from asyncmig.database.ledger import Ledger
from asyncmig.database.patience import Patience
from asyncmig.database.pragmas import pay_back, switch_foreign_keys_off
from asyncmig.database.transaction import CallersTransaction, OwnTransaction, RunTransaction, StepTransaction
from asyncmig.database.uncancelled import uncancelled
from asyncmig.errors import AccessDenied, UsageError

if TYPE_CHECKING:
    from asyncmig.config import Config
    from asyncmig.database.blockers import LockWatch
    from asyncmig.database.connection import Connection
    from asyncmig.database.engine import Database
    from asyncmig.database.events import Observer
    from asyncmig.database.lock import RunLock
    from asyncmig.dialects.base import Dialect
    from asyncmig.dialects.lease import HeldLease
    from asyncmig.dialects.ledger import LedgerSql

__all__ = ["CallersSession", "OwnSession", "Session"]

T = TypeVar("T")

logger = logging.getLogger("asyncmig")

_RELEASE_SECONDS = 10


@dataclass
class Session(ABC):
    """`careful`: a failed statement of ours would end somebody's transaction, so none may fail."""

    careful: ClassVar[bool]
    connection: Connection
    ledger_sql: LedgerSql
    config: Config
    observer: Observer | None
    without_foreign_keys: bool = field(default=False, init=False)  # SQLite's PRAGMA is off for the whole run
    lease: HeldLease | None = field(default=None, init=False)  # to be proved with whatever is written
    watch: LockWatch | None = field(default=None, init=False)  # sees who blocks a step
    claims: bool = field(default=False, init=False)  # never waits for the run lock: HeldElsewhere at once

    @cached_property
    def dialect(self) -> Dialect:
        """Loaded when there is work: a start with nothing to do compiles nothing."""
        from asyncmig.dialects.registry import dialect_of

        return dialect_of(self.connection.sync.dialect)

    async def ledger(self, work: Callable[[Ledger], T]) -> T:
        """Run `work` inside the connection's greenlet; again for up to lock_timeout while SQLite's file is locked."""
        patience = Patience(self.config.lock_timeout, self.observer)
        while True:
            try:
                return await self.connection.run_sync(
                    lambda sync: work(Ledger(self.ledger_sql, driver_of(sync), careful=self.careful, lease=self.lease))
                )
            except sa.exc.OperationalError as error:
                if not is_busy(error) or not await patience.pause():
                    raise

    @property
    @abstractmethod
    def exclusive(self) -> bool:
        """Whether the transaction around the run keeps other writers away, as SQLite's BEGIN IMMEDIATE does."""

    @abstractmethod
    def step_transaction(self, driver: Driver) -> StepTransaction:
        """The transaction of one step."""

    @abstractmethod
    def failure_transaction(self, driver: Driver) -> StepTransaction | None:
        """Where a failed step is journaled after its rollback; None where a failure must leave nothing."""

    @abstractmethod
    async def create_ledger(self) -> None:
        """Make the version table and the journal where they are missing."""

    @abstractmethod
    def whole_run(self) -> AbstractAsyncContextManager[None]:
        """What surrounds all that is done under the lock: cleanup after a cancellation."""

    @abstractmethod
    def all_steps(self) -> AbstractAsyncContextManager[None]:
        """What surrounds looking, planning and the steps: the transaction, where one holds them all."""

    @asynccontextmanager
    async def locked(self) -> AsyncIterator[RunLock]:
        """Hold the run lock."""
        lock = self._make_lock()
        try:
            await lock.acquire(self.connection)
            self.lease = lock.held
            yield lock
        finally:
            self.lease = None
            await uncancelled(_RELEASE_SECONDS, self._release(lock))

    async def _release(self, lock: RunLock) -> None:
        try:
            await lock.release(self.connection)
        except (sa.exc.SQLAlchemyError, OSError) as error:
            # A session lock must not go back into a pool: closing the connection releases it.
            logger.warning("the run lock was released by closing the connection: %s", message_of(error))
            await self.connection.invalidate()

    def _make_lock(self) -> RunLock:
        from asyncmig.database.lock import AdvisoryLock, NoLock

        if self.config.lock == "none" or not self.dialect.has_advisory_locks:
            return NoLock()
        ref = self.ledger_sql.ref
        timeout = None if self.claims else self.config.lock_timeout
        if self.config.lock == "lease":
            return self._make_lease(timeout)
        return AdvisoryLock(ref.schema, ref.name, timeout, self.observer, in_transaction=self.careful)

    @abstractmethod
    def _make_lease(self, timeout: float | None) -> RunLock: ...

    @asynccontextmanager
    async def told_waits(self) -> AsyncIterator[None]:
        """Warn while a look at the database waits for somebody's lock, where a second connection may see whose."""
        yield


@dataclass
class OwnSession(Session):
    """On a connection in autocommit mode that nobody else uses."""

    careful = False
    database: Database

    @property
    def exclusive(self) -> bool:
        return self.config.transaction == "run" and not self.dialect.has_advisory_locks

    def step_transaction(self, driver: Driver) -> StepTransaction:
        return self._own(driver, RunTransaction if self.config.transaction == "run" else OwnTransaction)

    def failure_transaction(self, driver: Driver) -> StepTransaction | None:
        return self._own(driver)

    async def create_ledger(self) -> None:
        # Asked as all else is: another starter may be writing this very moment, which SQLite's readers feel.
        if not all(await self.ledger(lambda ledger: ledger.exists())):
            await self.connection.run_sync(self._create_ledger)

    def _create_ledger(self, connection: sa.Connection) -> None:
        driver = driver_of(connection)
        ledger = Ledger(self.ledger_sql, driver)
        transaction = self._own(driver)
        try:
            transaction.begin()
            ledger.create()
            transaction.commit()
        except sa.exc.DBAPIError as error:
            transaction.rollback()
            if is_access_denied(error):
                raise AccessDenied(
                    f"{self.database.name} cannot be written: {message_of(error)}. Nothing was applied."
                ) from error
            raise
        except BaseException:
            transaction.rollback()
            raise

    @asynccontextmanager
    async def whole_run(self) -> AsyncIterator[None]:
        # A pooler answers with a number of its own making, which may be another session's on the server.
        backend = None if self.database.pooled else await backend_of(self.connection)
        if self.dialect.has_advisory_locks:
            self.watch = self._watch(backend)
        try:
            yield
        except Exception:
            raise  # the step has rolled back
        except BaseException:
            await end_work(self.database, self.connection, backend)
            raise
        finally:
            if self.watch is not None:
                await uncancelled(_RELEASE_SECONDS, self.watch.aclose())

    @asynccontextmanager
    async def told_waits(self) -> AsyncIterator[None]:
        if self.database.pooled or not self.dialect.has_advisory_locks:
            yield
            return
        from asyncmig.database.blockers import READING_PERIOD, LockWatch

        backend = await backend_of(self.connection)
        watch = LockWatch(self.database.connect_aside, backend, READING_PERIOD if backend else None, tells=True)
        try:
            async with watch.around():
                yield
        finally:
            await uncancelled(_RELEASE_SECONDS, watch.aclose())

    def _watch(self, backend: int | None) -> LockWatch:
        from asyncmig.database.blockers import LockWatch

        return LockWatch.of(self.database.connect_aside, backend, self.config.statement_lock_timeout)

    @asynccontextmanager
    async def all_steps(self) -> AsyncIterator[None]:
        if self.config.transaction != "run":
            yield
            return
        await self.connection.run_sync(self._begin_run)
        try:
            yield
        except Exception:
            await self.connection.run_sync(self._end_run, "rollback")
            raise
        await self.connection.run_sync(self._end_run, "commit")

    def _begin_run(self, connection: sa.Connection) -> None:
        driver = driver_of(connection)
        if self.without_foreign_keys:
            switch_foreign_keys_off(driver)
        self._own(driver).begin()

    def _end_run(self, connection: sa.Connection, how: Literal["commit", "rollback"]) -> None:
        driver = driver_of(connection)
        transaction = self._own(driver)
        transaction.commit() if how == "commit" else transaction.rollback()
        pay_back(driver)

    def _own(self, driver: Driver, kind: type[OwnTransaction] = OwnTransaction) -> OwnTransaction:
        begin = self.dialect.begin(self.config.statement_lock_timeout)
        if self.lease is not None:
            # A snapshot would take the heartbeat's change of the lease for a conflict.
            begin += "; SET LOCAL transaction_isolation = 'read committed'"
        return kind(driver, begin, self._patience, joins=self.dialect.joins_statements)

    def _patience(self) -> Patience:
        return Patience(self.config.lock_timeout, self.observer)

    def _make_lease(self, timeout: float | None) -> RunLock:
        from asyncmig.database.lease import LeaseLock
        from asyncmig.dialects.lease import LeaseSql

        sql = LeaseSql(self.ledger_sql)
        return LeaseLock(sql, self.database.connect_aside, timeout, self.config.lease_duration, self.observer)


@dataclass
class CallersSession(Session):
    """Inside the transaction of a connection that the caller gave; it is never committed here."""

    careful = True

    @property
    def exclusive(self) -> bool:
        return False

    def step_transaction(self, driver: Driver) -> StepTransaction:
        return CallersTransaction(driver)

    def failure_transaction(self, driver: Driver) -> StepTransaction | None:
        return None

    def _make_lease(self, timeout: float | None) -> RunLock:
        from asyncmig.database.lease import CallersLease
        from asyncmig.dialects.lease import LeaseSql

        return CallersLease(LeaseSql(self.ledger_sql), timeout)

    async def create_ledger(self) -> None:
        await self.ledger(lambda ledger: ledger.create())

    @asynccontextmanager
    async def whole_run(self) -> AsyncIterator[None]:
        await self.connection.run_sync(self._require_transaction)
        yield

    @asynccontextmanager
    async def all_steps(self) -> AsyncIterator[None]:
        yield

    def _require_transaction(self, connection: sa.Connection) -> None:
        """SQLAlchemy begins lazily, at the first statement, and sqlite3 at the first change of a row: begin now."""
        driver = driver_of(connection)
        if not driver.in_transaction:
            connection.exec_driver_sql("SELECT 1")
            driver.begin_now()
        if not driver.in_transaction:
            raise UsageError(
                "connection= is not inside a transaction of the database, so a failed migration could not be undone.",
                hint="Pass engine= instead, or begin one: its engine is in autocommit mode.",
            )
