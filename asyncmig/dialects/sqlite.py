"""SQLite: the statements of each operation; changes to tables that are there are in sqlite_tables.py."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from asyncmig.dialects.splitter import split_sqlite
from asyncmig.dialects.sqlite_catalog import catalog_queries
from asyncmig.dialects.sqlite_compiler import compiling_dialect
from asyncmig.dialects.sqlite_deferral import check_new_table
from asyncmig.dialects.sqlite_objects import SqliteObjects, replaced_view
from asyncmig.dialects.sqlite_tables import SqliteTables
from asyncmig.dialects.statement import Procedure, Statement
from asyncmig.errors import UnsupportedOperation
from asyncmig.operations.alter_column import AlterColumn
from asyncmig.operations.batch import BatchTable
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.constraints import AddConstraint, DropConstraint
from asyncmig.operations.renaming import RenameConstraint, RenameIndex
from asyncmig.operations.tables import RenameTable
from asyncmig.schema.metadata import column_to_sqlalchemy
from asyncmig.schema.model import Check, ForeignKey, Ref, Schema

if TYPE_CHECKING:
    from asyncmig.dialects.base import CatalogQuery
    from asyncmig.dialects.rehearsal import Known
    from asyncmig.dialects.sqlite_rehearsal import TwinRehearsal
    from asyncmig.dialects.sqlite_stored import Query
    from asyncmig.operations.base import Operation
    from asyncmig.operations.tables import CreateTable, DropTable
    from asyncmig.schema.types import SqlText

__all__ = ["SQLite"]


class SQLite(SqliteTables, SqliteObjects):
    """Comments and sequences are left out silently: the database has neither."""

    name = "sqlite"
    begin_sql = "BEGIN IMMEDIATE"
    title = "SQLite"
    has_advisory_locks = False
    joins_statements = False

    def __init__(self, query: Query | None = None, *, recalls: bool = False) -> None:
        super().__init__(compiling_dialect())
        self.query = query
        self.recalls = recalls

    def asking(self, query: Query) -> SQLite:
        # A copy: every step asks, and a SQLAlchemy dialect of its own would cost it more than its statements.
        twin = copy(self)
        twin.query = query
        return twin

    def recalling(self) -> SQLite:
        twin = copy(self)
        twin.recalls = True
        return twin

    def rehearsal(self, known: Known) -> TwinRehearsal:
        from asyncmig.dialects.sqlite_rehearsal import TwinRehearsal

        return TwinRehearsal(known)

    def reads(self, operation: Operation) -> frozenset[Ref]:
        """The table that is changed: how it is stored decides what is done, and ALTER TABLE has no IF EXISTS here.

        Nothing where the database can be asked meanwhile.
        """
        if isinstance(operation, RenameIndex):
            return frozenset({Ref(operation.old, operation.namespace)})
        if hasattr(operation, "view"):  # else its module, which few scripts need, is not even loaded
            return replaced_view(operation)
        if self.query is not None:
            return frozenset()
        if isinstance(operation, BatchTable):
            return frozenset() if self.only_adds(operation) else frozenset({operation.ref})
        if isinstance(operation, AddColumn) and not operation.if_not_exists and self.natively_added(operation):
            return frozenset()
        if isinstance(
            operation, AddColumn | AlterColumn | DropColumn | AddConstraint | DropConstraint | RenameConstraint
        ):
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
        check_new_table(table, self.ddl_compiler())
        return (
            self.table_statement(table, operation, if_not_exists=operation.if_not_exists),
            *self.index_statements(table, operation, if_not_exists=operation.if_not_exists),
        )

    def rename_table(self, operation: RenameTable, before: Schema) -> Sequence[Statement]:
        """By way of another name where only the case of letters changes: to SQLite the table is in its own way."""
        if operation.ref.name == operation.new_name or operation.ref.name.lower() != operation.new_name.lower():
            return super().rename_table(operation, before)
        aside = replace(operation, new_name=f"_asyncmig_{operation.ref.name}")
        back = RenameTable(aside.new_ref, operation.new_name)
        return tuple(
            replace(statement, operation=operation)
            for rename in (aside, back)
            for statement in super(SQLite, self).rename_table(rename, before)
        )

    def drop_table(self, operation: DropTable, before: Schema) -> Sequence[Statement]:
        """With foreign_keys off where rows may point at it: else SQLite deletes them first (ON DELETE CASCADE)."""
        from asyncmig.dialects.sqlite_stored import has_children

        (statement,) = super().drop_table(operation, before)
        if self.query is None or self.recalls or not has_children(self.query, operation.ref.name, operation.ref.schema):
            return (statement,)
        procedure = Procedure((statement.sql,), statement.sql, foreign_keys_off=True)
        return (replace(statement, procedure=procedure),)

    def add_column(self, operation: AddColumn, before: Schema) -> Sequence[Statement]:
        if operation.if_not_exists and self._has(operation, before):
            return ()
        if not self.natively_added(operation):
            table = self.skeleton(operation.ref, indexes=operation.indexes)
            changed = self.changed(operation, (operation,), before)
            return (*changed, *self.index_statements(table, operation))
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

    def natively_added(self, operation: AddColumn) -> bool:
        column = operation.column
        if operation.before or operation.after or (operation.primary_key and operation.inline_primary_key):
            return False
        if (not column.nullable and column.default is None) or (column.computed and column.computed.persisted):
            return False
        if column.default is not None and column.default.literal is None and not _is_constant(column.default):
            return False
        return all(
            isinstance(c, Check | ForeignKey) and len(getattr(c, "columns", ())) < 2 for c in operation.constraints
        )

    def _has(self, operation: AddColumn, before: Schema) -> bool:
        """Whether the column is there: told by the values, or by what the database stores."""
        table = before.tables.get(operation.ref)
        if table is not None:
            return any(column.name.lower() == operation.column.name.lower() for column in table.columns)
        if self.query is None and (operation.ref.schema or "main") not in before.stored:
            raise UnsupportedOperation(
                f"{operation.describe()}: whether the column exists is not known, and SQLite's ALTER TABLE cannot ask.",
                hint="Leave out if_not_exists, or run it with a connection.",
            )
        return self._stored(operation.ref, before, None).text.find(operation.column.name) is not None

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


_CONSTANT = re.compile(r"[(\s]*[+-]?(?:\d[\d.]*|'(?:[^']|'')*'|null|true|false)[)\s]*", re.IGNORECASE)


def _is_constant(default: SqlText) -> bool:
    """SQLite adds no column whose default it would have to work out for the rows that are there."""
    return _CONSTANT.fullmatch(default.spelling("sqlite")) is not None
