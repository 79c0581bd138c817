"""What a run comes back with, and what a database still has before it: typed values, JSON-ready."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from asyncmig.revisions.plan import Direction

__all__ = ["Outcome", "Report", "Standing", "StepReport"]


class Outcome(StrEnum):
    APPLIED = "applied"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    ABANDONED = "abandoned"


@dataclass(frozen=True, slots=True)
class StepReport:
    """One applied step; `seconds` is wall time from its first statement to its commit."""

    revision: str
    direction: Direction
    message: str
    down_revisions: tuple[str, ...]
    path: Path | None
    statements: int
    seconds: float
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a run did. `before` and `after` are the ids in the version table; `sql` is the text of a --sql run.

    `opening` are lines that go before that text where the database's own shell reads it: it stops at the first error.
    """

    target: str
    database: str  # URL without password
    before: tuple[str, ...]
    after: tuple[str, ...]
    steps: tuple[StepReport, ...] = ()
    ahead: tuple[str, ...] = ()  # ids of a newer release found in the database
    seconds: float = 0.0
    waited: float = 0.0  # seconds spent waiting for the run lock
    sql: str | None = None
    opening: tuple[str, ...] = ()

    @property
    def applied(self) -> tuple[str, ...]:
        """The ids of the steps, in order."""
        return tuple(step.revision for step in self.steps)


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a database stands before a target. `pending` is in the order in which upgrade would apply it."""

    database: str  # URL without password
    current: tuple[str, ...]
    pending: tuple[str, ...]
    ahead: tuple[str, ...] = ()  # ids of a newer release found in the database
    incomplete: tuple[str, ...] = ()

    @property
    def reached(self) -> bool:
        return not (self.pending or self.incomplete)
