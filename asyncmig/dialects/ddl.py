"""What PostgreSQL and SQLite say alike, compiled by SQLAlchemy from tables made of our values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import AddConstraint as AddConstraintDDL
from sqlalchemy.schema import CreateIndex as CreateIndexDDL
from sqlalchemy.schema import CreateTable as CreateTableDDL

from asyncmig.dialects.base import Dialect
from asyncmig.dialects.literals import literal_texts
from asyncmig.dialects.splitter import TransactionControl, transaction_control
from asyncmig.dialects.statement import Statement
from asyncmig.operations.backfills import Backfill
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.renaming import RenameColumn
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.sql import Execute
from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
from asyncmig.schema.metadata import to_sqlalchemy
from asyncmig.schema.model import Column, Constraint, Exclude, ForeignKey, Index, Options, Ref, Schema, Table
from asyncmig.schema.options import freeze, option
from asyncmig.schema.types import SqlType

__all__ = ["CompilingDialect", "added_constraint"]

_ESCAPED_COLON = re.compile(r"\\(:[\w$]*)(?![:\w$])")
_STUB_TYPE = SqlType(sa.types.NULLTYPE)


class CompilingDialect(Dialect):
    """The operations that need no knowledge of one database, and the pieces that the others are made of."""

    def quote(self, name: str) -> str:
        return str(self.sqlalchemy.identifier_preparer.quote(name))

    def qualify(self, ref: Ref) -> str:
        preparer = self.sqlalchemy.identifier_preparer
        name = preparer.quote(ref.name)
        return f"{preparer.quote_schema(ref.schema)}.{name}" if ref.schema else str(name)

    def literal(self, statement: Statement) -> Iterator[str]:
        if statement.procedure is not None:
            return iter(statement.procedure.steps)
        return literal_texts(statement, self.sqlalchemy)

    def transaction_control(self, sql: str) -> TransactionControl | None:
        return transaction_control(sql)

    # operations

    def drop_table(self, operation: DropTable, before: Schema) -> Sequence[Statement]:
        exists = "IF EXISTS " if operation.if_exists else ""
        return (Statement(f"DROP TABLE {exists}{self.qualify(operation.ref)}", operation=operation),)

    def rename_table(self, operation: RenameTable, before: Schema) -> Sequence[Statement]:
        sql = f"ALTER TABLE {self.qualify(operation.ref)} RENAME TO {self.quote(operation.new_name)}"
        return (Statement(sql, operation=operation),)

    def create_index(self, operation: CreateIndex, before: Schema) -> Sequence[Statement]:
        table = self.skeleton(operation.ref, indexes=(operation.index,))
        return tuple(self.index_statements(table, operation, if_not_exists=operation.if_not_exists))

    def drop_index(self, operation: DropIndex, before: Schema) -> Sequence[Statement]:
        schema = operation.schema or (operation.ref.schema if operation.ref else None)
        prefix = f"{self.sqlalchemy.identifier_preparer.quote_schema(schema)}." if schema else ""
        concurrently = self.is_concurrent(operation.options)
        words = [
            "DROP INDEX",
            *(["CONCURRENTLY"] if concurrently else []),
            *(["IF EXISTS"] if operation.if_exists else []),
            prefix + self.index_name(operation.name),
        ]
        return (Statement(" ".join(words), transactional=not concurrently, operation=operation),)

    def rename_column(self, operation: RenameColumn, before: Schema) -> Sequence[Statement]:
        change = f"RENAME COLUMN {self.quote(operation.old)} TO {self.quote(operation.new)}"
        return (Statement(f"ALTER TABLE {self.qualify(operation.ref)} {change}", operation=operation),)

    def backfill(self, operation: Backfill, before: Schema) -> Sequence[Statement]:
        """None: its batches are asked for one by one, with a connection."""
        return ()

    def execute(self, operation: Execute, before: Schema) -> Sequence[Statement]:
        sql = operation.sql
        if isinstance(sql, sa.TextClause) and not sql._bindparams:
            sql = _ESCAPED_COLON.sub(r"\1", sql.text)
        options = operation.execution_options
        if isinstance(sql, str):
            parts = self.split(sql)
            return tuple(Statement(part, execution_options=options, operation=operation) for part in parts)
        return (Statement(self.compiled(sql), clause=sql, execution_options=options, operation=operation),)

    def bulk_insert(self, operation: BulkInsert, before: Schema) -> Sequence[Statement]:
        if not operation.rows:
            return ()
        insert = sa.insert(operation.table).inline()
        if operation.multiinsert and not _holds_expressions(operation):
            columns = list(operation.rows[0])
            sql = str(insert.compile(dialect=self.sqlalchemy, column_keys=columns))
            return (Statement(sql, clause=insert, parameters=operation.rows, operation=operation),)
        clauses = [insert.values(dict(row)) for row in operation.rows]
        return tuple(Statement(self.compiled(c), clause=c, operation=operation) for c in clauses)

    # pieces

    def compiled(self, element: Any) -> str:
        """A construct as text, parameters as placeholders."""
        compile_ = getattr(element, "compile", None)
        return str(element) if compile_ is None else str(compile_(dialect=self.sqlalchemy)).strip()

    def ddl_compiler(self) -> Any:
        """SQLAlchemy's compiler for pieces of DDL; it is written without types."""
        factory: Any = self.sqlalchemy.ddl_compiler
        return factory(self.sqlalchemy, None)

    def sqlalchemy_table(self, operation: CreateTable) -> sa.Table:
        found = None if operation.original is None else operation.original.of(operation.table)
        return to_sqlalchemy(operation.table) if found is None else found

    def table_statement(self, table: sa.Table, operation: Operation, *, if_not_exists: bool) -> Statement:
        ddl = CreateTableDDL(table, if_not_exists=if_not_exists)
        return Statement(self.compiled(ddl), operation=operation)

    def index_statements(
        self, table: sa.Table, operation: Operation, *, if_not_exists: bool = False
    ) -> Iterator[Statement]:
        """CREATE INDEX for every index of the table, by name."""
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if self.should_create(index):
                sql = self.compiled(CreateIndexDDL(index, if_not_exists=if_not_exists))
                yield Statement(sql, transactional=not self.is_concurrent(index), operation=operation)

    def should_create(self, index: sa.Index) -> bool:
        """False where the index's `ddl_if()` condition says no."""
        condition = getattr(index, "_ddl_if", None)
        return condition is None or bool(
            condition._should_execute(CreateIndexDDL(index), index, None, compiler=self.ddl_compiler())
        )

    def skeleton(
        self,
        ref: Ref,
        columns: tuple[Column, ...] = (),
        constraints: tuple[Constraint, ...] = (),
        indexes: tuple[Index, ...] = (),
    ) -> sa.Table:
        """As much of a table as it takes to compile the columns, constraints and indexes given."""
        known = {column.name for column in columns}
        stubs = dict.fromkeys(name for name in _mentioned(ref, constraints, indexes) if name not in known)
        filled = (*columns, *(Column(name, _STUB_TYPE) for name in stubs))
        return to_sqlalchemy(Table(ref.name, filled, ref.schema, constraints, indexes))

    def index_name(self, name: str) -> str:
        """A name as CREATE INDEX wrote it: one made by a convention was shortened to what the database takes."""
        return str(self.sqlalchemy.identifier_preparer.truncate_and_render_index_name(name))

    def is_concurrent(self, index: sa.Index | Options) -> bool:
        """Whether an index, or a DROP INDEX with these options, is made outside a transaction."""
        return False

    def references(self, key: ForeignKey, compiler: Any, target: str) -> str:
        """REFERENCES ... with all that follows it; `target` is the table as this place spells it."""
        return "".join(
            (
                f"REFERENCES {target} ({self.name_list(key.target_columns)})",
                compiler.define_constraint_match(key),
                compiler.define_constraint_cascades(key),
                compiler.define_constraint_deferrability(key),
            )
        )

    def constraint_prefix(self, name: str | None) -> str:
        """CONSTRAINT name, shortened where a convention made it too long; nothing for an unnamed one."""
        if name is None:
            return ""
        preparer = self.sqlalchemy.identifier_preparer
        return f"CONSTRAINT {preparer.truncate_and_render_constraint_name(name)} "

    def name_list(self, names: Iterable[str]) -> str:
        return ", ".join(self.quote(name) for name in names)

    def added_column(
        self,
        operation: AddColumn,
        column: sa.Column[Any],
        compiler: Any,
        *,
        exists: str = "",
        references: Sequence[str] = (),
    ) -> str:
        """ALTER TABLE ... ADD COLUMN with all that stands in the column's own definition."""
        definition = compiler.get_column_specification(column)
        key = ["PRIMARY KEY"] if operation.inline_primary_key and column.primary_key else []
        checks = [compiler.process(check) for check in column.constraints]
        words = (
            f"ALTER TABLE {self.qualify(operation.ref)} ADD COLUMN {exists}{definition}",
            *key,
            *references,
            *checks,
        )
        return " ".join(words)


def _holds_expressions(operation: BulkInsert) -> bool:
    return any(isinstance(value, sa.ClauseElement) for row in operation.rows for value in row.values())


def added_constraint(constraint: Any) -> AddConstraintDDL:
    """ALTER TABLE ... ADD; SQLAlchemy would leave the constraint out of the table's CREATE TABLE from then on."""
    rule = constraint._create_rule
    element = AddConstraintDDL(constraint)
    constraint._create_rule = rule
    return element


def _mentioned(ref: Ref, constraints: Iterable[Constraint], indexes: Iterable[Index]) -> Iterator[str]:
    for constraint in constraints:
        if isinstance(constraint, ForeignKey) and constraint.target == ref:
            yield from constraint.target_columns
        if isinstance(constraint, Exclude):
            yield from (part for part, _ in constraint.elements if isinstance(part, str))
        else:
            yield from getattr(constraint, "columns", ())
        yield from freeze(option(constraint.options, "postgresql_include") or ())
    for index in indexes:
        yield from (part for part in index.elements if isinstance(part, str))
        yield from freeze(option(index.options, "postgresql_include") or ())
