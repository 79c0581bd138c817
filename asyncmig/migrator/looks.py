"""Looks at a database: nothing is created, locked or changed."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from asyncmig.errors import CheckFailed, UsageError
from asyncmig.migrator.project import Project
from asyncmig.revisions.plan import Direction, pending, plan_upgrade
from asyncmig.revisions.target import parse_target

if TYPE_CHECKING:
    from asyncmig.database.differences import Differences
    from asyncmig.database.journal_entry import JournalEntry
    from asyncmig.database.report import Standing
    from asyncmig.database.status import CurrentReport, StatusReport

__all__ = ["Looks"]


class Looks(Project):
    """Part of Migrator."""

    async def current(self) -> CurrentReport:
        """The rows of the version table, with what the scripts and the journal know of each."""
        from asyncmig.database.placement import place
        from asyncmig.database.request import placed
        from asyncmig.database.status import CurrentReport, current_revisions

        graph = self.graph()
        site = await self._site()
        async with self._looking(site) as session:
            placement = await placed(session, graph) if session else place(frozenset(), graph)
        behind = placement.foreign or pending(graph, placement.effective)
        return CurrentReport(site.name, current_revisions(placement, graph), at_every_head=not behind)

    async def status(self) -> StatusReport:
        """Where the database is, what is pending, which applied scripts were changed, and how the models differ."""
        from asyncmig.database.inspection import look
        from asyncmig.database.placement import RevisionState
        from asyncmig.database.status import StatusReport

        graph = self.graph()
        site = await self._site()
        async with self._looking(site) as session:
            if session is None:
                missing = "no database file yet"
                report = StatusReport(site.name, site.source, missing, (), graph.effective_heads, tuple(graph), (), ())
            else:
                report = await look(session, graph, site.name, site.source)
        ahead = any(row.state is RevisionState.AHEAD for row in report.current)
        if ahead or not report.at_head or not site.environment.metadatas:
            return report
        try:
            return replace(report, drift=await self.differences())
        except UsageError as error:
            return replace(report, not_compared=error.message)

    async def standing(self, target: str = "head") -> Standing:
        """What `upgrade(target)` would still apply, from one query; the user of the database needs no right but SELECT."""
        from asyncmig.database.loading import load_basis

        await load_basis()
        from asyncmig.database.report import Standing
        from asyncmig.database.request import Request, standing

        goal = parse_target(target)
        site = await self._site()
        graph = await self._read_graph()
        request = Request(site.name, target, Direction.UPGRADE, graph, lambda rows: plan_upgrade(graph, rows, goal))
        async with self._looking(site) as session:
            if session:
                return await standing(session, request)
        return Standing(site.name, (), request.planner(frozenset()).ids)

    async def check(self) -> StatusReport:
        """The status, when the database is where the scripts and the models are; CheckFailed says what is not.

        Where the project declares no models, or the database is ahead, only the scripts count. With checksums = "warn"
        `changed` of the status is for the caller to look at.
        """
        status = await self.status()
        tolerant = (await self._site()).config.checksums == "warn"
        looked_at = replace(status, changed=()) if tolerant else status
        if looked_at.clean:
            if status.not_compared:
                await self.differences()  # raises, with what to do
            return status
        drift = looked_at.drift
        if drift and drift.items and not looked_at.changed:
            raise _different(drift)
        raise CheckFailed(
            f"{status.database}: {'; '.join(looked_at.complaints())}.",
            found={
                "complaints": list(looked_at.complaints()),
                "pending": list(status.pending),
                "differences": [asdict(item) for item in drift.items] if drift else [],
            },
            hint="`asyncmig status` shows all.",
        )

    async def differences(self, *, offline: bool = False) -> Differences:
        """What leads from the database (with `offline`: from the history) to the models; nothing is written."""
        from asyncmig.database.differences import Differences
        from asyncmig.database.finding import differences_of, find

        graph = self.graph()
        site = await self._site()
        async with self._comparing(site, offline=offline) as session:
            found = await find(site, session, graph, offline=offline, anywhere=True)
        return Differences(site.name, differences_of(found.operations), found.comparison.uncertain)

    async def log(self, *, limit: int | None = None) -> tuple[JournalEntry, ...]:
        """What was applied, the newest first."""
        site = await self._site()
        async with self._looking(site) as session:
            return await session.ledger(lambda ledger: ledger.log(limit)) if session else ()


def _different(found: Differences) -> CheckFailed:
    changes = "1 difference" if len(found.items) == 1 else f"{len(found.items)} differences"
    return CheckFailed(
        f"{found.database}: {changes} between models and database.",
        found={
            "differences": [asdict(item) for item in found.items],
            "uncertain": list(found.uncertain),
        },
        hint="`asyncmig revision --autogenerate` writes them into a script.",
    )
