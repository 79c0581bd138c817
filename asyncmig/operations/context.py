"""What `op.get_context()` gives a script: the dialect, the connection, options and configuration of its step."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from asyncmig.errors import OperationError
from asyncmig.operations.sink import Sink, origin_in
from asyncmig.operations.sql import Execute, plain_sql

if TYPE_CHECKING:
    import sqlalchemy as sa

    from asyncmig.operations.directives.extensions import Impl

__all__ = ["ContextSettings", "MigrationContext"]


@dataclass(frozen=True, slots=True)
class ContextSettings:
    """What the runner tells scripts about itself.

    `opts` holds the environment's settings and its custom keywords, under Alembic's names where it has one;
    `config` is any object with get_section, get_main_option and attributes; `as_sql` is true for --sql.
    `tolerant`: the scripts were written for Alembic, which takes some keywords without looking at them.
    """

    opts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    version_table: str = "asyncmig_version"
    version_table_schema: str | None = None
    config: Any = None
    as_sql: bool = False
    tolerant: bool = False


class MigrationContext:
    """The running step as scripts see it; valid while the script runs."""

    __slots__ = ("_settings", "_sink")

    def __init__(self, sink: Sink, settings: ContextSettings) -> None:
        self._sink = sink
        self._settings = settings

    @property
    def dialect(self) -> sa.engine.Dialect:
        """SQLAlchemy's dialect of the target; known offline too."""
        return self._sink.sqlalchemy_dialect

    @property
    def connection(self) -> sa.Connection | None:
        """The step's connection, None for --sql; DynamicScript where a plan only records the script."""
        if self.as_sql:
            return None
        self._sink.guard()
        return self._sink.bind(origin_in(self._sink.script))

    @property
    def bind(self) -> sa.Connection | None:
        """The same as `connection`."""
        return self.connection

    @property
    def impl(self) -> Impl:
        """What scripts written for Alembic use of its DefaultImpl."""
        from asyncmig.operations.directives.extensions import Impl  # which knows this class

        return Impl(self._sink)

    @property
    def as_sql(self) -> bool:
        return self._settings.as_sql

    @property
    def tolerant(self) -> bool:
        return self._settings.tolerant

    @property
    def opts(self) -> Mapping[str, Any]:
        return self._settings.opts

    @property
    def config(self) -> Any:
        return self._settings.config

    @property
    def version_table(self) -> str:
        return self._settings.version_table

    @property
    def version_table_schema(self) -> str | None:
        return self._settings.version_table_schema

    def get_current_heads(self) -> tuple[str, ...]:
        """The ids in the version table: where the database was before this step. DynamicScript where scripts are recorded."""
        import sqlalchemy as sa

        self._sink.guard()
        id_: sa.ColumnClause[str] = sa.column("version_num", sa.String)
        table = sa.table(self.version_table, id_, schema=self.version_table_schema)
        rows = self._sink.bind(origin_in(self._sink.script)).execute(sa.select(id_).select_from(table))
        return tuple(sorted(str(row[0]) for row in rows))

    def get_current_revision(self) -> str | None:
        """The only one of `get_current_heads`, None for base; OperationError where there are several."""
        heads = self.get_current_heads()
        if len(heads) > 1:
            raise OperationError(
                f"The version table has several ids: {', '.join(heads)}.", hint="Ask get_current_heads() instead."
            )
        return heads[0] if heads else None

    def autocommit_block(self) -> AbstractContextManager[None]:
        """Statements in the block run outside the step's transaction; what came before is committed first."""
        self._sink.guard()
        return self._sink.autocommit_block(origin_in(self._sink.script))

    def begin_transaction(self, _per_migration: bool = False) -> AbstractContextManager[None]:
        """Nothing to begin: a script always runs inside the transaction of its step."""
        return nullcontext()

    def execute(
        self, sql: str | sa.Executable, execution_options: Mapping[str, Any] | None = None
    ) -> sa.CursorResult[Any] | None:
        """Run SQL; its result, or None where the script is recorded."""
        self._sink.guard()
        operation = Execute(plain_sql(sql), execution_options)
        result: sa.CursorResult[Any] | None = self._sink.emit(operation, origin_in(self._sink.script))
        return result
