"""PostgreSQL: the statements of each operation."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import SetColumnComment, SetConstraintComment, SetTableComment

from asyncmig.dialects.base import CatalogQuery
from asyncmig.dialects.ddl import added_constraint
from asyncmig.dialects.postgresql_catalog import catalog_queries
from asyncmig.dialects.postgresql_columns import PostgresqlColumns
from asyncmig.dialects.postgresql_compiler import compiling_dialect
from asyncmig.dialects.postgresql_constraints import PostgresqlConstraints
from asyncmig.dialects.postgresql_enums import PostgresqlEnums
from asyncmig.dialects.postgresql_indexes import PostgresqlIndexes
from asyncmig.dialects.postgresql_objects import PostgresqlObjects, object_reads
from asyncmig.dialects.postgresql_routines import PostgresqlRoutines
from asyncmig.dialects.splitter import split_postgresql
from asyncmig.dialects.statement import Statement
from asyncmig.operations.alter_column import AlterColumn
from asyncmig.operations.base import Operation
from asyncmig.operations.batch import BatchTable
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.tables import CreateTable
from asyncmig.schema.metadata import column_to_sqlalchemy
from asyncmig.schema.model import Column, Constraint, ForeignKey, PrimaryKey, Ref, Schema

__all__ = ["PostgreSQL", "must_autocommit"]

# The manual marks each of these "cannot be executed inside a transaction block".
_OUTSIDE = re.compile(
    r"""(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*(?:
        VACUUM\b
      | (?:CREATE|DROP)\s+(?:DATABASE|TABLESPACE|SUBSCRIPTION)\b
      | ALTER\s+(?:SYSTEM|SUBSCRIPTION)\b
      | ALTER\s+DATABASE\b.*\bSET\s+TABLESPACE\b
      | CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\b
      | DROP\s+INDEX\s+CONCURRENTLY\b
      | REINDEX\b.*\b(?:CONCURRENTLY|DATABASE|SYSTEM|SCHEMA)\b
      | ALTER\s+TABLE\b.*\bDETACH\s+PARTITION\b.*\bCONCURRENTLY\b
      | (?:COMMIT|ROLLBACK)\s+PREPARED\b
      | CLUSTER\s*(?:\(\s*VERBOSE\s*\)|VERBOSE)?\s*;?\s*$
      | DISCARD\s+ALL\b
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)


def must_autocommit(sql: str) -> bool:
    """Whether PostgreSQL refuses the statement inside a transaction block: what a hint may be built on.

    Read from its words, so a string constant inside can mislead it; nothing is run differently for it.
    """
    return _OUTSIDE.match(sql) is not None


class PostgreSQL(
    PostgresqlEnums, PostgresqlColumns, PostgresqlConstraints, PostgresqlIndexes, PostgresqlObjects, PostgresqlRoutines
):
    name = "postgresql"
    begin_sql = "BEGIN"
    title = "PostgreSQL"
    has_advisory_locks = True
    joins_statements = True

    def __init__(self, server_version: tuple[int, ...] | None = None) -> None:
        super().__init__(compiling_dialect(server_version))

    def reads(self, operation: Operation) -> frozenset[Ref]:
        """What may be there already: types and sequences of new columns, enums, views."""
        if isinstance(operation, BatchTable):
            return frozenset().union(*(self.reads(part) for part in operation.operations))
        return self.brought_with(_new_columns(operation)) | object_reads(operation)

    def catalog_queries(self, refs: Collection[Ref]) -> Iterable[CatalogQuery]:
        return catalog_queries(refs)

    def row_estimate(self, table: Ref) -> str | None:
        # -1 until the first ANALYZE ("pg_class", System Catalogs): then nothing is known.
        name = self.qualify(table).replace("'", "''")
        return f"SELECT reltuples::bigint FROM pg_catalog.pg_class WHERE oid = to_regclass('{name}')"

    def begin(self, lock_timeout: float | None = None) -> str:
        if lock_timeout is None:
            return self.begin_sql
        return f"{self.begin_sql}; SET LOCAL lock_timeout = {round(lock_timeout * 1000)}"

    def split(self, sql: str) -> list[str]:
        return split_postgresql(sql)

    def create_table(self, operation: CreateTable, before: Schema) -> Sequence[Statement]:
        """In the order of metadata.create_all: types, sequences, the table, indexes, comments, late foreign keys."""
        table = self.sqlalchemy_table(operation)
        return (
            *self._prerequisites(operation.table.columns, before, operation),
            self.table_statement(table, operation, if_not_exists=operation.if_not_exists),
            *self.index_statements(table, operation, if_not_exists=operation.if_not_exists),
            *self._comments(table, operation),
            *self._constraints((c for c in table.foreign_key_constraints if c.use_alter), operation),
        )

    def add_column(self, operation: AddColumn, before: Schema) -> Sequence[Statement]:
        inline = _inline_key(operation)
        rest = tuple(constraint for constraint in operation.constraints if constraint is not inline)
        table = self._host(operation, rest)
        column = column_to_sqlalchemy(operation.column) if table is None else table.c[operation.column.name]
        compiler = self.ddl_compiler()
        exists = "IF NOT EXISTS " if operation.if_not_exists else ""
        references = () if inline is None else (self._inline_reference(inline, compiler),)
        sql = self.added_column(operation, column, compiler, exists=exists, references=references)
        return (
            *self._prerequisites((operation.column,), before, operation),
            Statement(sql, operation=operation),
            *(self._foreign_keys(rest, operation, compiler) if table is None else self._afterwards(table, operation)),
        )

    def drop_column(self, operation: DropColumn, before: Schema) -> Sequence[Statement]:
        exists = "IF EXISTS " if operation.if_exists else ""
        sql = f"ALTER TABLE {self.qualify(operation.ref)} DROP COLUMN {exists}{self.quote(operation.name)}"
        return (Statement(sql, operation=operation),)

    # new columns

    def _host(self, operation: AddColumn, constraints: tuple[Constraint, ...]) -> sa.Table | None:
        """The table around the column, where compiling what comes with it needs one; foreign keys alone do not."""
        plain = all(isinstance(c, ForeignKey) and not c.options and c.comment is None for c in constraints)
        if plain and not (operation.indexes or operation.primary_key or operation.column.comment):
            return None
        implied = operation.primary_key and not _has_key(constraints)
        key = (PrimaryKey((operation.column.name,)),) if implied else ()
        return self.skeleton(operation.ref, (operation.column,), (*key, *constraints), operation.indexes)

    def _inline_reference(self, key: ForeignKey, compiler: Any) -> str:
        return self.constraint_prefix(key.name) + self.references(key, compiler, self.qualify(key.target))

    def _foreign_keys(self, keys: tuple[Constraint, ...], operation: AddColumn, compiler: Any) -> Iterator[Statement]:
        for key in keys:
            if isinstance(key, ForeignKey):
                references = self.references(key, compiler, self.qualify(key.target))
                definition = (
                    f"{self.constraint_prefix(key.name)}FOREIGN KEY({self.name_list(key.columns)}) {references}"
                )
                yield Statement(f"ALTER TABLE {self.qualify(operation.ref)} ADD {definition}", operation=operation)

    def _afterwards(self, table: sa.Table, operation: AddColumn) -> Iterator[Statement]:
        ordered = sorted(table.constraints, key=lambda c: c._creation_order)
        implied = None if _has_key(operation.constraints) else table.primary_key
        yield from self._constraints((c for c in ordered if c is not implied), operation)
        yield from self.index_statements(table, operation)
        yield from self._comments(table, operation)

    def _constraints(self, constraints: Any, operation: Operation) -> Iterator[Statement]:
        compiler = self.ddl_compiler()
        for constraint in constraints:
            is_empty_key = isinstance(constraint, sa.PrimaryKeyConstraint) and not len(constraint)
            if not is_empty_key and constraint._should_create_for_compiler(compiler):
                yield Statement(self.compiled(added_constraint(constraint)), operation=operation)

    def _comments(self, table: sa.Table, operation: Operation) -> Iterator[Statement]:
        elements: list[Any] = [] if table.comment is None else [SetTableComment(table)]
        elements += [SetColumnComment(column) for column in table.columns if column.comment is not None]
        ordered = sorted(table.constraints, key=lambda c: c._creation_order)
        elements += [SetConstraintComment(constraint) for constraint in ordered if constraint.comment is not None]
        return (Statement(self.compiled(element), operation=operation) for element in elements)


def _new_columns(operation: Operation) -> Sequence[Column]:
    """The columns whose types may have to be created."""
    if isinstance(operation, CreateTable):
        return operation.table.columns
    if isinstance(operation, AddColumn):
        return (operation.column,)
    if isinstance(operation, AlterColumn) and operation.type is not None:
        return (Column(operation.name, operation.type),)
    return ()


def _has_key(constraints: tuple[Constraint, ...]) -> bool:
    return any(isinstance(constraint, PrimaryKey) for constraint in constraints)


def _inline_key(operation: AddColumn) -> ForeignKey | None:
    """The one single-column foreign key, where it was asked for inside the column's definition."""
    keys = [constraint for constraint in operation.constraints if isinstance(constraint, ForeignKey)]
    if not operation.inline_references or len(keys) != 1 or len(keys[0].columns) != 1:
        return None
    return keys[0]
