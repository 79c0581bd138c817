"""Operations on indexes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation
from asyncmig.operations.words import sql_words
from asyncmig.schema.model import Index, Options, Ref, Schema, Table

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["CreateIndex", "DropIndex"]

T = TypeVar("T")

_HOW = ("postgresql_concurrently",)


@dataclass(frozen=True, slots=True)
class CreateIndex(Operation):
    ref: Ref  # the table
    index: Index
    if_not_exists: bool = False

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.create_index(self, before)

    def apply(self, schema: Schema) -> Schema:
        return schema if self._is_there(schema) else schema.change_table(self.ref, self._extended)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Nothing when IF NOT EXISTS found the name in `before`."""
        if self._is_there(before):
            return ()
        if self.index.name is None:
            raise Irreversible(f"{self.describe()}: an index without a name cannot be dropped by name.")
        options = tuple(option for option in self.index.options if option[0] in _HOW)
        return (DropIndex(self.index.name, self.ref, self.ref.schema, options=options, index=self.index),)

    def describe(self) -> str:
        elements = ", ".join(e if isinstance(e, str) else sql_words(e.clause) for e in self.index.elements)
        kind = "unique index" if self.index.unique else "index"
        name = f" {self.index.name}" if self.index.name else ""
        return f"Create {kind}{name} on {self.ref} ({elements})"

    def touches(self) -> frozenset[Ref]:
        own = {Ref(self.index.name, self.ref.schema, "index")} if self.index.name else set()
        return frozenset({self.ref, *own})

    @property
    def sign(self) -> str:
        return "+"

    def _is_there(self, schema: Schema) -> bool:
        return self.if_not_exists and _owner(schema, self.index.name, self.ref.schema) is not None

    def _extended(self, table: Table) -> Table:
        return replace(table, indexes=(*table.indexes, self.index))


@dataclass(frozen=True, slots=True)
class DropIndex(Operation):
    """Index names are unique in a schema, so `ref` is not needed to find the index."""

    name: str
    ref: Ref | None = None  # the table, where the script names it
    schema: str | None = None
    if_exists: bool = False
    options: Options = ()  # postgresql_concurrently ...
    index: Index | None = None  # what it was, when the script says so: makes reverse possible

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.drop_index(self, before)

    def apply(self, schema: Schema) -> Schema:
        table = self._table(schema)
        return schema if table is None else schema.with_table(self._reduced(table))

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Create it as `before` knows it, else as the operation does."""
        table = self._table(before)
        if table is not None:
            index = next(index for index in table.indexes if index.name == self.name)
            return (CreateIndex(table.ref, index),)
        if self.ref is not None and self.index is not None:
            return (CreateIndex(self.ref, self.index),)
        if self.if_exists and self.ref in before.tables:
            return ()
        raise Irreversible(
            f"{self.describe()}: what the index looked like is not known.", hint="Write the downgrade by hand."
        )

    def describe(self) -> str:
        name = f"{self.schema}.{self.name}" if self.schema and self.ref is None else self.name
        return f"Drop index {name}" + (f" on {self.ref}" if self.ref else "")

    def touches(self) -> frozenset[Ref]:
        """Its table only where the script names it."""
        own = Ref(self.name, self.schema, "index")
        return frozenset({own, self.ref} if self.ref else {own})

    @property
    def sign(self) -> str:
        return "-"

    def _table(self, schema: Schema) -> Table | None:
        return _owner(schema, self.name, self.ref.schema if self.ref else self.schema)

    def _reduced(self, table: Table) -> Table:
        return replace(table, indexes=tuple(index for index in table.indexes if index.name != self.name))


def _owner(schema: Schema, name: str | None, namespace: str | None) -> Table | None:
    """The table that carries the index called `name`; names are unique in a schema, not in a table."""
    if name is None:
        return None
    for ref, table in schema.tables.items():
        if ref.schema == namespace and any(index.name == name for index in table.indexes):
            return table
    return None
