"""One target visited: brought to its revision, or asked where it stands. What fails there comes back as a value."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, TypeAlias

from asyncmig.alembic_names import project_imports
from asyncmig.database.engine import is_missing_file
from asyncmig.database.failures import message_of
from asyncmig.database.loading import load_aside, needed_for_work
from asyncmig.database.lock import HeldElsewhere
from asyncmig.database.request import Request, glance, standing
from asyncmig.errors import AsyncmigError, ForeignRevision, MigrationFailed, ScriptError
from asyncmig.fleet.report import TargetOutcome, TargetResult, TargetState, TargetStatus
from asyncmig.revisions.plan import Direction, Plan, plan_upgrade
from asyncmig.revisions.target import parse_target

if TYPE_CHECKING:
    from asyncmig.database.report import Report
    from asyncmig.fleet.project import Place, Project
    from asyncmig.fleet.targets import Target
    from asyncmig.fleet.tour import Tour
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["Errand", "PlannerOf", "ask", "visit"]

PlannerOf: TypeAlias = "Callable[[RevisionGraph, frozenset[str]], Plan]"


@dataclass(frozen=True, slots=True)
class Errand:
    """What is done at each target."""

    direction: Direction
    goal: str
    planner: PlannerOf

    def at(self, place: Place) -> Request:
        return Request(place.site.name, self.goal, self.direction, place.graph, partial(self.planner, place.graph))


async def visit(
    project: Project, tour: Tour[Target, TargetResult], target: Target, errand: Errand, insist: bool
) -> TargetResult | None:
    """The result of the errand; None where another runner holds the target, and it is not to `insist`."""
    started = time.monotonic()
    try:
        place = await project.place(target, claims=not insist)
        report = await _worked(place, errand)
    except HeldElsewhere:
        return None
    except ScriptError as error:
        tour.stop(error)  # what is wrong there is wrong for all
        return _failed(target, error, started)
    except Exception as error:
        return _failed(target, error, started)
    outcome = TargetOutcome.CHANGED if report.steps else TargetOutcome.UNCHANGED
    seconds = time.monotonic() - started
    return TargetResult(target.name, outcome, report.before, report.after, report.applied, seconds)


async def _worked(place: Place, errand: Errand) -> Report:
    site, request = place.site, errand.at(place)
    with project_imports(site.context):
        async with site.session() as session:
            idle = await glance(session, request)
            if idle is not None:
                return idle
            await load_aside(*needed_for_work(site.url.get_backend_name()))
            from asyncmig.database.run import Run

            settings = replace(site.settings(session.dialect, place.graph), schemas=place.schemas, whole=place.whole)
            return await Run(session, request, place.work, settings, site.hooks).run()


def _failed(target: Target, error: Exception, started: float) -> TargetResult:
    report = error.report if isinstance(error, MigrationFailed) else None
    ours = isinstance(error, AsyncmigError)
    return TargetResult(
        target.name,
        TargetOutcome.FAILED,
        before=report.before if report else (),
        after=report.after if report else (),
        applied=report.applied if report else (),
        seconds=time.monotonic() - started,
        error=error.message if isinstance(error, AsyncmigError) else f"{type(error).__name__}: {message_of(error)}",
        hint=error.hint if isinstance(error, AsyncmigError) else None,
        exit_code=error.exit_code if ours else 3,  # type: ignore[attr-defined]
    )


async def ask(project: Project, target: Target) -> TargetStatus:
    """Where the target stands, after one query."""
    try:
        place = await project.place(target, claims=False)
        if is_missing_file(place.site.url):
            return TargetStatus(target.name, TargetState.BEHIND, (), len(tuple(place.graph)))
        request = Errand(Direction.UPGRADE, "heads", _to_heads).at(place)
        async with place.site.session() as session:
            found = await standing(session, request)
    except ForeignRevision as error:
        return TargetStatus(target.name, TargetState.FOREIGN, tuple(error.revisions), 0, error.message, 3)
    except Exception as error:
        failed = _failed(target, error, time.monotonic())
        return TargetStatus(target.name, TargetState.FAILED, error=failed.error, exit_code=failed.exit_code)
    if found.incomplete:
        state = TargetState.INCOMPLETE
    elif found.pending:
        state = TargetState.BEHIND
    else:
        state = TargetState.AHEAD if found.ahead else TargetState.AT_HEAD
    return TargetStatus(target.name, state, found.current, len(found.pending))


def _to_heads(graph: RevisionGraph, rows: frozenset[str]) -> Plan:
    return plan_upgrade(graph, rows, parse_target("heads"))
