"""What a look into the journal comes back with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from asyncmig.database.report import Outcome
    from asyncmig.revisions.plan import Direction

__all__ = ["JournalEntry"]


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One row of the journal; times are UTC, `seconds` None while a step is incomplete."""

    id: int
    revision: str
    down_revisions: tuple[str, ...]
    direction: Direction
    outcome: Outcome
    checksum: str | None
    started_at: datetime | None
    finished_at: datetime | None
    seconds: float | None
    statements_done: int
    database_user: str | None
    host: str | None
    version: str
    error: str | None
