"""Are the scripts that were applied still what was applied?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from asyncmig.database.ledger import JournalRow
from asyncmig.database.report import Outcome
from asyncmig.errors import ChangedScripts
from asyncmig.revisions.plan import Direction
from asyncmig.scripts.checksum import checksum, file_hash

if TYPE_CHECKING:
    from pathlib import Path

    from asyncmig.database.ledger import AppliedScript
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["ChangedScript", "accepted", "changed_message", "changed_scripts", "refuse_changed"]


@dataclass(frozen=True, slots=True)
class ChangedScript:
    """An applied script whose meaning is no longer what was applied."""

    revision: str
    path: Path
    applied_at: datetime | None

    @property
    def sentence(self) -> str:
        """What happened to which file, and when it was applied; without a full stop."""
        when = f" on {self.applied_at:%Y-%m-%d %H:%M} UTC" if self.applied_at else ""
        return f"{self.path} was changed after {self.revision} was applied{when}"


def changed_scripts(
    graph: RevisionGraph, rows: Iterable[str], applied: Mapping[str, AppliedScript]
) -> tuple[ChangedScript, ...]:
    """Applied scripts whose meaning differs from what the journal holds, in the order of the history.

    Reads each file; its syntax tree is asked for only where the bytes differ.
    """
    standing = graph.ancestors(row for row in rows if row in graph)
    return tuple(
        ChangedScript(name, path, known.applied_at)
        for name, known in applied.items()
        if name in standing and (path := graph[name].path) is not None and _differs(path.read_bytes(), known)
    )


def _differs(source: bytes, known: AppliedScript) -> bool:
    return file_hash(source) != known.file_hash and checksum(source) != known.checksum


def accepted(script: ChangedScript, graph: RevisionGraph) -> JournalRow:
    """The journal's row that takes a changed script for what was applied, as a stamp above it does."""
    source, now = script.path.read_bytes(), datetime.now(UTC)
    return JournalRow(
        revision=script.revision,
        down_revision=" ".join(graph[script.revision].down_revisions),
        direction=Direction.STAMP,
        outcome=Outcome.APPLIED,
        started_at=now,
        finished_at=now,
        checksum=checksum(source),
        file_hash=file_hash(source),
    )


def changed_message(changed: Iterable[ChangedScript]) -> str:
    return "; ".join(script.sentence for script in changed)


def refuse_changed(changed: tuple[ChangedScript, ...]) -> None:
    """ChangedScripts naming each changed script and when it was applied."""
    if changed:
        raise ChangedScripts(
            f"{changed_message(changed)}.",
            scripts={script.revision: script.path for script in changed},
            hint='Put the change into a new revision; or accept it: `asyncmig stamp` where the database is; or set checksums = "warn".',
        )
