"""Whether two constraints of a table say the same, whatever they are called."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from asyncmig.schema.model import Check, Constraint, ForeignKey, PrimaryKey, Table, Unique

__all__ = ["is_unique_index", "lowered", "say_the_same"]


def say_the_same(one: Constraint, other: Constraint | None, same_check: Callable[[Check, Check], bool]) -> bool:
    """`same_check` decides of two CHECKs: texts are read in different ways."""
    match one, other:
        case PrimaryKey(), PrimaryKey():
            return lowered(one.columns) == lowered(other.columns)
        case Unique(), Unique():
            return lowered(one.columns) == lowered(other.columns)
        case Check(), Check():
            return same_check(one, other)
        case ForeignKey(), ForeignKey():
            return _points_the_same(one, other)
        case _:
            return False


def is_unique_index(constraint: Constraint, table: Table) -> bool:
    """Whether the table has the constraint as an index."""
    return isinstance(constraint, Unique) and any(
        index.unique and lowered(index.elements) == lowered(constraint.columns) for index in table.indexes
    )


def lowered(names: Iterable[object]) -> tuple[str, ...]:
    return tuple(str(name).lower() for name in names)


def _points_the_same(one: ForeignKey, other: ForeignKey) -> bool:
    """No columns of the target's mean its primary key."""
    targets = {lowered(key.target_columns) for key in (one, other) if key.target_columns}
    return len(targets) < 2 and (
        (lowered(one.columns), one.target.name.lower(), *_manner(one))
        == (lowered(other.columns), other.target.name.lower(), *_manner(other))
    )


def _manner(key: ForeignKey) -> tuple[object, ...]:
    actions = [
        None if (action or "").upper() in ("", "NO ACTION") else action for action in (key.ondelete, key.onupdate)
    ]
    return (*actions, bool(key.deferrable), (key.initially or "IMMEDIATE").upper())
