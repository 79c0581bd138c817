"""Where a new revision goes: what it follows, what it depends on, and in which folder it lies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path, PurePosixPath

from asyncmig.errors import ConfigError, RevisionError, UsageError
from asyncmig.revisions.graph import RevisionGraph
from asyncmig.revisions.target import Heads, Target, parse_target
from asyncmig.scripts.directory import ScriptDirectory

__all__ = ["check_found_again", "choose_dependencies", "choose_location", "choose_merged", "choose_parents"]


def choose_parents(graph: RevisionGraph, heads: Sequence[Target], *, splice: bool = False) -> tuple[str, ...]:
    """The down_revisions of a new revision. RevisionError when one is no head and `splice` is not given."""
    parents = [name for target in heads for name in graph.resolve(target)]
    if len(set(parents)) != len(parents):
        raise RevisionError(f"The same head is named twice: {', '.join(parents)}.")
    if not splice:
        _require_heads(graph, parents)
    return tuple(parents)


def _require_heads(graph: RevisionGraph, names: Iterable[str]) -> None:
    for name in names:
        if name not in graph.heads:
            raise RevisionError(f"Revision {name} is not a head.", hint="Give --splice to begin a new branch there.")


def choose_merged(graph: RevisionGraph, targets: Sequence[Target], *, splice: bool = False) -> tuple[str, ...]:
    """The heads that a merge joins; `heads` means all that are nobody's down_revision.

    RevisionError for fewer than two, and when one is no head and `splice` is not given.
    """
    parents = tuple(dict.fromkeys(name for target in targets for name in _merged(graph, target)))
    if len(parents) < 2:
        raise RevisionError(
            f"A merge needs two revisions at least, not {len(parents)}.",
            hint=f"The heads are {', '.join(graph.heads)}." if len(graph.heads) > 1 else "There is one head already.",
        )
    if not splice:
        _require_heads(graph, parents)
    return parents


def _merged(graph: RevisionGraph, target: Target) -> tuple[str, ...]:
    return graph.heads if target == Heads() else graph.resolve(target)


def choose_dependencies(graph: RevisionGraph, names: Iterable[str]) -> tuple[str, ...]:
    """`depends_on` as a script should say it: labels stay labels, everything else becomes full ids."""
    return tuple(dict.fromkeys(found for name in names for found in _dependencies(graph, name)))


def _dependencies(graph: RevisionGraph, name: str) -> tuple[str, ...]:
    if name in graph.label_owners:
        return (name,)
    found = graph.resolve(parse_target(name))
    if not found:
        raise RevisionError(f"{name!r} is no revision that another could depend on.")
    return tuple(found)


def check_found_again(directory: ScriptDirectory, name: str) -> None:
    """ConfigError when a script of this name would lie in a folder that is not read."""
    place = PurePosixPath(name)
    if place.is_absolute() or ".." in place.parts:
        raise ConfigError(
            f"file_template puts scripts outside the version location ({name}), where they are not read.",
            key="file_template",
            hint="Name folders below it, as in %(year)d/%(rev)s.",
        )
    if "/" in name and not directory.recursive:
        raise ConfigError(
            f"file_template puts scripts into folders ({name}), but folders below a version location are not read.",
            key="file_template",
            hint="Set recursive_version_locations = true, or take the slashes out.",
        )


def choose_location(
    directory: ScriptDirectory, graph: RevisionGraph, parents: Sequence[str], version_path: Path | None = None
) -> Path:
    """The version location of a new script: the one asked for, the only one, or that of its first parent."""
    if version_path is not None:
        for location in directory.locations:
            if location.resolve() == version_path.resolve():
                return location
        names = ", ".join(str(location) for location in directory.locations)
        raise UsageError(f"{version_path} is not one of the version locations.", hint=f"They are {names}.")
    if len(directory.locations) == 1:
        return directory.locations[0]
    for parent in parents:
        path = graph[parent].path
        for location in directory.locations:
            if path is not None and path.is_relative_to(location):
                return location
    raise UsageError(
        "There are several version locations.",
        hint=f"Choose one with --version-path: {', '.join(str(location) for location in directory.locations)}.",
    )
