"""`op` for SQL, rows and the connection itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.sql.elements import conv

from asyncmig.errors import OperationError
from asyncmig.operations.directives.base import Directives
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.sink import origin_in
from asyncmig.operations.sql import Execute, InlineLiteral, plain_sql

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from asyncmig.operations.context import MigrationContext

__all__ = ["SqlDirectives"]

R = TypeVar("R")


class SqlDirectives(Directives):
    __slots__ = ()

    def execute(self, sqltext: str | sa.Executable, *, execution_options: Mapping[str, Any] | None = None) -> None:
        r"""Run SQL: text of one or several statements, or a SQLAlchemy construct.

        Text has no parameters; for those use sa.text(...).bindparams(...). Nothing comes back: to read
        rows, use get_bind().
        """
        self._emit(Execute(plain_sql(sqltext), execution_options))

    def bulk_insert(
        self, table: sa.TableClause, rows: Sequence[Mapping[str, Any]], *, multiinsert: bool = True
    ) -> None:
        """Insert rows given by column key; `multiinsert=False` sends them one by one, each with its own columns."""
        if not isinstance(table, sa.TableClause):
            raise OperationError(f"bulk_insert takes a sa.Table or sa.table(...), not {type(table).__name__}.")
        if isinstance(rows, str | Mapping) or not all(isinstance(row, Mapping) for row in rows):
            raise OperationError(f"bulk_insert into {table.name} takes a list of dictionaries by column key.")
        self._emit(BulkInsert(table, tuple(dict(row) for row in rows), multiinsert))

    def get_bind(self) -> sa.Connection:
        """The connection of the step, inside its transaction; where the script is recorded, DynamicScript."""
        sink = self._step()
        return sink.bind(origin_in(sink.script))

    def connection(self) -> Awaitable[AsyncConnection]:
        """`await op.connection()` in an async script: the connection of the step as an AsyncConnection."""
        sink = self._step()
        return sink.connection(origin_in(sink.script))

    def run_async(self, async_function: Callable[..., Awaitable[R]], *args: Any, **kw_args: Any) -> R:
        """What `await async_function(connection, *args, **kw_args)` comes to, called from a plain upgrade()."""
        sink = self._step()
        return cast("R", sink.run_async(origin_in(sink.script), async_function, args, kw_args))

    def get_context(self) -> MigrationContext:
        """Dialect, options and configuration of the step; works where the script is recorded too."""
        return self._step().migration_context()

    def autocommit_block(self) -> AbstractContextManager[None]:
        """`with op.autocommit_block():` runs what a transaction forbids; what came before is committed first."""
        sink = self._step()
        return sink.autocommit_block(origin_in(sink.script))

    def f(self, name: str) -> conv:
        """Mark a name as final: no naming convention is applied to it."""
        return conv(name)

    def inline_literal(self, value: object, type_: sa.types.TypeEngine[Any] | None = None) -> InlineLiteral:
        """A value that is written into the SQL text instead of sent as a parameter."""
        return InlineLiteral(None, value, type_=type_)
