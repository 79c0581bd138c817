"""The version table and its journal on SQLite."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from asyncmig.dialects.ledger import VERSION_LENGTH, LedgerSql

__all__ = ["SqliteLedger"]


class SqliteLedger(LedgerSql):
    """Times are stored as UTC text, '2026-11-20 19:17:01.123+00:00'."""

    def create(self) -> tuple[str, ...]:
        return (
            f"CREATE TABLE IF NOT EXISTS {self.version} (version_num VARCHAR({VERSION_LENGTH}) NOT NULL PRIMARY KEY)",
            (
                f"CREATE TABLE IF NOT EXISTS {self.journal} (id INTEGER PRIMARY KEY, "
                f"revision VARCHAR({VERSION_LENGTH}) NOT NULL, down_revision TEXT, direction VARCHAR(16) NOT NULL, "
                "outcome VARCHAR(16) NOT NULL, checksum VARCHAR(64), file_hash VARCHAR(64), started_at TEXT, "
                "finished_at TEXT, duration_ms REAL, statements_done INTEGER NOT NULL, statements TEXT, "
                "database_user TEXT, host TEXT, asyncmig_version VARCHAR(64) NOT NULL, error TEXT, cursor TEXT)"
            ),
        )

    def exists(self) -> str:
        catalog = f'"{self.ref.schema}".sqlite_master' if self.ref.schema else "sqlite_master"
        names = (self.ref.name, self.journal_ref.name)
        return "SELECT " + ", ".join(
            f"EXISTS (SELECT 1 FROM {catalog} WHERE type = 'table' AND name = {self.literal(name)})" for name in names
        )

    def version_length(self) -> str | None:
        return None  # SQLite takes a length as part of the type's name and never enforces it ("Datatypes", 3.1)

    def widen(self) -> tuple[str, ...]:
        return ()

    def literal(self, value: str | int | float | None) -> str:
        if value is None:
            return "NULL"
        if isinstance(value, str):
            return "'" + value.replace("\0", "").replace("'", "''") + "'"
        return str(value)

    def time(self, value: datetime) -> str:
        return self.literal(value.astimezone(UTC).isoformat(sep=" ", timespec="milliseconds"))

    @property
    def now(self) -> str:
        return "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"

    @property
    def user(self) -> str | None:
        return None

    @property
    def opening(self) -> tuple[str, ...]:
        # The shell goes on behind an error, in the same transaction, and commits: half a revision, with its version row.
        return (".bail on",)

    def guard_table(self) -> tuple[str, ...]:
        # The name of the constraint is what the error says: outside a trigger SQLite has no RAISE.
        check = 'CONSTRAINT "asyncmig: the version table does not stand where this step begins" CHECK (stands)'
        return (f"CREATE TEMP TABLE IF NOT EXISTS asyncmig_guard (place TEXT, stands INTEGER {check})",)

    def guard(self, rows: Sequence[str]) -> str:
        if not rows:
            condition = f"NOT EXISTS (SELECT 1 FROM {self.version})"
        else:
            ids = ", ".join(self.literal(row) for row in rows)
            condition = f"(SELECT count(*) FROM {self.version} WHERE version_num IN ({ids})) = {len(rows)}"
        place = self.literal(", ".join(rows) or "empty")
        return f"INSERT OR ROLLBACK INTO temp.asyncmig_guard VALUES ({place}, {condition})"
