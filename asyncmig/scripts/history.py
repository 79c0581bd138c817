"""The history as it is shown: each revision with what the graph knows of its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from asyncmig.revisions.graph import RevisionGraph
from asyncmig.revisions.revision import Revision

__all__ = ["Branch", "HistoryEntry", "branches_of", "entries_of"]


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """`labels` are inherited ones too; `is_head` means no child, `is_effective_head` that nothing depends on it either."""

    revision: Revision
    labels: tuple[str, ...]
    children: tuple[str, ...]
    dependencies: tuple[str, ...]
    is_effective_head: bool
    is_current: bool = False

    @property
    def id(self) -> str:
        return self.revision.id

    @property
    def is_head(self) -> bool:
        return not self.children

    @property
    def is_base(self) -> bool:
        return self.revision.is_base

    @property
    def is_branch_point(self) -> bool:
        return len(self.children) > 1

    @property
    def is_merge_point(self) -> bool:
        return self.revision.is_merge_point


@dataclass(frozen=True, slots=True)
class Branch:
    """A revision that several others follow, with those."""

    revision: Revision
    children: tuple[Revision, ...]


def entries_of(
    graph: RevisionGraph, revisions: Iterable[Revision], current: Collection[str] = ()
) -> tuple[HistoryEntry, ...]:
    """In the order of `revisions`; `current` are the ids that the database is at."""
    return tuple(
        HistoryEntry(
            revision=revision,
            labels=tuple(sorted(graph.labels(revision.id))),
            children=graph.children(revision.id),
            dependencies=graph.dependencies(revision.id),
            is_effective_head=not graph.children(revision.id) and not graph.dependents(revision.id),
            is_current=revision.id in current,
        )
        for revision in revisions
    )


def branches_of(graph: RevisionGraph) -> tuple[Branch, ...]:
    return tuple(
        Branch(graph[name], tuple(graph[child] for child in graph.children(name))) for name in graph.branch_points
    )
