"""Which dropped table or column may be an added one under a new name, and what follows from it.

A column can have become another one of the same table when both have the same type. It is a candidate from 8 points
on: 4 for the type, 1 for the same nullability, 1 for the same default, 2 for the same place in the table, 1 for each
same neighbour, 2 for the same part in keys and constraints (1 where it has none), up to 2 for a similar name.

A table can have become another one of the same schema when at least six in ten of their columns, counted over both,
have the same name and type, and there are two of those at least.

Nothing is a candidate twice: the most alike first, then in the order of the tables.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, TypeVar

from asyncmig.autogenerate.new_names import names_of
from asyncmig.dialects.normal import Normal
from asyncmig.operations.base import Operation
from asyncmig.operations.mentions import constraint_uses
from asyncmig.operations.renaming import RenameColumn, RenameConstraint, RenameIndex
from asyncmig.operations.tables import RenameTable
from asyncmig.schema.model import Check, Column, Constraint, ForeignKey, Index, PrimaryKey, Ref, Schema, Table, Unique

__all__ = ["Rename", "column_candidates", "followers", "table_candidates"]

_ENOUGH = 8
_SHARE = 0.6
_PAIRS = 100_000

_Form = tuple[str | None, frozenset[tuple[str, str]]]
"""A table by its schema, and names and types of its columns."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rename:
    """`column` None: the table itself. `table` is its address before any rename of it."""

    table: Ref
    old: str
    new: str
    is_column: bool = False

    @property
    def operation(self) -> Operation:
        return RenameColumn(self.table, self.old, self.new) if self.is_column else RenameTable(self.table, self.new)

    @property
    def flag(self) -> str:
        """As --rename takes it."""
        return f"{self.table}.{self.old}:{self.new}" if self.is_column else f"{self.table}:{self.new}"

    @property
    def sentence(self) -> str:
        if self.is_column:
            return f"{self.table}.{self.old} renamed to {self.table}.{self.new}"
        return f"{self.table} renamed to {replace(self.table, name=self.new)}"

    @property
    def otherwise(self) -> str:
        """What happens to the rows without it."""
        return "the values are lost"


def table_candidates(current: Schema, wanted: Schema, normal: Normal) -> list[Rename]:
    gone = [table for ref, table in current.tables.items() if ref not in wanted.tables]
    new = [table for ref, table in wanted.tables.items() if ref not in current.tables]
    forms = {id(table): _form(table, normal) for table in (*gone, *new)}
    if len(gone) * len(new) > _PAIRS:
        # Too many to compare each with each: of those only tables that are the same but for the name.
        same: dict[object, list[Table]] = {}
        for table in new:
            same.setdefault(forms[id(table)], []).append(table)
        pairs = ((one, other) for one in gone for other in same.get(forms[id(one)], ()))
    else:
        pairs = ((one, other) for one in gone for other in new)
    scored = ((one, other, _table_score(forms[id(one)], forms[id(other)])) for one, other in pairs)
    found = _best((one, other, score) for one, other, score in scored if score >= _SHARE)
    return [Rename(one.ref, one.name, other.name) for one, other in found]


def column_candidates(current: Schema, wanted: Schema, normal: Normal) -> list[Rename]:
    found: list[Rename] = []
    for ref, table in wanted.tables.items():
        known = current.tables.get(ref)
        if known is not None and known is not table:
            found += _columns(known, table, normal)
    return found


def _columns(current: Table, wanted: Table, normal: Normal) -> Iterator[Rename]:
    names, known = {c.name for c in wanted.columns}, {c.name for c in current.columns}
    gone = [column for column in current.columns if column.name not in names]
    new = [column for column in wanted.columns if column.name not in known]
    pairs = ((one, other, _column_score(current, one, wanted, other, normal)) for one in gone for other in new)
    found = _best((one, other, score) for one, other, score in pairs if score >= _ENOUGH)
    return (Rename(wanted.ref, one.name, other.name, is_column=True) for one, other in found)


def _best(pairs: Iterable[tuple[T, T, float]]) -> list[tuple[T, T]]:
    """Each thing in one pair at most, the highest scores first; the order of the first things then."""
    chosen: list[tuple[T, T]] = []
    taken: set[int] = set()
    ordered = list(pairs)
    for one, other, _ in sorted(ordered, key=lambda pair: -pair[2]):
        if not {id(one), id(other)} & taken:
            taken |= {id(one), id(other)}
            chosen.append((one, other))
    place = {id(one): n for n, (one, _, _) in enumerate(ordered)}
    return sorted(chosen, key=lambda pair: place[id(pair[0])])


def _form(table: Table, normal: Normal) -> _Form:
    return table.schema, frozenset((column.name, _type(column, normal)) for column in table.columns)


def _table_score(old: _Form, new: _Form) -> float:
    shared = len(old[1] & new[1])
    return shared / len(old[1] | new[1]) if shared >= 2 and old[0] == new[0] else 0


def _column_score(current: Table, old: Column, wanted: Table, new: Column, normal: Normal) -> float:
    if _type(old, normal) != _type(new, normal):
        return 0
    score = 4.0 + (old.nullable == new.nullable) + (_default(old, normal) == _default(new, normal))
    before, after = [c.name for c in current.columns], [c.name for c in wanted.columns]
    places = before.index(old.name), after.index(new.name)
    score += 2 * (places[0] == places[1])
    score += sum(_at(before, places[0] + step) == _at(after, places[1] + step) for step in (-1, 1))
    parts = _part(current, old.name), _part(wanted, new.name)
    score += 0 if parts[0] != parts[1] else 2 if parts[0] else 1
    return score + round(2 * SequenceMatcher(None, old.name, new.name).ratio())


def _type(column: Column, normal: Normal) -> str:
    return normal.type(column.type)


def _default(column: Column, normal: Normal) -> object:
    text = None if column.default is None else normal.text(column.default)
    return text, column.identity is not None, column.computed is not None


def _at(names: Sequence[str], place: int) -> str | None:
    return names[place] if 0 <= place < len(names) else None


def _part(table: Table, column: str) -> frozenset[object]:
    """What the column is in keys and constraints, whatever they and it are called."""
    return frozenset(_role(c, column) for c in table.constraints if constraint_uses(c, column))


def _role(constraint: Constraint, column: str) -> object:
    match constraint:
        case ForeignKey():
            place = constraint.columns.index(column)
            return ("foreignkey", constraint.target, constraint.target_columns[place])
        case PrimaryKey() | Unique():
            return (type(constraint).__name__, len(constraint.columns))
        case _:
            return type(constraint).__name__


def followers(current: Schema, wanted: Schema, refs: Iterable[Ref], normal: Normal) -> list[Operation]:
    """Renames of the indexes and constraints that a naming convention calls differently after a rename.

    `current` is the schema after the rename; `refs` the tables it touched. A name that another has is left: the rest of
    the script makes what is to have it anew.
    """
    found: list[RenameConstraint | RenameIndex] = []
    for ref in refs:
        old, new = current.tables.get(ref), wanted.tables.get(ref)
        if old is not None and new is not None:
            found += [
                RenameConstraint(ref, one, other)
                for one, other in _renamed(old.constraints, new.constraints, lambda c: _constraint_form(c, normal))
            ]
            found += [
                RenameIndex(one, other, ref)
                for one, other in _renamed(old.indexes, new.indexes, lambda i: _index_form(i, normal))
            ]
    return list(_free_first(found, names_of(current.tables.values())))


def _free_first(
    renames: list[RenameConstraint | RenameIndex], taken: set[tuple[str | None, str]]
) -> Iterator[Operation]:
    left = list(renames)
    while (one := next((one for one in left if (_namespace(one), one.new) not in taken), None)) is not None:
        left.remove(one)
        taken.discard((_namespace(one), one.old))
        taken.add((_namespace(one), one.new))
        yield one


def _namespace(rename: RenameConstraint | RenameIndex) -> str | None:
    return rename.ref.schema if rename.ref is not None else None


def _renamed(current: Sequence[Any], wanted: Sequence[Any], form: Callable[[Any], object]) -> Iterator[tuple[str, str]]:
    """The names of what is the same but for its name, where both sides have one."""
    names = {item.name for item in wanted}, {item.name for item in current}
    gone = [item for item in current if item.name is not None and item.name not in names[0]]
    for item in wanted:
        if item.name is None or item.name in names[1]:
            continue
        match = next((other for other in gone if type(other) is type(item) and form(other) == form(item)), None)
        if match is not None:
            gone.remove(match)
            yield str(match.name), str(item.name)


def _constraint_form(constraint: Constraint, normal: Normal) -> object:
    match constraint:
        case Check():
            return normal.text(constraint.text)
        case PrimaryKey() | Unique() | ForeignKey():
            return normal.constraint(constraint)
        case _:
            return normal.exclude(constraint)


def _index_form(index: Index, normal: Normal) -> object:
    return normal.index(index)
