"""What a run, a plan or a look at a database comes back with: typed values, JSON-ready."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from asyncmig.revisions.plan import Direction

__all__ = [
    "AutogenerateReport",
    "ChangedScript",
    "CurrentReport",
    "Difference",
    "Differences",
    "Direction",
    "JournalEntry",
    "Loss",
    "Outcome",
    "PlanReport",
    "PlannedOperation",
    "PlannedStep",
    "Report",
    "RevisionState",
    "Standing",
    "StatusReport",
    "StepReport",
]


class Outcome(StrEnum):
    APPLIED = "applied"
    FAILED = "failed"
    INCOMPLETE = "incomplete"
    ABANDONED = "abandoned"


class RevisionState(StrEnum):
    """Where an id of the version table stands: in the files; ahead of them (the journal traces it); foreign."""

    KNOWN = "known"
    AHEAD = "ahead"
    FOREIGN = "foreign"


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


@dataclass(frozen=True, slots=True)
class PlannedOperation:
    """`sign` is '+', '-' or '~'; `sql` the statements; `transactional` False when it runs outside the transaction."""

    sign: str
    description: str
    sql: tuple[str, ...]
    line: int | None = None
    transactional: bool = True


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """`dynamic` says (with its line) why a script cannot be known before it runs; its operations are then empty."""

    revision: str
    direction: Direction
    message: str
    down_revisions: tuple[str, ...]
    path: Path | None
    operations: tuple[PlannedOperation, ...]
    dynamic: str | None = None


@dataclass(frozen=True, slots=True)
class PlanReport:
    """`changed` are applied scripts that are no longer what was applied: the run itself may refuse because of them."""

    target: str
    database: str
    current: tuple[str, ...]
    steps: tuple[PlannedStep, ...]
    ahead: tuple[str, ...] = ()
    changed: tuple[ChangedScript, ...] = ()


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that a run would drop: `kind` is "table", "column", or "script" for one that cannot be known before.

    `rows` counts the rows of a table, or those in which a column is not NULL; None where unknown.
    """

    kind: str
    name: str
    rows: int | None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class CurrentRevision:
    """One row of the version table. `is_head` counts effective heads; `label` are its branch labels."""

    revision: str
    state: RevisionState
    is_head: bool
    message: str
    down_revisions: tuple[str, ...]
    labels: tuple[str, ...] = ()
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class CurrentReport:
    """`at_every_head`: nothing is pending and no row is foreign; so it is where the database is ahead."""

    database: str
    revisions: tuple[CurrentRevision, ...]
    at_every_head: bool


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


@dataclass(frozen=True, slots=True)
class IncompleteRevision:
    revision: str
    direction: Direction
    statements_done: int
    error: str | None


@dataclass(frozen=True, slots=True)
class StatusReport:
    """`drift` is how the database differs from the models; None where they were not compared.

    They are where all is applied, nothing is ahead or unfinished, and the project declares models; `not_compared` says
    why such models could not be compared all the same.
    """

    database: str
    source: str  # where the URL came from: "--url", "ASYNCMIG_URL", "env.py", a file, "DATABASE_URL"
    server: str  # "PostgreSQL 18.1", "SQLite 3.40.1"
    current: tuple[CurrentRevision, ...]
    heads: tuple[str, ...]
    pending: tuple[str, ...]  # in the order in which upgrade heads would apply them
    changed: tuple[ChangedScript, ...]
    incomplete: tuple[IncompleteRevision, ...]
    drift: Differences | None = None
    not_compared: str | None = None

    @property
    def clean(self) -> bool:
        return self.at_head and not self.changed and not (self.drift and self.drift.items)

    @property
    def at_head(self) -> bool:
        """Nothing is pending, unfinished or foreign."""
        return not (self.pending or self.incomplete) and all(
            row.state is not RevisionState.FOREIGN for row in self.current
        )

    def complaints(self) -> tuple[str, ...]:
        """What stands between the database and the scripts, a phrase each; empty when `clean`."""
        foreign = [row.revision for row in self.current if row.state is RevisionState.FOREIGN]
        found = []
        if self.pending:
            found.append(
                f"{len(self.pending)} pending ({', '.join(self.pending[:5])}{', ...' * (len(self.pending) > 5)})"
            )
        if foreign:
            found.append(f"at unknown {', '.join(foreign)}")
        found += [f"{one.revision} is incomplete after statement {one.statements_done}" for one in self.incomplete]
        found += [one.sentence for one in self.changed]
        if self.drift and self.drift.items:
            found.append(f"{len(self.drift.items)} {_differences(len(self.drift.items))} between models and database")
        return tuple(found)


def _differences(count: int) -> str:
    return "difference" if count == 1 else "differences"


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


@dataclass(frozen=True, slots=True)
class Difference:
    """`sign` is '+', '-' or '~' as seen from the database: what the models have more, less or otherwise."""

    sign: str
    description: str
    operation: str
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """What leads from a database to the models. `uncertain` names comparisons that only texts decided."""

    database: str  # URL without password
    items: tuple[Difference, ...]
    uncertain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AutogenerateReport:
    """What autogenerate found and wrote: no files where nothing differs. `warnings` are for somebody to look into."""

    database: str  # URL without password
    files: tuple[Path, ...]
    differences: tuple[Difference, ...]
    warnings: tuple[str, ...] = ()
