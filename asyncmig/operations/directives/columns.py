"""`op` on columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from asyncmig.errors import OperationError
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.directives.base import Directives, check_name
from asyncmig.operations.directives.build import build_table
from asyncmig.schema.metadata import ColumnParts, column_from_sqlalchemy, from_sqlalchemy
from asyncmig.schema.model import PrimaryKey, Ref

__all__ = ["ColumnDirectives"]

_EXISTING = ("existing_type", "existing_nullable", "existing_server_default", "existing_comment")


class ColumnDirectives(Directives):
    __slots__ = ()

    def add_column(
        self,
        table_name: str,
        column: sa.Column[Any],
        *,
        schema: str | None = None,
        if_not_exists: bool | None = None,
        inline_references: bool | None = None,
        inline_primary_key: bool | None = None,
    ) -> None:
        """Add a column, with the foreign keys, UNIQUE, index and CHECK that the Column brings along.

        primary_key=True counts only with `inline_primary_key`. The Column object may be used again.
        """
        name = check_name("add_column", "table name", table_name)
        if not isinstance(column, sa.Column):
            raise OperationError(f"add_column {name} takes one sa.Column, not {type(column).__name__}.")
        parts = _taken_apart(Ref(name, schema), column, self._step().naming_convention)
        operation = AddColumn(
            Ref(name, schema),
            replace(parts.column, type=self._as_meant(parts.column.type)),
            constraints=parts.constraints,
            indexes=parts.indexes,
            primary_key=parts.primary_key,
            if_not_exists=bool(if_not_exists),
            inline_references=bool(inline_references),
            inline_primary_key=bool(inline_primary_key),
        )
        self._emit(operation)

    def drop_column(self, table_name: str, column_name: str, *, schema: str | None = None, **kw: Any) -> None:
        """Drop a column with its values, and with the constraints and indexes that name it."""
        table = check_name("drop_column", "table name", table_name)
        column = check_name("drop_column", "column name", column_name)
        # What the column was, as Alembic's autogenerate says it in batches, is known better from the schema.
        self._check_loosely("drop_column", kw, ["if_exists", *_EXISTING])
        self._emit(DropColumn(Ref(table, schema), column, bool(kw.get("if_exists"))))


def _taken_apart(ref: Ref, column: sa.Column[Any], convention: Mapping[str, Any] | None) -> ColumnParts:
    if not column.foreign_keys:
        return column_from_sqlalchemy(column, ref, convention)
    # A copy even of a free column: once attached, a second use would lose its foreign keys. And a table that knows
    # their targets, because naming conventions ask for them.
    keywords = {"schema": ref.schema} if ref.schema else {}
    value = from_sqlalchemy(build_table("add_column", ref.name, [column._copy()], convention, keywords))
    constraints = tuple(c for c in value.constraints if not isinstance(c, PrimaryKey))
    return ColumnParts(value.columns[0], constraints, value.indexes, bool(column.primary_key))
