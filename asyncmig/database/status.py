"""What a look at a database comes back with: where it stands, and what stands between it and the scripts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from asyncmig.database.placement import RevisionState
from asyncmig.revisions.revision import Revision

if TYPE_CHECKING:
    from pathlib import Path

    from asyncmig.database.applied import ChangedScript
    from asyncmig.database.differences import Differences
    from asyncmig.database.placement import Placement
    from asyncmig.revisions.graph import RevisionGraph
    from asyncmig.revisions.plan import Direction

__all__ = ["CurrentReport", "CurrentRevision", "IncompleteRevision", "StatusReport", "current_revisions"]


@dataclass(frozen=True, slots=True)
class CurrentRevision:
    """One row of the version table. `is_head` counts effective heads; `label` are its branch labels."""

    revision: str
    state: RevisionState
    is_head: bool
    message: str
    down_revisions: tuple[str, ...]
    labels: tuple[str, ...] = ()
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class CurrentReport:
    """`at_every_head`: nothing is pending and no row is foreign; so it is where the database is ahead."""

    database: str
    revisions: tuple[CurrentRevision, ...]
    at_every_head: bool


@dataclass(frozen=True, slots=True)
class IncompleteRevision:
    revision: str
    direction: Direction
    statements_done: int
    error: str | None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """`drift` is how the database differs from the models; None where they were not compared.

    They are where all is applied, nothing is ahead or unfinished, and the project declares models; `not_compared` says
    why such models could not be compared all the same.
    """

    database: str
    source: str  # where the URL came from: "--url", "ASYNCMIG_URL", "env.py", a file, "DATABASE_URL"
    server: str  # "PostgreSQL 18.1", "SQLite 3.40.1"
    current: tuple[CurrentRevision, ...]
    heads: tuple[str, ...]
    pending: tuple[str, ...]  # in the order in which upgrade heads would apply them
    changed: tuple[ChangedScript, ...]
    incomplete: tuple[IncompleteRevision, ...]
    drift: Differences | None = None
    not_compared: str | None = None

    @property
    def clean(self) -> bool:
        return self.at_head and not self.changed and not (self.drift and self.drift.items)

    @property
    def at_head(self) -> bool:
        """Nothing is pending, unfinished or foreign."""
        return not (self.pending or self.incomplete) and all(
            row.state is not RevisionState.FOREIGN for row in self.current
        )

    def complaints(self) -> tuple[str, ...]:
        """What stands between the database and the scripts, a phrase each; empty when `clean`."""
        foreign = [row.revision for row in self.current if row.state is RevisionState.FOREIGN]
        found = []
        if self.pending:
            found.append(
                f"{len(self.pending)} pending ({', '.join(self.pending[:5])}{', ...' * (len(self.pending) > 5)})"
            )
        if foreign:
            found.append(f"at unknown {', '.join(foreign)}")
        found += [f"{one.revision} is incomplete after statement {one.statements_done}" for one in self.incomplete]
        found += [one.sentence for one in self.changed]
        if self.drift and self.drift.items:
            found.append(f"{len(self.drift.items)} {_differences(len(self.drift.items))} between models and database")
        return tuple(found)


def _differences(count: int) -> str:
    return "difference" if count == 1 else "differences"


def current_revisions(placement: Placement, graph: RevisionGraph) -> tuple[CurrentRevision, ...]:
    """Each row of the version table in the words of the history."""
    heads = frozenset(graph.effective_heads) | frozenset(graph.heads)
    return tuple(_described(row, placement, graph, heads) for row in sorted(placement.rows))


def _described(row: str, placement: Placement, graph: RevisionGraph, heads: frozenset[str]) -> CurrentRevision:
    revision = graph[row] if row in placement.known else Revision(row)
    return CurrentRevision(
        revision=row,
        state=placement.state_of(row),
        is_head=row in heads,
        message=revision.message,
        down_revisions=revision.down_revisions,
        labels=tuple(sorted(graph.labels(row))) if row in placement.known else (),
        path=revision.path,
    )
