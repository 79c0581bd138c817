"""The operation behind `op.batches`: a table worked through in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation
from asyncmig.operations.irreversible import BY_HAND
from asyncmig.schema.model import Ref, Schema

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import AsyncConnection

    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["Backfill", "Batch"]

T = TypeVar("T")


class Batch(Protocol):
    """One batch: its rows (the key first, then the columns that were asked for), inside a transaction of its own.

    `where` says "the rows of this batch" in a statement on `table`; `number` counts from 1 and goes on in a resumed
    run.
    """

    @property
    def number(self) -> int: ...

    @property
    def rows(self) -> Sequence[sa.Row[Any]]: ...

    @property
    def table(self) -> sa.TableClause: ...

    @property
    def where(self) -> sa.ColumnElement[bool]: ...

    @property
    def connection(self) -> AsyncConnection: ...

    async def execute(
        self,
        statement: str | sa.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> sa.CursorResult[Any]:
        """Run a statement on the batch's connection; in a text, `:name` are parameters."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Backfill(Operation):
    """`key` are columns whose values, together, are unique and never NULL; the rows come in their order.

    `table` is what the script gave, where it gave more than a name; `columns` are read along with the key.
    """

    ref: Ref
    key: tuple[str, ...]
    size: int
    columns: tuple[str, ...] = ()
    where: str | sa.ColumnElement[Any] | None = None
    table: sa.TableClause | None = None

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.backfill(self, before)

    def apply(self, schema: Schema) -> Schema:
        """The same schema: a backfill changes rows."""
        return schema

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        raise Irreversible(f"{self.describe()}: what the rows held before is not known.", hint=BY_HAND)

    def describe(self) -> str:
        return f"Backfill {self.ref} in batches of {self.size}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})
