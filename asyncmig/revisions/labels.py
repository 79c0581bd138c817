"""Which branch labels hold where."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from asyncmig.revisions.revision import Revision

__all__ = ["inherited_labels"]

_NO_LABELS: frozenset[str] = frozenset()


def inherited_labels(revisions: dict[str, Revision], above: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    """The labels of each revision of an ordered history.

    A label holds at the revision that carries it, at its descendants (through down_revision), and below it as long as
    the line neither forks nor merges: labelling the middle of a line names the line. `above` counts dependents too.
    Sets are shared between revisions with the same labels, so labels cost nothing where they do not change.
    """
    labels: dict[str, frozenset[str]] = {}
    below = _labels_below(revisions, above)
    for name, revision in revisions.items():
        sets = [labels[parent] for parent in revision.down_revisions]
        inherited = sets[0] if len(sets) == 1 else _NO_LABELS.union(*sets)
        own = below.get(name, ())
        labels[name] = inherited.union(own) if not inherited.issuperset(own) else inherited
    return labels


def _labels_below(revisions: dict[str, Revision], above: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for name in reversed(revisions):  # newest first, so that a label has arrived from above before it is handed down
        revision = revisions[name]
        own = found.get(name, _NO_LABELS).union(revision.branch_labels)
        if not own:
            continue
        found[name] = own
        if _forks_or_merges(revision, above) or not revision.down_revisions:
            continue
        parent = revision.down_revisions[0]
        if not _forks_or_merges(revisions[parent], above):
            found[parent] = found.get(parent, _NO_LABELS) | own
    return found


def _forks_or_merges(revision: Revision, above: Mapping[str, Collection[str]]) -> bool:
    return len(revision.down_revisions) > 1 or len(above.get(revision.id, ())) > 1
