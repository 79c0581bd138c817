"""What of a table only has another name: it is renamed, where an index built again and a key checked again cost hours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from asyncmig.autogenerate.matching import Matching
from asyncmig.operations.base import Operation
from asyncmig.operations.renaming import RenameConstraint, RenameIndex
from asyncmig.schema.model import Constraint, ForeignKey, Index, Table

__all__ = ["NO_NAMES", "Names", "names_of", "renames", "taken_out"]

Item = TypeVar("Item", bound=Constraint | Index)
Pairs = Iterable[tuple[Item, Item]]
Qualified = tuple[str | None, str]


@dataclass(slots=True)
class Names:
    """The names of indexes and constraints that tables have now and are to have; worked out when first asked for.

    Names of foreign keys are a table's own; all others are a schema's.
    """

    current: Iterable[Table] = ()
    wanted: Iterable[Table] = ()
    _there: set[Qualified] | None = field(default=None, init=False)
    _wanted: set[Qualified] | None = field(default=None, init=False)

    def are_wanted(self, schema: str | None, name: str) -> bool:
        if self._wanted is None:
            self._wanted = names_of(self.wanted)
        return (schema, name) in self._wanted

    def are_there(self, table: Table, name: str) -> bool:
        """Whether something of the table or its schema has the name now."""
        if self._there is None:
            self._there = names_of(self.current)
        return (table.schema, name) in self._there or any(one.name == name for one in table.constraints)


NO_NAMES = Names()


def names_of(tables: Iterable[Table]) -> set[Qualified]:
    """Names that are unique in a schema: those of indexes and of the constraints that have one."""
    found: set[Qualified] = set()
    for table in tables:
        found.update((table.schema, index.name) for index in table.indexes if index.name)
        found.update((table.schema, c.name) for c in table.constraints if c.name and not isinstance(c, ForeignKey))
    return found


def taken_out(
    matching: Matching[Item], same: Callable[[Item, Item], bool], may: Callable[[Item, Item], bool]
) -> list[tuple[Item, Item]]:
    """The pairs of what is dropped and added that differ in their names alone, which `matching` then has no more.

    `may` says of the former and the new one whether the name is free, and whether both may be touched.
    """
    found: list[tuple[Item, Item]] = []
    for new in [item for item in matching.added if item.name is not None]:
        named = (old for old in matching.dropped if type(old) is type(new) and old.name not in (None, new.name))
        old = next((old for old in named if same(old, new) and may(old, new)), None)
        if old is not None:
            found.append((old, new))
            matching.dropped = [item for item in matching.dropped if item is not old]
            matching.added = [item for item in matching.added if item is not new]
    return found


def renames(table: Table, constraints: Pairs[Constraint], indexes: Pairs[Index]) -> list[Operation]:
    """The operations for pairs of the former and the new one."""
    found: list[Operation] = [RenameConstraint(table.ref, str(old.name), str(new.name)) for old, new in constraints]
    return found + [RenameIndex(str(old.name), str(new.name), table.ref) for old, new in indexes]
