"""What a table is after a batch whose copy_from and reflect_args say another thing of it than is known.

What they do not mention stays: a column with its constraints, indexes, what is generated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

from asyncmig.operations.mentions import constraint_uses
from asyncmig.schema.model import Check, Column, Constraint, Table
from asyncmig.schema.same_constraint import is_unique_index, lowered, say_the_same

__all__ = ["restated", "retyped"]


def restated(table: Table, source: Table) -> Table:
    """Columns have the type, NULL and default of the source's, and the constraints on them are the source's."""
    said = {column.name.lower(): column for column in source.columns}
    key = frozenset(_key(table)) if _key(table) == _key(source) else frozenset[str]()
    columns = tuple(_column(column, said.get(column.name.lower()), key) for column in table.columns)
    return replace(table, columns=columns, constraints=tuple(_constraints(table, source)), stored_sql=None)


def retyped(table: Table, known: Collection[Column], checks: Collection[Check] = ()) -> Table:
    """The types of the columns that are in both, and the CHECKs of these types that the table has not."""
    types = {column.name.lower(): column.type for column in known}
    columns = tuple(replace(c, type=types.get(c.name.lower(), c.type)) for c in table.columns)
    constraints = table.constraints
    for check in checks:
        same = [one for one in constraints if _is_same(one, check) and one.name in (None, check.name)]
        kept = tuple(replace(one, name=check.name) if one is same[0] else one for one in constraints) if same else None
        constraints = (*constraints, check) if kept is None else kept
    return replace(table, columns=columns, constraints=constraints, stored_sql=None)


def _column(column: Column, wanted: Column | None, key: Collection[str]) -> Column:
    if wanted is None:
        return column
    nullable = column.nullable if column.name.lower() in key else wanted.nullable
    found = replace(column, type=wanted.type, nullable=nullable)
    if column.computed is None and wanted.computed is None:
        return replace(found, default=wanted.default)
    return replace(found, computed=wanted.computed) if column.computed and wanted.computed else found


def _constraints(table: Table, source: Table) -> Iterator[Constraint]:
    """Those that stay, with the source's names, where they stood; then those that come."""
    left = list(source.constraints)
    said = lowered(column.name for column in source.columns)
    unsaid = [column.name for column in table.columns if column.name.lower() not in said]
    for one in table.constraints:
        same = [other for other in left if _is_same(one, other)]
        if same:
            best = next((other for other in same if other.name == one.name), same[0])
            left.remove(best)
            yield replace(one, name=best.name or one.name)
        elif is_unique_index(one, source) or any(constraint_uses(one, name) for name in unsaid):
            yield one
    yield from left


def _is_same(one: Constraint, other: Constraint) -> bool:
    return say_the_same(one, other, lambda check, wanted: check.text == wanted.text)


def _key(table: Table) -> tuple[str, ...]:
    return lowered(table.primary_key.columns) if table.primary_key else ()
