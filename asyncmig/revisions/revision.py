"""One revision, as its script's header describes it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["Revision"]


@dataclass(frozen=True, slots=True)
class Revision:
    """A place in the history.

    `down_revisions` are full ids once the revision came out of a `RevisionGraph`; before that, and always for
    `depends_on` and `branch_labels`, the values are as the script writes them (ids, unique prefixes, labels).
    `message` is the first paragraph of the docstring, `doc` all of it, `create_date` the text after "Create Date:".
    """

    id: str
    down_revisions: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    branch_labels: tuple[str, ...] = ()
    message: str = ""
    doc: str = ""
    create_date: str | None = None
    path: Path | None = None

    @property
    def is_base(self) -> bool:
        return not self.down_revisions

    @property
    def is_merge_point(self) -> bool:
        return len(self.down_revisions) > 1
