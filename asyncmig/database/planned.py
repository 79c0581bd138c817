"""What a plan comes back with: the steps that a run would do, in words and in SQL, and what they would lose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from asyncmig.database.applied import ChangedScript
    from asyncmig.revisions.plan import Direction

__all__ = ["Loss", "PlanReport", "PlannedOperation", "PlannedStep"]


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
