"""From loose revisions to a checked history: names resolved, every edge known, an order found.

What is wrong is a GraphError that names the script, and its line when the caller can tell it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from asyncmig.errors import GraphError
from asyncmig.revisions.order import in_files, newest_first, without_inherited
from asyncmig.revisions.revision import Revision

__all__ = [
    "MIN_PREFIX",
    "Links",
    "Locate",
    "check_identifier",
    "check_label",
    "invert",
    "link",
    "nearest",
    "starting_with",
]

MIN_PREFIX = 4

Locate = Callable[[Path, str], int | None]
"""(script, name) -> the line on which the script assigns that name."""

_ILLEGAL_IN_ID = re.compile(r"[@+:-]")
_ILLEGAL_IN_LABEL = re.compile(r"[@:]")


@dataclass(frozen=True, slots=True)
class Links:
    """A history without contradictions.

    `revisions` is in an order in which each comes after its parents and dependencies; that order depends on the
    scripts and their paths only, never on the order in which they were read. `below` holds parents and dependencies
    together, `lines` without those dependencies that a revision's line of parents has anyway; `dependencies` has
    an entry only where there are any; `labels` maps a label to the id that carries it.
    """

    revisions: dict[str, Revision]
    below: dict[str, tuple[str, ...]]
    lines: dict[str, tuple[str, ...]]
    dependencies: dict[str, tuple[str, ...]]
    labels: dict[str, str]


def link(revisions: Iterable[Revision], *, locate: Locate | None = None, max_id_length: int | None = None) -> Links:
    """Check and connect. Linear in revisions and edges; raises GraphError at the first thing that is wrong."""
    return _Linker(locate, max_id_length).link(revisions)


def check_identifier(identifier: str) -> str | None:
    """Why `identifier` cannot be a revision id, or None."""
    if not identifier:
        return "a revision id may not be empty"
    if found := _ILLEGAL_IN_ID.search(identifier):
        return f"a revision id may not contain {found.group()!r}: {identifier!r}"
    return None


def check_label(label: str) -> str | None:
    """Why `label` cannot be a branch label, or None."""
    if not label:
        return "a branch label may not be empty"
    if found := _ILLEGAL_IN_LABEL.search(label):
        return f"a branch label may not contain {found.group()!r}: {label!r}"
    return None


def nearest(identifier: str, known: Iterable[str]) -> tuple[str, ...]:
    """Up to three known names that look like `identifier`, the likeliest first."""
    names = sorted(known)
    beginning = [name for name in names if identifier and name.startswith(identifier)]
    return tuple(dict.fromkeys([*beginning, *get_close_matches(identifier, names, cutoff=0.65)]))[:3]


def starting_with(prefix: str, ordered: list[str]) -> list[str]:
    """The names of a sorted list that begin with `prefix`."""
    start = bisect_left(ordered, prefix)
    end = start
    while end < len(ordered) and ordered[end].startswith(prefix):
        end += 1
    return ordered[start:end]


class _Linker:
    """One build: holds the half-made maps and knows where to point when something is wrong."""

    def __init__(self, locate: Locate | None, max_id_length: int | None) -> None:
        self._locate = locate
        self._max_id_length = max_id_length
        self._revisions: dict[str, Revision] = {}
        self._labels: dict[str, str] = {}
        self._below: dict[str, tuple[str, ...]] = {}
        self._dependencies: dict[str, tuple[str, ...]] = {}
        self._sorted_ids: list[str] | None = None

    def link(self, revisions: Iterable[Revision]) -> Links:
        for revision in revisions:
            self._add(revision)
        for revision in list(self._revisions.values()):
            self._connect(revision)
        lines = (
            without_inherited(self._revisions, self._dependencies, self._checked())
            if self._dependencies
            else self._below
        )
        order = newest_first(lines, self._tops(), self._below)
        if len(order) < len(self._below):
            self._checked()
        ordered = {identifier: self._revisions[identifier] for identifier in reversed(order)}
        return Links(ordered, self._below, lines, self._dependencies, self._labels)

    def _tops(self) -> list[str]:
        has_child = {name for names in self._below.values() for name in names}
        return in_files([self._revisions[name] for name in self._below if name not in has_child])

    def _add(self, revision: Revision) -> None:
        if wrong := check_identifier(revision.id):
            self._fail(revision, "revision", f"{wrong[0].upper()}{wrong[1:]}.")
        if self._max_id_length is not None and len(revision.id) > self._max_id_length:
            self._fail(
                revision,
                "revision",
                f"The id {revision.id!r} has {len(revision.id)} characters, the version column holds "
                f"{self._max_id_length}.",
            )
        if (other := self._revisions.setdefault(revision.id, revision)) is not revision:
            self._fail(
                revision,
                "revision",
                f"The id {revision.id!r} is used by two scripts; the other is {other.path or 'unnamed'}.",
                hint="Give one of them another id, or delete it.",
            )
        for label in revision.branch_labels:
            self._add_label(revision, label)

    def _add_label(self, revision: Revision, label: str) -> None:
        if wrong := check_label(label):
            self._fail(revision, "branch_labels", f"{wrong[0].upper()}{wrong[1:]}.")
        if (owner := self._labels.setdefault(label, revision.id)) != revision.id:
            self._fail(
                revision,
                "branch_labels",
                f"The branch label {label!r} is already used by revision {owner}.",
                hint="A label belongs to one revision; its descendants inherit it.",
            )

    def _connect(self, revision: Revision) -> None:
        if (owner := self._labels.get(revision.id)) is not None:
            self._fail(
                self._revisions[owner], "branch_labels", f"The branch label {revision.id!r} is the id of a revision."
            )
        parents = revision.down_revisions
        for parent in parents:
            if parent not in self._revisions:
                parents = self._resolve_parents(revision)
                break
        if revision.id in parents:
            self._fail(revision, "down_revision", f"Revision {revision.id} is its own down_revision.")
        self._below[revision.id] = parents
        if revision.depends_on:
            self._connect_dependencies(revision, parents)

    def _resolve_parents(self, revision: Revision) -> tuple[str, ...]:
        resolved = tuple(self._full_id(revision, "down_revision", parent) for parent in revision.down_revisions)
        self._revisions[revision.id] = replace(revision, down_revisions=resolved)
        return resolved

    def _connect_dependencies(self, revision: Revision, parents: tuple[str, ...]) -> None:
        found = dict.fromkeys(self._full_id(revision, "depends_on", name) for name in revision.depends_on)
        if revision.id in found:
            self._fail(revision, "depends_on", f"Revision {revision.id} depends on itself.")
        self._dependencies[revision.id] = tuple(found)
        self._below[revision.id] = tuple(dict.fromkeys(parents + tuple(found)))

    def _full_id(self, revision: Revision, field: str, name: str) -> str:
        """The id that `name` means in a script: an id, in depends_on a label, else a prefix that only one id has."""
        if name in self._revisions:
            return name
        if field == "depends_on" and name in self._labels:
            return self._labels[name]
        if self._sorted_ids is None:
            self._sorted_ids = sorted(self._revisions)
        candidates = starting_with(name, self._sorted_ids) if len(name) >= MIN_PREFIX else []
        if len(candidates) == 1:
            return candidates[0]
        return self._fail_unknown(revision, field, name, candidates)

    def _checked(self) -> Collection[str]:
        """Each after what is below it, in some order; GraphError where they go round in a circle."""
        done: dict[str, None] = {}
        for identifier in sorted(self._below):
            self._descend(identifier, done)
        return done

    def _descend(self, root: str, done: dict[str, None]) -> None:
        # An explicit stack: histories are deeper than Python's recursion limit. `path` is what lies between the root
        # and the top of the stack, so meeting one of its ids again is a cycle.
        below = self._below
        path: dict[str, None] = {}
        stack = [root]
        while stack:
            node = stack[-1]
            if node in done:
                stack.pop()
                continue
            if node in path:
                stack.pop()
                del path[node]
                done[node] = None
                continue
            path[node] = None
            for name in reversed(below[node]):
                if name not in done:
                    if name in path:
                        self._fail_cycle(list(path)[list(path).index(name) :])
                    stack.append(name)

    def _fail_cycle(self, downwards: list[str]) -> NoReturn:
        start = downwards.index(min(downwards))
        cycle = downwards[start:] + downwards[:start]
        edges = zip(cycle, [*cycle[1:], cycle[0]], strict=True)
        through_dependency = [name for name, other in edges if other not in self._revisions[name].down_revisions]
        kind, field = ("dependency cycle", "depends_on") if through_dependency else ("cycle", "down_revision")
        self._fail(
            self._revisions[(through_dependency or cycle)[0]],
            field,
            f"The revisions form a {kind}: {' -> '.join([*cycle, cycle[0]])}.",
            hint=f"Change the {field} of one of them.",
        )

    def _fail_unknown(self, revision: Revision, field: str, name: str, candidates: list[str]) -> NoReturn:
        if candidates:
            message = f"The {field} {name!r} of revision {revision.id} could be {', '.join(candidates)}."
            self._fail(revision, field, message, hint="Write the whole id.")
        known = [*self._revisions, *self._labels] if field == "depends_on" else self._revisions
        near = [other for other in nearest(name, known) if other != revision.id]
        message = f"The {field} {name!r} of revision {revision.id} is not among the scripts."
        hint = f"The nearest: {', '.join(near)}." if near else f"Restore its script, or correct {field}."
        self._fail(revision, field, message, hint=hint)

    def _fail(self, revision: Revision, field: str, message: str, *, hint: str | None = None) -> NoReturn:
        line = self._locate(revision.path, field) if self._locate and revision.path else None
        raise GraphError(message, path=revision.path, line=line, hint=hint)


def invert(edges: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    """Child lists from parent tuples; ids that nobody points to have no entry."""
    above: dict[str, list[str]] = {}
    for name, targets in edges.items():
        for target in targets:
            above.setdefault(target, []).append(name)
    return above
