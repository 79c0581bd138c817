"""Operations as calls of `op`: on tables, columns, constraints and indexes, and on rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from asyncmig.autogenerate.render_code import Atom, Call, Collection, Keyword, Node, call, keywords, literal, string
from asyncmig.autogenerate.render_columns import render_column, render_computed, render_identity, render_options
from asyncmig.autogenerate.render_constraints import render_constraint, render_create_constraint, render_elements
from asyncmig.autogenerate.render_context import RenderContext, Unrenderable, identifier
from asyncmig.autogenerate.render_objects import ObjectRenderer, named, yes
from asyncmig.autogenerate.render_sql import multiline, render_default
from asyncmig.autogenerate.render_types import render_type
from asyncmig.operations.alter_column import AlterColumn, Default, Keep
from asyncmig.operations.base import Operation
from asyncmig.operations.batch import BatchTable
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.comments import SetTableComment
from asyncmig.operations.constraints import AddConstraint, DropConstraint
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.sql import Execute
from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
from asyncmig.operations.visitor import OperationVisitor
from asyncmig.schema.model import Check, Column, Computed, Identity, PrimaryKey, Ref, Schema, Table
from asyncmig.schema.options import DDL_IF
from asyncmig.schema.types import SqlText, sql_text

__all__ = ["Block", "OperationRenderer", "render_operation"]

_NOWHERE = Schema()


@dataclass(frozen=True, slots=True)
class Block:
    """`with op.batch_alter_table(...) as batch_op:` and the calls in it."""

    head: Call
    body: tuple[Node, ...]


def render_operation(operation: Operation, context: RenderContext) -> Call | Block:
    """The call that makes the operation again; Unrenderable where a script cannot say it."""
    return operation.accept(OperationRenderer(context), _NOWHERE)


@dataclass(frozen=True, slots=True)
class OperationRenderer(ObjectRenderer, OperationVisitor["Call | Block"]):
    """`batch` renders for the inside of a batch: `batch_op`, and the table left out."""

    context: RenderContext
    batch: bool = False

    def create_table(self, operation: CreateTable, before: Schema) -> Call:
        table = operation.table
        return Call(
            "op.create_table",
            (
                identifier(table.name),
                *self._table_items(table),
                *keywords(
                    schema=named(table.schema),
                    comment=None if table.comment is None else string(table.comment),
                    prefixes=Collection(tuple(string(one) for one in table.prefixes)) if table.prefixes else None,
                    if_not_exists=yes(operation.if_not_exists),
                ),
                *render_options(table.options, self.context),
            ),
        )

    def _table_items(self, table: Table) -> Iterator[Node]:
        inline = inline_key(table)
        own = [c for c in table.constraints if isinstance(c, Check) and c.column is not None and not c.type_bound]
        for column in table.columns:
            checks = tuple(check for check in own if check.column == column.name)
            yield render_column(column, self.context, primary_key=column.name == inline, checks=checks)
        for constraint in table.constraints:
            brought = isinstance(constraint, Check) and (constraint.type_bound or constraint in own)
            if not brought and not (isinstance(constraint, PrimaryKey) and inline is not None):
                yield render_constraint(constraint, self.context)

    def drop_table(self, operation: DropTable, before: Schema) -> Call:
        return call("op.drop_table", *self._address(operation.ref), *keywords(if_exists=yes(operation.if_exists)))

    def rename_table(self, operation: RenameTable, before: Schema) -> Call:
        names = (identifier(operation.ref.name), identifier(operation.new_name))
        return call("op.rename_table", *names, *keywords(schema=named(operation.ref.schema)))

    def add_column(self, operation: AddColumn, before: Schema) -> Call:
        """Constraints and indexes that came along stand in the model's column; those of several columns beside it."""
        column = render_column(operation.column, self.context, primary_key=operation.primary_key)
        return self._on(
            operation.ref,
            "add_column",
            column,
            *keywords(
                if_not_exists=yes(operation.if_not_exists),
                inline_references=yes(operation.inline_references),
                inline_primary_key=yes(operation.inline_primary_key),
                insert_before=named(operation.before) if self.batch else None,
                insert_after=named(operation.after) if self.batch else None,
            ),
        )

    def drop_column(self, operation: DropColumn, before: Schema) -> Call:
        if_exists = keywords(if_exists=yes(operation.if_exists))
        return self._on(operation.ref, "drop_column", identifier(operation.name), *if_exists)

    def alter_column(self, operation: AlterColumn, before: Schema) -> Call:
        known = operation.existing
        return self._on(
            operation.ref,
            "alter_column",
            identifier(operation.name),
            *keywords(
                new_column_name=None if operation.new_name is None else identifier(operation.new_name),
                existing_type=None if known.type is None else render_type(known.type, self.context),
                type_=None if operation.type is None else render_type(operation.type, self.context),
                existing_nullable=None if known.nullable is None else Atom(repr(known.nullable)),
                nullable=None if operation.nullable is None else Atom(repr(operation.nullable)),
                existing_server_default=self._default(known.default),
                server_default=self._default(operation.default),
                existing_comment=named(known.comment),
                comment=None if isinstance(operation.comment, Keep) else literal(operation.comment),
                postgresql_using=named(operation.using),
                insert_before=named(operation.before),
                insert_after=named(operation.after),
            ),
        )

    def _default(self, default: Default | Keep) -> Node | None:
        match default:
            case Keep():
                return None
            case None:
                return Atom("None")
            case Identity():
                return render_identity(default, self.context)
            case Computed():
                return render_computed(default, self.context)
            case SqlText():
                return render_default(default, self.context)

    def add_constraint(self, operation: AddConstraint, before: Schema) -> Call:
        made = render_create_constraint(operation.ref, operation.constraint, self.context, batch=self.batch)
        assert isinstance(made, Call)
        return made

    def drop_constraint(self, operation: DropConstraint, before: Schema) -> Call:
        kind = {"primary": "pk", "unique": "uq", "check": "ck", "foreignkey": "fk"}.get(operation.kind or "", "")
        name = self.context.name(operation.name, kind) or string(operation.name)
        type_ = keywords(type_=named(operation.kind), if_exists=yes(operation.if_exists and not self.batch))
        head = "batch_op.drop_constraint" if self.batch else "op.drop_constraint"
        if self.batch:
            return call(head, name, *type_)
        return call(head, name, identifier(operation.ref.name), *type_, *keywords(schema=named(operation.ref.schema)))

    def set_table_comment(self, operation: SetTableComment, before: Schema) -> Call:
        existing = keywords(existing_comment=named(operation.existing))
        if operation.comment is None:
            return self._on(operation.ref, "drop_table_comment", *existing)
        return self._on(operation.ref, "create_table_comment", string(operation.comment), *existing)

    def batch_table(self, operation: BatchTable, before: Schema) -> Block:
        inside = replace(self, batch=True)
        body = [one.accept(inside, before) for one in operation.operations]
        if (
            operation.source is not None
            or operation.columns
            or operation.extra
            or operation.options
            or operation.convention
        ):
            raise Unrenderable(f"{operation.describe()}: a table to copy from cannot be written into a script.")
        orders = Collection(tuple(Collection(tuple(string(n) for n in names)) for names in operation.orders))
        head = call(
            "op.batch_alter_table",
            *self._address(operation.ref),
            *keywords(
                recreate=None if operation.recreate == "auto" else string(operation.recreate),
                partial_reordering=orders if operation.orders else None,
            ),
        )
        return Block(head, tuple(one for one in body if isinstance(one, Call)))

    def create_index(self, operation: CreateIndex, before: Schema) -> Call:
        index = operation.index
        name = self.context.name(index.name, "ix") or Atom("None")
        options = tuple((key, value) for key, value in index.options if key != DDL_IF)
        rest = (
            *keywords(unique=yes(index.unique), if_not_exists=yes(operation.if_not_exists)),
            *render_options(options, self.context),
        )
        elements = render_elements(index, self.context)
        if self.batch:
            return call("batch_op.create_index", name, elements, *rest)
        table, *schema = self._address(operation.ref)
        return call("op.create_index", name, table, elements, *schema, *rest)

    def drop_index(self, operation: DropIndex, before: Schema) -> Call:
        name = self.context.name(operation.name, "ix") or string(operation.name)
        rest = (
            *keywords(if_exists=yes(operation.if_exists)),
            *(Keyword(f"{key}=", literal(value) or Atom("None")) for key, value in operation.options),
        )
        if self.batch:
            return call("batch_op.drop_index", name, *rest)
        schema = operation.ref.schema if operation.ref is not None else operation.schema
        table = keywords(table_name=None if operation.ref is None else identifier(operation.ref.name))
        return call("op.drop_index", name, *table, *keywords(schema=named(schema)), *rest)

    def execute(self, operation: Execute, before: Schema) -> Call:
        sql = operation.sql
        text = sql if isinstance(sql, str) else sql_text(sql).spelling(self.context.dialect)  # type: ignore[arg-type]
        if operation.execution_options:
            raise Unrenderable(f"{operation.describe()}: execution options cannot be written into a script.")
        return call("op.execute", multiline(text))

    def bulk_insert(self, operation: BulkInsert, before: Schema) -> Call:
        columns = (call("sa.column", string(str(column.name))) for column in operation.table.columns)
        schema = keywords(schema=named(operation.ref.schema))
        table = Call("sa.table", (string(operation.ref.name), *columns, *schema))
        rows = Collection(tuple(self._row(operation, dict(row)) for row in operation.rows))
        return call(
            "op.bulk_insert", table, rows, *keywords(multiinsert=None if operation.multiinsert else Atom("False"))
        )

    def _row(self, operation: BulkInsert, row: dict[str, object]) -> Node:
        items: list[Node] = []
        for key, value in row.items():
            found = literal(value)
            if found is None:
                raise Unrenderable(f"{operation.describe()}: {value!r} cannot be written into a script.")
            items.append(Keyword(f'"{key}": ', found))
        return Collection(tuple(items), "{}")

    def _on(self, ref: Ref, directive: str, *arguments: Node) -> Call:
        """A directive on a table: its name first and its schema last, unless a batch says both."""
        if self.batch:
            return Call(f"batch_op.{directive}", arguments)
        table, *schema = self._address(ref)
        return Call(f"op.{directive}", (table, *arguments, *schema))

    def _address(self, ref: Ref) -> tuple[Node, ...]:
        return (identifier(ref.name), *keywords(schema=named(ref.schema)))


def inline_key(table: Table) -> str | None:
    """The column that is the whole primary key and can say so itself: the key has no name and no options."""
    key = table.primary_key
    if key is None or len(key.columns) != 1 or key != PrimaryKey(key.columns):
        return None
    column: Column = table.column(key.columns[0])
    return column.name
