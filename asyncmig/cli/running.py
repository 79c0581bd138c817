"""What changes the database: upgrade, downgrade, stamp, ensure-version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asyncmig.cli import payloads, report_texts
from asyncmig.cli.completion import complete_revision
from asyncmig.cli.runner import run
from asyncmig.cli.session import Session, session_of

if TYPE_CHECKING:
    from asyncmig.cli.output import Console
    from asyncmig.database.report import Report
    from asyncmig.migrator import Migrator

__all__ = ["downgrade", "ensure_version", "stamp", "upgrade"]

_Sql = Annotated[bool, typer.Option("--sql", help="Print the SQL instead of running it.")]
_Tag = Annotated[str | None, typer.Option("--tag", metavar="TEXT", help="Passed on to env.py.")]


def upgrade(
    ctx: typer.Context,
    revision: Annotated[
        str,
        typer.Argument(
            metavar="REV", help="Where to: head, +2, an id; a:b with --sql.", autocompletion=complete_revision
        ),
    ] = "head",
    sql: _Sql = False,
    tag: _Tag = None,
) -> None:
    """Bring the database up to a revision, head if none is given."""
    run(_upgrade(session_of(ctx), revision, sql=sql, tag=tag))


async def _upgrade(session: Session, revision: str, *, sql: bool, tag: str | None) -> None:
    from asyncmig.cli.progress import progress_for

    console = session.console
    progress = progress_for(console)
    async with session.connected(session.writing(progress), connects=not sql) as migrator:
        await _announce_target(console, migrator, sql=sql)
        with progress.shown():
            report = await migrator.upgrade(revision, sql=sql, tag=tag)
    _show_report(console, report)


def downgrade(
    ctx: typer.Context,
    revision: Annotated[
        str,
        typer.Argument(
            metavar="REV", help="Where to: -1, base, an id; a:b with --sql.", autocompletion=complete_revision
        ),
    ],
    sql: _Sql = False,
    tag: _Tag = None,
) -> None:
    """Take the database back to a revision. What would be lost is named and asked for first; --yes answers."""
    run(_downgrade(session_of(ctx), revision, sql=sql, tag=tag))


async def _downgrade(session: Session, revision: str, *, sql: bool, tag: str | None) -> None:
    from asyncmig.cli.progress import progress_for

    console = session.console
    progress = progress_for(console)
    async with session.connected(session.writing(progress), connects=not sql) as migrator:
        await _announce_target(console, migrator, sql=sql)
        if not sql:
            await _confirm_losses(session, migrator, revision)
        with progress.shown():
            report = await migrator.downgrade(revision, sql=sql, tag=tag)
    _show_report(console, report)


async def _confirm_losses(session: Session, migrator: Migrator, revision: str) -> None:
    losses = await migrator.losses(revision)
    if not losses:
        return
    console = session.console
    say = console.note if session.options.yes else console.tell
    say("The downgrade loses:")
    for loss in losses:
        say("  " + console.err_styles.signed(report_texts.loss_line(loss)))
    session.questioner.confirm(f"Downgrade to {revision} and lose this?", flag="--yes")


def stamp(
    ctx: typer.Context,
    revisions: Annotated[
        list[str], typer.Argument(metavar="REV...", help="What to record.", autocompletion=complete_revision)
    ],
    sql: _Sql = False,
    purge: Annotated[bool, typer.Option("--purge", help="Forget whatever the database says it is at first.")] = False,
    tag: _Tag = None,
) -> None:
    """Record that the database is at a revision, without running any script."""
    run(_stamp(session_of(ctx), revisions, sql=sql, purge=purge, tag=tag))


async def _stamp(session: Session, revisions: list[str], *, sql: bool, purge: bool, tag: str | None) -> None:
    console = session.console
    async with session.connected(session.writing(), connects=not sql) as migrator:
        await _announce_target(console, migrator, sql=sql)
        report = await migrator.stamp(revisions, sql=sql, purge=purge, tag=tag)
    _show_report(console, report)


def ensure_version(ctx: typer.Context, sql: _Sql = False) -> None:
    """Create the version table, or widen one whose ids are too short; run no script."""
    run(_ensure_version(session_of(ctx), sql=sql))


async def _ensure_version(session: Session, *, sql: bool) -> None:
    console = session.console
    async with session.connected(session.writing(), connects=not sql) as migrator:
        await _announce_target(console, migrator, sql=sql)
        text = await migrator.ensure_version(sql=sql)
    console.script((text or "").rstrip("\n"))
    console.data(lambda: {"sql": text} if sql else {"ensured": True})


async def _announce_target(console: Console, migrator: Migrator, *, sql: bool) -> None:
    target = await migrator.target_database(sql=sql)
    console.note(f"Database {target.url} (from {target.source})")


def _show_report(console: Console, report: Report) -> None:
    console.data(lambda: payloads.report_payload(report))
    if report.sql is not None:
        console.script("\n".join((*report.opening, report.sql.rstrip("\n"))))
        return
    for line in report_texts.outcome_lines(report):
        console.note(line)
