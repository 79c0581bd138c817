"""What looks at the database and changes nothing: current, status, plan, check, log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from asyncmig.cli import failures, payloads, report_texts
from asyncmig.cli.completion import complete_revision
from asyncmig.cli.everywhere import Answer, ask_each, finish, give_data
from asyncmig.cli.runner import run
from asyncmig.cli.session import Session, session_of
from asyncmig.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncmig.cli.output import Console
    from asyncmig.database.applied import ChangedScript
    from asyncmig.database.status import CurrentReport, StatusReport

__all__ = ["check", "current", "log", "plan", "status"]


def current(
    ctx: typer.Context,
    check_heads: Annotated[
        bool, typer.Option("--check-heads", help="Exit 1 unless the database is at every head.")
    ] = False,
) -> None:
    """The revisions that the database is at; of every configured database where -n chooses none."""
    run(_current(session_of(ctx), check_heads=check_heads))


async def _current(session: Session, *, check_heads: bool) -> None:
    answers, failed = await ask_each(session, lambda migrator: migrator.current())
    _show_current(session.console, answers)
    give_data(session.console, [Answer(one.name, payloads.object_payload(one.report)) for one in answers], failed)
    finish(session, failed)
    behind = [one.name or one.report.database for one in answers if not one.report.at_every_head]
    if check_heads and behind:
        # Not raised: with --json the object on stdout, which says `at_every_head`, must stay the only one.
        failures.say(
            CheckFailed(f"Not at every head: {', '.join(behind)}.", hint="Run asyncmig upgrade heads."), session.console
        )
        raise typer.Exit(CheckFailed.exit_code)


def _show_current(console: Console, answers: list[Answer[CurrentReport]]) -> None:
    line = report_texts.current_block if console.verbose else report_texts.current_line
    width = max((len(one.name or "") for one in answers), default=0)
    shown: list[str] = []
    for one in answers:
        report = one.report
        rows = [line(row, console.out_styles) for row in report.revisions]
        shown += [f"{one.name:{width}}  {row}" for row in rows or ["<base>"]] if one.name else rows
        if console.verbose:
            console.note(f"Database {report.database}")
        if not rows and one.name is None:
            console.note("No revision is applied to the database.")
    console.result(("\n\n" if console.verbose else "\n").join(shown))


def status(ctx: typer.Context) -> None:
    """One screen: database, server, heads, what is pending, changed or unknown; of every configured database."""
    run(_status(session_of(ctx)))


async def _status(session: Session) -> None:
    console = session.console
    answers, failed = await ask_each(session, lambda migrator: migrator.status())
    blocks = []
    for one in answers:
        heading = [f"[{one.name}]"] if one.name else []
        blocks.append("\n".join([*heading, *report_texts.status_lines(one.report, console.out_styles)]))
    console.result("\n\n".join(blocks))
    give_data(console, [Answer(one.name, _status_payload(one.report)) for one in answers], failed)
    finish(session, failed)


def _warn_of_changed(console: Console, changed: Sequence[ChangedScript]) -> None:
    for script in changed:
        console.warn(f"{script.sentence}.")


def _status_payload(report: StatusReport) -> dict[str, object]:
    return {**payloads.object_payload(report), "clean": report.clean}


def plan(
    ctx: typer.Context,
    revision: Annotated[
        str | None,
        typer.Argument(metavar="REV", help="Where to, head if not given.", autocompletion=complete_revision),
    ] = None,
    downgrade: Annotated[bool, typer.Option("--downgrade", help="The way down to REV instead.")] = False,
) -> None:
    """What an upgrade would do to the live database now: steps, operations in words, SQL. Nothing is written."""
    if downgrade and revision is None:
        raise UsageError("plan --downgrade needs to know where to.", hint="For example: asyncmig plan --downgrade -1.")
    run(_plan(session_of(ctx), revision or "head", downgrade=downgrade))


async def _plan(session: Session, revision: str, *, downgrade: bool) -> None:
    console = session.console
    async with session.connected(session.writing()) as migrator:
        target = await migrator.target_database()
        console.note(f"Database {target.url} (from {target.source})")
        report = await migrator.plan(revision, downgrade=downgrade)
    _warn_of_changed(console, report.changed)
    console.result("\n".join(report_texts.plan_lines(report, console.out_styles)))
    console.data(lambda: payloads.object_payload(report))


def check(
    ctx: typer.Context,
    offline: Annotated[
        bool, typer.Option("--offline", help="Compare the models with the scripts; no database is asked.")
    ] = False,
) -> None:
    """Exit 1 unless the database is at head, every applied script is as it was, and the models say what is there."""
    run(_check_offline(session_of(ctx)) if offline else _check(session_of(ctx)))


async def _check(session: Session) -> None:
    console = session.console
    async with session.connected(session.writing()) as migrator:
        try:
            report = await migrator.check()
        except CheckFailed as error:
            _show_differences(console, error)
            raise
    _warn_of_changed(console, report.changed)
    _warn_of_uncertain(console, report.drift.uncertain if report.drift else ())
    console.note(f"{report.database} is up to date.")
    console.data(lambda: _status_payload(report))


def _show_differences(console: Console, error: CheckFailed) -> None:
    """The sentences are the result of a check."""
    found = error.found.get("differences", ())
    assert isinstance(found, list | tuple)
    console.result("\n".join(f"{one['sign']} {one['description']}" for one in found))
    uncertain = error.found.get("uncertain", ())
    assert isinstance(uncertain, list | tuple)
    _warn_of_uncertain(console, uncertain)


def _warn_of_uncertain(console: Console, uncertain: Sequence[str]) -> None:
    for one in uncertain:
        console.warn(f"Not certain: {one}.")


async def _check_offline(session: Session) -> None:
    console = session.console
    async with session.connected(session.writing(), connects=False) as migrator:
        found = await migrator.differences(offline=True)
    console.result("\n".join(report_texts.difference_lines(found.items)))
    _warn_of_uncertain(console, found.uncertain)
    console.data(lambda: payloads.object_payload(found))
    if found.items:
        error = CheckFailed("The models say something else than the scripts.", hint="asyncmig revision --autogenerate.")
        failures.say(error, console)
        raise typer.Exit(error.exit_code)
    console.note("The models and the scripts agree.")


def log(
    ctx: typer.Context,
    limit: Annotated[str | None, typer.Option("--limit", metavar="N", help="Only the newest N.")] = None,
) -> None:
    """What was applied, newest first: when, which revision and direction, the outcome, how long, by whom."""
    run(_log(session_of(ctx), _number(limit)))


def _number(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise UsageError(f"--limit {text}: not a number of entries.", hint="For example --limit 10.")
    return int(text)


async def _log(session: Session, limit: int | None) -> None:
    console = session.console
    async with session.connected(session.writing()) as migrator:
        entries = await migrator.log(limit=limit)
    console.result("\n".join(report_texts.log_lines(entries, verbose=console.verbose)))
    console.data(lambda: {"entries": [payloads.plain(entry) for entry in entries]})
    if not entries:
        console.note("The journal is empty.")
