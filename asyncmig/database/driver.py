"""The driver below SQLAlchemy's connection: raw text in one round trip, and the truth about the transaction.

SQLAlchemy's cursors prepare every statement, which costs a round trip, and asyncpg prepares only single
statements. Migrations send text without parameters, so it goes through the driver's simple protocol, and what
the driver itself says about the transaction is the only account that a script's own COMMIT cannot falsify.
Everything here runs inside the greenlet of `Connection.run_sync`.
"""

from __future__ import annotations

import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, TypeVar

import sqlalchemy as sa
from sqlalchemy.util import await_only

__all__ = ["POOLED", "Driver", "Expected", "WholeChange", "driver_of"]

T = TypeVar("T")

_TURN = 0.05  # seconds after which changes give the driver's thread back


POOLED = "asyncmig_pooled"
"""The execution option of a connection through a pooler that lends a server connection for one transaction only."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What has to be found inside a transaction: `ready` says so of the rows of `query`."""

    query: str
    ready: Callable[[list[tuple[Any, ...]]], bool]


@dataclass(frozen=True, slots=True)
class WholeChange:
    """A transaction known from `begin` to COMMIT. Each statement of `ending` has to change or find one row.

    `starting` and `ending` are called in the driver's thread: when it begins, and when `statements` are through.
    """

    begin: str
    expected: Expected | None
    statements: Sequence[str]
    ending: Callable[[], Sequence[str]]
    starting: Callable[[], None]


class Driver(ABC):
    """One connection's driver. Errors are SQLAlchemy's, as scripts expect to catch them."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        adapted: Any = connection.connection.dbapi_connection
        self.adapted = adapted
        self.pooled = bool(connection.get_execution_options().get(POOLED))
        # The drivers' own types are not SQLAlchemy's: each subclass knows what it holds.
        self.raw: Any = adapted.driver_connection

    @property
    @abstractmethod
    def in_transaction(self) -> bool:
        """Whether the server (or SQLite) is inside a transaction block, failed ones included."""

    @abstractmethod
    async def _run(self, sql: str) -> None: ...

    @abstractmethod
    async def _fetch(self, sql: str) -> list[tuple[Any, ...]]: ...

    @abstractmethod
    async def _execute(self, sql: str) -> int: ...

    def run(self, sql: str) -> None:
        """Send text that has no parameters, as it is."""
        try:
            await_only(self._run(sql))
        except Exception as error:
            self._raise(error, sql)

    def fetch(self, sql: str) -> list[tuple[Any, ...]]:
        """All rows of a query of ours."""
        try:
            return await_only(self._fetch(sql))
        except Exception as error:
            self._raise(error, sql)

    def execute(self, sql: str) -> int:
        """The number of rows that a statement of ours changed or found."""
        try:
            return await_only(self._execute(sql))
        except Exception as error:
            self._raise(error, sql)

    def begin_now(self) -> None:
        """Begin the transaction that the driver would begin by itself with the first change, if it does so."""
        return

    def begin_and_fetch(self, begin: str, query: str) -> list[tuple[Any, ...]]:
        """Begin a transaction and give the rows of its first query."""
        self.run(begin)
        return self.fetch(query)

    def change_each(self, statements: Sequence[str], commit: str | None) -> int:
        """Run statements until one does not change exactly one row, and `commit` when all did; gives how many were run.

        A `commit` that is refused because somebody holds the file does not count: it has to be tried again.
        """
        for done, sql in enumerate(statements):
            if self.execute(sql) != 1:
                return done
        return len(statements)

    def change_whole(self, change: WholeChange) -> bool:
        """Do it; False, rolled back, where it is not as expected or one of the last statements says no."""
        raise NotImplementedError("only where statements cannot be joined")

    def change_many(self, changes: Sequence[WholeChange]) -> list[float]:
        """Do one after the other, up to the first that is not to be had so; the seconds that each took.

        Here all are one text, so that each is said to have taken its share, and an error leaves open how far it came.
        """
        began = time.monotonic()
        for change in changes:
            change.starting()
        self.run(";\n".join(part for c in changes for part in (c.begin, *c.statements, *c.ending(), "COMMIT")))
        return [(time.monotonic() - began) / len(changes)] * len(changes)

    def interrupt(self) -> None:
        """End the statement that runs in the driver's own thread, where there is one."""
        return

    @property
    def stuck(self) -> bool:
        """Whether the connection still waits for an answer that nobody will read: only closing it helps."""
        return False

    @property
    def gone(self) -> bool:
        """Whether the connection is lost, and with it what its session held; SQLAlchemy may have made another since."""
        connection = self.connection
        if connection.closed or connection.invalidated or self._closed:
            return True
        return connection.connection.dbapi_connection is not self.adapted

    @property
    def _closed(self) -> bool:
        return False

    @property
    def backend_pid(self) -> int | None:
        """The server process behind the connection; None where there is no server."""
        return None

    def _raise(self, error: Exception, sql: str) -> NoReturn:
        dialect = self.connection.dialect
        base = dialect.loaded_dbapi.Error
        original = self._dbapi_error(error)
        if not isinstance(original, base):
            raise error
        raise sa.exc.DBAPIError.instance(
            sql, None, original, base, dialect=dialect, hide_parameters=True, connection_invalidated=False
        ) from error

    def _dbapi_error(self, error: Exception) -> Exception:
        return error


class AsyncpgDriver(Driver):
    @property
    def in_transaction(self) -> bool:
        return bool(self.raw.is_in_transaction())

    @property
    def _closed(self) -> bool:
        return bool(self.raw.is_closed())

    @property
    def backend_pid(self) -> int | None:
        return int(self.raw.get_server_pid())

    async def _run(self, sql: str) -> None:
        # SQLAlchemy marks its prepared statements stale after a DDL of its own; it cannot see ours.
        self.connection.dialect._invalidate_schema_cache()  # type: ignore[attr-defined]
        await self.raw.execute(sql)

    async def _fetch(self, sql: str) -> list[tuple[Any, ...]]:
        if not self.pooled or self.in_transaction:
            return [tuple(record) for record in await self.raw.fetch(sql)]
        # It prepares in one message and executes in the next: a pooler may send each to another server.
        async with self.raw.transaction():
            return [tuple(record) for record in await self.raw.fetch(sql)]

    async def _execute(self, sql: str) -> int:
        status: str = await self.raw.execute(sql)
        count = status.rpartition(" ")[2]
        return int(count) if count.isdigit() else 0

    def _dbapi_error(self, error: Exception) -> Exception:
        try:
            self.adapted._handle_exception(error)
        except Exception as translated:
            return translated
        return error


class PsycopgDriver(Driver):
    @property
    def in_transaction(self) -> bool:
        return self.raw.info.transaction_status.name in ("INTRANS", "INERROR", "ACTIVE")

    @property
    def _closed(self) -> bool:
        return bool(self.raw.closed)

    @property
    def backend_pid(self) -> int | None:
        return int(self.raw.info.backend_pid)

    @property
    def stuck(self) -> bool:
        # anyio cancels again and again, also while psycopg is fetching the answer of what was cancelled.
        return bool(self.raw.info.transaction_status.name == "ACTIVE")

    async def _run(self, sql: str) -> None:
        await self.raw.execute(sql.encode(), prepare=False)

    async def _fetch(self, sql: str) -> list[tuple[Any, ...]]:
        cursor = await self.raw.execute(sql.encode(), prepare=False)
        return [tuple(row) for row in await cursor.fetchall()]

    async def _execute(self, sql: str) -> int:
        return int((await self.raw.execute(sql.encode(), prepare=False)).rowcount)


class AiosqliteDriver(Driver):
    @property
    def in_transaction(self) -> bool:
        return bool(self.raw.in_transaction)

    async def _run(self, sql: str) -> None:
        # Runs the statement and drops its cursor in one turn of the driver's thread, where execute() takes two.
        await self.raw.execute_fetchall(sql)

    async def _fetch(self, sql: str) -> list[tuple[Any, ...]]:
        return list(await self.raw.execute_fetchall(sql))

    async def _execute(self, sql: str) -> int:
        before = self.raw.total_changes
        await self.raw.execute_fetchall(sql)
        return int(self.raw.total_changes - before)

    def begin_now(self) -> None:
        """sqlite3 begins before INSERT, UPDATE, DELETE and REPLACE only, unless it leaves that to others ("Transaction control")."""
        implicit = self.raw.isolation_level is not None and getattr(self.raw._conn, "autocommit", -1) == -1
        if implicit and not self.in_transaction:
            self.run("BEGIN IMMEDIATE")

    # A turn of the driver's thread costs more than most statements do: what belongs together takes one.

    def begin_and_fetch(self, begin: str, query: str) -> list[tuple[Any, ...]]:
        return self._in_one_turn(partial(_begin_and_fetch, begin=begin, query=query), f"{begin}; {query}")

    def change_each(self, statements: Sequence[str], commit: str | None) -> int:
        work = partial(_change_each, statements=statements, commit=commit)
        return self._in_one_turn(work, "; ".join(statements))

    def change_whole(self, change: WholeChange) -> bool:
        return self._in_one_turn(partial(_change_whole, change=change), "; ".join((change.begin, *change.statements)))

    def change_many(self, changes: Sequence[WholeChange]) -> list[float]:
        return self._in_one_turn(partial(_change_many, changes=changes), changes[0].begin)

    def _in_one_turn(self, work: Callable[[sqlite3.Connection], T], sql: str) -> T:
        try:
            # What all of aiosqlite's own methods do with the connection that its thread owns.
            answer: T = await_only(self.raw._execute(lambda: work(self.raw._conn)))
        except Exception as error:
            self._raise(error, sql)
        return answer

    def interrupt(self) -> None:
        await_only(self.raw.interrupt())


def _begin_and_fetch(connection: sqlite3.Connection, *, begin: str, query: str) -> list[tuple[Any, ...]]:
    connection.execute(begin)
    return connection.execute(query).fetchall()


def _change_each(connection: sqlite3.Connection, *, statements: Sequence[str], commit: str | None) -> int:
    for done, sql in enumerate(statements):
        if connection.execute(sql).rowcount != 1:
            return done
    if commit is None:
        return len(statements)
    try:
        connection.execute(commit)
    except sqlite3.OperationalError as error:
        if not str(error).startswith("database is locked"):
            raise
        return len(statements)
    return len(statements) + 1


def _change_whole(connection: sqlite3.Connection, *, change: WholeChange) -> bool:
    change.starting()
    connection.execute(change.begin)
    try:
        expected = change.expected
        if expected is not None and not expected.ready(connection.execute(expected.query).fetchall()):
            return False
        for sql in change.statements:
            connection.execute(sql)
        if any(connection.execute(sql).rowcount != 1 for sql in change.ending()):
            return False
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return True


def _change_many(connection: sqlite3.Connection, *, changes: Sequence[WholeChange]) -> list[float]:
    seconds: list[float] = []
    began = now = time.monotonic()
    for change in changes:
        try:
            done = _change_whole(connection, change=change)
        except sqlite3.Error:
            break  # it shows where that one is done by itself
        before, now = now, time.monotonic()
        if done:
            seconds.append(now - before)
        if not done or now - began > _TURN:
            break
    return seconds


_DRIVERS: dict[str, type[Driver]] = {
    "asyncpg": AsyncpgDriver,
    "psycopg": PsycopgDriver,
    "psycopg_async": PsycopgDriver,
    "aiosqlite": AiosqliteDriver,
}


def driver_of(connection: sa.Connection) -> Driver:
    """The driver of a connection; which drivers there are is checked where the engine is made."""
    return _DRIVERS[connection.dialect.driver](connection)
