"""Operations on functions and triggers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation
from asyncmig.operations.irreversible import BY_HAND, unknown_before
from asyncmig.schema.model import Function, Ref, Schema, Trigger
from asyncmig.schema.objects import function_ref, on_table_ref

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["CreateFunction", "CreateTrigger", "DropFunction", "DropTrigger"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CreateFunction(Operation):
    function: Function
    replace: bool = False

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.create_function(self, before)

    def apply(self, schema: Schema) -> Schema:
        return replace(schema, functions={**schema.functions, self.function.ref: self.function})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Drop it, or put back the one that OR REPLACE found in `before`."""
        former = before.functions.get(self.function.ref)
        if former is not None and self.replace:
            return (CreateFunction(former, replace=True),)
        function = self.function
        return (DropFunction(function.name, function.arguments, function.schema, function=function),)

    def describe(self) -> str:
        verb = "Create or replace" if self.replace else "Create"
        return f"{verb} function {self.function.ref}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.function.ref})

    @property
    def sign(self) -> str:
        return "+"


@dataclass(frozen=True, slots=True)
class DropFunction(Operation):
    """`arguments` None: the only function of that name."""

    name: str
    arguments: str | None = None
    schema: str | None = None
    if_exists: bool = False
    cascade: bool = False
    function: Function | None = None  # what it was, when the script says so: makes reverse possible

    @property
    def ref(self) -> Ref:
        if self.arguments is None:
            return Ref(self.name, self.schema, "function")
        return function_ref(self.name, self.arguments, self.schema)

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.drop_function(self, before)

    def apply(self, schema: Schema) -> Schema:
        found = self._found(schema)
        return replace(schema, functions={ref: f for ref, f in schema.functions.items() if f is not found})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Create it as `before` knows it, else as the operation does; what CASCADE took is gone."""
        function = self._found(before) or self.function
        if function is None:
            raise unknown_before(self, "the function")
        if self.cascade:
            raise Irreversible(f"{self.describe()} may drop others, which cannot be brought back.", hint=BY_HAND)
        return (CreateFunction(function),)

    def describe(self) -> str:
        return f"Drop function {self.ref}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})

    @property
    def sign(self) -> str:
        return "-"

    def _found(self, schema: Schema) -> Function | None:
        if self.arguments is not None:
            return schema.functions.get(self.ref)
        found = [f for f in schema.functions.values() if (f.name, f.schema) == (self.name, self.schema)]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True)
class CreateTrigger(Operation):
    trigger: Trigger
    replace: bool = False

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.create_trigger(self, before)

    def apply(self, schema: Schema) -> Schema:
        return replace(schema, triggers={**schema.triggers, self.trigger.ref: self.trigger})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Drop it, or put back the one that `replace` found in `before`."""
        former = before.triggers.get(self.trigger.ref)
        if former is not None and self.replace:
            return (CreateTrigger(former, replace=True),)
        return (DropTrigger(self.trigger.name, self.trigger.table, trigger=self.trigger),)

    def describe(self) -> str:
        verb = "Create or replace" if self.replace else "Create"
        return f"{verb} trigger {self.trigger.name} on {self.trigger.table}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.trigger.ref, self.trigger.table})

    @property
    def sign(self) -> str:
        return "+"


@dataclass(frozen=True, slots=True)
class DropTrigger(Operation):
    name: str
    table: Ref
    if_exists: bool = False
    cascade: bool = False
    trigger: Trigger | None = None  # what it was, when the script says so: makes reverse possible

    @property
    def ref(self) -> Ref:
        return on_table_ref(self.name, self.table, "trigger")

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.drop_trigger(self, before)

    def apply(self, schema: Schema) -> Schema:
        return replace(schema, triggers={ref: t for ref, t in schema.triggers.items() if ref != self.ref})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Create it as `before` knows it, else as the operation does."""
        trigger = before.triggers.get(self.ref, self.trigger)
        if trigger is None:
            raise unknown_before(self, "the trigger")
        return (CreateTrigger(trigger),)

    def describe(self) -> str:
        return f"Drop trigger {self.name} on {self.table}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref, self.table})

    @property
    def sign(self) -> str:
        return "-"
