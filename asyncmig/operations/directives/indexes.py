"""`op` on indexes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from asyncmig.errors import OperationError
from asyncmig.operations.directives.base import Directives, check_keywords, check_name, dialect_options
from asyncmig.operations.directives.build import build_index_table
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.schema.metadata import from_sqlalchemy
from asyncmig.schema.model import Ref

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["IndexDirectives"]


class IndexDirectives(Directives):
    __slots__ = ()

    def create_index(
        self,
        index_name: str | None,
        table_name: str,
        columns: Sequence[str | sa.TextClause | sa.ColumnElement[Any]],
        *,
        schema: str | None = None,
        unique: bool = False,
        if_not_exists: bool | None = None,
        **kw: Any,
    ) -> None:
        """Create an index on columns and expressions; None as its name takes the naming convention's.

        `kw` are dialect options: postgresql_where, postgresql_using, postgresql_concurrently, sqlite_where ...
        """
        table = check_name("create_index", "table name", table_name)
        check_keywords("create_index", kw, ["quote", "info", "unique", "schema", "if_not_exists"])
        convention = dict(self._step().naming_convention or {})
        stand_in = build_index_table(
            "create_index", index_name, table, columns, convention, schema=schema, unique=unique, keywords=kw
        )
        index = from_sqlalchemy(stand_in).indexes[0]
        if index.name is None:
            raise OperationError(f"create_index on {table} has no name, and no naming convention gives it one.")
        self._emit(CreateIndex(Ref(table, schema), index, bool(if_not_exists)))

    def drop_index(
        self,
        index_name: str,
        table_name: str | None = None,
        *,
        schema: str | None = None,
        if_exists: bool | None = None,
        **kw: Any,
    ) -> None:
        """Drop an index; the table's name is not needed but helps plan and lint."""
        name = check_name("drop_index", "index name", index_name)
        check_keywords("drop_index", kw, ["schema", "if_exists"])
        table = None if table_name is None else Ref(check_name("drop_index", "table name", table_name), schema)
        options = tuple(sorted(dialect_options(kw).items()))
        self._emit(DropIndex(name, table, schema, bool(if_exists), options))
