"""What looks at the database and changes nothing: current, status, plan, check, log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asyncmig.cli import payloads, report_texts
from asyncmig.cli.completion import complete_revision
from asyncmig.cli.runner import run
from asyncmig.cli.session import Session, session_of
from asyncmig.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from asyncmig.cli.output import Console
    from asyncmig.database.report import CurrentReport, StatusReport
    from asyncmig.migrator import Migrator

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
    console = session.console
    found: list[tuple[str | None, CurrentReport]] = []
    behind: list[str] = []
    for name, migrator in session.each():
        async with session.connected(migrator):
            report = await migrator.current()
            found.append((name, report))
            if check_heads and not await _at_every_head(migrator, report):
                behind.append(name or report.database)
    _show_current(console, found)
    if behind:
        raise CheckFailed(f"Not at every head: {', '.join(behind)}.", hint="Run asyncmig upgrade heads.")


async def _at_every_head(migrator: Migrator, report: CurrentReport) -> bool:
    heads = {head.id for head in await migrator.heads(resolve_dependencies=True)}
    rows = {row.revision for row in report.revisions}
    return heads <= rows and all(row.state.value != "foreign" for row in report.revisions)


def _show_current(console: Console, found: list[tuple[str | None, CurrentReport]]) -> None:
    render = report_texts.current_block if console.verbose else report_texts.current_line
    width = max((len(name) for name, _ in found if name), default=0)
    lines: list[str] = []
    for name, report in found:
        texts_of_rows = [render(row, console.out_styles) for row in report.revisions]
        if name is not None:
            lines += [f"{name:{width}}  {text}" for text in texts_of_rows or ["<base>"]]
        else:
            lines += texts_of_rows
        if console.verbose:
            console.note(f"Database {report.database}")
        if not report.revisions and name is None:
            console.note("No revision is applied to the database.")
    console.result(("\n\n" if console.verbose else "\n").join(lines))
    _data(console, [(name, payloads.object_payload(report)) for name, report in found])


def status(ctx: typer.Context) -> None:
    """One screen: database, server, heads, what is pending, changed or unknown; of every configured database."""
    run(_status(session_of(ctx)))


async def _status(session: Session) -> None:
    console = session.console
    found: list[tuple[str | None, StatusReport]] = []
    for name, migrator in session.each():
        async with session.connected(migrator):
            found.append((name, await migrator.status()))
    blocks = []
    for name, report in found:
        heading = [f"[{name}]"] if name else []
        blocks.append("\n".join([*heading, *report_texts.status_lines(report, console.out_styles)]))
    console.result("\n\n".join(blocks))
    _data(console, [(name, {**payloads.object_payload(report), "clean": report.clean}) for name, report in found])


def _data(console: Console, found: list[tuple[str | None, dict[str, object]]]) -> None:
    """One database's report as the object itself, several under their names."""
    if len(found) == 1 and found[0][0] is None:
        console.data(found[0][1])
    else:
        console.data({"databases": {str(name): payload for name, payload in found}})


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
    console.result("\n".join(report_texts.plan_lines(report, console.out_styles)))
    console.data(payloads.object_payload(report))


def check(ctx: typer.Context) -> None:
    """Exit 1 unless the database is at head and every applied script is as it was; say what is not."""
    run(_check(session_of(ctx)))


async def _check(session: Session) -> None:
    console = session.console
    async with session.connected(session.writing()) as migrator:
        report = await migrator.check()
    console.note(f"{report.database} is up to date.")
    console.data({**payloads.object_payload(report), "clean": report.clean})


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
    console.data({"entries": [payloads.plain(entry) for entry in entries]})
    if not entries:
        console.note("The journal is empty.")
