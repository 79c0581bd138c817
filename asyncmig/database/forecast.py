"""What a run would do, without doing it: the plan, what a downgrade loses, the text of --sql."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from asyncmig.alembic_names import project_imports
from asyncmig.database.attempt import Work
from asyncmig.database.driver import driver_of
from asyncmig.database.inspection import changed_since
from asyncmig.database.losses import losses_of
from asyncmig.database.offline import OfflineScript
from asyncmig.database.placement import Placement, place
from asyncmig.database.planned import PlanReport
from asyncmig.database.preview import preview
from asyncmig.database.recording import StatementWriter, record_step
from asyncmig.database.reflect import look_up
from asyncmig.database.report import Report
from asyncmig.database.request import placed
from asyncmig.database.work import load_work
from asyncmig.errors import DynamicScript
from asyncmig.operations.recorder import Recorded
from asyncmig.revisions.plan import Plan
from asyncmig.schema.model import Schema
from asyncmig.scripts.loader import load_script

if TYPE_CHECKING:
    import sqlalchemy as sa

    from asyncmig.database.planned import Loss, PlannedStep
    from asyncmig.database.session import Session
    from asyncmig.database.site import Site
    from asyncmig.database.step_settings import StepSettings
    from asyncmig.revisions.graph import RevisionGraph
    from asyncmig.schema.model import Ref

__all__ = ["forecast", "losses", "written_out"]

Planner = Callable[[frozenset[str]], Plan]


async def forecast(
    site: Site, session: Session | None, graph: RevisionGraph, target: str, planner: Planner
) -> PlanReport:
    """`session` is None for a SQLite file that is not there yet: everything is still to be done."""
    placement = await placed(session, graph) if session else place(frozenset(), graph)
    placement.refuse_foreign()
    plan = planner(placement.effective)
    return PlanReport(
        target=target,
        database=site.name,
        current=tuple(sorted(placement.rows)),
        steps=await _steps(site, session, graph, plan),
        ahead=tuple(sorted(placement.ahead)),
        changed=await changed_since(session, graph, placement) if session and plan else (),
    )


async def _steps(site: Site, session: Session | None, graph: RevisionGraph, plan: Plan) -> tuple[PlannedStep, ...]:
    work = load_work(plan, site.environment.script_arguments)
    if session is None:
        settings = site.settings(site.offline_dialect(), graph)
        return preview(plan, work, settings, StatementWriter(settings, lambda refs: Schema()))
    settings = site.settings(session.dialect, graph)

    def live(connection: sa.Connection) -> tuple[PlannedStep, ...]:
        driver = driver_of(connection)
        writer = StatementWriter(settings, lambda refs: look_up(driver, settings.dialect, refs), live=True)
        return preview(plan, work, settings, writer)

    return await session.connection.run_sync(live)


async def losses(site: Site, session: Session, graph: RevisionGraph, planner: Planner) -> tuple[Loss, ...]:
    """Nothing for a database that is at no known revision: the run itself says what is wrong there."""
    placement: Placement = await placed(session, graph)
    if placement.foreign or placement.ahead:
        return ()
    work = load_work(planner(placement.effective), site.environment.script_arguments)
    settings = site.settings(session.dialect)
    return await session.connection.run_sync(lambda sync: losses_of(work, settings, driver_of(sync)))


def written_out(site: Site, graph: RevisionGraph, target: str, plan: Plan) -> Report:
    """The plan as a text; DynamicScript for a script that only a database could tell."""
    dialect = site.offline_dialect()
    settings = site.settings(dialect, graph)
    with project_imports(site.context):
        writer = StatementWriter(settings, lambda refs: _history_at(graph, plan.before, refs, settings))
        script = OfflineScript(site.ledger_sql, settings, writer, site.config.transaction == "run")
        text = script.text(plan, load_work(plan, site.environment.script_arguments))
    return Report(
        target=target,
        database=site.name,
        before=tuple(sorted(plan.before)),
        after=tuple(sorted(plan.after)),
        sql=text,
        opening=site.ledger_sql.opening,
    )


def _history_at(graph: RevisionGraph, rows: frozenset[str], refs: Collection[Ref], settings: StepSettings) -> Schema:
    """The schema that the history up to `rows` makes, recorded from its scripts."""
    writer = StatementWriter(settings, lambda refs: Schema())
    for name in graph.ordered(graph.ancestors(rows)):
        script = load_script(graph[name])
        try:
            items = record_step(Work(script.upgrade, script.path), settings)
            for item in items:
                writer.statements(item)
            if settings.history is not None:
                for left in settings.history.left_by(name, [item.operation for item in items]):
                    writer.statements(Recorded(left))
        except DynamicScript as error:
            names = ", ".join(str(ref) for ref in sorted(refs))
            raise DynamicScript(
                f"What {names} is like depends on revision {name}, which only a database can tell. {error.message}"
            ) from error
    return writer.schema(refs)
