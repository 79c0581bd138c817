"""Many databases and schemas at once: fleet upgrade, downgrade, status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asyncmig.cli import failures
from asyncmig.cli.completion import complete_revision
from asyncmig.cli.fleet_options import missed_in, settings_from
from asyncmig.cli.fleet_texts import payload_of, say_who, show_report, show_status
from asyncmig.cli.output import printable_json
from asyncmig.cli.runner import run
from asyncmig.cli.session import Session, session_of
from asyncmig.cli.words import counted
from asyncmig.errors import FleetFailed, UsageError

if TYPE_CHECKING:
    from asyncmig.cli.fleet_progress import FleetProgress
    from asyncmig.cli.output import Console
    from asyncmig.config.fleet import FleetSettings
    from asyncmig.fleet import Fleet, FleetReport, Target, TargetFinished, TargetResult
    from asyncmig.migrator import Migrator

__all__ = ["fleet"]

_ACTIONS = ("upgrade", "downgrade", "status")


def fleet(
    ctx: typer.Context,
    action: Annotated[str, typer.Argument(metavar="ACTION", help="upgrade, downgrade or status.")],
    revision: Annotated[
        str | None, typer.Argument(metavar="REV", help="Where to; upgrade: head.", autocompletion=complete_revision)
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option("--target", metavar="TARGET", help="A URL, or a schema's name; repeatable.")
    ] = None,
    targets: Annotated[
        str | None, typer.Option("--targets", metavar="FILE", help="Targets, one a line; - for stdin.")
    ] = None,
    query: Annotated[
        str | None, typer.Option("--query", metavar="SQL", help="A query that lists schemas or URLs.")
    ] = None,
    function: Annotated[
        str | None, typer.Option("--function", metavar="PLACE", help="A function that lists them: package.module:name.")
    ] = None,
    databases: Annotated[bool, typer.Option("--databases", help="All of [databases].")] = False,
    concurrency: Annotated[str | None, typer.Option("--concurrency", metavar="N", help="So many at once.")] = None,
    canary: Annotated[
        str | None, typer.Option("--canary", metavar="N", help="The first N before all others; stop if one fails.")
    ] = None,
    max_failures: Annotated[
        str | None, typer.Option("--max-failures", metavar="N", help="Begin no more after N failures, or 10% of all.")
    ] = None,
    results: Annotated[
        str | None, typer.Option("--results", metavar="FILE", help="Write the results there as JSON.")
    ] = None,
    retry_failed: Annotated[
        str | None, typer.Option("--retry-failed", metavar="FILE", help="Only what missed in these results.")
    ] = None,
) -> None:
    """Bring many databases or schemas to a revision at once, each on its own; or count where they are."""
    session = session_of(ctx)
    sources = {"target": target, "targets": targets, "query": query, "function": function, "databases": databases}
    numbers = {"concurrency": concurrency, "canary": canary, "max_failures": max_failures}
    _check_action(action, revision)
    run(_fleet(session, action, revision, sources, numbers, results, retry_failed))


def _check_action(action: str, revision: str | None) -> None:
    if action not in _ACTIONS:
        raise UsageError(f"fleet {action}: there is no such action.", hint=f"Known: {', '.join(_ACTIONS)}.")
    if action == "downgrade" and revision is None:
        raise UsageError("fleet downgrade needs to know where to.", hint="For example: asyncmig fleet downgrade -1.")
    if action == "status" and revision is not None:
        raise UsageError("fleet status takes no revision.")


async def _fleet(
    session: Session,
    action: str,
    revision: str | None,
    sources: Mapping[str, Any],
    numbers: Mapping[str, str | None],
    results: str | None,
    retry_failed: str | None,
) -> None:
    from asyncmig.cli.fleet_progress import fleet_progress_for

    progress = fleet_progress_for(session.console)
    async with session.connected(session.undecided(progress)) as migrator:
        settings = settings_from(migrator, sources, numbers)
        only = None if retry_failed is None else missed_in(Path(retry_failed))
        targets = await migrator.fleet(only=only, settings=settings).targets()
        say_who(session.console, targets, only)
        if action == "status":
            show_status(session, await migrator.fleet(targets, settings=settings).status())
            return
        if action == "downgrade":
            session.questioner.confirm(
                f"Downgrade {counted(len(targets), 'target')} to {revision}, and lose what is dropped?", flag="--yes"
            )
        errand = _Errand(session.console, progress, action, revision or "head", targets, results)
        await errand.run(migrator, settings)


class _Errand:
    """One upgrade or downgrade of the fleet, watched; its results are written also when it is interrupted."""

    def __init__(
        self,
        console: Console,
        progress: FleetProgress,
        action: str,
        revision: str,
        targets: Sequence[Target],
        results: str | None,
    ) -> None:
        self.console = console
        self.progress = progress
        self.action = action
        self.revision = revision
        self.targets = targets
        self.file = Path(results) if results else None
        self.seen: dict[str, TargetResult] = {}

    async def run(self, migrator: Migrator, settings: FleetSettings) -> None:
        def observe(event: TargetFinished) -> None:
            self.seen[event.result.target] = event.result
            self.progress.finished(event)

        fleet = migrator.fleet(self.targets, observer=observe, settings=settings)
        failure: FleetFailed | None = None
        report: FleetReport | None = None
        try:
            with self.progress.shown(len(self.targets)):
                report = await self._begin(fleet)
        except FleetFailed as failed:
            failure, report = failed, failed.report
        finally:
            self._write(report)
        show_report(self.console, report)
        if failure is not None:
            failures.say(failure, self.console)
            raise typer.Exit(failure.exit_code)

    async def _begin(self, fleet: Fleet) -> FleetReport:
        return await (fleet.upgrade(self.revision) if self.action == "upgrade" else fleet.downgrade(self.revision))

    def _write(self, report: FleetReport | None) -> None:
        """Beside it first, then over it: a reader never finds half a file."""
        if self.file is None:
            return
        payload = payload_of(report) if report else self._partial()
        new = self.file.with_name(f"{self.file.name}.new")
        try:
            new.write_text(printable_json(payload) + "\n", encoding="utf-8")
            new.replace(self.file)
        except OSError as error:
            self.console.warn(f"the results could not be written to {self.file}: {error.strerror}")

    def _partial(self) -> dict[str, object]:
        from asyncmig.fleet import FleetReport, TargetOutcome, TargetResult
        from asyncmig.revisions.plan import Direction

        names = [target.name for target in self.targets]
        every = tuple(self.seen.get(name) or TargetResult(name, TargetOutcome.NOT_STARTED) for name in names)
        return payload_of(FleetReport(self.revision, Direction(self.action), every, stopped="interrupted"))
