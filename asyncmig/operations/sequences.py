"""Operations on sequences of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation
from asyncmig.operations.irreversible import BY_HAND, unknown_before
from asyncmig.schema.model import Options, Ref, Schema, Sequence
from asyncmig.schema.types import SqlType

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["AlterSequence", "CreateSequence", "DropSequence"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CreateSequence(Operation):
    """`owned_by` is (table, column): the sequence then goes with that column."""

    sequence: Sequence
    if_not_exists: bool = False
    owned_by: tuple[Ref, str] | None = None

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.create_sequence(self, before)

    def apply(self, schema: Schema) -> Schema:
        if self._is_there(schema):
            return schema
        return replace(schema, sequences={**schema.sequences, self.sequence.ref: self.sequence})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Nothing when IF NOT EXISTS found the sequence in `before`."""
        return () if self._is_there(before) else (DropSequence(self.sequence.ref, sequence=self.sequence),)

    def describe(self) -> str:
        return f"Create sequence {self.sequence.ref}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.sequence.ref, *([self.owned_by[0]] if self.owned_by else [])})

    @property
    def sign(self) -> str:
        return "+"

    def _is_there(self, schema: Schema) -> bool:
        return self.if_not_exists and self.sequence.ref in schema.sequences


@dataclass(frozen=True, slots=True)
class AlterSequence(Operation):
    """`changes` are fields of Sequence with their new values; `restart` sets the next value."""

    ref: Ref  # kind "sequence"
    changes: Options = ()
    restart: int | None = None
    owned_by: tuple[Ref, str] | None = None

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.alter_sequence(self, before)

    def apply(self, schema: Schema) -> Schema:
        sequence = schema.sequences.get(self.ref)
        if sequence is None:
            return schema
        fields: dict[str, Any] = dict(self.changes)
        return replace(schema, sequences={**schema.sequences, self.ref: replace(sequence, **fields)})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """What `before` says of the changed fields; Irreversible for a restart, an owner or a default left unsaid."""
        sequence = before.sequences.get(self.ref)
        if sequence is None:
            raise unknown_before(self, "the sequence")
        former = tuple((name, getattr(sequence, name)) for name, _ in self.changes)
        if self.restart is not None or self.owned_by is not None or any(value is None for _, value in former):
            raise Irreversible(f"{self.describe()}: the value before it is not known.", hint=BY_HAND)
        return (AlterSequence(self.ref, former),)

    def describe(self) -> str:
        said = [f"{name} {_word(value)}" for name, value in self.changes]
        said += [f"restart {self.restart}"] if self.restart is not None else []
        said += [f"owned by {self.owned_by[0]}.{self.owned_by[1]}"] if self.owned_by else []
        return f"Alter sequence {self.ref}: {', '.join(said)}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref, *([self.owned_by[0]] if self.owned_by else [])})


@dataclass(frozen=True, slots=True)
class DropSequence(Operation):
    ref: Ref  # kind "sequence"
    if_exists: bool = False
    cascade: bool = False
    sequence: Sequence | None = None  # what it was, when the script says so: makes reverse possible

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.drop_sequence(self, before)

    def apply(self, schema: Schema) -> Schema:
        return replace(schema, sequences={ref: found for ref, found in schema.sequences.items() if ref != self.ref})

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Create it as `before` knows it, else as the operation does; it starts from its first value again."""
        sequence = before.sequences.get(self.ref, self.sequence)
        if sequence is None:
            raise unknown_before(self, "the sequence")
        return (CreateSequence(sequence),)

    def describe(self) -> str:
        return f"Drop sequence {self.ref}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})

    @property
    def sign(self) -> str:
        return "-"


def _word(value: object) -> str:
    if isinstance(value, SqlType):
        return str(value.engine)
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)
