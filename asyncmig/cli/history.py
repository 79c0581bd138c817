"""What the scripts say: heads, history, branches, show. None of these imports SQLAlchemy, unless asked for the database."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from asyncmig.cli import payloads, texts
from asyncmig.cli.completion import complete_revision
from asyncmig.cli.runner import run, run_without_loop
from asyncmig.cli.session import session_of

if TYPE_CHECKING:
    from asyncmig.scripts.history import HistoryEntry

__all__ = ["branches", "heads", "history", "show"]


def heads(
    ctx: typer.Context,
    resolve_dependencies: Annotated[
        bool, typer.Option("--resolve-dependencies", help="Leave out heads that another revision depends on.")
    ] = False,
) -> None:
    """The newest revision of each branch; with -v all about each."""
    session = session_of(ctx)
    console = session.console
    migrator = session.reading()
    found = run_without_loop(migrator.heads(resolve_dependencies=resolve_dependencies))
    entries = [entry for head in found for entry in run_without_loop(migrator.show(head.id))]
    if console.verbose:
        console.result("\n\n".join(texts.revision_block(entry, console.out_styles) for entry in entries))
    else:
        lines = [texts.history_line(entry, console.out_styles, parents=False, message=False) for entry in entries]
        console.result("\n".join(lines))
    console.data({"heads": [payloads.entry_payload(entry) for entry in entries]})
    if not entries:
        console.note('No revisions yet: write one with asyncmig revision -m "...".')


def history(
    ctx: typer.Context,
    range: Annotated[
        str | None, typer.Option("-r", "--rev-range", metavar="A:B", help="Only these, for example -3: or base:ae10.")
    ] = None,
    indicate_current: Annotated[
        bool, typer.Option("-i", "--indicate-current", help="Mark what the database is at (connects).")
    ] = False,
) -> None:
    """The revisions, newest first; with -v all about each. `current` in the range and -i ask the database."""
    session = session_of(ctx)
    console = session.console
    if indicate_current or "current" in (range or ""):
        entries = run(_history_with_database(ctx, range, indicate_current=indicate_current))
    else:
        entries = run_without_loop(session.reading().history(range))
    if console.verbose:
        console.result("\n\n".join(texts.revision_block(entry, console.out_styles) for entry in entries))
    else:
        console.result("\n".join(texts.history_line(entry, console.out_styles) for entry in entries))
    console.data({"revisions": [payloads.entry_payload(entry) for entry in entries]})


async def _history_with_database(
    ctx: typer.Context, range: str | None, *, indicate_current: bool
) -> tuple[HistoryEntry, ...]:
    session = session_of(ctx)
    async with session.connected(session.writing()) as migrator:
        return await migrator.history(range, indicate_current=indicate_current)


def branches(ctx: typer.Context) -> None:
    """The revisions that several others follow, each with those."""
    session = session_of(ctx)
    console = session.console
    found = run_without_loop(session.reading().branches())
    console.result("\n".join(line for branch in found for line in texts.branch_lines(branch, console.out_styles)))
    console.data({"branches": [payloads.branch_payload(branch) for branch in found]})


def show(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="REV", help="A revision.", autocompletion=complete_revision)],
) -> None:
    """All about one revision: its parents, its file, its whole message. `current` asks the database."""
    session = session_of(ctx)
    console = session.console
    if "current" in revision or revision.startswith(("-", "+")):
        entries = run(_show_from_database(ctx, revision))
    else:
        entries = run_without_loop(session.reading().show(revision))
    console.result("\n\n".join(texts.revision_block(entry, console.out_styles) for entry in entries))
    console.data({"revisions": [payloads.entry_payload(entry) for entry in entries]})


async def _show_from_database(ctx: typer.Context, revision: str) -> tuple[HistoryEntry, ...]:
    session = session_of(ctx)
    async with session.connected(session.writing()) as migrator:
        return await migrator.show(revision)
