"""Several changes to one table as one operation: what batch_alter_table collects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar

from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.restated import restated, retyped
from asyncmig.schema.model import Check, Column, Options, Ref, Schema, Table

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["BatchTable", "Recreate", "flattened"]

T = TypeVar("T")

Recreate = Literal["auto", "always", "never"]


@dataclass(frozen=True, slots=True)
class BatchTable(Operation):
    """On PostgreSQL the operations one after the other; on SQLite one change of the table.

    `recreate` "never" allows only what SQLite's own ALTER TABLE does. `orders` are the lists of columns that shall
    stand one after the other. `source` is the table that the script says to start from, `columns` those whose types
    it says and `checks` what these bring along, `extra` and `options` what it adds where the table is made again;
    `convention` names constraints that have no name.
    """

    ref: Ref
    operations: tuple[Operation, ...]
    recreate: Recreate = "auto"
    orders: tuple[tuple[str, ...], ...] = ()
    source: Table | None = None
    columns: tuple[Column, ...] = ()
    checks: tuple[Check, ...] = ()
    extra: tuple[Operation, ...] = ()
    options: Options = ()
    convention: Options = ()

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.batch_table(self, before)

    @property
    def makes_anew(self) -> bool:
        """Whether Alembic would make the table again for these operations, whatever it takes here.

        Then only is there a place for copy_from, table_args, table_kwargs and the naming convention.
        """
        light = AddColumn | CreateIndex | DropIndex
        return self.recreate == "always" or (
            self.recreate == "auto" and not all(isinstance(part, light) for part in self.operations)
        )

    def apply(self, schema: Schema) -> Schema:
        schema = schema.change_table(self.ref, self._as_said)
        for operation in self._all:
            schema = operation.apply(schema)
        return schema.change_table(self.ref, self._ordered) if self.orders else schema

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """The batch of what undoes each operation, last first, and one that gives back what the source took."""
        undone: list[Operation] = []
        state = before.change_table(self.ref, self._as_said)
        for operation in self._all:
            undone[:0] = operation.reverse(state)
            state = operation.apply(state)
        table = before.tables.get(self.ref)
        order = (tuple(column.name for column in table.columns),) if self.orders and table else ()
        plain = replace(self, source=None, columns=(), checks=(), extra=(), options=())
        back: list[Operation] = [replace(plain, operations=tuple(undone), orders=order)] if undone or order else []
        if table is not None and self._as_said(table) != table:
            back.append(replace(plain, operations=(), recreate="always", orders=(), source=table))
        return tuple(back)

    def describe(self) -> str:
        parts = [operation.describe() for operation in self.operations]
        parts += [f"Order columns {', '.join(names)}" for names in self.orders]
        return f"Change table {self.ref}: {'; '.join(parts) or 'nothing'}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref}).union(*(operation.touches() for operation in self.operations))

    def _as_said(self, table: Table) -> Table:
        """As the script says that the table is before it changes; only what makes it again can do so."""
        if not self.makes_anew:
            return table
        table = retyped(table, self.columns, self.checks) if self.columns else table
        return restated(table, self.source) if self.source is not None else table

    @property
    def _all(self) -> tuple[Operation, ...]:
        """What certainly happens: the extra constraints only where the table is made again."""
        return (*self.operations, *self.extra) if self.recreate == "always" else self.operations

    def _ordered(self, table: Table) -> Table:
        names = column_order([column.name for column in table.columns], self.orders)
        by_name: dict[str, Column] = {column.name: column for column in table.columns}
        return replace(table, columns=tuple(by_name[name] for name in names), stored_sql=None)


def column_order(names: list[str], orders: Iterable[tuple[str, ...]]) -> list[str]:
    """The names with those of each order one after the other, where the first of them stood."""
    for order in orders:
        known = [name for name in order if name in names]
        places = sorted(names.index(name) for name in known)
        names = list(names)
        for place, name in zip(places, known, strict=True):
            names[place] = name
    return names


def flattened(operations: Iterable[Operation]) -> Iterator[Operation]:
    """The operations with those inside of a batch in its place."""
    for operation in operations:
        if isinstance(operation, BatchTable):
            yield from flattened(operation.operations)
        else:
            yield operation
