"""Fleet: one method a command, for all targets at once.

What it works with is loaded beside the event loop, when a method is called: see database/loading.py.
"""

from __future__ import annotations

import inspect
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from asyncmig.config.fleet import FailureLimit, FleetSettings
from asyncmig.database.loading import load_fleet
from asyncmig.errors import FleetFailed, UsageError
from asyncmig.fleet.report import (
    FleetReport,
    FleetStatus,
    TargetFinished,
    TargetOutcome,
    TargetResult,
    TargetStatus,
)
from asyncmig.fleet.sources import Source, configured, listed
from asyncmig.fleet.targets import Target
from asyncmig.revisions.plan import Direction, plan_downgrade, plan_upgrade
from asyncmig.revisions.target import parse_target

if TYPE_CHECKING:
    from asyncmig.fleet.project import Project
    from asyncmig.fleet.tour import Limits
    from asyncmig.fleet.visit import PlannerOf
    from asyncmig.migrator import Migrator

__all__ = ["Fleet", "FleetObserver"]

FleetObserver: TypeAlias = "Callable[[TargetFinished], Awaitable[None] | None]"


class Fleet:
    """Made by `Migrator.fleet`. Several processes may run the same fleet at once and share its targets.

    Each target is worked on by a connection and in transactions of its own: what fails there concerns no other.
    """

    def __init__(
        self,
        migrator: Migrator,
        source: Source | None = None,
        *,
        only: Collection[str] | None = None,
        observer: FleetObserver | None = None,
        shuffle: Callable[[list[Target]], None] = random.shuffle,
        settings: FleetSettings | None = None,
        **changes: Any,
    ) -> None:
        self._migrator = migrator
        self._source = source
        self._only = None if only is None else frozenset(only)
        self._observer = observer
        self._shuffle = shuffle
        self._settings = _changed(settings or migrator.config.fleet or FleetSettings(), changes)

    async def targets(self) -> tuple[Target, ...]:
        """The targets as they are listed now."""
        async with self._project() as project:
            return await self._listed(project)

    async def upgrade(self, target: str = "head") -> FleetReport:
        """Bring every target up. FleetFailed, with the report, when one of them could not be or was not begun."""
        goal = parse_target(target)
        return await self._run(Direction.UPGRADE, target, lambda graph, rows: plan_upgrade(graph, rows, goal))

    async def downgrade(self, target: str) -> FleetReport:
        """Take every target down; never asks. FleetFailed as for `upgrade`."""
        goal = parse_target(target)
        return await self._run(Direction.DOWNGRADE, target, lambda graph, rows: plan_downgrade(graph, rows, goal))

    async def status(self) -> FleetStatus:
        """Where each target stands, from one query each; nothing is written, no lock taken."""
        found: dict[str, TargetStatus] = {}
        async with self._project() as project:
            from asyncmig.fleet.tour import Limits, Tour
            from asyncmig.fleet.visit import ask

            targets = await self._listed(project)

            async def asked(target: Target, _insist: bool) -> TargetStatus:
                return await ask(project, target)

            async def keep(target: Target, status: TargetStatus) -> None:
                found[target.name] = status

            limits = Limits(await project.at_once(targets))
            await Tour(asked, lambda status: False, keep, limits, lambda queue: None).run(targets)
            heads = project.history().effective_heads if targets[:1] and not targets[0].database else ()
        return FleetStatus(tuple(heads), tuple(found[target.name] for target in targets))

    # Inside

    async def _run(self, direction: Direction, goal: str, planner: PlannerOf) -> FleetReport:
        started = time.monotonic()
        async with self._project() as project:
            from asyncmig.fleet.tour import Tour
            from asyncmig.fleet.visit import Errand, visit

            targets = await self._listed(project)
            if direction is Direction.UPGRADE:
                await _check_goal(project, targets, planner)
            results: dict[str, TargetResult] = {}

            async def visited(target: Target, insist: bool) -> TargetResult | None:
                return await visit(project, tour, target, Errand(direction, goal, planner), insist)

            async def settled(target: Target, result: TargetResult) -> None:
                results[target.name] = result
                await self._tell(result, results, len(targets))

            tour = Tour(
                visited, lambda result: result.missed, settled, await self._limits(project, targets), self._shuffle
            )
            await tour.run(targets)
        missing = TargetResult("", TargetOutcome.NOT_STARTED)
        every = tuple(results.get(one.name) or replace(missing, target=one.name) for one in targets)
        report = FleetReport(goal, direction, every, time.monotonic() - started, tour.stopped)
        if report.missed:
            raise FleetFailed(_summary(report), report=report, exit_code=report.exit_code)
        return report

    async def _limits(self, project: Project, targets: tuple[Target, ...]) -> Limits:
        from asyncmig.fleet.tour import Limits

        given = self._settings
        return Limits(await project.at_once(targets), given.canary, given.max_failures)

    async def _listed(self, project: Project) -> tuple[Target, ...]:
        if self._source is None:
            targets = await configured(self._settings, project)
        else:
            targets = await listed(self._source, project)
        return targets if self._only is None else tuple(one for one in targets if one.name in self._only)

    async def _tell(self, result: TargetResult, results: Mapping[str, TargetResult], total: int) -> None:
        if self._observer is not None:
            counts = FleetReport("", Direction.UPGRADE, tuple(results.values())).counts
            answer = self._observer(TargetFinished(result, len(results), total, counts))
            if inspect.isawaitable(answer):
                await answer

    @asynccontextmanager
    async def _project(self) -> AsyncIterator[Project]:
        await load_fleet()
        from asyncmig.fleet.project import Project

        project = Project(self._migrator, self._settings, self._settings.concurrency)
        try:
            yield project
        finally:
            await project.aclose()


async def _check_goal(project: Project, targets: tuple[Target, ...], planner: PlannerOf) -> None:
    """A revision that does not exist is said once, before anything is connected to."""
    if any(target.database is None for target in targets):
        planner(project.history(), frozenset())


def _summary(report: FleetReport) -> str:
    counts = report.counts
    failed, idle = counts[TargetOutcome.FAILED], counts[TargetOutcome.NOT_STARTED]
    first = report.first_failure
    parts = [f"{failed} of {len(report.results)} targets failed"]
    if idle:
        parts.append(f"{idle} were not started: {report.stopped}")
    reason = f" {first.target}: {first.error}" if first else ""
    return f"{'; '.join(parts)}.{reason}"


def _changed(settings: FleetSettings, changes: Mapping[str, Any]) -> FleetSettings:
    given = {name: value for name, value in changes.items() if value is not None}
    if "max_failures" in given and not isinstance(given["max_failures"], FailureLimit):
        try:
            given["max_failures"] = FailureLimit.parse(given["max_failures"])
        except ValueError:
            raise UsageError(
                f"max_failures: {given['max_failures']!r} is neither a number of targets nor a share.",
                hint='For example 5 or "10%".',
            ) from None
    for name, least in (("concurrency", 1), ("canary", 0)):
        if name in given and (not isinstance(given[name], int) or given[name] < least):
            raise UsageError(f"{name}: {given[name]!r} is not a whole number, {least} or more.")
    try:
        return replace(settings, **given)
    except TypeError:
        unknown = ", ".join(sorted(set(given) - set(FleetSettings.__dataclass_fields__)))
        raise UsageError(f"A fleet has no setting {unknown}.") from None
