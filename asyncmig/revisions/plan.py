"""From where the database is to where it shall be: steps in order, each with its change to the version table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from asyncmig.errors import AmbiguousRevision, RevisionError, RevisionNotFound
from asyncmig.revisions.lookup import as_named, find, start_of, walk
from asyncmig.revisions.revision import Revision
from asyncmig.revisions.target import Base, Current, Relative, Target

if TYPE_CHECKING:
    from asyncmig.revisions.graph import RevisionGraph

__all__ = [
    "Direction",
    "Plan",
    "Step",
    "VersionChange",
    "is_at",
    "pending",
    "plan_downgrade",
    "plan_stamp",
    "plan_upgrade",
]


class Direction(StrEnum):
    UPGRADE = "upgrade"
    DOWNGRADE = "downgrade"
    STAMP = "stamp"


@dataclass(frozen=True, slots=True)
class VersionChange:
    """What happens to the rows of the version table: delete, then update (old, new), then insert. No id twice."""

    delete: tuple[str, ...] = ()
    update: tuple[tuple[str, str], ...] = ()
    insert: tuple[str, ...] = ()

    @classmethod
    def between(cls, before: frozenset[str], after: frozenset[str]) -> VersionChange:
        """The cheapest change: one update where rows both come and go, deletes and inserts for the rest."""
        gone, come = sorted(before - after), sorted(after - before)
        if gone and come:
            return cls(tuple(gone[:-1]), ((gone[-1], come[-1]),), tuple(come[:-1]))
        return cls(delete=tuple(gone), insert=tuple(come))

    def __bool__(self) -> bool:
        return bool(self.delete or self.update or self.insert)


@dataclass(frozen=True, slots=True)
class Step:
    """One revision up or down, or a group of rows stamped; `before` and `after` are the rows of the version table."""

    revision: Revision
    direction: Direction
    change: VersionChange
    before: frozenset[str]
    after: frozenset[str]


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order; `before` and `after` are the rows of the version table around all of them."""

    steps: tuple[Step, ...]
    before: frozenset[str]
    after: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.steps)

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(step.revision.id for step in self.steps)


def plan_upgrade(graph: RevisionGraph, current: Collection[str], target: Target) -> Plan:
    """All that `target` needs and `current` has not, parents and dependencies first.

    A target that is applied already gives no steps. RevisionNotFound for a row that the graph does not know.
    """
    rows = frozenset(current)
    wanted = _upgrade_targets(graph, rows, target)
    if rows.issuperset(wanted):
        return Plan((), rows, rows)
    missing = graph.ancestors(wanted) - graph.ancestors(rows)
    return _climb(graph, rows, graph.way(wanted, missing))


def plan_downgrade(graph: RevisionGraph, current: Collection[str], target: Target) -> Plan:
    """All that stands on the target's children and is applied, newest first.

    With a branch (`shop@base`, `shop@-1`) only that branch's line is taken down, with whatever depends on it.
    RevisionError when the target is not applied.
    """
    rows = frozenset(current)
    applied = graph.ancestors(rows)
    floor, line = _floor(graph, rows, as_named(graph, target))
    doomed = graph.descendants(_roots(graph, floor, line, target) & applied) & applied
    if floor is not None and floor not in applied:
        raise RevisionError(
            f"{target} is not applied, so the database cannot be taken down to it.",
            hint="`asyncmig current` shows where the database is.",
        )
    return _descend(graph, rows, applied, tuple(reversed(graph.way(rows, doomed))))


def plan_stamp(graph: RevisionGraph, current: Collection[str], targets: Sequence[Target], purge: bool = False) -> Plan:
    """The version table set to `targets` without running anything: rows on their lines go, other rows stay.

    With `purge` all rows go. A step for each new row, taking the rows that it replaces with it, then one for each row
    that only goes. Rows that the graph does not know stay unless purged; the step that deletes one carries a bare
    Revision with that id.
    """
    rows = frozenset(current)
    known = frozenset(row for row in rows if row in graph)
    aims = tuple(dict.fromkeys(name for target in targets for name in graph.resolve(target, known)))
    replaced = rows if purge else _covered(graph, known, targets)
    final = (rows - replaced) | graph.maximal(aims)
    steps: list[Step] = []
    for aim in graph.ordered(final - rows):
        before = steps[-1].after if steps else rows
        line = before if purge else graph.lineage(aim, dependencies=True)
        steps.append(_stamp(graph[aim], before, (before - (line - final)) | {aim}))
    for row in sorted((steps[-1].after if steps else rows) - final):
        before = steps[-1].after if steps else rows
        steps.append(_stamp(graph[row] if row in graph else Revision(row), before, before - {row}))
    return Plan(tuple(steps), rows, final)


def pending(graph: RevisionGraph, current: Collection[str]) -> tuple[str, ...]:
    """What `upgrade heads` would apply, in order."""
    rows = frozenset(current)
    if rows.issuperset(graph.effective_heads):
        return ()
    tops = graph.effective_heads
    return graph.way(tops, graph.ancestors(tops) - graph.ancestors(rows))


def is_at(graph: RevisionGraph, current: Collection[str], target: Target) -> bool:
    """Whether an upgrade to `target` has nothing to do."""
    rows = frozenset(current)
    wanted = _upgrade_targets(graph, rows, target)
    return rows.issuperset(wanted) or graph.ancestors(rows).issuperset(wanted)


# -- where to ---------------------------------------------------------------------------------------------------------


def _upgrade_targets(graph: RevisionGraph, rows: frozenset[str], target: Target) -> tuple[str, ...]:
    for row in rows:
        if row not in graph:
            raise graph.not_found(row)
    named = as_named(graph, target)
    if isinstance(named, Relative) and _from_current(named) and named.steps < 0:
        raise RevisionError(f"{str(target)!r} is below the database.", hint=f"Use `asyncmig downgrade {target}`.")
    return graph.resolve(named, rows)


def _from_current(target: Relative) -> bool:
    return target.origin is None or isinstance(target.origin, Current)


def _floor(graph: RevisionGraph, rows: frozenset[str], target: Target) -> tuple[str | None, set[str] | None]:
    """The revision that a downgrade stops at (None: base), and the line it keeps to where a fork leaves a choice."""
    if isinstance(target, Relative) and _from_current(target):
        if target.steps > 0:
            raise RevisionError(f"{str(target)!r} is above the database.", hint=f"Use `asyncmig upgrade {target}`.")
        start = start_of(graph, target, rows)
        if start is None:
            where = f" on {target.branch}" if target.branch else ""
            raise RevisionNotFound(
                f"{str(target)!r} has nothing to count from: no revision is applied{where}.", identifier=str(target)
            )
        return walk(graph, start, target.steps, said=str(target)), graph.ancestors([start], dependencies=False)
    ids = graph.resolve(target, rows)
    if len(ids) > 1:
        raise AmbiguousRevision(
            f"{str(target)!r} means several revisions: {', '.join(ids)}.",
            identifier=str(target),
            candidates=ids,
            hint="A downgrade goes to one: LABEL@REV, LABEL@base or an id.",
        )
    line = graph.lineage(find(graph, target.branch).id) if target.branch else None
    return (ids[0] if ids else None), line


def _roots(graph: RevisionGraph, floor: str | None, line: set[str] | None, target: Target) -> set[str]:
    roots = set(graph.bases if floor is None else graph.children(floor))
    if line is None or len(roots) < 2:
        return roots
    if not roots & line:
        raise RevisionError(f"{target} is not below the branch that it names.")
    return roots & line


def _covered(graph: RevisionGraph, known: frozenset[str], targets: Sequence[Target]) -> set[str]:
    """The known rows that a stamp replaces: those that share a line, dependencies counted, with one of the targets."""
    covered: set[str] = set()
    for target in targets:
        names = graph.resolve(target, known)
        if isinstance(target, Base):
            if target.branch is None:
                return set(known)
            names = (find(graph, target.branch).id,)
        for name in names:
            covered |= graph.lineage(name, dependencies=True)
    return covered & known


# -- steps ------------------------------------------------------------------------------------------------------------


def _climb(graph: RevisionGraph, rows: frozenset[str], order: tuple[str, ...]) -> Plan:
    steps: list[Step] = []
    place = rows
    surplus = rows - graph.maximal(rows)  # rows that another implies; the first step drops them
    for name in order:
        after = place.difference(graph.below(name), surplus) | {name}
        steps.append(Step(graph[name], Direction.UPGRADE, VersionChange.between(place, after), place, after))
        place = after
    return Plan(tuple(steps), rows, place)


def _descend(graph: RevisionGraph, rows: frozenset[str], applied: set[str], order: tuple[str, ...]) -> Plan:
    """A revision's row gives way to those of what it stood on, where nothing else that is applied stands there too."""
    standing: dict[str, int] = {}
    for name in applied:
        for below in graph.below(name):
            standing[below] = standing.get(below, 0) + 1
    steps: list[Step] = []
    place = rows
    surplus = rows - graph.maximal(rows)
    for name in order:
        for below in graph.below(name):
            standing[below] -= 1
        bared = [below for below in graph.below(name) if not standing[below]]
        after = (place - {name}).difference(surplus if not steps else ()).union(bared)
        steps.append(Step(graph[name], Direction.DOWNGRADE, VersionChange.between(place, after), place, after))
        place = after
    return Plan(tuple(steps), rows, place)


def _stamp(revision: Revision, before: frozenset[str], after: frozenset[str]) -> Step:
    return Step(revision, Direction.STAMP, VersionChange.between(before, after), before, after)
