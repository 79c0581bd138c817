"""A database as one project sees it: where it is, what env.py says of it, and what every step there shares."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from asyncmig.database.attempt import Hooks
from asyncmig.database.engine import Database
from asyncmig.database.failures import in_words
from asyncmig.database.live import StepSettings
from asyncmig.database.session import CallersSession, OwnSession, Session
from asyncmig.dialects.registry import dialect_for, dialect_of
from asyncmig.environment.script_config import ScriptConfig
from asyncmig.operations.context import ContextSettings
from asyncmig.schema.model import Ref

if TYPE_CHECKING:
    from sqlalchemy.engine import URL
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from asyncmig.config import Config
    from asyncmig.database.events import Observer
    from asyncmig.dialects.base import Dialect
    from asyncmig.environment import Context, Environment

__all__ = ["Site"]


@dataclass(frozen=True, slots=True)
class Site:
    """`target` is an engine, a URL, or the connection of a caller; `source` the place that named it."""

    target: AsyncEngine | URL | AsyncConnection
    source: str
    config: Config
    environment: Environment
    context: Context
    observer: Observer | None
    tag: str | None = None

    @property
    def version_table(self) -> Ref:
        return Ref(self.config.version_table, self.config.version_table_schema)

    @property
    def hooks(self) -> Hooks:
        return Hooks(self.environment.before_step, self.environment.after_step, self.environment.on_error)

    @property
    def url(self) -> URL:
        from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

        if isinstance(self.target, AsyncConnection):
            return self.target.engine.url
        return self.target.url if isinstance(self.target, AsyncEngine) else self.target

    @property
    def name(self) -> str:
        """The URL without its password."""
        return self.url.render_as_string(hide_password=True)

    def offline_dialect(self) -> Dialect:
        return dialect_for(self.url.get_backend_name())

    def settings(self, dialect: Dialect) -> StepSettings:
        """What the steps share; `context.offline` makes scripts see `as_sql`."""
        return StepSettings(
            dialect,
            self._naming_convention(),
            ContextSettings(
                opts=self._opts(),
                version_table=self.config.version_table,
                version_table_schema=self.config.version_table_schema,
                config=ScriptConfig(self.config),
                as_sql=self.context.offline,
            ),
            self.observer,
        )

    def _naming_convention(self) -> Mapping[str, Any] | None:
        if self.environment.naming_convention is not None:
            return self.environment.naming_convention
        return next((dict(m.naming_convention) for m in self.environment.metadatas if m.naming_convention), None)

    def _opts(self) -> Mapping[str, Any]:
        environment = self.environment
        return {
            "target_metadata": environment.target_metadata,
            "include_schemas": self.config.include_schemas,
            "include_object": environment.include_object,
            "include_name": environment.include_name,
            "compare_type": environment.compare_type,
            "compare_server_default": environment.compare_server_default,
            "render_item": environment.render_item,
            "version_table": self.config.version_table,
            "version_table_schema": self.config.version_table_schema,
            "transaction_per_migration": self.config.transaction == "revision",
            "as_sql": self.context.offline,
            "tag": self.tag,
            "x_arguments": self.context.x_arguments,
            **environment.options,
        }

    @asynccontextmanager
    async def session(self) -> AsyncIterator[Session]:
        """A connection to work on; what the database raises comes out in words."""
        from sqlalchemy.ext.asyncio import AsyncConnection

        with in_words(self.name):
            if isinstance(self.target, AsyncConnection):
                yield self._callers(self.target)
                return
            database = self.database()
            try:
                async with database.connect() as connection:
                    dialect = dialect_of(connection.dialect)
                    ledger = dialect.ledger(self.version_table)
                    yield OwnSession(connection, dialect, ledger, self.config, self.observer, database)
            finally:
                await database.aclose()

    def database(self) -> Database:
        """Our handle on the engine; one that was given stays open when the handle is closed."""
        from sqlalchemy.ext.asyncio import AsyncConnection

        assert not isinstance(self.target, AsyncConnection)
        return Database(self.target, self.source, self.environment.engine_options)

    def _callers(self, connection: AsyncConnection) -> CallersSession:
        dialect = dialect_of(connection.dialect)
        return CallersSession(connection, dialect, dialect.ledger(self.version_table), self.config, self.observer)
