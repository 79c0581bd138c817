"""The order of a history: each revision after its parents and dependencies, its branches as Alembic orders them.

Where two branches were merged, either may go first as far as the graph says, but often only one way round works: one
renames the table that the other changes. The scripts were written and tried in Alembic's order, so it is part of
what they say.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncmig.revisions.revision import Revision

__all__ = ["in_files", "newest_first", "without_inherited"]

_NONE: tuple[str, ...] = ()

_LOOKS, _LOOKS_EACH = 20_000, 10
"""How often to look for what is above, at all and for each revision, before the time for it would no longer be linear.

Where hundreds of branches grow side by side, each turn from one to the next would look at all of them again.
"""


class _TooTangled(Exception):
    pass


def newest_first(below: Mapping[str, tuple[str, ...]], tops: Sequence[str], ids: Collection[str]) -> list[str]:
    """The ids, each before what is below it, walking down from the tops; what goes round in a circle is left out.

    `ids` has with two of its members also what lies between them, and each is a top or below one. A line is walked down
    until something above is still missing, then the first line is that has it; of a merge the line of the first
    parent goes on and the others wait behind all that wait already.
    """
    try:
        return _Walk(below, tops, ids).walked()
    except _TooTangled:
        return _deepest_first(below, tops, ids)


def without_inherited(
    revisions: Mapping[str, Revision], dependencies: Mapping[str, tuple[str, ...]], order: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """What is below each, without dependencies that something on its line of parents has too; `order` is oldest first."""
    lines: dict[str, tuple[str, ...]] = {}
    inherited: dict[str, frozenset[str]] = {}
    for name in order:
        parents, own = revisions[name].down_revisions, dependencies.get(name, _NONE)
        had = _united([inherited[parent] for parent in parents])
        lines[name] = (
            tuple(dict.fromkeys((*parents, *(other for other in own if other not in had)))) if own else parents
        )
        inherited[name] = had | frozenset(own) if own else had
    return lines


def in_files(revisions: Iterable[Revision]) -> list[str]:
    """The ids in the order of the scripts: a folder's own before those in folders inside of it, by name."""
    return [revision.id for revision in sorted(revisions, key=_place)]


def _place(revision: Revision) -> tuple[tuple[str, ...], str, str]:
    path = revision.path
    return ((), "", revision.id) if path is None else (path.parent.parts, path.name, revision.id)


def _united(sets: list[frozenset[str]]) -> frozenset[str]:
    """The same object where there is one: a line without dependencies costs nothing."""
    first = sets[0] if sets else frozenset()
    return first if all(other is first for other in sets) else first.union(*sets)


class _Walk:
    """`lines` are the ends of the lines that are being walked, `waiting` how much above each id is still missing.

    Each line has a number, in the order in which they began, which is the order in which they stand.
    """

    def __init__(self, below: Mapping[str, tuple[str, ...]], tops: Sequence[str], ids: Collection[str]) -> None:
        self.below = below
        self.ids = ids
        self.waiting: dict[str, int] = {}
        for name in ids:
            for lower in below[name]:
                self.waiting[lower] = self.waiting.get(lower, 0) + 1
        self.lines = list(tops)
        self.numbers = list(range(len(tops)))
        self.ends = dict(zip(tops, self.numbers, strict=True))
        self.above: dict[str, list[str]] | None = None
        self.done: dict[str, None] = {}
        self.looks = _LOOKS + _LOOKS_EACH * len(ids)

    def walked(self) -> list[str]:
        at, moves = 0, 0
        while self.lines:
            name = self.lines[at]
            if not self.waiting.get(name):
                at, moves = self._step(at, name), 0
                continue
            number = self._missing_above(at, name)
            if number is None or moves > len(self.lines):
                break  # a circle: each move goes up, so among n lines there are no more than n in a row
            at, moves = bisect_left(self.numbers, number), moves + 1
        return list(self.done)

    def _step(self, at: int, name: str) -> int:
        """Take one, and all below it that nothing else stands above; say where to go on."""
        number = self.ends.pop(name)
        while True:
            self.done[name] = None
            lowers = self.below[name]
            if len(lowers) != 1 or self.waiting[lowers[0]] != 1 or lowers[0] not in self.ids or lowers[0] in self.ends:
                break
            name = lowers[0]
            self.waiting[name] = 0
        found = []
        for lower in lowers:
            self.waiting[lower] -= 1
            if lower in self.ids and lower not in self.ends and lower not in found:
                found.append(lower)
        if not found:
            del self.lines[at], self.numbers[at]
            return max(at - 1, 0)
        self.lines[at] = found[0]
        self.ends[found[0]] = number
        for lower in found[1:]:
            self.ends[lower] = self.numbers[-1] + 1
            self.numbers.append(self.ends[lower])
            self.lines.append(lower)
        return at

    def _missing_above(self, at: int, name: str) -> int | None:
        """The number of the first line that has yet to come down to `name`, None where there is none."""
        if self.above is None:
            self.above = {}
            for each in self.ids:
                for lower in self.below[each]:
                    self.above.setdefault(lower, []).append(each)
        first = self.numbers[1 if at == 0 and len(self.numbers) > 1 else 0]
        seen, todo, best = {name}, [name], None
        while todo and best != first:
            for upper in self.above.get(todo.pop(), ()):
                if upper in self.done or upper in seen:
                    continue
                seen.add(upper)
                todo.append(upper)
                number = self.ends.get(upper)
                if number is not None and (best is None or number < best):
                    best = number
        self.looks -= len(seen)
        if self.looks < 0:
            raise _TooTangled
        return best


def _deepest_first(below: Mapping[str, tuple[str, ...]], tops: Sequence[str], ids: Collection[str]) -> list[str]:
    """In linear time: the lines of a merge one after the other, and what they have in common behind all of them."""
    done: dict[str, None] = {}
    for top in reversed(tops):
        path: dict[str, None] = {}
        stack = [top]
        while stack:
            name = stack[-1]
            if name in done:
                stack.pop()
            elif name in path:
                done[stack.pop()] = None
            else:
                path[name] = None
                stack += [lower for lower in below[name] if lower in ids and lower not in done and lower not in path]
    return list(reversed(done))
