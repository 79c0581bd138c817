"""`op` on whole tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from asyncmig.operations.directives.base import Directives, check_name
from asyncmig.operations.directives.build import build_table
from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
from asyncmig.schema.metadata import Original, from_sqlalchemy
from asyncmig.schema.model import ForeignKey, Ref, Table

if TYPE_CHECKING:
    from sqlalchemy.sql.schema import SchemaItem

__all__ = ["TableDirectives"]


class TableDirectives(Directives):
    __slots__ = ()

    def create_table(
        self, table_name: str, *columns: SchemaItem, if_not_exists: bool | None = None, **kw: Any
    ) -> sa.Table:
        """Create a table of Column, Constraint and Index objects; `kw` is what sa.Table takes.

        Constraints without a name get one from the naming convention of the project's models. The
        sa.Table that comes back serves for bulk_insert and queries.
        """
        sink = self._step()
        name = check_name("create_table", "table name", table_name)
        table = build_table("create_table", name, self._that_count(columns), sink.naming_convention, kw)
        value = from_sqlalchemy(table)
        now = self._table_as_meant(value)
        same = len(now.constraints) == len(value.constraints)
        self._emit(CreateTable(now, bool(if_not_exists), Original(now, table) if same else None))
        return table

    def _that_count(self, columns: Sequence[Any]) -> Sequence[Any]:
        """Without what sa.Table takes and does nothing with, where the script was written for Alembic."""
        if not self._tolerant:
            return columns
        return [item for item in columns if item is not None and not isinstance(item, sa.MetaData)]

    def _table_as_meant(self, table: Table) -> Table:
        """What Alembic makes of it.

        It takes an enum that is there already as it is, and leaves keys with use_alter to a create_foreign_key of the
        script, where the database can add one later.
        """
        if not self._tolerant:
            return table
        columns = tuple(replace(column, type=self._as_meant(column.type)) for column in table.columns)
        later = self._step().sqlalchemy_dialect.supports_alter
        kept = tuple(c for c in table.constraints if not (later and isinstance(c, ForeignKey) and c.use_alter))
        return replace(table, columns=columns, constraints=kept)

    def drop_table(
        self, table_name: str, *, schema: str | None = None, if_exists: bool | None = None, **kw: Any
    ) -> None:
        """Drop a table with all its rows; `kw` is what sa.Table takes and changes nothing here."""
        name = check_name("drop_table", "table name", table_name)
        self._emit(DropTable(Ref(name, schema), bool(if_exists)))

    def rename_table(self, old_table_name: str, new_table_name: str, *, schema: str | None = None) -> None:
        """Rename a table inside its schema."""
        old = check_name("rename_table", "old table name", old_table_name)
        new = check_name("rename_table", "new table name", new_table_name)
        self._emit(RenameTable(Ref(old, schema), new))
