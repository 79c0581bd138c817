"""What the scripts say: heads, history, branches, show. None of these imports SQLAlchemy, unless asked for the database."""

from __future__ import annotations

from typing import Annotated

import typer

from asyncmig.cli import payloads, revision_texts
from asyncmig.cli.completion import complete_revision
from asyncmig.cli.session import counts_from_database, session_of

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
    entries = session.ask(lambda migrator: migrator.heads(resolve_dependencies=resolve_dependencies))
    if console.verbose:
        console.result("\n\n".join(revision_texts.revision_block(entry, console.out_styles) for entry in entries))
    else:
        console.result("\n".join(revision_texts.head_line(entry, console.out_styles) for entry in entries))
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
    entries = session.ask(
        lambda migrator: migrator.history(range, indicate_current=indicate_current),
        connects=indicate_current or "current" in (range or ""),
    )
    if console.verbose:
        console.result("\n\n".join(revision_texts.revision_block(entry, console.out_styles) for entry in entries))
    else:
        console.result("\n".join(revision_texts.history_line(entry, console.out_styles) for entry in entries))
    console.data({"revisions": [payloads.entry_payload(entry) for entry in entries]})


def branches(ctx: typer.Context) -> None:
    """The revisions that several others follow, each with those; with -v all about each."""
    session = session_of(ctx)
    console = session.console
    found = session.ask(lambda migrator: migrator.branches())
    if console.verbose:
        console.result("\n\n".join(revision_texts.branch_block(branch, console.out_styles) for branch in found))
    else:
        lines = (line for branch in found for line in revision_texts.branch_lines(branch, console.out_styles))
        console.result("\n".join(lines))
    console.data({"branches": [payloads.branch_payload(branch) for branch in found]})


def show(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="REV", help="A revision.", autocompletion=complete_revision)],
) -> None:
    """All about one revision: its parents, its file, its whole message. `current` asks the database."""
    session = session_of(ctx)
    console = session.console
    entries = session.ask(lambda migrator: migrator.show(revision), connects=counts_from_database(revision))
    console.result("\n\n".join(revision_texts.revision_block(entry, console.out_styles) for entry in entries))
    console.data({"revisions": [payloads.entry_payload(entry) for entry in entries]})
