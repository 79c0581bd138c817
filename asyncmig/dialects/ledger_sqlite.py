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

    def guard(self, rows: Sequence[str]) -> str | None:
        return None
