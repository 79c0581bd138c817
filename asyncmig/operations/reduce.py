"""A list of operations made shorter, to the same effect: what is added and dropped again is not added at all.

    reduced([create_table(t), add_column(t.a), drop_column(t.b), create_index(ix)]) == [create_table(t, with a and ix)]

What holds of the result:

- it leads to the same schema, and the same database, from wherever the operations themselves could be carried out;
- reduced again it is the same;
- nothing is moved past free SQL, rows, or an object whose SQL may mention anything (views, functions, triggers, types,
  sequences ...), nor past another operation on what it touches itself.

Rows count as much as the schema: a default that filled the rows there are, a type that they went through, and a
column that was dropped and made anew stay as they are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from asyncmig.operations.base import Operation
from asyncmig.operations.reduce_objects import merged_objects
from asyncmig.operations.reduce_tables import (
    frees_names,
    is_about_tables,
    merged,
    own_place,
    passes,
    places,
    simplified,
    takes_name,
)

__all__ = ["reduced"]

_SIGHT: Final = 64
"""How many operations on the same things an operation looks back over: what keeps long lists from taking squares."""


def reduced(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """The operations, as few as can be."""
    found = tuple(operations)
    while True:
        shorter = _Reduction().run(found)
        if len(shorter) == len(found):
            return shorter
        found = shorter


class _Reduction:
    """One pass. Each operation looks for an earlier one, with nothing in its way, that it can become one with.

    `_kept` has None where one went into another. `_by_place` says where a thing was touched, `_walls` which
    operations nothing moves past, `_frees` which drop names with other things, `_order` what was kept last; all may name
    places that are empty by now.
    """

    def __init__(self) -> None:
        self._kept: list[Operation | None] = []
        self._by_place: dict[object, list[int]] = {}
        self._walls: list[int] = []
        self._frees: list[int] = []
        self._order: list[int] = []

    def run(self, operations: Iterable[Operation]) -> tuple[Operation, ...]:
        for operation in operations:
            for single in simplified(operation, reduced):
                if is_about_tables(single):
                    self._take(single)
                else:
                    self._take_wall(single)
        return tuple(operation for operation in self._kept if operation is not None)

    def _take(self, operation: Operation) -> None:
        """Into an earlier operation, again and again, as long as there is one for it."""
        found = self._partner(operation, len(self._kept))
        if found is None and self._brings_closer(operation):
            found = self._partner(operation, len(self._kept))
        at = None
        while found is not None:
            at, result = found
            self._kept[at] = None
            if not result:
                return
            (operation,) = result
            found = self._partner(operation, at)
        self._put(operation, len(self._kept) if at is None else at)

    def _partner(self, operation: Operation, below: int) -> tuple[int, tuple[Operation, ...]] | None:
        """The place of an earlier operation that goes into this one, and what both are together."""
        freed = self._last_before(self._frees, below) if takes_name(operation) else -1
        for count, at in enumerate(self._earlier(places(operation), below)):
            if at < freed:
                return None  # the name may have been another's until then
            before = self._kept[at]
            assert before is not None
            result = merged(before, operation)
            if result is not None:
                return at, result
            if count == _SIGHT or not passes(operation, before):
                return None
        return None

    def _brings_closer(self, operation: Operation) -> bool:
        """Move the table's creation to the end: a foreign key waits there for a table that is made after it."""
        end = len(self._kept)
        at = next(self._earlier(own_place(operation), end), None)
        create = None if at is None else self._kept[at]
        if at is None or create is None or merged(create, operation) is None:
            return False
        if next(self._earlier(places(create), end)) != at:
            return False
        self._kept[at] = None
        self._put(create, end)
        return True

    def _earlier(self, wanted: Collection[object], below: int) -> Iterator[int]:
        """The places before `below`, last first, where one of `wanted` is touched, back to the last wall."""
        wall = self._last_of(self._walls)
        while True:
            below = max((self._last_touch(place, below) for place in wanted), default=-1)
            if below <= wall:
                return
            yield below

    def _last_touch(self, place: object, below: int) -> int:
        return self._last_before(self._by_place.get(place, []), below)

    def _last_before(self, numbers: list[int], below: int) -> int:
        at = bisect_left(numbers, below) - 1
        while at >= 0 and self._kept[numbers[at]] is None:
            del numbers[at]
            at -= 1
        return numbers[at] if at >= 0 else -1

    def _put(self, operation: Operation, at: int) -> None:
        if at == len(self._kept):
            self._kept.append(operation)
            self._order.append(at)
        else:
            self._kept[at] = operation
        for place in places(operation):
            _insert(self._by_place.setdefault(place, []), at)
        if frees_names(operation):
            _insert(self._frees, at)

    def _take_wall(self, operation: Operation) -> None:
        """An operation that nothing moves past: it becomes one only with what stands right before it."""
        at = self._last_of(self._order)
        before = self._kept[at] if at >= 0 else None
        result = None if before is None else merged_objects(before, operation)
        if result is None:
            self._walls.append(len(self._kept))
            self._put(operation, len(self._kept))
            return
        self._kept[at] = None
        for left in result:
            self._take_wall(left)

    def _last_of(self, numbers: list[int]) -> int:
        while numbers and self._kept[numbers[-1]] is None:
            numbers.pop()
        return numbers[-1] if numbers else -1


def _insert(numbers: list[int], at: int) -> None:
    place = bisect_left(numbers, at)
    if numbers[place : place + 1] != [at]:
        numbers.insert(place, at)
