"""Operations that give a column, an index or a constraint another name, and the one that validates a constraint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from asyncmig.operations.base import Operation
from asyncmig.operations.renames import renamed_everywhere
from asyncmig.schema.model import Ref, Schema, Table

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["RenameColumn", "RenameConstraint", "RenameIndex", "ValidateConstraint"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RenameColumn(Operation):
    """Constraints, indexes and foreign keys follow the column, on every database."""

    ref: Ref  # the table
    old: str
    new: str

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.rename_column(self, before)

    def apply(self, schema: Schema) -> Schema:
        return renamed_everywhere(schema, self.ref, self.old, self.new)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        return (RenameColumn(self.ref, self.new, self.old),)

    def describe(self) -> str:
        return f"Rename column {self.ref}.{self.old} to {self.new}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})


@dataclass(frozen=True, slots=True)
class RenameIndex(Operation):
    """Index names are unique in a schema, so `ref` is not needed to find the index."""

    old: str
    new: str
    ref: Ref | None = None  # the table, where the script names it
    schema: str | None = None

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.rename_index(self, before)

    def apply(self, schema: Schema) -> Schema:
        for ref, table in schema.tables.items():
            if ref.schema == self.namespace and any(index.name == self.old for index in table.indexes):
                return schema.with_table(self._renamed(table))
        return schema

    @property
    def namespace(self) -> str | None:
        """The schema of the index."""
        return self.ref.schema if self.ref else self.schema

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        return (RenameIndex(self.new, self.old, self.ref, self.schema),)

    def describe(self) -> str:
        return f"Rename index {Ref(self.old, self.namespace)} to {self.new}"

    def touches(self) -> frozenset[Ref]:
        names = {Ref(name, self.namespace, "index") for name in (self.old, self.new)}
        return frozenset({*names, *([self.ref] if self.ref else [])})

    def _renamed(self, table: Table) -> Table:
        indexes = (replace(i, name=self.new) if i.name == self.old else i for i in table.indexes)
        return replace(table, indexes=tuple(indexes))


@dataclass(frozen=True, slots=True)
class RenameConstraint(Operation):
    ref: Ref  # the table
    old: str
    new: str

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.rename_constraint(self, before)

    def apply(self, schema: Schema) -> Schema:
        return schema.change_table(self.ref, self._renamed)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        return (RenameConstraint(self.ref, self.new, self.old),)

    def describe(self) -> str:
        return f"Rename constraint {self.old} of {self.ref} to {self.new}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})

    def _renamed(self, table: Table) -> Table:
        constraints = (replace(c, name=self.new) if c.name == self.old else c for c in table.constraints)
        return replace(table, constraints=tuple(constraints), stored_sql=None)


@dataclass(frozen=True, slots=True)
class ValidateConstraint(Operation):
    """Check the rows that were there when a constraint was added NOT VALID; others may go on writing meanwhile."""

    ref: Ref  # the table
    name: str

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.validate_constraint(self, before)

    def apply(self, schema: Schema) -> Schema:
        """The same schema: it does not hold whether a constraint was validated."""
        return schema

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Nothing: a constraint that holds for every row is the same constraint."""
        return ()

    def describe(self) -> str:
        return f"Validate constraint {self.name} of {self.ref}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})
