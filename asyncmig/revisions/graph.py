"""The history as a graph: who follows whom, who depends on whom, and what a name means.

Built in time linear in revisions and edges. What only some commands ask (labels, branch points, children) is worked
out at the first question, so a start that finds nothing to do does not pay for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cached_property

from asyncmig.errors import RevisionNotFound
from asyncmig.revisions import lookup
from asyncmig.revisions.labels import inherited_labels
from asyncmig.revisions.links import Links, Locate, invert, link, nearest
from asyncmig.revisions.order import in_files, newest_first
from asyncmig.revisions.revision import Revision
from asyncmig.revisions.target import Target

__all__ = ["RevisionGraph"]

_NONE: tuple[str, ...] = ()


class RevisionGraph:
    """Revisions by full id. Iterates over ids, each after its parents and dependencies, whatever the order of files."""

    def __init__(self, links: Links) -> None:
        self._links = links
        self._revisions = links.revisions

    @classmethod
    def build(
        cls, revisions: Iterable[Revision], *, locate: Locate | None = None, max_id_length: int | None = None
    ) -> RevisionGraph:
        """Raises GraphError naming script (and line, where `locate` knows it) for whatever makes no history."""
        return cls(link(revisions, locate=locate, max_id_length=max_id_length))

    def __getitem__(self, identifier: str) -> Revision:
        """The revision with exactly this id; RevisionNotFound else. Prefixes and labels are `get`'s."""
        revision = self._revisions.get(identifier)
        if revision is None:
            raise self.not_found(identifier)
        return revision

    def __contains__(self, identifier: object) -> bool:
        return identifier in self._revisions

    def __len__(self) -> int:
        return len(self._revisions)

    def __iter__(self) -> Iterator[str]:
        return iter(self._revisions)

    @property
    def revisions(self) -> tuple[Revision, ...]:
        """All of them, oldest first."""
        return tuple(self._revisions.values())

    def ordered(self, ids: Collection[str]) -> tuple[str, ...]:
        """These ids, each after its parents and dependencies."""
        wanted = ids if isinstance(ids, (set, frozenset)) else frozenset(ids)
        return tuple(identifier for identifier in self._revisions if identifier in wanted)

    def way(self, tops: Collection[str], ids: Collection[str]) -> tuple[str, ...]:
        """The ids, which are at or below the tops and have no gaps, in the order in which an upgrade to these takes them.

        Not always a part of the order of all: which branch goes first is a matter of where one comes from.
        """
        wanted = ids if isinstance(ids, (set, frozenset)) else frozenset(ids)
        starts = in_files(self._revisions[name] for name in set(tops) if name in wanted)
        return tuple(reversed(newest_first(self._links.lines, starts, wanted)))

    # -- the shape ----------------------------------------------------------------------------------------------------

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """Ids that are nobody's down_revision, sorted."""
        parents = {name for revision in self._revisions.values() for name in revision.down_revisions}
        return tuple(sorted(name for name in self._revisions if name not in parents))

    @cached_property
    def effective_heads(self) -> tuple[str, ...]:
        """Heads that no revision depends on either, sorted: the rows of a version table after `upgrade heads`."""
        if not self._links.dependencies:
            return self.heads
        below = {name for names in self._links.below.values() for name in names}
        return tuple(sorted(name for name in self._revisions if name not in below))

    @cached_property
    def bases(self) -> tuple[str, ...]:
        """Ids without a down_revision, sorted."""
        return tuple(sorted(revision.id for revision in self._revisions.values() if not revision.down_revisions))

    @cached_property
    def branch_points(self) -> tuple[str, ...]:
        """Ids that are the down_revision of several, oldest first."""
        return tuple(name for name in self._revisions if len(self._children.get(name, _NONE)) > 1)

    @cached_property
    def merge_points(self) -> tuple[str, ...]:
        """Ids with several down_revisions, oldest first."""
        return tuple(revision.id for revision in self._revisions.values() if len(revision.down_revisions) > 1)

    def parents(self, identifier: str) -> tuple[str, ...]:
        return self[identifier].down_revisions

    def dependencies(self, identifier: str) -> tuple[str, ...]:
        """`depends_on` as full ids."""
        return self._links.dependencies.get(self[identifier].id, _NONE)

    def below(self, identifier: str) -> tuple[str, ...]:
        """Parents and dependencies: what must be applied before."""
        return self._links.below[self[identifier].id]

    def children(self, identifier: str) -> tuple[str, ...]:
        """Ids whose down_revision is this one, sorted."""
        return tuple(sorted(self._children.get(self[identifier].id, _NONE)))

    def dependents(self, identifier: str) -> tuple[str, ...]:
        """Ids whose depends_on names this one, sorted."""
        return tuple(sorted(self._dependents.get(self[identifier].id, _NONE)))

    def labels(self, identifier: str) -> frozenset[str]:
        """The branch labels that hold at a revision: its own, its ancestors', and those above it up to a fork."""
        return self._labels[self[identifier].id]

    @property
    def label_owners(self) -> Mapping[str, str]:
        """Each branch label with the id of the revision that carries it."""
        return self._links.labels

    @cached_property
    def _children(self) -> dict[str, list[str]]:
        return invert({name: revision.down_revisions for name, revision in self._revisions.items()})

    @cached_property
    def _dependents(self) -> dict[str, list[str]]:
        return invert(self._links.dependencies)

    @cached_property
    def _above(self) -> dict[str, list[str]]:
        return invert(self._links.below) if self._links.dependencies else self._children

    @cached_property
    def _labels(self) -> dict[str, frozenset[str]]:
        return inherited_labels(self._revisions, self._above)

    @cached_property
    def sorted_ids(self) -> list[str]:
        return sorted(self._revisions)

    # -- reach --------------------------------------------------------------------------------------------------------

    def ancestors(self, ids: Iterable[str], *, dependencies: bool = True, inclusive: bool = True) -> set[str]:
        """Everything below; with `dependencies` that is everything which must be applied for `ids` to be."""
        if dependencies:
            return self._reach(ids, self._links.below, inclusive)
        revisions = self._revisions
        reached = set(start := [self[name].id for name in ids])
        stack = list(reached)
        while stack:
            for name in revisions[stack.pop()].down_revisions:
                if name not in reached:
                    reached.add(name)
                    stack.append(name)
        return reached if inclusive else reached.difference(start)

    def descendants(self, ids: Iterable[str], *, dependencies: bool = True, inclusive: bool = True) -> set[str]:
        """Everything above; with `dependencies` that is everything which cannot be applied without `ids`."""
        return self._reach(ids, self._above if dependencies else self._children, inclusive)

    def lineage(self, identifier: str, *, dependencies: bool = False) -> set[str]:
        """What shares a line of descent with a revision: its ancestors, itself, its descendants."""
        above = self.descendants([identifier], dependencies=dependencies)
        return above | self.ancestors([identifier], dependencies=dependencies)

    def maximal(self, ids: Iterable[str]) -> frozenset[str]:
        """Those of `ids` that no other of them implies: the rows which a version table needs for them."""
        wanted = {self[name].id for name in ids}
        if len(wanted) < 2:
            return frozenset(wanted)
        implied = self.ancestors({below for name in wanted for below in self._links.below[name]})
        return frozenset(wanted - implied)

    def _reach(self, ids: Iterable[str], edges: Mapping[str, Collection[str]], inclusive: bool) -> set[str]:
        reached = set(start := [self[name].id for name in ids])
        stack = list(reached)
        while stack:
            for name in edges.get(stack.pop(), _NONE):
                if name not in reached:
                    reached.add(name)
                    stack.append(name)
        return reached if inclusive else reached.difference(start)

    # -- names --------------------------------------------------------------------------------------------------------

    def get(self, identifier: str, branch: str | None = None) -> Revision:
        """One revision by id, unique prefix or branch label. RevisionNotFound or AmbiguousRevision name candidates."""
        return lookup.find(self, identifier, branch)

    def resolve(self, target: Target, current: Collection[str] = frozenset()) -> tuple[str, ...]:
        """The ids that a target means, () being base. `current` holds the rows of the version table."""
        return lookup.resolve(self, target, current)

    def range(
        self, lower: Target | None = None, upper: Target | None = None, current: Collection[str] = frozenset()
    ) -> tuple[Revision, ...]:
        """The revisions of `history -r lower:upper`, both ends included, newest first; None is base and heads."""
        return lookup.between(self, lower, upper, current)

    def not_found(self, identifier: str) -> RevisionNotFound:
        candidates = nearest(identifier, [*self._revisions, *self._links.labels])
        hint = f"Did you mean {' or '.join(candidates)}?" if candidates else "`asyncmig history` lists all revisions."
        return RevisionNotFound(
            f"There is no revision or branch label {identifier!r}.",
            identifier=identifier,
            candidates=candidates,
            hint=hint,
        )
