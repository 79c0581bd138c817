"""PostgreSQL: the statements of each operation."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import CreateDomainType, CreateEnumType
from sqlalchemy.schema import AddConstraint, CreateSequence, SetColumnComment, SetConstraintComment, SetTableComment

from asyncmig.dialects.base import CatalogQuery
from asyncmig.dialects.ddl import CompilingDialect
from asyncmig.dialects.ledger import LedgerSql
from asyncmig.dialects.ledger_postgresql import PostgresqlLedger
from asyncmig.dialects.postgresql_catalog import catalog_queries
from asyncmig.dialects.postgresql_compiler import compiling_dialect
from asyncmig.dialects.splitter import split_postgresql
from asyncmig.dialects.statement import Statement
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.tables import CreateTable
from asyncmig.schema.enums import named_types
from asyncmig.schema.metadata import column_to_sqlalchemy, sequence_to_sqlalchemy, to_sqlalchemy
from asyncmig.schema.model import Check, Column, ForeignKey, Options, PrimaryKey, Ref, Schema
from asyncmig.schema.options import option

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


class PostgreSQL(CompilingDialect):
    name = "postgresql"
    begin_sql = "BEGIN"
    title = "PostgreSQL"
    has_advisory_locks = True

    def __init__(self, server_version: tuple[int, ...] | None = None) -> None:
        super().__init__(compiling_dialect(server_version))

    def reads(self, operation: Operation) -> frozenset[Ref]:
        """The types and sequences that a new column wants created, unless they are there."""
        if isinstance(operation, CreateTable):
            columns: Sequence[Column] = operation.table.columns
        elif isinstance(operation, AddColumn):
            columns = (operation.column,)
        else:
            return frozenset()
        types = (_type_ref(named) for column in columns for named in self._new_types(column))
        return frozenset((*types, *(column.sequence.ref for column in columns if column.sequence is not None)))

    def catalog_queries(self, refs: Collection[Ref]) -> Iterable[CatalogQuery]:
        return catalog_queries(refs)

    def ledger(self, version_table: Ref) -> LedgerSql:
        journal = LedgerSql.journal_ref(version_table)
        return PostgresqlLedger(version_table, self.qualify(version_table), self.qualify(journal))

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

    def is_concurrent(self, index: sa.Index | Options) -> bool:
        if isinstance(index, sa.Index):
            return bool(index.dialect_options["postgresql"]["concurrently"])
        return bool(option(index, "postgresql_concurrently"))

    def create_table(self, operation: CreateTable, before: Schema) -> Sequence[Statement]:
        """In the order of metadata.create_all: types, sequences, the table, indexes, comments, late foreign keys."""
        table = to_sqlalchemy(operation.table)
        return (
            *self._prerequisites(operation.table.columns, before, operation),
            self.table_statement(table, operation, if_not_exists=operation.if_not_exists),
            *self.index_statements(table, operation, if_not_exists=operation.if_not_exists),
            *self._comments(table, operation),
            *self._constraints((c for c in table.foreign_key_constraints if c.use_alter), operation),
        )

    def add_column(self, operation: AddColumn, before: Schema) -> Sequence[Statement]:
        table = self._host(operation)
        column = column_to_sqlalchemy(operation.column) if table is None else table.c[operation.column.name]
        compiler = self.ddl_compiler()
        exists = "IF NOT EXISTS " if operation.if_not_exists else ""
        sql = self.added_column(operation, column, compiler, exists=exists)
        inline = self._inline_key(operation, table)
        if inline is not None:
            sql += _references(inline, compiler, self)
        added = (Statement(sql, operation=operation),)
        first = (*self._prerequisites((operation.column,), before, operation), *added)
        return first if table is None else (*first, *self._afterwards(table, inline, operation))

    def drop_column(self, operation: DropColumn, before: Schema) -> Sequence[Statement]:
        exists = "IF EXISTS " if operation.if_exists else ""
        sql = f"ALTER TABLE {self.qualify(operation.ref)} DROP COLUMN {exists}{self.quote(operation.name)}"
        return (Statement(sql, operation=operation),)

    # new columns

    def _host(self, operation: AddColumn) -> sa.Table | None:
        """The table around the column, where compiling what comes with it needs one."""
        inline_checks = tuple(c for c in operation.constraints if isinstance(c, Check) and c.column)
        key = (PrimaryKey((operation.column.name,)),) if operation.primary_key else ()
        if not (operation.constraints or operation.indexes or key or operation.column.comment or inline_checks):
            return None
        constraints = (*(c for c in key if not _has_key(operation)), *operation.constraints)
        return self.skeleton(operation.ref, (operation.column,), constraints, operation.indexes)

    def _inline_key(self, operation: AddColumn, table: sa.Table | None) -> sa.ForeignKeyConstraint | None:
        """The one single-column foreign key that goes into the column's definition when that was asked for."""
        keys = [c for c in operation.constraints if isinstance(c, ForeignKey)]
        if table is None or not operation.inline_references or len(keys) != 1 or len(keys[0].columns) != 1:
            return None
        return next(iter(table.foreign_key_constraints))

    def _afterwards(
        self, table: sa.Table, inline: sa.ForeignKeyConstraint | None, operation: AddColumn
    ) -> Iterator[Statement]:
        ordered = sorted(table.constraints, key=lambda c: c._creation_order)
        implied = None if _has_key(operation) else table.primary_key
        yield from self._constraints((c for c in ordered if c is not inline and c is not implied), operation)
        yield from self.index_statements(table, operation)
        yield from self._comments(table, operation)

    def _constraints(self, constraints: Any, operation: Operation) -> Iterator[Statement]:
        compiler = self.ddl_compiler()
        for constraint in constraints:
            is_empty_key = isinstance(constraint, sa.PrimaryKeyConstraint) and not len(constraint)
            if not is_empty_key and constraint._should_create_for_compiler(compiler):
                yield Statement(self.compiled(AddConstraint(constraint)), operation=operation)

    def _comments(self, table: sa.Table, operation: Operation) -> Iterator[Statement]:
        elements: list[Any] = [] if table.comment is None else [SetTableComment(table)]
        elements += [SetColumnComment(column) for column in table.columns if column.comment is not None]
        ordered = sorted(table.constraints, key=lambda c: c._creation_order)
        elements += [SetConstraintComment(constraint) for constraint in ordered if constraint.comment is not None]
        return (Statement(self.compiled(element), operation=operation) for element in elements)

    def _prerequisites(
        self, columns: Sequence[Column], before: Schema, operation: Operation
    ) -> Iterator[Statement]:
        """CREATE TYPE, CREATE DOMAIN and CREATE SEQUENCE for what `before` does not know, each once."""
        seen = {*before.enums, *before.sequences}
        for column in columns:
            for named in self._new_types(column):
                if _type_ref(named) not in seen:
                    seen.add(_type_ref(named))
                    create = CreateEnumType if isinstance(named, sa.Enum) else CreateDomainType
                    yield Statement(self.compiled(create(named)), operation=operation)
        for column in columns:
            sequence = column.sequence
            if sequence is not None and not sequence.optional and sequence.ref not in seen:
                seen.add(sequence.ref)
                # A script may have created it with SQL of its own, which nobody recorded.
                create_sequence = CreateSequence(sequence_to_sqlalchemy(sequence), if_not_exists=True)
                yield Statement(self.compiled(create_sequence), operation=operation)

    def _new_types(self, column: Column) -> Iterator[Any]:
        return (named for named in named_types(column.type.engine, self.sqlalchemy) if named.create_type)


def _type_ref(named: Any) -> Ref:
    return Ref(named.name, named.schema, "enum")


def _has_key(operation: AddColumn) -> bool:
    return any(isinstance(constraint, PrimaryKey) for constraint in operation.constraints)


def _references(key: sa.ForeignKeyConstraint, compiler: Any, dialect: CompilingDialect) -> str:
    target = key.elements[0].column
    where = dialect.qualify(Ref(target.table.name, target.table.schema))
    return "".join(
        (
            f" REFERENCES {where} ({dialect.quote(target.name)})",
            compiler.define_constraint_match(key),
            compiler.define_constraint_cascades(key),
            compiler.define_constraint_deferrability(key),
        )
    )
