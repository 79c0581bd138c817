"""The dialect of a database by its name; each is imported when it is first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncmig.errors import UsageError

if TYPE_CHECKING:
    import sqlalchemy as sa

    from asyncmig.dialects.base import Dialect
    from asyncmig.dialects.ledger import LedgerSql
    from asyncmig.schema.ref import Ref

__all__ = ["dialect_for", "dialect_of", "ledger_for"]


def dialect_for(name: str, *, server_version: tuple[int, ...] | None = None) -> Dialect:
    """A fresh dialect; without `server_version` it writes for the newest server. UsageError for another database."""
    if name == "postgresql":
        from asyncmig.dialects.postgresql import PostgreSQL

        return PostgreSQL(server_version)
    if name == "sqlite":
        from asyncmig.dialects.sqlite import SQLite

        return SQLite()
    raise UsageError(f"asyncmig migrates PostgreSQL and SQLite, not {name}.")


def ledger_for(name: str, version_table: Ref) -> LedgerSql:
    """The SQL of the version table and its journal, without what compiles operations: every start reads it."""
    if name == "postgresql":
        from asyncmig.dialects.ledger_postgresql import PostgresqlLedger

        return PostgresqlLedger(version_table)
    if name == "sqlite":
        from asyncmig.dialects.ledger_sqlite import SqliteLedger

        return SqliteLedger(version_table)
    raise UsageError(f"asyncmig migrates PostgreSQL and SQLite, not {name}.")


def dialect_of(connected: sa.engine.Dialect) -> Dialect:
    """The dialect for a connection's SQLAlchemy dialect: same server version, nothing else of it."""
    return dialect_for(connected.name, server_version=getattr(connected, "server_version_info", None))
