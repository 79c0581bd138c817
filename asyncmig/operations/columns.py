"""Operations on columns."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation
from asyncmig.operations.brought import brought_refs, with_brought
from asyncmig.operations.mentions import constraint_uses, index_uses
from asyncmig.schema.model import Column, Constraint, ForeignKey, Index, PrimaryKey, Ref, Schema, Table

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["AddColumn", "DropColumn", "placed_at"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AddColumn(Operation):
    """The column goes to the end, or beside a neighbour where a table can be made again.

    `primary_key` counts only with `inline_primary_key`, as in Alembic.
    A PrimaryKey among `constraints` is added like the others: the reverse of a drop that took it along.
    """

    ref: Ref  # the table
    column: Column
    constraints: tuple[Constraint, ...] = ()  # what the sa.Column brought along: foreign keys, unique=True, type CHECKs
    indexes: tuple[Index, ...] = ()  # index=True
    primary_key: bool = False
    if_not_exists: bool = False
    inline_references: bool = False
    inline_primary_key: bool = False
    before: str | None = None  # the column in front of which it shall stand
    after: str | None = None

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.add_column(self, before)

    def apply(self, schema: Schema) -> Schema:
        if self._is_there(schema):
            return schema
        return with_brought(schema.change_table(self.ref, self._extended), (self.column,))

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Nothing when IF NOT EXISTS found the column in `before`."""
        return () if self._is_there(before) else (DropColumn(self.ref, self.column.name, column=self.column),)

    def describe(self) -> str:
        return f"Add column {self.ref}.{self.column.name}"

    def touches(self) -> frozenset[Ref]:
        keys = (c for c in self.constraints if isinstance(c, ForeignKey))
        indexes = (Ref(index.name, self.ref.schema, "index") for index in self.indexes if index.name)
        return frozenset({self.ref, *(key.target for key in keys), *indexes}) | brought_refs((self.column,))

    @property
    def sign(self) -> str:
        return "+"

    def _is_there(self, schema: Schema) -> bool:
        table = schema.tables.get(self.ref)
        return self.if_not_exists and table is not None and _has_column(table, self.column.name)

    def _extended(self, table: Table) -> Table:
        constraints = self.constraints
        if self.primary_key and self.inline_primary_key:
            constraints = (PrimaryKey((self.column.name,)), *constraints)
        columns = placed_at([*table.columns, self.column], self.column.name, self.before, self.after)
        return replace(
            table,
            columns=tuple(columns),
            constraints=(*table.constraints, *constraints),
            indexes=(*table.indexes, *self.indexes),
            stored_sql=None,
        )


@dataclass(frozen=True, slots=True)
class DropColumn(Operation):
    """The constraints and indexes of the table that name the column go with it, as in PostgreSQL."""

    ref: Ref
    name: str
    if_exists: bool = False
    column: Column | None = None  # what it was, when the script says so: makes reverse possible

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.drop_column(self, before)

    def apply(self, schema: Schema) -> Schema:
        return schema.change_table(self.ref, self._reduced)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Add it as `before` knows it, with all that the drop took along, else as the operation does."""
        table = before.tables.get(self.ref)
        if table is None:
            if self.column is None:
                raise self._unknown()
            return (AddColumn(self.ref, self.column),)
        if not _has_column(table, self.name):
            if self.if_exists:
                return ()
            raise self._unknown()
        constraints = tuple(c for c in table.constraints if constraint_uses(c, self.name))
        indexes = tuple(index for index in table.indexes if index_uses(index, self.name))
        return (AddColumn(self.ref, table.column(self.name), constraints, indexes),)

    def describe(self) -> str:
        return f"Drop column {self.ref}.{self.name}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})

    @property
    def sign(self) -> str:
        return "-"

    def _reduced(self, table: Table) -> Table:
        if not _has_column(table, self.name):
            return table
        return replace(
            table,
            columns=tuple(c for c in table.columns if c.name != self.name),
            constraints=tuple(c for c in table.constraints if not constraint_uses(c, self.name)),
            indexes=tuple(index for index in table.indexes if not index_uses(index, self.name)),
            stored_sql=None,
        )

    def _unknown(self) -> Irreversible:
        return Irreversible(
            f"{self.describe()}: what the column looked like is not known.", hint="Write the downgrade by hand."
        )


def placed_at(columns: list[Column], name: str, before: str | None, after: str | None) -> list[Column]:
    """The columns with the one called `name` next to its new neighbour; unchanged where that is not known."""
    neighbour = before or after
    if neighbour is None or neighbour == name or not any(column.name == neighbour for column in columns):
        return columns
    moved = [column for column in columns if column.name == name]
    rest = [column for column in columns if column.name != name]
    at = next(index for index, column in enumerate(rest) if column.name == neighbour) + (0 if before else 1)
    return rest[:at] + moved + rest[at:]


def _has_column(table: Table, name: str) -> bool:
    return any(column.name == name for column in table.columns)
