"""One PostgreSQL schema as a database of its own, on connections that the schemas of the same database share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from asyncmig.database.driver import driver_of
from asyncmig.database.engine import Database
from asyncmig.database.uncancelled import uncancelled
from asyncmig.errors import DatabaseError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL
    from sqlalchemy.ext.asyncio import AsyncEngine

    from asyncmig.database.connection import Connection

__all__ = ["SchemaDatabase", "most_connections", "pooled"]

_CLEANUP_SECONDS = 10

# What DISCARD ALL does, prepared statements excepted: asyncpg keeps its own account of those.
_RESTORE = (
    "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; "
    "SELECT pg_catalog.pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES"
)


def pooled(target: AsyncEngine | URL, source: str, options: Mapping[str, Any], size: int) -> Database:
    """A database whose connections are kept, at most `size`; an engine that was given keeps its own pool."""
    from sqlalchemy.pool import AsyncAdaptedQueuePool

    pool: dict[str, Any] = {"poolclass": AsyncAdaptedQueuePool, "pool_size": size, "max_overflow": 0}
    return Database(target, source, options if "poolclass" in options else {**pool, **options})


def most_connections(engine: AsyncEngine) -> int | None:
    """How many connections the engine's pool gives at once; None where it sets no limit."""
    pool = engine.pool
    if isinstance(pool, sa.pool.StaticPool):
        return 1
    # Both 0 and below mean no limit ("Connection Pooling", QueuePool).
    if not isinstance(pool, sa.pool.QueuePool) or pool.size() == 0 or pool._max_overflow < 0:
        return None
    return pool.size() + pool._max_overflow


class SchemaDatabase(Database):
    """`beside` are schemas behind this one in the search_path, `token` what scripts may call it instead of its name.

    A connection finds unqualified names in the schema, whether they stand in text or in SQLAlchemy's tables, and
    goes back to its pool with the session's settings, locks and temporary tables as they were.
    """

    keeps_settings = True

    def __init__(self, shared: Database, schema: str, beside: Sequence[str] = (), token: str | None = None) -> None:
        self.owned = False
        self.engine = shared.engine
        self.source = shared.source
        self.pooled = shared.pooled
        self.schema = schema
        self.beside = tuple(beside)
        self.token = token

    @property
    def name(self) -> str:
        shown = super().name
        return f"{shown}{'&' if '?' in shown else '?'}schema={self.schema}"

    @property
    def schemas(self) -> dict[str, str]:
        """What operations may call the schema, and its name."""
        return {self.token: self.schema} if self.token else {}

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        """A connection inside the schema; DatabaseError when there is no such schema."""
        async with super().connect() as connection:
            try:
                await connection.run_sync(self._enter)
                yield connection
            finally:
                if not await uncancelled(_CLEANUP_SECONDS, self._leave(connection)):
                    await connection.invalidate()

    def _enter(self, connection: sa.Connection) -> None:
        names = dict.fromkeys((None, self.token), self.schema)
        connection.execution_options(schema_translate_map=names)
        connection.dialect.default_schema_name = self.schema
        quote = connection.dialect.identifier_preparer.quote_identifier
        path = _literal(", ".join(quote(name) for name in (self.schema, *self.beside)))
        # PostgreSQL takes a search_path of schemas that are not there: so the schema itself is asked for.
        setting = f"SELECT pg_catalog.set_config('search_path', {path}, false) FROM pg_catalog.pg_namespace"
        if driver_of(connection).execute(f"{setting} WHERE nspname = {_literal(self.schema)}") != 1:
            raise DatabaseError(f"{self.name}: there is no such schema.", hint="Create it first; asyncmig never does.")

    async def _leave(self, connection: Connection) -> None:
        if connection.sync.closed or connection.sync.invalidated:
            return
        try:
            await connection.run_sync(_restore)
        except (sa.exc.SQLAlchemyError, OSError):
            # Whatever state it is in, nobody else gets it.
            await connection.invalidate()


def _restore(connection: sa.Connection) -> None:
    driver = driver_of(connection)
    if driver.stuck or driver.in_transaction:
        connection.invalidate()
    else:
        driver.run(_RESTORE)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
