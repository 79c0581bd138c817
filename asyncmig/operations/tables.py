"""Operations on whole tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeVar

from asyncmig.errors import Irreversible
from asyncmig.operations.attached import moved_along, without_attached
from asyncmig.operations.base import Operation
from asyncmig.operations.brought import brought_refs, with_brought
from asyncmig.schema.model import ForeignKey, Ref, Schema, Table
from asyncmig.schema.serial import with_counter

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor
    from asyncmig.schema.metadata import Original

__all__ = ["CreateTable", "DropTable", "RenameTable"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CreateTable(Operation):
    table: Table
    if_not_exists: bool = False
    original: Original | None = field(default=None, compare=False, repr=False)  # spares making it again

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.create_table(self, before)

    def apply(self, schema: Schema) -> Schema:
        return schema if self._is_there(schema) else with_brought(schema.with_table(self.table), self.table.columns)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Nothing when IF NOT EXISTS found the table in `before`."""
        return () if self._is_there(before) else (DropTable(self.table.ref, table=self.table),)

    def describe(self) -> str:
        names = [column.name for column in self.table.columns]
        columns = f" with columns {', '.join(names)}" if len(names) > 1 else f" with column {names[0]}" if names else ""
        return f"Create table {self.table.ref}{columns}"

    def touches(self) -> frozenset[Ref]:
        keys = (c for c in self.table.constraints if isinstance(c, ForeignKey))
        return frozenset({self.table.ref, *(key.target for key in keys)}) | brought_refs(self.table.columns)

    @property
    def sign(self) -> str:
        return "+"

    def _is_there(self, schema: Schema) -> bool:
        return self.if_not_exists and self.table.ref in schema.tables


@dataclass(frozen=True, slots=True)
class DropTable(Operation):
    ref: Ref
    if_exists: bool = False
    table: Table | None = None  # what it was, when the script says so: makes reverse possible

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.drop_table(self, before)

    def apply(self, schema: Schema) -> Schema:
        return without_attached(schema.without_table(self.ref), self.ref)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Create it as `before` knows it, else as the operation does."""
        table = before.tables.get(self.ref, self.table)
        if table is None:
            raise Irreversible(
                f"{self.describe()}: what the table looked like is not known.", hint="Write the downgrade by hand."
            )
        return (CreateTable(table),)

    def describe(self) -> str:
        return f"Drop table {self.ref}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})

    @property
    def sign(self) -> str:
        return "-"


@dataclass(frozen=True, slots=True)
class RenameTable(Operation):
    """The table stays in its schema; foreign keys of other tables follow it."""

    ref: Ref
    new_name: str

    @property
    def new_ref(self) -> Ref:
        return replace(self.ref, name=self.new_name)

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.rename_table(self, before)

    def apply(self, schema: Schema) -> Schema:
        tables = (self._renamed(table) for table in schema.tables.values())
        renamed = replace(schema, tables={table.ref: table for table in tables})
        return moved_along(renamed, self.ref, self.new_ref)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        return (RenameTable(self.new_ref, self.ref.name),)

    def describe(self) -> str:
        return f"Rename table {self.ref} to {self.new_name}"

    def touches(self) -> frozenset[Ref]:
        """The old and the new address; tables whose foreign keys follow are the schema's to know."""
        return frozenset({self.ref, self.new_ref})

    def _renamed(self, table: Table) -> Table:
        changed = table
        if table.ref == self.ref:
            changed = replace(with_counter(changed), name=self.new_name)
        if any(isinstance(c, ForeignKey) and c.target == self.ref for c in table.constraints):
            constraints = (
                replace(c, target=self.new_ref) if isinstance(c, ForeignKey) and c.target == self.ref else c
                for c in table.constraints
            )
            changed = replace(changed, constraints=tuple(constraints))
        # Text that still says the old name would be edited as if it were true.
        return table if changed is table else replace(changed, stored_sql=None)
