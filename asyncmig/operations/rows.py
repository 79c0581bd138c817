"""Rows that a script inserts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation
from asyncmig.schema.model import Ref, Schema

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["BulkInsert"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True, eq=False)
class BulkInsert(Operation):
    """`rows` are mappings by column key; with `multiinsert` one executemany, else one INSERT a row."""

    table: sa.TableClause
    rows: tuple[Mapping[str, Any], ...]
    multiinsert: bool = True

    @property
    def ref(self) -> Ref:
        """The address of the table; `name` and `schema` are plain text."""
        schema = getattr(self.table, "schema", None)
        return Ref(str(self.table.name), str(schema) if schema else None)

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.bulk_insert(self, before)

    def apply(self, schema: Schema) -> Schema:
        return schema

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        raise Irreversible(
            f"{self.describe()}: which rows to delete again is not known.", hint="Write the downgrade by hand."
        )

    def describe(self) -> str:
        rows = "1 row" if len(self.rows) == 1 else f"{len(self.rows)} rows"
        return f"Insert {rows} into {self.ref}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})

    @property
    def sign(self) -> str:
        return "+"
