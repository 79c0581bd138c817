"""What a fleet comes back with: one result a target, and their sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from asyncmig.revisions.plan import Direction

__all__ = [
    "FleetReport",
    "FleetStatus",
    "Histogram",
    "TargetFinished",
    "TargetOutcome",
    "TargetResult",
    "TargetState",
    "TargetStatus",
]


class TargetOutcome(StrEnum):
    CHANGED = "changed"
    UNCHANGED = "unchanged"  # it was there already, or another machine brought it there
    FAILED = "failed"
    NOT_STARTED = "not started"  # the fleet stopped before


@dataclass(frozen=True, slots=True)
class TargetResult:
    """One target. `applied` holds the steps that stand, also where a later one failed; `error` and `hint` say why."""

    target: str
    outcome: TargetOutcome
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    applied: tuple[str, ...] = ()
    seconds: float = 0.0
    error: str | None = None
    hint: str | None = None
    exit_code: int = 0

    @property
    def missed(self) -> bool:
        """Whether another attempt is called for."""
        return self.outcome in (TargetOutcome.FAILED, TargetOutcome.NOT_STARTED)


@dataclass(frozen=True, slots=True)
class FleetReport:
    """Results are in the order of the targets; `stopped` says why not all were begun."""

    target: str
    direction: Direction
    results: tuple[TargetResult, ...]
    seconds: float = 0.0
    stopped: str | None = None

    @property
    def counts(self) -> Mapping[TargetOutcome, int]:
        """How many there are of each outcome, in the order of TargetOutcome, zeros included."""
        found = Counter(result.outcome for result in self.results)
        return {outcome: found[outcome] for outcome in TargetOutcome}

    @property
    def missed(self) -> tuple[TargetResult, ...]:
        """Those that failed or were not started."""
        return tuple(result for result in self.results if result.missed)

    @property
    def first_failure(self) -> TargetResult | None:
        """The first in the order of the targets."""
        return next((result for result in self.results if result.outcome is TargetOutcome.FAILED), None)

    @property
    def exit_code(self) -> int:
        """0; 4 where some target changed and some target missed; else what the first failure says."""
        if not self.missed:
            return 0
        if any(result.applied for result in self.results):
            return 4
        return next((result.exit_code for result in self.missed if result.exit_code), 3)


@dataclass(frozen=True, slots=True)
class TargetFinished:
    """For the observer of a fleet: `done` of `total` targets are settled, `counts` by outcome."""

    result: TargetResult
    done: int
    total: int
    counts: Mapping[TargetOutcome, int]


class TargetState(StrEnum):
    AT_HEAD = "at head"
    BEHIND = "behind"
    AHEAD = "ahead"  # of this code; traced by the journal
    INCOMPLETE = "incomplete"  # a revision stopped in the middle
    FOREIGN = "foreign"  # at a revision that nobody here knows
    FAILED = "failed"  # it could not be asked


@dataclass(frozen=True, slots=True)
class TargetStatus:
    target: str
    state: TargetState
    current: tuple[str, ...] = ()
    pending: int = 0
    error: str | None = None
    exit_code: int = 0


@dataclass(frozen=True, slots=True)
class Histogram:
    """One bar: the `count` targets that stand at `current`, all in the same state."""

    current: tuple[str, ...]
    state: TargetState
    pending: int
    count: int


@dataclass(frozen=True, slots=True)
class FleetStatus:
    heads: tuple[str, ...]
    targets: tuple[TargetStatus, ...]

    @property
    def histogram(self) -> tuple[Histogram, ...]:
        """The newest revision first; those that could not be asked last."""
        found = Counter((one.state, one.pending, one.current) for one in self.targets)
        order = [TargetState.AHEAD, TargetState.AT_HEAD, TargetState.BEHIND, TargetState.INCOMPLETE]
        ranks = {state: order.index(state) if state in order else len(order) for state in TargetState}
        bars = sorted(found.items(), key=lambda item: (ranks[item[0][0]], item[0][1], item[0][2]))
        return tuple(Histogram(current, state, pending, count) for (state, pending, current), count in bars)

    @property
    def clean(self) -> bool:
        """Whether every target is where the scripts are, or ahead of them."""
        return all(one.state in (TargetState.AT_HEAD, TargetState.AHEAD) for one in self.targets)
