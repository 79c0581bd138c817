"""Revisions as text for people, in the layout that scripts written for Alembic expect: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from asyncmig.cli.output import Styles
from asyncmig.cli.words import first_line

if TYPE_CHECKING:
    from asyncmig.revisions.revision import Revision
    from asyncmig.scripts.history import Branch, HistoryEntry

__all__ = ["branch_block", "branch_lines", "head_line", "history_line", "revision_block"]

_PLAIN = Styles()
_BASE = "<base>"


def history_line(entry: HistoryEntry, styles: Styles = _PLAIN) -> str:
    """`a -> b (label) (head), message`, in the layout that scripts written for Alembic expect."""
    revision = entry.revision
    depends = f" ({', '.join(revision.depends_on)})" if revision.depends_on else ""
    marks = _marked([*_head_marks(entry), *_tree_marks(entry)])
    parents = ", ".join(revision.down_revisions) or _BASE
    return f"{parents}{depends} -> {styles.paint(revision.id, 'id')}{marks}, {first_line(revision.message)}"


def head_line(entry: HistoryEntry, styles: Styles = _PLAIN) -> str:
    """`b (label) (head)`."""
    return styles.paint(entry.revision.id, "id") + _marked(_head_marks(entry))


def _marked(marks: Iterable[str]) -> str:
    return "".join(f" ({mark})" for mark in marks)


def _head_marks(entry: HistoryEntry) -> Iterable[str]:
    if entry.revision.branch_labels:
        yield ", ".join(entry.revision.branch_labels)
    if entry.is_head:
        # Alembic's words: an effective head is one that another branch depends on.
        yield "head" if entry.is_effective_head else "effective head"
    if entry.is_current:
        yield "current"


def _tree_marks(entry: HistoryEntry) -> Iterable[str]:
    if entry.is_branch_point:
        yield "branchpoint"
    if entry.is_merge_point:
        yield "mergepoint"


def revision_block(entry: HistoryEntry, styles: Styles = _PLAIN) -> str:
    """All about one revision, several lines, the docstring indented below."""
    heading = head_line(entry, styles) + _marked(_tree_marks(entry))
    return _block(entry.revision, heading, entry.children if entry.is_branch_point else ())


def branch_block(branch: Branch, styles: Styles = _PLAIN) -> str:
    """The same about a branch point, then an arrow to each revision that follows it."""
    point = branch.revision
    heading = f"{styles.paint(point.id, 'id')}{_labels(point)} (branchpoint)"
    block = _block(point, heading, [child.id for child in branch.children])
    return "\n".join([block, "", *(f"{'':{len(point.id)}} -> {_short(child)}" for child in branch.children)])


def _block(revision: Revision, heading: str, children: Sequence[str]) -> str:
    rows = [("Rev", heading)]
    rows.append(("Merges" if revision.is_merge_point else "Parent", ", ".join(revision.down_revisions) or _BASE))
    if revision.depends_on:
        rows.append(("Depends on", ", ".join(revision.depends_on)))
    if children:
        rows.append(("Branches into", ", ".join(children)))
    if revision.create_date:
        rows.append(("Create date", revision.create_date))
    if revision.path:
        rows.append(("Path", str(revision.path)))
    lines = [f"{name}: {value}" for name, value in rows]
    doc = (revision.doc or revision.message).strip().splitlines()
    return "\n".join([*lines, "", *(f"    {line}".rstrip() for line in doc)])


def branch_lines(branch: Branch, styles: Styles = _PLAIN) -> list[str]:
    """The branch point, then an arrow to each revision that follows it."""
    point = branch.revision
    parents = ", ".join(point.down_revisions) or _BASE
    first = f"{parents} -> {styles.paint(point.id, 'id')}{_labels(point)} (branchpoint), {first_line(point.message)}"
    return [first, *(f"{'':{len(parents)}} -> {_short(child)}" for child in branch.children)]


def _short(revision: Revision) -> str:
    return f"{revision.id}{_labels(revision)}, {first_line(revision.message)}"


def _labels(revision: Revision) -> str:
    return f" ({', '.join(revision.branch_labels)})" if revision.branch_labels else ""
