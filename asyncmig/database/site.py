"""A database as one project sees it: where it is, what env.py says of it, and what every step there shares."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import URL

from asyncmig.database.connection import Connection
from asyncmig.database.engine import Database
from asyncmig.database.failures import in_words
from asyncmig.database.session import CallersSession, OwnSession, Session
from asyncmig.dialects.connecting import connecting_to
from asyncmig.dialects.registry import dialect_for, ledger_for
from asyncmig.dialects.versions import refuse_old
from asyncmig.errors import ConfigError
from asyncmig.schema.ref import Ref

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from asyncmig.config import Config
    from asyncmig.database.attempt import Hooks
    from asyncmig.database.events import Observer
    from asyncmig.database.step_settings import StepSettings
    from asyncmig.dialects.base import Dialect
    from asyncmig.dialects.ledger import LedgerSql
    from asyncmig.environment import Context, Environment
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["Site"]

_NO_SCHEMAS = (
    'lock = "lease" is for a pooler that lends a connection for one transaction, and a schema of its own is a setting of '
    "the session: name each schema in version_table_schema and in the models instead, or connect past the pooler."
)


@dataclass(frozen=True, slots=True)
class Site:
    """`target` is an engine or a URL, `connection` the caller's own instead; `source` the place that named it.

    `opened` is a handle on the database that others use too: a session does not close it. `claims` makes a session
    take the run lock at once or not at all (HeldElsewhere).
    """

    target: AsyncEngine | URL
    source: str
    config: Config
    environment: Environment
    context: Context
    observer: Observer | None
    tag: str | None = None
    connection: AsyncConnection | None = None
    opened: Database | None = None
    claims: bool = False

    @property
    def ledger_sql(self) -> LedgerSql:
        version_table = Ref(self.config.version_table, self.config.version_table_schema)
        return ledger_for(self.url.get_backend_name(), version_table)

    @property
    def hooks(self) -> Hooks:
        from asyncmig.database.attempt import Hooks

        return Hooks(self.environment.before_step, self.environment.after_step, self.environment.on_error)

    @property
    def url(self) -> URL:
        return self.target if isinstance(self.target, URL) else self.target.url

    @property
    def name(self) -> str:
        """The URL without its password."""
        if self.opened is not None:
            return self.opened.name
        return self.url.render_as_string(hide_password=True)

    def offline_dialect(self) -> Dialect:
        return dialect_for(self.url.get_backend_name())

    def settings(self, dialect: Dialect, graph: RevisionGraph | None = None) -> StepSettings:
        """What the steps share; `context.offline` makes scripts see `as_sql`. With `graph`, the history too."""
        from asyncmig.database.history import History

        settings = self._settings(dialect)
        if graph is None:
            return settings
        keeps = self.config.alembic_compat
        history = History(graph, settings, self.environment.script_arguments, keeps_on_upgrade=keeps)
        return replace(settings, history=history)

    def _settings(self, dialect: Dialect) -> StepSettings:
        from asyncmig.database.step_settings import StepSettings
        from asyncmig.database.whole import WholeSteps
        from asyncmig.environment.script_config import ScriptConfig
        from asyncmig.operations.context import ContextSettings

        return StepSettings(
            dialect,
            self._naming_convention(),
            ContextSettings(
                opts=self._opts(),
                version_table=self.config.version_table,
                version_table_schema=self.config.version_table_schema,
                config=ScriptConfig(self.config),
                as_sql=self.context.offline,
                tolerant=self.config.alembic_compat,
            ),
            self.observer,
            whole=WholeSteps(),
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
        self._check_lock()
        with in_words(self.name):
            if self.connection is not None:
                given = Connection.given(self.connection)
                refuse_old(given.sync.dialect)
                yield CallersSession(given, self.ledger_sql, self.config, self.observer)
                return
            database = self.opened or self.database()
            if self.config.lock == "lease" and database.keeps_settings:
                raise ConfigError(_NO_SCHEMAS, key="lock")
            try:
                async with database.connect() as connection:
                    session = OwnSession(connection, self.ledger_sql, self.config, self.observer, database)
                    session.claims = self.claims
                    yield session
            finally:
                if self.opened is None:
                    await database.aclose()

    def _check_lock(self) -> None:
        if self.config.lock in ("advisory", "lease") and not connecting_to(self.url).locks:
            raise ConfigError(
                f'lock = "{self.config.lock}" is for PostgreSQL: on SQLite the lock of the file serves.',
                key="lock",
                hint='Leave lock at "auto".',
            )

    def database(self) -> Database:
        """Our handle on the engine; one that was given stays open when the handle is closed."""
        pooled = self.config.lock == "lease"
        return Database(self.target, self.source, self.environment.engine_options, pooled=pooled)
