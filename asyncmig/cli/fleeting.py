"""Many databases and schemas at once: fleet upgrade, downgrade, status."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from asyncmig.cli import failures, payloads
from asyncmig.cli.completion import complete_revision
from asyncmig.cli.output import printable_json
from asyncmig.cli.runner import run
from asyncmig.cli.session import Session, session_of
from asyncmig.cli.words import counted, seconds_text, table
from asyncmig.errors import FleetFailed, UsageError

if TYPE_CHECKING:
    from asyncmig.cli.output import Console
    from asyncmig.config.fleet import FleetSettings
    from asyncmig.fleet import Fleet, FleetReport, FleetStatus, Target, TargetFinished, TargetResult
    from asyncmig.migrator import Migrator

__all__ = ["fleet"]

_ACTIONS = ("upgrade", "downgrade", "status")
_SHOWN = 20


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
    async with session.connected(session.undecided()) as migrator:
        settings = _settings(migrator, sources, numbers)
        only = None if retry_failed is None else _missed(Path(retry_failed))
        targets = await migrator.fleet(only=only, settings=settings).targets()
        _say_who(session.console, targets, only)
        if action == "status":
            _show_status(session, await migrator.fleet(targets, settings=settings).status())
            return
        if action == "downgrade":
            session.questioner.confirm(
                f"Downgrade {counted(len(targets), 'target')} to {revision}, and lose what is dropped?", flag="--yes"
            )
        errand = _Errand(session.console, action, revision or "head", targets, results)
        await errand.run(migrator, settings)


class _Errand:
    """One upgrade or downgrade of the fleet, watched; its results are written also when it is interrupted."""

    def __init__(
        self, console: Console, action: str, revision: str, targets: Sequence[Target], results: str | None
    ) -> None:
        self.console = console
        self.action = action
        self.revision = revision
        self.targets = targets
        self.file = Path(results) if results else None
        self.seen: dict[str, TargetResult] = {}

    async def run(self, migrator: Migrator, settings: FleetSettings) -> None:
        progress = _progress_for(self.console, len(self.targets))

        def observe(event: TargetFinished) -> None:
            self.seen[event.result.target] = event.result
            progress(event)

        fleet = migrator.fleet(self.targets, observer=observe, settings=settings)
        failure: FleetFailed | None = None
        report: FleetReport | None = None
        try:
            with progress.shown():
                report = await self._begin(fleet)
        except FleetFailed as failed:
            failure, report = failed, failed.report
        finally:
            self._write(report)
        _show_report(self.console, report)
        if failure is not None:
            failures.say(failure, self.console)
            raise typer.Exit(failure.exit_code)

    async def _begin(self, fleet: Fleet) -> FleetReport:
        return await (fleet.upgrade(self.revision) if self.action == "upgrade" else fleet.downgrade(self.revision))

    def _write(self, report: FleetReport | None) -> None:
        """Beside it first, then over it: a reader never finds half a file."""
        if self.file is None:
            return
        payload = _payload(report) if report else self._partial()
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
        return _payload(FleetReport(self.revision, Direction(self.action), every, stopped="interrupted"))


# Options


def _settings(migrator: Migrator, sources: Mapping[str, Any], numbers: Mapping[str, str | None]) -> FleetSettings:
    """What the configuration says, under what was typed; a source that was typed replaces all of the configuration's."""
    from asyncmig.config.fleet import FailureLimit, FleetSettings

    settings = migrator.config.fleet or FleetSettings()
    if any(sources.values()):
        settings = replace(settings, **_sources(sources))
    for name, least in (("concurrency", 1), ("canary", 0)):
        text = numbers[name]
        if text is not None:
            settings = replace(settings, **{name: _number(name, text, least)})  # type: ignore[arg-type]
    limit = numbers["max_failures"]
    if limit is not None:
        try:
            settings = replace(settings, max_failures=FailureLimit.parse(limit))
        except ValueError:
            hint = "For example --max-failures 5, or --max-failures 10%."
            raise UsageError(f"--max-failures {limit}: neither a number of targets nor a share.", hint=hint) from None
    return settings


def _sources(given: Mapping[str, Any]) -> dict[str, Any]:
    from asyncmig.fleet.targets import parse_lines

    named = list(given["target"] or ())
    file = given["targets"]
    if file == "-":
        named += parse_lines(sys.stdin.read())
    return {
        "targets": tuple(named),
        "file": Path(file).absolute() if file and file != "-" else None,
        "query": given["query"],
        "function": given["function"],
        "databases": given["databases"],
    }


def _number(name: str, text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and int(text) >= least):
        raise UsageError(f"--{name} {text}: not a whole number, {least} or more.")
    return int(text)


def _missed(path: Path) -> frozenset[str]:
    """The names of the targets that failed or were not started, by a file of --results."""
    from asyncmig.fleet import TargetOutcome

    again = (TargetOutcome.FAILED, TargetOutcome.NOT_STARTED)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))["results"]
        return frozenset(str(one["target"]) for one in found if one["outcome"] in again)
    except OSError as error:
        raise UsageError(f"--retry-failed {path}: {error.strerror}.") from error
    except (ValueError, LookupError, TypeError) as error:
        raise UsageError(f"--retry-failed {path}: this is no file of --results.") from error


# What is shown


def _say_who(console: Console, targets: Sequence[Target], only: frozenset[str] | None) -> None:
    lost = (only or frozenset()) - {target.name for target in targets}
    if lost:
        console.warn(f"{counted(len(lost), 'target')} of the results no longer exist: {', '.join(sorted(lost)[:5])}")
    console.note(f"{counted(len(targets), 'target')}{' that missed' if only is not None else ''}")


def _payload(report: FleetReport) -> dict[str, object]:
    counts = {str(outcome): count for outcome, count in report.counts.items()}
    return {**payloads.object_payload(report), "counts": counts}


def _show_report(console: Console, report: FleetReport) -> None:
    console.data(lambda: _payload(report))
    rows = [_row(one) for one in report.results if console.verbose or one.outcome.value != "unchanged"]
    if rows:
        console.result("\n".join(table([("target", "result", "revision", "steps", "time"), *rows])))
    console.note(f"{_counts(report.counts)} ({seconds_text(report.seconds)})")
    broken = [one for one in report.results if one.error]
    for one in broken[:_SHOWN]:
        console.note(f"{console.err_styles.paint(one.target, 'error')}: {one.error}")
    if len(broken) > _SHOWN:
        console.note(f"and {len(broken) - _SHOWN:,} more; --json or --results has them all")


def _row(one: TargetResult) -> tuple[str, ...]:
    begun = one.outcome.value != "not started"
    revision = ", ".join(one.after) or ("<base>" if begun and not one.error else "")
    return (one.target, str(one.outcome), revision, str(len(one.applied)), seconds_text(one.seconds) if begun else "")


def _counts(counts: Mapping[Any, int]) -> str:
    """`12 changed, 1 failed`."""
    return ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items() if count) or "no targets"


def _show_status(session: Session, status: FleetStatus) -> None:
    console = session.console
    bars = [
        (", ".join(bar.current) or ("" if bar.state.value == "failed" else "<base>"), f"{bar.count:,}", _state(bar))
        for bar in status.histogram
    ]
    console.result("\n".join(table([("revision", "targets", "state"), *bars])))
    console.data(lambda: {**payloads.object_payload(status), "histogram": payloads.plain(status.histogram)})
    broken = [one for one in status.targets if one.error]
    for one in broken[:_SHOWN]:
        console.note(f"{console.err_styles.paint(one.target, 'error')}: {one.error}")
    if broken:
        raise typer.Exit(broken[0].exit_code)


def _state(bar: Any) -> str:
    return f"behind by {bar.pending}" if bar.state.value == "behind" else str(bar.state)


def _progress_for(console: Console, total: int) -> Any:
    from asyncmig.cli.fleet_progress import FleetBar, FleetLines

    return FleetBar(console, total) if console.interactive and not console.quiet else FleetLines(console)
