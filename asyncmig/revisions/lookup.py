"""What a name for a place in the history means in a graph: prefixes, labels, branches, steps up and down.

The functions here are the bodies of `RevisionGraph.get`, `.resolve` and `.range`; planning uses the walking parts.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, assert_never

from asyncmig.errors import AmbiguousRevision, MultipleHeads, RevisionError, RevisionNotFound
from asyncmig.revisions.links import MIN_PREFIX, starting_with
from asyncmig.revisions.target import Base, Current, Head, Heads, Named, Origin, Relative, Target

if TYPE_CHECKING:
    from asyncmig.revisions.graph import RevisionGraph
    from asyncmig.revisions.revision import Revision

__all__ = ["as_named", "between", "find", "resolve", "start_of", "walk"]


def find(graph: RevisionGraph, identifier: str, branch: str | None = None) -> Revision:
    """One revision by id, label or unique prefix of either; with `branch` it must share that branch's lineage."""
    lineage = graph.lineage(find(graph, branch).id) if branch else None
    exact = identifier if identifier in graph else graph.label_owners.get(identifier)
    name = exact if exact is not None else _by_prefix(graph, identifier, lineage)
    if lineage is not None and name not in lineage:
        raise RevisionNotFound(
            f"Revision {name} is not on the branch {branch!r}.", identifier=f"{branch}@{identifier}", candidates=(name,)
        )
    return graph[name]


def _by_prefix(graph: RevisionGraph, prefix: str, lineage: set[str] | None) -> str:
    owners = graph.label_owners
    matches = starting_with(prefix, graph.sorted_ids)
    matches += [owners[label] for label in sorted(owners) if label.startswith(prefix)]
    candidates = [name for name in dict.fromkeys(matches) if lineage is None or name in lineage]
    if len(prefix) < MIN_PREFIX and candidates:
        raise RevisionNotFound(
            f"{prefix!r} is too short for a revision.",
            identifier=prefix,
            candidates=candidates[:3],
            hint=f"Give at least {MIN_PREFIX} characters of the id.",
        )
    if not candidates:
        raise graph.not_found(prefix)
    if len(candidates) > 1:
        raise AmbiguousRevision(
            f"{prefix!r} could be {_listed(candidates)}.",
            identifier=prefix,
            candidates=candidates,
            hint="Give more characters of the id.",
        )
    return candidates[0]


def resolve(graph: RevisionGraph, target: Target, current: Collection[str] = frozenset()) -> tuple[str, ...]:
    """The ids that a target means, () being base."""
    target = as_named(graph, target)
    match target:
        case Relative():
            return _resolve_relative(graph, target, current)
        case Head() | Heads() | Base() | Current() | Named():
            return _resolve_origin(graph, target, current)
        case _:
            assert_never(target)


def as_named(graph: RevisionGraph, target: Target) -> Target:
    """`release-1` is one revision below `release`, unless there is a branch label of just that name."""
    if isinstance(target, Relative) and target.branch is None and str(target) in graph.label_owners:
        return Named(str(target))
    return target


def _resolve_origin(graph: RevisionGraph, target: Origin, current: Collection[str]) -> tuple[str, ...]:
    match target:
        case Head(branch):
            heads = _on_branch(graph, graph.heads, branch)
            if len(heads) > 1:
                raise _multiple_heads(target, heads)
            return heads
        case Heads(branch):
            return _on_branch(graph, graph.heads, branch) if branch else graph.effective_heads
        case Base(branch):
            if branch:
                find(graph, branch)
            return ()
        case Current(branch):
            return _on_branch(graph, tuple(sorted(current)), branch)
        case Named(identifier, branch):
            return (find(graph, identifier, branch).id,)
        case _:
            assert_never(target)


def _resolve_relative(graph: RevisionGraph, target: Relative, current: Collection[str]) -> tuple[str, ...]:
    start = start_of(graph, target, current)
    end = walk(graph, start, target.steps, branch=target.branch if target.steps > 0 else None, said=str(target))
    return () if end is None else (end,)


def start_of(graph: RevisionGraph, target: Relative, current: Collection[str]) -> str | None:
    """Where a relative target is counted from; None is base."""
    if target.origin is not None and not isinstance(target.origin, Current):
        # Going up, the branch says which way to turn at a fork; going down, the start must lie on it.
        named = isinstance(target.origin, Named)
        branch = target.branch if not named or target.steps < 0 else None
        return _single(target, _resolve_origin(graph, _qualified(target.origin, branch), current))
    rows = tuple(sorted(current))
    if target.branch is None:
        return _single(target, rows)
    on_branch = _on_branch(graph, rows, target.branch)
    return _single(target, on_branch or _tips(graph, rows, target))


def _qualified(origin: Origin, branch: str | None) -> Origin:
    match origin:
        case Head() | Heads() | Base() | Current():
            return type(origin)(branch)
        case Named():
            return Named(origin.identifier, branch)
        case _:
            assert_never(origin)


def _tips(graph: RevisionGraph, rows: Collection[str], target: Relative) -> tuple[str, ...]:
    """Where the applied part of a branch ends when it has no row of its own.

    Its row is gone because another branch depends on it, or it was never begun. Going up, it then begins where it
    leaves what is applied. Going down, only a real end of the line counts: else other branches would be taken down.
    """
    applied = graph.ancestors(rows)
    if target.steps > 0:
        applied &= graph.lineage(find(graph, target.branch or "").id)
        below = {name for identifier in applied for name in graph.below(identifier)}
        return tuple(sorted(applied - below))
    below = {name for identifier in applied for name in graph.parents(identifier)}
    return _on_branch(graph, tuple(sorted(applied - below)), target.branch)


def _single(target: Relative, starts: tuple[str, ...]) -> str | None:
    if len(starts) > 1:
        raise AmbiguousRevision(
            f"{str(target)!r} could be counted from {_listed(starts)}.",
            identifier=str(target),
            candidates=starts,
            hint=f"Say which: LABEL@{target.steps:+d}, or REV{target.steps:+d}.",
        )
    return starts[0] if starts else None


def walk(graph: RevisionGraph, start: str | None, steps: int, *, branch: str | None = None, said: str) -> str | None:
    """The id `steps` above (negative: below) `start`, None being base.

    `branch` chooses at forks on the way up. AmbiguousRevision where the way is not clear, RevisionNotFound where the
    history ends before the steps do; `said` is what the user typed.
    """
    lineage = graph.lineage(find(graph, branch).id) if branch else None
    place = start
    for taken in range(abs(steps)):
        if steps < 0 and place is None:
            raise _too_far(said, taken, steps)
        ways = _ways(graph, place, up=steps > 0)
        if lineage is not None and steps > 0:
            ways = tuple(name for name in ways if name in lineage)
        if len(ways) > 1:
            raise AmbiguousRevision(
                f"{said!r} is ambiguous: {'above' if steps > 0 else 'below'} {place or 'base'} are {_listed(ways)}.",
                identifier=said,
                candidates=ways,
                hint=f"Say which: a revision id, or LABEL@{steps:+d}.",
            )
        if not ways and steps > 0:
            raise _too_far(said, taken, steps)
        place = ways[0] if ways else None
    return place


def _ways(graph: RevisionGraph, place: str | None, *, up: bool) -> tuple[str, ...]:
    if not up:
        return graph.parents(place) if place else ()
    return graph.children(place) if place else graph.bases


def between(
    graph: RevisionGraph, lower: Target | None, upper: Target | None, current: Collection[str]
) -> tuple[Revision, ...]:
    """The revisions of a range, ends included, newest first; a relative side without origin is counted from the other.

    RevisionError when `lower` is no ancestor of `upper`.
    """
    if isinstance(upper, Relative) and upper.origin is None and upper.steps > 0:
        bottom = _bottom(graph, lower, current)
        tops = _stepped(graph, start_of(graph, upper, bottom), upper)
    else:
        tops = graph.effective_heads if upper is None else resolve(graph, upper, current)
        bottom = _bottom_below(graph, lower, tops, current)
    if isinstance(lower, Base | Heads | Head | Current) and lower.branch:
        branch = graph.lineage(find(graph, lower.branch).id)
        tops = tuple(top for top in tops if top in branch)
    wanted = graph.ancestors(tops)
    if bottom:
        if not wanted.issuperset(bottom):
            raise RevisionError(f"{lower} is not below {upper or 'heads'}.", hint="A range is written LOWER:UPPER.")
        wanted &= graph.descendants(bottom, dependencies=False)
        wanted -= graph.ancestors(bottom)
        wanted.update(bottom)
    return tuple(graph[name] for name in reversed(graph.ordered(wanted)))


def _bottom(graph: RevisionGraph, lower: Target | None, current: Collection[str]) -> tuple[str, ...]:
    return () if lower is None else resolve(graph, lower, current)


def _bottom_below(
    graph: RevisionGraph, lower: Target | None, tops: tuple[str, ...], current: Collection[str]
) -> tuple[str, ...]:
    """`-3:current` begins three below its upper end, or at base when there are fewer."""
    if not (isinstance(lower, Relative) and lower.origin is None and lower.steps < 0):
        return _bottom(graph, lower, current)
    return _stepped(graph, start_of(graph, lower, tops), lower)


def _stepped(graph: RevisionGraph, place: str | None, target: Relative) -> tuple[str, ...]:
    """As many of the target's steps as the history has: a range may be asked for more than there is."""
    up = target.steps > 0
    branch = target.branch if up else None
    for _ in range(abs(target.steps)):
        if not (_ways(graph, place, up=True) if up else place):
            break
        place = walk(graph, place, 1 if up else -1, branch=branch, said=str(target))
    return () if place is None else (place,)


def _on_branch(graph: RevisionGraph, ids: tuple[str, ...], branch: str | None) -> tuple[str, ...]:
    if branch is None:
        return ids
    lineage = graph.lineage(find(graph, branch).id)
    return tuple(name for name in ids if name in lineage)


def _multiple_heads(target: Head, heads: tuple[str, ...]) -> MultipleHeads:
    where = f"The branch {target.branch!r} has" if target.branch else "There are"
    return MultipleHeads(
        f"{where} several heads: {_listed(heads)}.",
        heads=heads,
        hint="Use `heads`, or LABEL@head, or join them with `asyncmig merge heads`.",
    )


def _too_far(said: str, taken: int, steps: int) -> RevisionNotFound:
    direction = "above" if steps > 0 else "below"
    counted = {0: "is nothing", 1: "is only 1 revision"}.get(taken, f"are only {taken} revisions")
    return RevisionNotFound(f"{said!r} leaves the history: there {counted} {direction}.", identifier=said)


def _listed(names: Collection[str]) -> str:
    return ", ".join(names)
