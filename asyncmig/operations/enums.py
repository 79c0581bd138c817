"""Operations on enum types."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation
from asyncmig.operations.enum_texts import with_renamed_value
from asyncmig.operations.irreversible import BY_HAND, unknown_before
from asyncmig.schema.model import EnumType, Ref, Schema

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["AddEnumValue", "CreateEnum", "DropEnum", "RenameEnumValue"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CreateEnum(Operation):
    """A type made for itself: it stays when the last column that uses it goes, until DropEnum."""

    enum: EnumType
    if_not_exists: bool = False

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.create_enum(self, before)

    def apply(self, schema: Schema) -> Schema:
        if self._is_there(schema):
            return schema
        return replace(schema, enums={**schema.enums, self.enum.ref: self.enum})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Nothing when IF NOT EXISTS found the type in `before`."""
        return () if self._is_there(before) else (DropEnum(self.enum.ref, enum=self.enum),)

    def describe(self) -> str:
        return f"Create enum {self.enum.ref} ({', '.join(self.enum.values)})"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.enum.ref})

    @property
    def sign(self) -> str:
        return "+"

    def _is_there(self, schema: Schema) -> bool:
        return self.if_not_exists and self.enum.ref in schema.enums


@dataclass(frozen=True, slots=True)
class DropEnum(Operation):
    ref: Ref  # kind "enum"
    if_exists: bool = False
    cascade: bool = False
    enum: EnumType | None = None  # what it was, when the script says so: makes reverse possible

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.drop_enum(self, before)

    def apply(self, schema: Schema) -> Schema:
        return replace(schema, enums={ref: enum for ref, enum in schema.enums.items() if ref != self.ref})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Create it as `before` knows it, else as the operation does; columns that CASCADE took are gone."""
        enum = before.enums.get(self.ref, self.enum)
        if enum is None or enum.domain:
            raise unknown_before(self, "the type")
        if self.cascade:
            raise Irreversible(f"{self.describe()} may drop columns, which cannot be brought back.", hint=BY_HAND)
        return (CreateEnum(enum),)

    @property
    def is_domain(self) -> bool:
        """Whether the type is a DOMAIN: those come with a column and go so too."""
        return self.enum is not None and self.enum.domain

    def describe(self) -> str:
        return f"Drop {'domain' if self.is_domain else 'enum'} {self.ref}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})

    @property
    def sign(self) -> str:
        return "-"


@dataclass(frozen=True, slots=True)
class AddEnumValue(Operation):
    """At the end, or next to another value: `before_value` or `after_value`, never both."""

    ref: Ref  # kind "enum"
    value: str
    before_value: str | None = None
    after_value: str | None = None
    if_not_exists: bool = False

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.add_enum_value(self, before)

    def apply(self, schema: Schema) -> Schema:
        enum = schema.enums.get(self.ref)
        if enum is None or self.value in enum.values:
            return schema
        return replace(schema, enums={**schema.enums, self.ref: replace(enum, values=self._extended(enum.values))})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Nothing when IF NOT EXISTS found the value in `before`; else Irreversible: no database removes a value."""
        enum = before.enums.get(self.ref)
        if self.if_not_exists and enum is not None and self.value in enum.values:
            return ()
        raise Irreversible(
            f"{self.describe()}: PostgreSQL cannot remove a value from an enum.",
            hint="Leave the value in the downgrade, or change the columns to a new type by hand.",
        )

    def describe(self) -> str:
        place = f" before {self.before_value}" if self.before_value is not None else ""
        place = f" after {self.after_value}" if self.after_value is not None else place
        return f"Add value {self.value} to enum {self.ref}{place}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})

    @property
    def sign(self) -> str:
        return "+"

    def _extended(self, values: tuple[str, ...]) -> tuple[str, ...]:
        neighbour = self.before_value if self.before_value is not None else self.after_value
        if neighbour not in values:
            return (*values, self.value)
        at = values.index(neighbour) + (self.before_value is None)
        return (*values[:at], self.value, *values[at:])


@dataclass(frozen=True, slots=True)
class RenameEnumValue(Operation):
    """Rows and expressions follow: they hold the value's number, not its text."""

    ref: Ref  # kind "enum"
    old: str
    new: str

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.rename_enum_value(self, before)

    def apply(self, schema: Schema) -> Schema:
        enum = schema.enums.get(self.ref)
        if enum is None:
            return schema
        values = tuple(self.new if value == self.old else value for value in enum.values)
        renamed = replace(schema, enums={**schema.enums, self.ref: replace(enum, values=values)})
        tables = {ref: with_renamed_value(table, self.ref, self.old, self.new) for ref, table in schema.tables.items()}
        return replace(renamed, tables=tables)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        return (RenameEnumValue(self.ref, self.new, self.old),)

    def describe(self) -> str:
        return f"Rename value {self.old} of enum {self.ref} to {self.new}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})
