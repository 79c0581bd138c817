"""The comment of a table; a column's is part of AlterColumn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation
from asyncmig.schema.model import Ref, Schema

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["SetTableComment"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SetTableComment(Operation):
    """None takes the comment away. `existing` is what it was, where the script says so."""

    ref: Ref
    comment: str | None
    existing: str | None = None

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.set_table_comment(self, before)

    def apply(self, schema: Schema) -> Schema:
        return schema.change_table(self.ref, lambda table: replace(table, comment=self.comment))

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        table = before.tables.get(self.ref)
        if table is None and self.existing is None and self.comment is None:
            raise Irreversible(
                f"{self.describe()}: what the comment was is not known.", hint="Say it with existing_comment."
            )
        old = self.existing if table is None else table.comment
        return (SetTableComment(self.ref, old, self.comment),)

    def describe(self) -> str:
        return f"Comment on table {self.ref}" if self.comment is not None else f"Drop the comment on table {self.ref}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})

    @property
    def sign(self) -> str:
        return "~" if self.comment is not None else "-"
