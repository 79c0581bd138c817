"""What is asked of a run, and whether there is anything to do at all: all that most starts ever need."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asyncmig.database.placement import Placement, place
from asyncmig.database.report import Report, Standing, StepReport
from asyncmig.errors import ForeignRevision
from asyncmig.revisions.plan import Direction, Plan

if TYPE_CHECKING:
    from asyncmig.database.ledger import Ledger
    from asyncmig.database.session import Session
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["Planner", "Request", "glance", "placed", "standing"]

Planner = Callable[[frozenset[str]], Plan]


@dataclass(frozen=True, slots=True)
class Request:
    """`planner` makes the steps from the ids that the database is at; `target` is as the user wrote it."""

    database: str
    target: str
    direction: Direction
    graph: RevisionGraph
    planner: Planner
    started: float = field(default_factory=time.monotonic)

    def plan(self, placement: Placement) -> Plan:
        """The steps from there. ForeignRevision where they cannot be known, or not be run by this code."""
        if self.direction is Direction.STAMP:
            return self.planner(placement.rows)
        placement.refuse_foreign()
        plan = self.planner(placement.effective)
        if plan and placement.ahead:
            newer, missing = ", ".join(sorted(placement.ahead)), ", ".join(plan.ids)
            raise ForeignRevision(
                f"The database is ahead of this code at {newer}, so it cannot run {missing} here.",
                revisions=sorted(placement.ahead),
                hint="Run it from the release that has all of these revisions.",
            )
        return plan

    def report(
        self,
        placement: Placement | None,
        after: frozenset[str],
        steps: tuple[StepReport, ...] = (),
        waited: float = 0.0,
    ) -> Report:
        """`placement` is where the run began; None where a failure has left that unimportant."""
        return Report(
            target=self.target,
            database=self.database,
            before=tuple(sorted(placement.rows)) if placement else (),
            after=tuple(sorted(after)),
            steps=steps,
            ahead=tuple(sorted(placement.ahead)) if placement else (),
            seconds=time.monotonic() - self.started,
            waited=waited,
        )


async def glance(session: Session, request: Request) -> Report | None:
    """The report of a run with nothing to do, after one query, without lock or write; None when there is work."""
    return await session.ledger(lambda ledger: _glance(ledger, request))


def _glance(ledger: Ledger, request: Request) -> Report | None:
    state = ledger.read()
    placement = _placement(state.versions, ledger, request.graph)
    # A stamp at the place where the database stands still accepts the scripts as they are.
    restamped = request.direction is Direction.STAMP and placement.rows
    if state.incomplete or restamped or request.plan(placement):
        return None
    return request.report(placement, placement.rows)


async def standing(session: Session, request: Request) -> Standing:
    """Where the database stands before the request's target, after one query; SELECT on our tables is all it takes."""
    return await session.ledger(lambda ledger: _standing(ledger, request))


def _standing(ledger: Ledger, request: Request) -> Standing:
    state = ledger.read()
    placement = _placement(state.versions, ledger, request.graph)
    return Standing(
        request.database,
        tuple(sorted(placement.rows)),
        request.plan(placement).ids,
        tuple(sorted(placement.ahead)),
        tuple(sorted(state.incomplete)),
    )


async def placed(session: Session, graph: RevisionGraph) -> Placement:
    """Where the database stands; the journal is asked only about ids that the scripts do not explain."""
    return await session.ledger(lambda ledger: _placement(ledger.read().versions, ledger, graph))


def _placement(rows: frozenset[str], ledger: Ledger, graph: RevisionGraph) -> Placement:
    unknown = any(row not in graph for row in rows)
    return place(rows, graph, ledger.parents() if unknown and ledger.exists()[1] else None)
