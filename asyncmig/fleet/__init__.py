"""Many databases, or many schemas of one: brought to a revision at once, each on its own."""

from asyncmig.fleet.fleet import Fleet, FleetObserver
from asyncmig.fleet.report import (
    FleetReport,
    FleetStatus,
    TargetFinished,
    TargetOutcome,
    TargetResult,
    TargetState,
    TargetStatus,
)
from asyncmig.fleet.sources import Source
from asyncmig.fleet.targets import Query, Target

__all__ = [
    "Fleet",
    "FleetObserver",
    "FleetReport",
    "FleetStatus",
    "Query",
    "Source",
    "Target",
    "TargetFinished",
    "TargetOutcome",
    "TargetResult",
    "TargetState",
    "TargetStatus",
]
