"""The steps of a --sql run, which has no database to ask where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from asyncmig.errors import MalformedTarget
from asyncmig.revisions.plan import Direction, Plan, plan_downgrade, plan_stamp, plan_upgrade
from asyncmig.revisions.target import Current, Head, Heads, Relative, parse_range, parse_target

if TYPE_CHECKING:
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["offline_plan"]

_T = TypeVar("_T")


def offline_plan(graph: RevisionGraph, direction: Direction, target: str) -> Plan:
    """The steps of a --sql run: from base, or from the lower end of "a:b"."""
    if ":" not in target:
        if direction is Direction.DOWNGRADE:
            raise MalformedTarget(
                f"downgrade --sql cannot know where the database is, so {target!r} is not enough.",
                hint="Give a range FROM:TO, such as ae10:base.",
            )
        goals = [_askless(parse_target(name)) for name in target.split(",")]
        if direction is Direction.STAMP:
            return plan_stamp(graph, (), goals)
        return plan_upgrade(graph, (), goals[0])
    wanted = parse_range(target)
    for end in (wanted.lower, wanted.upper):
        _askless(end)
    start = graph.maximal(graph.resolve(wanted.lower)) if wanted.lower else frozenset()
    if direction is Direction.DOWNGRADE:
        if wanted.upper is None or wanted.lower is None:
            where = "begins" if wanted.upper else "ends"
            raise MalformedTarget(f"{target!r} does not say where the downgrade {where}.", hint="Such as ae10:base.")
        return plan_downgrade(graph, start, wanted.upper)
    if direction is Direction.STAMP:
        return plan_stamp(graph, start, [wanted.upper or Head()])
    return plan_upgrade(graph, start, wanted.upper or Heads())


def _askless(target: _T) -> _T:
    """The target itself; MalformedTarget where only a database could tell what it means."""
    if isinstance(target, Current) or (isinstance(target, Relative) and isinstance(target.origin, Current)):
        raise MalformedTarget(
            f"'{target}' asks the database, and --sql makes no connection.", hint="Give a range FROM:TO instead."
        )
    return target
