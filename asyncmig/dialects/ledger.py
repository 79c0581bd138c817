"""The SQL of the version table and its journal: text only, spelled once a database.

The journal's name is the version table's with `_journal` behind it, in the same schema. Values are written out, so
that a live run and `--sql` share every statement, and PostgreSQL gets a step's end in one message.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from datetime import datetime

from asyncmig.revisions.plan import VersionChange
from asyncmig.schema.ref import Ref

__all__ = ["JOURNAL_COLUMNS", "VERSION_LENGTH", "LedgerSql"]

VERSION_LENGTH = 255
"""Characters of an id that a version table of ours takes."""

JOURNAL_COLUMNS = (
    "revision",
    "down_revision",
    "direction",
    "outcome",
    "checksum",
    "file_hash",
    "started_at",
    "finished_at",
    "duration_ms",
    "statements_done",
    "statements",
    "database_user",
    "host",
    "asyncmig_version",
    "error",
    "cursor",
)


class LedgerSql(ABC):
    """`version`, `journal` and `lease` are the qualified names of our tables, always in quotes; the last is rare."""

    def __init__(self, ref: Ref) -> None:
        self.ref = ref
        self.journal_ref = Ref(f"{ref.name}_journal", ref.schema)
        self.version = _quoted(self.ref)
        self.journal = _quoted(self.journal_ref)
        self.lease_ref = Ref(f"{ref.name}_lease", ref.schema)
        self.lease = _quoted(self.lease_ref)

    @property
    def table_names(self) -> frozenset[str]:
        """Our own tables, which are no part of anybody's schema."""
        return frozenset((self.ref.name, self.journal_ref.name, self.lease_ref.name))

    @abstractmethod
    def create(self) -> tuple[str, ...]:
        """CREATE TABLE for both, harmless where they exist."""

    @abstractmethod
    def exists(self) -> str:
        """A query of one row of two truth values: is the version table there, is the journal."""

    @abstractmethod
    def version_length(self) -> str | None:
        """A query of one row: how many characters the id column takes, NULL without limit; None: never limited."""

    @abstractmethod
    def widen(self) -> tuple[str, ...]:
        """Make the id column of an older version table VERSION_LENGTH long."""

    @abstractmethod
    def literal(self, value: str | int | float | None) -> str:
        """A value written out."""

    @abstractmethod
    def time(self, value: datetime) -> str:
        """An aware time as SQL."""

    @property
    @abstractmethod
    def now(self) -> str:
        """The present time as a journal stores it."""

    def ended(self, started: datetime, *, follows: bool = False) -> tuple[str, str, str]:
        """When a step began and ended, and how many milliseconds it took, by the database's clock.

        `started` is when its text is sent; with `follows`, it begins there when the journal's last row has ended.
        For a row that is sent together with the statements that it is about: so only where several may be one text.
        """
        raise NotImplementedError

    @property
    @abstractmethod
    def user(self) -> str | None:
        """An expression for the database's own idea of who is connected; None where it has none."""

    # For --sql

    @property
    @abstractmethod
    def opening(self) -> tuple[str, ...]:
        """The first lines of a text for the database's own shell, so that it stops at the first error."""

    @abstractmethod
    def guard_table(self) -> tuple[str, ...]:
        """What the guards of a text need, if anything: made once, gone with the session."""

    @abstractmethod
    def guard(self, rows: Sequence[str]) -> str:
        """A statement that fails, and its transaction with it, unless these ids stand in the version table."""

    # Reading

    def state(self) -> str:
        """Version rows as (id, NULL), then incomplete revisions as (id, direction)."""
        return (
            f"SELECT version_num, NULL AS direction FROM {self.version} "
            f"UNION ALL SELECT revision, direction FROM {self.journal} WHERE outcome = 'incomplete'"
        )

    def versions(self) -> str:
        return f"SELECT version_num, NULL AS direction FROM {self.version}"

    def incomplete(self) -> str:
        return (
            f"SELECT revision, direction, statements_done, statements, error, cursor FROM {self.journal} "
            f"WHERE outcome = 'incomplete' ORDER BY id"
        )

    def checksums(self) -> str:
        """(revision, file_hash, checksum, finished_at) of every upgrade or stamp that counts, oldest first."""
        return (
            f"SELECT revision, file_hash, checksum, finished_at FROM {self.journal} "
            f"WHERE outcome = 'applied' AND direction <> 'downgrade' AND checksum IS NOT NULL ORDER BY id"
        )

    def parents(self) -> str:
        """(revision, down_revision) of everything the journal ever saw, oldest first."""
        return f"SELECT revision, down_revision FROM {self.journal} WHERE outcome <> 'failed' ORDER BY id"

    def log(self, limit: int | None) -> str:
        tail = f" LIMIT {limit:d}" if limit is not None else ""
        return f"SELECT id, {', '.join(JOURNAL_COLUMNS)} FROM {self.journal} ORDER BY id DESC{tail}"

    # Writing

    def changes(self, change: VersionChange) -> list[str]:
        """The change of the version rows. Each statement must change exactly one row, else somebody else was faster."""
        literal = self.literal
        return [
            *(f"DELETE FROM {self.version} WHERE version_num = {literal(old)}" for old in change.delete),
            *(
                f"UPDATE {self.version} SET version_num = {literal(new)} WHERE version_num = {literal(old)}"
                for old, new in change.update
            ),
            *(f"INSERT INTO {self.version} (version_num) VALUES ({literal(new)})" for new in change.insert),
        ]

    def insert_journal(self, values: Mapping[str, str]) -> str:
        """`values` are SQL, by column."""
        names = ", ".join(JOURNAL_COLUMNS)
        return f"INSERT INTO {self.journal} ({names}) VALUES ({', '.join(values[name] for name in JOURNAL_COLUMNS)})"

    def update_journal(self, values: Mapping[str, str], revision: str) -> str:
        """Go on with the incomplete row of a revision; there is at most one."""
        changes = ", ".join(f"{column} = {value}" for column, value in values.items())
        return (
            f"UPDATE {self.journal} SET {changes} WHERE revision = {self.literal(revision)} AND outcome = 'incomplete'"
        )

    def record(self, change: VersionChange, journal: str, *queries: str) -> tuple[str, ...]:
        """The change and its journal row: statements of which each changes one row, or finds one, or fails.

        `queries` have to find a row each for the rest to stand.
        """
        return (*queries, *self.changes(change), journal)

    def abandon(self) -> str:
        """What a stamp does to revisions that were left incomplete."""
        return f"UPDATE {self.journal} SET outcome = 'abandoned' WHERE outcome = 'incomplete'"


def _quoted(ref: Ref) -> str:
    parts = (ref.name,) if ref.schema is None else (ref.schema, ref.name)
    return ".".join('"' + part.replace('"', '""') + '"' for part in parts)
