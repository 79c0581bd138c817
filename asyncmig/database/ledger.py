"""The version rows and their journal, read and changed together on one connection.

Every method runs inside the greenlet of `run_sync`. A change of a version row is a compare-and-swap: it must
change exactly one row, else `Overtaken`: somebody else moved the database meanwhile.
"""

from __future__ import annotations

import getpass
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from asyncmig.database.driver import Driver
from asyncmig.database.failures import is_access_denied, is_undefined_table, message_of, way_to_write
from asyncmig.database.report import Outcome
from asyncmig.dialects.lease import HeldLease
from asyncmig.dialects.ledger import JOURNAL_COLUMNS, LedgerSql
from asyncmig.errors import VersionTableError
from asyncmig.revisions.plan import Direction, VersionChange
from asyncmig.version import __version__

if TYPE_CHECKING:
    from asyncmig.database.journal_entry import JournalEntry

__all__ = ["AppliedScript", "Incomplete", "JournalRow", "Ledger", "LedgerState", "Overtaken"]


class Overtaken(Exception):
    """Another process changed the version rows between our reading and our step; plan again."""


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A revision that stopped after `done` statements; `digests` are theirs, in order.

    `cursor` says how far a backfill that was under way had come, as backfill.py writes it.
    """

    revision: str
    direction: Direction
    digests: tuple[str, ...]
    error: str | None
    cursor: str | None = None

    @property
    def done(self) -> int:
        return len(self.digests)


@dataclass(frozen=True, slots=True)
class LedgerState:
    """The ids in the version table, and whether the journal calls a revision incomplete."""

    versions: frozenset[str]
    incomplete: Mapping[str, Direction]


@dataclass(frozen=True, slots=True)
class AppliedScript:
    """What the journal knows of the script that brought a revision."""

    file_hash: str
    checksum: str
    applied_at: datetime | None


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One row to be written; times are aware and in UTC."""

    revision: str
    down_revision: str
    direction: Direction
    outcome: Outcome
    started_at: datetime
    finished_at: datetime | None = None
    checksum: str | None = None
    file_hash: str | None = None
    digests: tuple[str, ...] = ()
    error: str | None = None
    cursor: str | None = None
    together: bool = False  # sent with the statements that it is about: when they end only the database knows
    follows: bool = False  # and they behind those of another step

    def values(self, sql: LedgerSql) -> dict[str, str]:
        """The SQL of each column."""
        literal = sql.literal
        times = sql.ended(self.started_at, follows=self.follows) if self.together else self._ended(sql)
        started_at, finished_at, duration = times
        return {
            "revision": literal(self.revision),
            "down_revision": literal(self.down_revision),
            "direction": literal(self.direction),
            "outcome": literal(self.outcome),
            "checksum": literal(self.checksum),
            "file_hash": literal(self.file_hash),
            "started_at": started_at,
            "finished_at": finished_at,
            "duration_ms": duration,
            "statements_done": literal(len(self.digests)),
            "statements": literal(" ".join(self.digests) or None),
            "database_user": sql.user or literal(_user()),
            "host": literal(_HOST),
            "asyncmig_version": literal(__version__),
            "error": literal(self.error),
            "cursor": literal(self.cursor),
        }

    def _ended(self, sql: LedgerSql) -> tuple[str, str, str]:
        started = sql.time(self.started_at)
        if self.finished_at is None:
            return started, sql.literal(None), sql.literal(None)
        milliseconds = (self.finished_at - self.started_at).total_seconds() * 1000
        return started, sql.time(self.finished_at), sql.literal(milliseconds)


_HOST = socket.gethostname()
# The hashes too: what is gone on with is the script as it was mended.
_PROGRESS = (
    "outcome",
    "checksum",
    "file_hash",
    "finished_at",
    "duration_ms",
    "statements_done",
    "statements",
    "error",
    "cursor",
)


class Ledger:
    """`careful` asks which tables exist instead of failing on a missing one: inside a caller's transaction.

    With a `lease`, all that is written for a step proves in its transaction that the run lock is still ours.
    """

    def __init__(
        self, sql: LedgerSql, driver: Driver, *, careful: bool = False, lease: HeldLease | None = None
    ) -> None:
        self.sql = sql
        self.driver = driver
        self.careful = careful
        self.lease = lease

    # Reading

    def read(self) -> LedgerState:
        """One query; nothing is created. A database without our tables stands before every revision."""
        return self.state_in(self._first_that_works(self.sql.state(), self.sql.versions()))

    def state_in(self, rows: Iterable[tuple[Any, ...]]) -> LedgerState:
        """What the rows of `LedgerSql.state` mean."""
        rows = list(rows)
        return LedgerState(
            frozenset(str(name) for name, direction in rows if direction is None),
            {str(name): Direction(direction) for name, direction in rows if direction is not None},
        )

    def _first_that_works(self, *queries: str) -> list[tuple[Any, ...]]:
        if self.careful:
            version, journal = self.exists()
            return self.driver.fetch(queries[0 if journal else -1]) if version else []
        for query in queries:
            try:
                return self.driver.fetch(query)
            except sa.exc.DBAPIError as error:
                if not is_undefined_table(error):
                    raise
        return []

    def exists(self) -> tuple[bool, bool]:
        """Whether the version table is there, and the journal."""
        ((version, journal),) = self.driver.fetch(self.sql.exists())
        return bool(version), bool(journal)

    def incomplete(self) -> dict[str, Incomplete]:
        return {
            str(name): Incomplete(str(name), Direction(direction), tuple((digests or "").split()), error, cursor)
            for name, direction, _done, digests, error, cursor in self.driver.fetch(self.sql.incomplete())
        }

    def applied_scripts(self) -> dict[str, AppliedScript]:
        """By revision; where a revision was applied several times, the last one counts."""
        return {
            str(name): AppliedScript(file_hash, checksum, _time(finished))
            for name, file_hash, checksum, finished in self.driver.fetch(self.sql.checksums())
        }

    def parents(self) -> dict[str, tuple[str, ...]]:
        """The down_revision of every revision that the journal has seen."""
        return {str(name): tuple((down or "").split()) for name, down in self.driver.fetch(self.sql.parents())}

    def log(self, limit: int | None) -> tuple[JournalEntry, ...]:
        """The newest first; empty where there is no journal."""
        if not self.exists()[1]:
            return ()
        return tuple(_entry(row) for row in self.driver.fetch(self.sql.log(limit)))

    def version_length(self) -> int | None:
        """How many characters the id column takes; None for no limit, and where there is no table."""
        query = self.sql.version_length()
        rows = self.driver.fetch(query) if query else []
        return int(rows[0][0]) if rows and rows[0][0] is not None else None

    # Writing

    def create(self) -> None:
        """Make the tables that are missing, in the transaction of the caller."""
        present = self.exists()
        for there, statement in zip(present, self.sql.create(), strict=True):
            if not there:
                self._create(statement)

    def _create(self, statement: str) -> None:
        try:
            self.driver.run(statement)
        except sa.exc.DBAPIError as error:
            if not is_access_denied(error):
                raise
            name = self.sql.version if self.sql.version in statement.partition("(")[0].split() else self.sql.journal
            raise VersionTableError(
                f"Table {name} is missing and may not be created: {message_of(error)}. Nothing was applied.",
                hint=way_to_write(
                    error, "Grant CREATE on the schema, or let an owner run `asyncmig ensure-version` once."
                ),
            ) from error

    def record(self, change: VersionChange, row: JournalRow, *, started: bool) -> tuple[str, ...]:
        """The statements that end a step: each changes or finds one row. `started`: the journal calls it incomplete."""
        proofs = [self.lease.proof] if self.lease else []
        return self.sql.record(change, self._journal(row, started=started), *proofs)

    def journal(self, row: JournalRow, *, started: bool) -> None:
        self._run_proven(self._journal(row, started=started))

    def _run_proven(self, statement: str) -> None:
        self.driver.run(self.lease.proven(statement) if self.lease else statement)

    def _journal(self, row: JournalRow, *, started: bool) -> str:
        values = row.values(self.sql)
        if not started:
            return self.sql.insert_journal(values)
        return self.sql.update_journal({column: values[column] for column in _PROGRESS}, row.revision)

    def note_error(self, revision: str, message: str) -> None:
        """Why an incomplete revision stopped."""
        self._run_proven(self.sql.update_journal({"error": self.sql.literal(message)}, revision))

    def abandon(self) -> None:
        self._run_proven(self.sql.abandon())


@cache
def _user() -> str | None:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return None  # a container may run under a user id that has no name


def _time(value: datetime | str | None) -> datetime | None:
    return datetime.fromisoformat(value).astimezone(UTC) if isinstance(value, str) else value


def _entry(row: tuple[Any, ...]) -> JournalEntry:
    from asyncmig.database.journal_entry import JournalEntry

    number, *rest = row
    value = dict(zip(JOURNAL_COLUMNS, rest, strict=True))
    duration = value["duration_ms"]
    return JournalEntry(
        id=number,
        revision=value["revision"],
        down_revisions=tuple((value["down_revision"] or "").split()),
        direction=Direction(value["direction"]),
        outcome=Outcome(value["outcome"]),
        checksum=value["checksum"],
        started_at=_time(value["started_at"]),
        finished_at=_time(value["finished_at"]),
        seconds=duration / 1000 if duration is not None else None,
        statements_done=value["statements_done"],
        database_user=value["database_user"],
        host=value["host"],
        version=value["asyncmig_version"],
        error=value["error"],
    )
