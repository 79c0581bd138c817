"""Which constraints or indexes of two states of a table are the same ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from asyncmig.schema.model import Constraint, Index

__all__ = ["Matching"]

Item = TypeVar("Item", bound=Constraint | Index)


class Matching(Generic[Item]):
    """Which constraints or indexes stay. By name where both have one, by what they say where one has none."""

    __slots__ = ("added", "dropped")

    def __init__(self, current: Sequence[Item], wanted: Sequence[Item], same: Callable[[Item, Item], bool]) -> None:
        self.added: list[Item] = []
        self.dropped: list[Item] = []
        if len(current) == len(wanted) and all(
            type(a) is type(b) and (a.name == b.name or b.name is None) and same(a, b)
            for a, b in zip(current, wanted, strict=True)
        ):
            return  # most tables: one by one, in the order of their declaration
        named = {(type(item), item.name): item for item in current if item.name is not None}
        left = dict.fromkeys(map(id, current))
        later: list[Item] = []
        for item in self._without_repeated(current, wanted, left, same):
            known = named.get((type(item), item.name)) if item.name is not None else None
            if known is None:
                later.append(item)
            elif id(known) in left:
                del left[id(known)]
                if not same(known, item):
                    self.dropped.append(known)
                    self.added.append(item)
        if later:
            self._match(later, [item for item in current if id(item) in left], left, same)
        if left:
            self.dropped.extend(item for item in current if id(item) in left)

    @property
    def differ(self) -> bool:
        return bool(self.added or self.dropped)

    def _without_repeated(
        self, current: Sequence[Item], wanted: Sequence[Item], left: dict[int, None], same: Callable[[Item, Item], bool]
    ) -> Sequence[Item]:
        """SQLite lets several CHECKs have one name, and a drop by that name takes all of them: they go and come together."""
        repeated = _repeated(current) | _repeated(wanted)
        if not repeated:
            return wanted
        for key in sorted(repeated, key=str):
            old, new = ([item for item in items if (type(item), item.name) == key] for items in (current, wanted))
            for item in old:
                del left[id(item)]
            if not _are_alike(old, new, same):
                self.dropped += old
                self.added += new
        return [item for item in wanted if (type(item), item.name) not in repeated]

    def _match(
        self, later: list[Item], rest: list[Item], left: dict[int, None], same: Callable[[Item, Item], bool]
    ) -> None:
        for item in later:
            found = next(
                (
                    other
                    for other in rest
                    if type(other) is type(item)
                    and (item.name is None or other.name is None)
                    and id(other) in left
                    and same(other, item)
                ),
                None,
            )
            if found is None:
                self.added.append(item)
            else:
                del left[id(found)]


def _repeated(items: Sequence[Item]) -> set[tuple[type[Item], str | None]]:
    counted = Counter((type(item), item.name) for item in items if item.name is not None)
    return {key for key, number in counted.items() if number > 1}


def _are_alike(old: Sequence[Item], new: Sequence[Item], same: Callable[[Item, Item], bool]) -> bool:
    rest = list(new)
    for item in old:
        place = next((place for place, other in enumerate(rest) if same(item, other)), None)
        if place is None:
            return False
        del rest[place]
    return not rest
