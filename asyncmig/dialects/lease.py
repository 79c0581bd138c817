"""The SQL of the lease: one row that says who runs migrations, until when, and with which fencing number.

PostgreSQL only. Nothing here waits for another session: a row that is locked counts as taken, and times are the
server's. The row stays when the lease is given back, so that its number, the token, only ever grows.

Each change is one statement that answers with a number of rows alone: sent as text in autocommit mode it is begun and
committed by the server itself, so that a process that stands still never keeps the row locked meanwhile.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncmig.dialects.ledger import LedgerSql

__all__ = ["HeldLease", "LeaseSql"]


class LeaseSql:
    """`table` is the version table's name with `_lease` behind it, in the same schema and in quotes."""

    def __init__(self, ledger: LedgerSql) -> None:
        self.table = ledger.lease
        self._literal = ledger.literal

    def exists(self) -> str:
        return f"SELECT to_regclass({self._literal(self.table)}) IS NOT NULL"

    def create(self) -> str:
        return (
            f"CREATE TABLE IF NOT EXISTS {self.table} (id smallint PRIMARY KEY CHECK (id = 1), "
            "token bigint NOT NULL, holder text, expires_at timestamptz NOT NULL)"
        )

    def fill(self) -> str:
        """The one row, of a lease that nobody holds; nothing where it is there."""
        return (
            f"INSERT INTO {self.table} (id, token, expires_at) SELECT 1, 0, '-infinity' "
            f"WHERE NOT EXISTS (SELECT 1 FROM {self.table}) ON CONFLICT DO NOTHING"
        )

    def take(self, token: int, holder: str, seconds: float) -> str:
        """Changes the row where the lease is free or has expired and its token still is `token`: then `token` + 1 is ours."""
        return (
            f"WITH free AS (SELECT id FROM {self.table} WHERE token = {token} AND expires_at <= clock_timestamp() "
            f"FOR UPDATE SKIP LOCKED) "
            f"UPDATE {self.table} AS lease SET token = lease.token + 1, holder = {self._literal(holder)}, "
            f"expires_at = {_in(seconds)} FROM free WHERE lease.id = free.id"
        )

    def extend(self, token: int, seconds: float) -> str:
        """Finds one row while the lease is ours. A row that our own step has locked is left as it is."""
        return (
            f"WITH mine AS (SELECT id FROM {self.table} WHERE token = {token} FOR UPDATE SKIP LOCKED), "
            f"extended AS (UPDATE {self.table} AS lease SET expires_at = {_in(seconds)} FROM mine WHERE lease.id = mine.id) "
            f"SELECT 1 FROM {self.table} WHERE token = {token}"
        )

    def give_back(self, token: int) -> str:
        return f"UPDATE {self.table} SET expires_at = '-infinity', holder = NULL WHERE token = {token}"

    def state(self) -> str:
        """(token, holder, whole seconds left)."""
        left = "ceil(extract(epoch FROM expires_at - clock_timestamp()))"
        return f"SELECT token, holder, CASE WHEN isfinite(expires_at) THEN {left}::bigint END FROM {self.table}"


def _in(seconds: float) -> str:
    # Inside a caller's transaction the row's lock is the lease: nothing has to run out behind it.
    return f"clock_timestamp() + interval '{seconds:g} seconds'" if seconds else "'-infinity'"


@dataclass(frozen=True, slots=True)
class HeldLease:
    """A lease that was taken with `token`, and the statements that hold only while it is still ours."""

    sql: LeaseSql
    token: int

    @property
    def proof(self) -> str:
        """A query that finds one row while the token is ours, and keeps it so up to the end of the transaction."""
        return f"SELECT 1 FROM {self.sql.table} WHERE token = {self.token} FOR UPDATE"

    def proven(self, statement: str) -> str:
        """`statement`, which changes rows, and a division by zero where the lease is not ours any more."""
        return (
            f"WITH part AS ({statement} RETURNING 1), proof AS ({self.proof}) "
            "SELECT 1 / (SELECT count(*) FROM proof), (SELECT count(*) FROM part)"
        )
