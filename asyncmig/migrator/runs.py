"""Runs that change a database, and what they would do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from asyncmig.alembic_names import project_imports
from asyncmig.errors import UsageError
from asyncmig.migrator.project import Project
from asyncmig.revisions.plan import Direction, Plan, plan_downgrade, plan_stamp, plan_upgrade
from asyncmig.revisions.target import parse_target

if TYPE_CHECKING:
    from asyncmig.database.planned import Loss, PlanReport
    from asyncmig.database.report import Report
    from asyncmig.database.request import Request
    from asyncmig.database.session import Session
    from asyncmig.database.site import Site
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["Runs"]

Planner = Callable[["RevisionGraph", frozenset[str]], Plan]


class Runs(Project):
    """Part of Migrator."""

    async def upgrade(self, target: str = "head", *, sql: bool = False, tag: str | None = None) -> Report:
        """Apply what `target` needs and the database has not.

        With `sql` nothing is run and no connection is made: `Report.sql` is the text, from base or for a range "a:b".
        MigrationFailed when a step fails, with the report of those before it; LockTimeout; ForeignRevision.
        """
        if sql:
            return await self._offline(Direction.UPGRADE, target, tag)
        goal = parse_target(target)
        return await self._run(Direction.UPGRADE, target, lambda graph, rows: plan_upgrade(graph, rows, goal), tag)

    async def downgrade(self, target: str, *, sql: bool = False, tag: str | None = None) -> Report:
        """Take down what stands on `target`, newest first; never asks (`losses` says what would go)."""
        if sql:
            return await self._offline(Direction.DOWNGRADE, target, tag)
        goal = parse_target(target)
        return await self._run(Direction.DOWNGRADE, target, lambda graph, rows: plan_downgrade(graph, rows, goal), tag)

    async def stamp(
        self, target: str | Sequence[str], *, sql: bool = False, purge: bool = False, tag: str | None = None
    ) -> Report:
        """Record that the database is at `target` without running anything; `purge` forgets what it was at."""
        names = (target,) if isinstance(target, str) else tuple(target)
        if not names:
            raise UsageError("stamp() needs a revision, or `base` for none.")
        if sql:
            return await self._offline(Direction.STAMP, ",".join(names), tag)
        goals = [parse_target(name) for name in names]
        return await self._run(
            Direction.STAMP, ", ".join(names), lambda graph, rows: plan_stamp(graph, rows, goals, purge), tag
        )

    async def ensure_version(self, *, sql: bool = False) -> str | None:
        """Create the version table and the journal, or widen an older version table; with `sql` give the text."""
        if sql:
            site = await self._site(offline=True)
            ledger = site.ledger_sql
            return "".join(f"{statement};\n" for statement in ledger.create())
        site = await self._site()
        async with site.session() as session, session.locked():
            from asyncmig.database.ensure import ensure

            await ensure(session)
        return None

    async def plan(self, target: str = "head", *, downgrade: bool = False) -> PlanReport:
        """What upgrade (or downgrade) to `target` would do now, from the live database; nothing is written."""
        from asyncmig.database.forecast import forecast

        goal = parse_target(target)
        planner = plan_downgrade if downgrade else plan_upgrade
        graph = self.graph()
        site = await self._site()
        async with self._looking(site) as session:
            return await forecast(site, session, graph, target, lambda rows: planner(graph, rows, goal))

    async def losses(self, target: str) -> tuple[Loss, ...]:
        """The tables and columns, with their rows, that `downgrade(target)` would drop."""
        from asyncmig.database.forecast import losses

        goal = parse_target(target)
        graph = self.graph()
        site = await self._site()
        async with self._looking(site) as session:
            if session is None:
                return ()
            return await losses(site, session, graph, lambda rows: plan_downgrade(graph, rows, goal))

    async def _run(self, direction: Direction, target: str, planner: Planner, tag: str | None) -> Report:
        from asyncmig.database.loading import load_basis

        await load_basis()
        from asyncmig.database.request import Request, glance

        site = await self._site(tag=tag)
        graph = await self._read_graph()
        request = Request(site.name, target, direction, graph, lambda rows: planner(graph, rows))
        with project_imports(site.context):
            async with site.session() as session:
                return await glance(session, request) or await _work(site, session, request)

    async def _offline(self, direction: Direction, target: str, tag: str | None) -> Report:
        from asyncmig.database.forecast import written_out
        from asyncmig.revisions.offline import offline_plan

        graph = self.graph()
        site = await self._site(offline=True, tag=tag)
        return written_out(site, graph, target, offline_plan(graph, direction, target))


async def _work(site: Site, session: Session, request: Request) -> Report:
    """The run itself: its modules are loaded when there is something to do."""
    from asyncmig.database.loading import load_aside, needed_for_work

    await load_aside(*needed_for_work(site.url.get_backend_name()))
    from asyncmig.database.run import Run
    from asyncmig.database.work import each_work

    load = partial(each_work, arguments=site.environment.script_arguments)
    return await Run(session, request, load, site.settings(session.dialect, request.graph), site.hooks).run()
