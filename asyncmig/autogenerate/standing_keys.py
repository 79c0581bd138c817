"""Foreign keys that stay, and are in the way meanwhile: dropped before what they stand on goes, added again at the end.

That is a key of the other table, or the type of a column at either end, where the ends cannot be compared before both
have their new one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from asyncmig.autogenerate.table_diff import TableDiff, drop_constraint
from asyncmig.operations.alter_column import AlterColumn
from asyncmig.operations.base import Operation
from asyncmig.operations.constraints import AddConstraint, DropConstraint
from asyncmig.operations.indexes import DropIndex
from asyncmig.schema.model import Constraint, ForeignKey, Index, PrimaryKey, Ref, Schema, Table, Unique
from asyncmig.schema.types import SqlType

__all__ = ["StandingKeys", "has_key"]

Key = Constraint | Index
Compares = Callable[[SqlType, SqlType], bool]


class StandingKeys:
    """What `changes` drop of the keys of `current`, and which foreign keys stand on it.

    `whole` is `current` with every table as it was read, and so with the names that foreign keys really have.
    """

    def __init__(self, current: Schema, changes: Sequence[TableDiff], whole: Schema | None, compares: Compares) -> None:
        self.current = current
        self.whole = whole or current
        self._going = {id(drop.constraint) for change in changes for drop in _drops(change.dropped_keys)}
        self._retyped = {
            (one.ref, one.name)
            for change in changes
            for one in change.changed
            if isinstance(one, AlterColumn) and one.type and one.existing.type
            if not compares(one.type, one.existing.type)
        }
        self._lost: dict[Ref, list[Key]] = {}
        for ref, key in (lost for change in changes for lost in _keys(change.dropped)):
            self._lost.setdefault(ref, []).append(key)

    def after_drops(self) -> Schema:
        """`current` without the keys that go."""
        tables = {ref: _without(self.current.tables[ref], lost) for ref, lost in self._lost.items()}
        return replace(self.current, tables={**self.current.tables, **tables}) if tables else self.current

    def stands_on_lost(self, key: ForeignKey) -> bool:
        """Whether one of the keys that go has the columns to which `key` points; which one it stands on nobody says."""
        lost = self._lost.get(key.target, ())
        if not key.target_columns:
            return any(isinstance(one, PrimaryKey) for one in lost)
        return any(_columns(one) == frozenset(key.target_columns) for one in lost)

    def has_retyped(self, table: Table, key: ForeignKey) -> bool:
        """Whether the ends of `key` cannot be compared until both have their new type."""
        target = self.current.tables.get(key.target)
        own = target.primary_key if target is not None and not key.target_columns else None
        others = key.target_columns or (own.columns if own is not None else ())
        ends = {*((table.ref, name) for name in key.columns), *((key.target, name) for name in others)}
        return not self._retyped.isdisjoint(ends)

    def around(self, gone: Iterable[Table]) -> tuple[list[Operation], list[Operation]]:
        """The drops and the additions for tables that stay."""
        if not (self._lost or self._retyped):
            return [], []
        going = {table.ref for table in gone}
        named = [
            (table, self._named(table, key))
            for table in self.current.tables.values()
            if table.ref not in going
            for key in table.constraints
            if isinstance(key, ForeignKey) and id(key) not in self._going
            if self.stands_on_lost(key) or self.has_retyped(table, key)
        ]
        drops: list[Operation] = [drop_constraint(table, key) for table, key in named]
        return drops, [AddConstraint(table.ref, key) for table, key in named]

    def _named(self, table: Table, key: ForeignKey) -> ForeignKey:
        known = self.whole.tables.get(table.ref)
        others = known.constraints if known is not None else ()
        found = (one.name for one in others if isinstance(one, ForeignKey) and _same(one, key))
        name = key.name or next(found, None) or drop_constraint(table, key).name
        return replace(key, name=name)


def has_key(target: Table, key: ForeignKey) -> bool:
    """Whether the columns are a key of the target ("CREATE TABLE", REFERENCES); without columns its primary key is meant."""
    if not key.target_columns:
        return target.primary_key is not None
    keys: list[Key] = [*target.constraints, *target.indexes]
    return any(_columns(one) == frozenset(key.target_columns) for one in keys)


def _columns(key: Key) -> frozenset[object] | None:
    """The columns that a foreign key may point at because of it."""
    if isinstance(key, PrimaryKey | Unique):
        return frozenset(key.columns)
    return frozenset(key.elements) if isinstance(key, Index) and key.unique else None


def _without(table: Table, lost: Sequence[Key]) -> Table:
    gone = {id(key) for key in lost}
    return replace(
        table,
        constraints=tuple(one for one in table.constraints if id(one) not in gone),
        indexes=tuple(one for one in table.indexes if id(one) not in gone),
    )


def _keys(operations: Iterable[Operation]) -> Iterator[tuple[Ref, Key]]:
    """The keys that are dropped, each with its table."""
    for one in operations:
        if isinstance(one, DropConstraint) and isinstance(one.constraint, PrimaryKey | Unique):
            yield one.ref, one.constraint
        elif isinstance(one, DropIndex) and one.index is not None and one.index.unique and one.ref is not None:
            yield one.ref, one.index


def _drops(operations: Iterable[Operation]) -> Iterable[DropConstraint]:
    return (one for one in operations if isinstance(one, DropConstraint))


def _same(one: ForeignKey, other: ForeignKey) -> bool:
    return (one.columns, one.target, one.target_columns) == (other.columns, other.target, other.target_columns)
