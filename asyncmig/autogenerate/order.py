"""The order in which tables can be made: each after those that its foreign keys point to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from asyncmig.schema.dependence import placed
from asyncmig.schema.model import ForeignKey, Ref, Table
from asyncmig.schema.serial import serial_column

__all__ = ["Ordered", "creation_order", "without_keys"]

Ordered = list[tuple[Table, tuple[ForeignKey, ...]]]
"""Tables in order, each with those of its foreign keys that point to a later one."""


def creation_order(tables: Collection[Table]) -> Ordered:
    """By name where nothing else decides. A key in a cycle, or with use_alter, is one for later."""
    by_ref = {table.ref: table for table in sorted(tables, key=lambda table: (table.schema or "", table.name))}
    seen: set[Ref] = set()
    result: Ordered = []
    for ref in placed(by_ref, lambda ref: _targets(by_ref[ref], by_ref)):
        seen.add(ref)
        late = tuple(key for key in _keys(by_ref[ref]) if key.target in by_ref and key.target not in seen)
        result.append((by_ref[ref], late))
    return result


def _targets(table: Table, tables: dict[Ref, Table]) -> Iterator[Ref]:
    """Keys with use_alter last: they are the ones to give way in a cycle."""
    keys = sorted(_keys(table), key=lambda key: (key.use_alter, str(key.target)))
    return iter([key.target for key in keys if key.target in tables and not key.use_alter])


def _keys(table: Table) -> list[ForeignKey]:
    return [constraint for constraint in table.constraints if isinstance(constraint, ForeignKey)]


def without_keys(table: Table, keys: Sequence[ForeignKey]) -> Table:
    """The table without these foreign keys; a column that only they keep from being SERIAL says that it is none."""
    if not keys:
        return table
    left = {id(key) for key in keys}
    bare = replace(table, constraints=tuple(c for c in table.constraints if id(c) not in left), stored_sql=None)
    numbered = serial_column(bare)
    if numbered is None or numbered == serial_column(table):
        return bare
    columns = (replace(c, autoincrement=False) if c.name == numbered else c for c in bare.columns)
    return replace(bare, columns=tuple(columns))
