"""One database: the engine that was given or that we make, and connections of it in autocommit mode.

In autocommit mode SQLAlchemy and the driver begin nothing by themselves, so that the transactions are ours on
every driver (see transaction.py); SQLAlchemy puts the mode back before a connection returns to its pool.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from copy import copy
from typing import TYPE_CHECKING, Any

import anyio
import sqlalchemy as sa
from sqlalchemy.engine import URL
from sqlalchemy.pool import NullPool
from sqlalchemy.util import greenlet_spawn

from asyncmig.database.connection import Connection
from asyncmig.database.driver import POOLED
from asyncmig.database.failures import connection_failure
from asyncmig.database.uncancelled import uncancelled
from asyncmig.dialects.connecting import connecting_to
from asyncmig.dialects.versions import refuse_old
from asyncmig.errors import ConnectionFailed, DriverError, UsageError
from asyncmig.url import how_to_install

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["Database", "FileDatabase", "is_missing_file"]

_CLEANUP_SECONDS = 10


class Database:
    """`name` is the URL without its password; `source` the place that named it; `engine` the sync face of the engine.

    An engine that was given stays open and gets no listener; one made from a URL is disposed by `aclose`.
    `pooled`: a pooler lends a server connection for one transaction only, so nothing may count on the session.
    """

    autocommit = False
    """Whether connections are in that mode from the first, and need not be put into it and out of it again."""

    keeps_settings = False
    """Whether the connections carry settings of their session, which a transaction-mode pooler would lose."""

    def __init__(
        self,
        target: AsyncEngine | URL,
        source: str,
        options: Mapping[str, Any] | None = None,
        *,
        pooled: bool = False,
    ) -> None:
        self.owned = isinstance(target, URL)
        self.engine = _engine_of(target, options or {}, pooled) if isinstance(target, URL) else target.sync_engine
        self.source = source
        self.pooled = pooled

    @property
    def url(self) -> URL:
        return self.engine.url

    @property
    def name(self) -> str:
        # psycopg_async is how SQLAlchemy calls the driver inside; nobody writes it.
        return self.url.render_as_string(hide_password=True).replace("+psycopg_async:", "+psycopg:", 1)

    @property
    def dialect_name(self) -> str:
        return self.engine.dialect.name

    @property
    def missing_file(self) -> bool:
        """Whether this is a SQLite file that is not there yet: looking must not create it."""
        return is_missing_file(self.url)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Connection]:
        """A connection in autocommit mode, or ConnectionFailed, AccessDenied, DatabaseError in words."""
        async with self._connected(self.engine) as connection:
            yield connection

    @asynccontextmanager
    async def connect_aside(self) -> AsyncIterator[Connection]:
        """A second connection, from a pool of its own: an application's may consist of the one that is in use."""
        given = self.engine
        engine = sa.Engine(given.pool.recreate(), given.dialect, given.url, hide_parameters=True)
        try:
            async with self._connected(engine) as connection:
                yield connection
        finally:
            await uncancelled(_CLEANUP_SECONDS, greenlet_spawn(engine.dispose))

    @asynccontextmanager
    async def _connected(self, engine: sa.Engine) -> AsyncIterator[Connection]:
        connection = Connection(await self._open(engine))
        try:
            await connection.run_sync(_prepare, self.pooled, self.autocommit)
            yield connection
        finally:
            await uncancelled(_CLEANUP_SECONDS, connection.close())

    async def _open(self, engine: sa.Engine) -> sa.Connection:
        try:
            return await greenlet_spawn(engine.connect)
        except Exception as error:  # SQLAlchemy 2.0 passes on what asyncpg raises while connecting as it is
            failure = connection_failure(error, self.name)
            if failure is None:
                raise
            raise failure from error

    async def wait_until_reachable(self, seconds: float) -> None:
        """Try again until the server answers; the last ConnectionFailed once `seconds` are over."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                async with self.connect():
                    return
            except ConnectionFailed:
                if time.monotonic() >= deadline:
                    raise
            await anyio.sleep(min(0.5, max(deadline - time.monotonic(), 0.01)))

    async def aclose(self) -> None:
        """Dispose an engine of ours; to the end, because an open aiosqlite connection hangs the interpreter's exit."""
        if self.owned:
            await uncancelled(_CLEANUP_SECONDS, greenlet_spawn(self.engine.dispose))


def is_missing_file(url: URL) -> bool:
    """Whether the URL names a SQLite file that is not there."""
    file = connecting_to(url).file()
    return file is not None and not file.exists()


def _engine_of(url: URL, options: Mapping[str, Any], pooled: bool) -> sa.Engine:
    try:
        return _make_engine(url, options, pooled)
    except ImportError as error:
        # Found, or we had not come here, and yet not to be imported: psycopg without a libpq, a driver built for
        # another machine.
        raise DriverError(
            f"{url.drivername} cannot be imported: {error}.", hint=f"Install it again: {how_to_install(url)}."
        ) from error
    except TypeError as error:
        if not options:
            raise
        said = " ".join(str(error).split())
        raise UsageError(
            f"SQLAlchemy makes no engine with these engine_options: {said}",
            hint="Correct engine_options in env.py.",
        ) from error


def _make_engine(url: URL, options: Mapping[str, Any], pooled: bool) -> sa.Engine:
    arguments: dict[str, Any] = {"poolclass": NullPool, **options}
    arguments.pop("connect_args", None)
    connecting = connecting_to(url)
    connect_args = connecting.arguments(options.get("connect_args", {}), pooled=pooled)
    url = connecting.driver_url()
    if "async_creator" in arguments:
        from sqlalchemy.ext.asyncio import create_async_engine

        return create_async_engine(url, connect_args=connect_args, **arguments).sync_engine
    return sa.create_engine(url, connect_args=connect_args, **arguments)


class FileDatabase(Database):
    """One of many SQLite files: what SQLAlchemy asks of a first connection, and sets on each, is done once for all."""

    autocommit = True

    def __init__(self, url: URL, source: str, options: Mapping[str, Any], first: FileDatabase | None = None) -> None:
        self.owned = True
        self.source = source
        self.pooled = False
        if first is None:
            settled = {**options, "isolation_level": "AUTOCOMMIT", "pool_reset_on_return": None}
            self.engine = _engine_of(url, settled, pooled=False)
        else:
            self.engine = _beside(first.engine, url, options)


def _beside(engine: sa.Engine, url: URL, options: Mapping[str, Any]) -> sa.Engine:
    """An engine for another URL with the dialect and the listeners of the first."""
    arguments, keywords = engine.dialect.create_connect_args(url)
    keywords.update(connecting_to(url).arguments(options.get("connect_args", {}), pooled=False))
    pool = engine.pool.recreate()
    pool._creator = lambda: engine.dialect.connect(*arguments, **keywords)
    return sa.Engine(pool, engine.dialect, url)


def _prepare(connection: sa.Connection, pooled: bool, autocommit: bool) -> None:
    refuse_old(connection.dialect)
    connection.execution_options(**{POOLED: pooled})
    if not autocommit:
        connection.execution_options(isolation_level="AUTOCOMMIT")
    # For this one connection: an open portal (yield_per) would block a later ALTER TABLE.
    connection.dialect = copy(connection.dialect)
    connection.dialect.supports_server_side_cursors = False
    if connection.dialect.driver == "asyncpg":
        from asyncmig.database.asyncpg_text import send_values_as_text

        send_values_as_text(connection.dialect)
