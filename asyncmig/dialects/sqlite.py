"""SQLite: the statements of each operation, as far as its own ALTER TABLE reaches."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from asyncmig.dialects.base import CatalogQuery
from asyncmig.dialects.ddl import CompilingDialect
from asyncmig.dialects.splitter import split_sqlite
from asyncmig.dialects.sqlite_catalog import catalog_queries
from asyncmig.dialects.sqlite_compiler import compiling_dialect
from asyncmig.dialects.statement import Statement
from asyncmig.errors import UnsupportedOperation
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.tables import CreateTable
from asyncmig.schema.metadata import column_to_sqlalchemy
from asyncmig.schema.model import Check, Exclude, ForeignKey, PrimaryKey, Ref, Schema, Table, Unique
from asyncmig.schema.types import SqlText

__all__ = ["SQLite"]


class SQLite(CompilingDialect):
    """Comments and sequences are left out silently: the database has neither."""

    name = "sqlite"
    begin_sql = "BEGIN IMMEDIATE"
    title = "SQLite"
    has_advisory_locks = False
    joins_statements = False

    def __init__(self) -> None:
        super().__init__(compiling_dialect())

    def reads(self, operation: Operation) -> frozenset[Ref]:
        """The table, where only looking tells whether there is anything to do: ALTER TABLE has no IF EXISTS here."""
        if isinstance(operation, AddColumn) and operation.if_not_exists:
            return frozenset({operation.ref})
        if isinstance(operation, DropColumn) and operation.if_exists:
            return frozenset({operation.ref})
        return frozenset()

    def catalog_queries(self, refs: Collection[Ref]) -> Iterable[CatalogQuery]:
        return catalog_queries(refs)

    def row_estimate(self, table: Ref) -> str | None:
        return None

    def begin(self, lock_timeout: float | None = None) -> str:
        return self.begin_sql

    def split(self, sql: str) -> list[str]:
        return split_sqlite(sql)

    def create_table(self, operation: CreateTable, before: Schema) -> Sequence[Statement]:
        table = self.sqlalchemy_table(operation)
        return (
            self.table_statement(table, operation, if_not_exists=operation.if_not_exists),
            *self.index_statements(table, operation, if_not_exists=operation.if_not_exists),
        )

    def add_column(self, operation: AddColumn, before: Schema) -> Sequence[Statement]:
        if operation.if_not_exists and _has(_known(operation, before), operation.column.name):
            return ()
        _refuse(operation, _why_not_added(operation))
        compiler = self.ddl_compiler()
        references = self._foreign_keys(operation, compiler)
        rest = tuple(c for c in operation.constraints if not isinstance(c, ForeignKey))
        if not rest and not operation.indexes:
            column = column_to_sqlalchemy(operation.column)
            sql = self.added_column(operation, column, compiler, references=references)
            return (Statement(sql, operation=operation),)
        table = self.skeleton(operation.ref, (operation.column,), rest, operation.indexes)
        sql = self.added_column(operation, table.c[operation.column.name], compiler, references=references)
        added = Statement(" ".join((sql, *self._inline(table, compiler))), operation=operation)
        return (added, *self.index_statements(table, operation))

    def drop_column(self, operation: DropColumn, before: Schema) -> Sequence[Statement]:
        table = _known(operation, before) if operation.if_exists else before.tables.get(operation.ref)
        if operation.if_exists and not _has(table, operation.name):
            return ()
        if table is not None:
            _refuse(operation, _why_not_dropped(table, operation.name))
        sql = f"ALTER TABLE {self.qualify(operation.ref)} DROP COLUMN {self.quote(operation.name)}"
        return (Statement(sql, operation=operation),)

    def _foreign_keys(self, operation: AddColumn, compiler: Any) -> list[str]:
        """In the column's definition: SQLite adds constraints nowhere else. A foreign key never leaves its file."""
        keys = (
            c for c in operation.constraints if isinstance(c, ForeignKey) and c.target.schema == operation.ref.schema
        )
        return [
            self.constraint_prefix(key.name) + self.references(key, compiler, self.quote(key.target.name))
            for key in keys
        ]

    def _inline(self, table: sa.Table, compiler: Any) -> Iterator[str]:
        for constraint in sorted(table.constraints, key=lambda c: c._creation_order):
            is_key = isinstance(constraint, sa.PrimaryKeyConstraint)
            if not is_key and constraint._should_create_for_compiler(compiler):
                yield compiler.process(constraint)


def _refuse(operation: Operation, reason: str | None) -> None:
    """The one place that says no: a table that must be rebuilt for a change."""
    if reason is not None:
        raise UnsupportedOperation(
            f"{operation.describe()}: {reason}.",
            hint="Create a new table, copy the rows and rename it.",
        )


def _why_not_added(operation: AddColumn) -> str | None:
    if operation.primary_key or any(isinstance(c, PrimaryKey) for c in operation.constraints):
        return "SQLite's ALTER TABLE cannot add a primary key column"
    if any(isinstance(c, Unique) for c in operation.constraints):
        return "SQLite's ALTER TABLE cannot add a UNIQUE column (a unique index can be created afterwards)"
    if any(len(getattr(c, "columns", ())) > 1 for c in operation.constraints):
        return "SQLite's ALTER TABLE cannot add a constraint over several columns"
    if any(isinstance(c, Exclude) for c in operation.constraints):
        return "SQLite has no EXCLUDE constraints"
    return None


def _why_not_dropped(table: Table, name: str) -> str | None:
    for constraint in table.constraints:
        if isinstance(constraint, Check):
            if constraint.column != name and _names(constraint.text, name):
                return "a CHECK of the table uses it, which SQLite's ALTER TABLE cannot change"
        elif name in getattr(constraint, "columns", ()):
            return f"it is part of a {_WORDS[type(constraint).__name__]}, which SQLite's ALTER TABLE cannot change"
    for index in table.indexes:
        if any(name == part if isinstance(part, str) else _names(part, name) for part in index.elements):
            return f"the index {index.name} uses it: drop the index first"
    return None


_WORDS = {"PrimaryKey": "primary key", "Unique": "UNIQUE constraint", "ForeignKey": "foreign key"}


def _names(text: SqlText, name: str) -> bool:
    """Whether an expression certainly uses the column; what only reading its SQL could tell is left to SQLite."""
    from sqlalchemy.sql import visitors

    return any(isinstance(part, sa.ColumnClause) and part.name == name for part in visitors.iterate(text.clause))


def _known(operation: AddColumn | DropColumn, before: Schema) -> Table:
    table = before.tables.get(operation.ref)
    if table is None:
        raise UnsupportedOperation(
            f"{operation.describe()}: whether the column exists is not known, and SQLite's ALTER TABLE cannot ask.",
            hint="Leave out if_exists or if_not_exists, or run it with a connection.",
        )
    return table


def _has(table: Table | None, name: str) -> bool:
    return table is not None and any(column.name == name for column in table.columns)
