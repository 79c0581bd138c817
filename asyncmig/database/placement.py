"""Where a database stands in our history: at known revisions, ahead of them, or at ones nobody here knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from asyncmig.errors import ForeignRevision

if TYPE_CHECKING:
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["Placement", "RevisionState", "place"]


class RevisionState(StrEnum):
    """Where an id of the version table stands: in the files; ahead of them (the journal traces it); foreign."""

    KNOWN = "known"
    AHEAD = "ahead"
    FOREIGN = "foreign"


@dataclass(frozen=True, slots=True)
class Placement:
    """The rows of the version table, sorted out.

    `ahead` maps the ids of a newer release to the known revisions that the journal traces them down to.
    `effective` is where that puts the database in our own history.
    """

    rows: frozenset[str]
    known: frozenset[str]
    ahead: Mapping[str, frozenset[str]]
    foreign: tuple[str, ...]
    effective: frozenset[str]

    def refuse_foreign(self) -> None:
        """ForeignRevision when the database is at a revision that nothing explains."""
        if self.foreign:
            names = ", ".join(self.foreign)
            raise ForeignRevision(
                f"The database is at {names}, which is neither among the scripts nor traced by the journal.",
                revisions=self.foreign,
                hint=(
                    "Check out the code that has it; or, if you know which revision the schema equals, "
                    "`asyncmig stamp --purge REV`."
                ),
            )

    def state_of(self, row: str) -> RevisionState:
        if row in self.known:
            return RevisionState.KNOWN
        return RevisionState.AHEAD if row in self.ahead else RevisionState.FOREIGN


def place(
    rows: frozenset[str], graph: RevisionGraph, journal_parents: Mapping[str, tuple[str, ...]] | None = None
) -> Placement:
    """Sort `rows` out. The journal's parents are needed only where `unknown(rows)`: without them all is foreign."""
    known = frozenset(row for row in rows if row in graph)
    traced = {row: _trace(row, graph, journal_parents or {}) for row in rows - known}
    ahead = {row: found for row, found in traced.items() if found is not None}
    foreign = tuple(sorted(row for row, found in traced.items() if found is None))
    effective = graph.maximal(known.union(*ahead.values())) if ahead else known
    return Placement(rows, known, ahead, foreign, effective)


def _trace(row: str, graph: RevisionGraph, parents: Mapping[str, tuple[str, ...]]) -> frozenset[str] | None:
    """The known revisions below `row`; None when the journal loses the track on any way down."""
    found: set[str] = set()
    seen: set[str] = set()
    queue = [row]
    while queue:
        name = queue.pop()
        if name in graph:
            found.add(name)
        elif name not in parents:
            return None
        elif name not in seen:
            seen.add(name)
            queue.extend(parents[name])
    return frozenset(found) or None
