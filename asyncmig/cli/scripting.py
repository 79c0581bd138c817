"""What writes scripts or opens them: revision, merge, edit."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path
from typing import Annotated

import typer

from asyncmig.cli import words
from asyncmig.cli.completion import complete_revision
from asyncmig.cli.output import Console
from asyncmig.cli.session import counts_from_database, session_of
from asyncmig.errors import UsageError

__all__ = ["edit", "merge", "revision"]

_Message = Annotated[str | None, typer.Option("-m", "--message", metavar="TEXT", help="What the revision does.")]
_Label = Annotated[
    str | None, typer.Option("--branch-label", metavar="LABEL", help="A name for the branch from here on.")
]
_RevId = Annotated[str | None, typer.Option("--rev-id", metavar="ID", help="This id instead of a random one.")]


def revision(
    ctx: typer.Context,
    message: _Message = None,
    head: Annotated[
        str, typer.Option("--head", metavar="REV", help="What it follows.", autocompletion=complete_revision)
    ] = "head",
    splice: Annotated[bool, typer.Option("--splice", help="Let it follow what is not a head.")] = False,
    branch_label: _Label = None,
    version_path: Annotated[
        str | None, typer.Option("--version-path", metavar="FOLDER", help="One of version_locations.")
    ] = None,
    rev_id: _RevId = None,
    depends_on: Annotated[
        list[str] | None,
        typer.Option(
            "--depends-on", metavar="REV", help="Must be applied first; repeatable.", autocompletion=complete_revision
        ),
    ] = None,
    data: Annotated[bool, typer.Option("--data", help="A data migration: async, in batches.")] = False,
) -> None:
    """Write a new revision script; stdout names the file."""
    session = session_of(ctx)
    written = session.ask(
        lambda migrator: migrator.revision(
            message,
            head=head,
            splice=splice,
            branch_label=branch_label,
            depends_on=tuple(depends_on or ()),
            version_path=version_path,
            rev_id=rev_id,
            data=data,
        )
    )
    _show_written(session.console, written)


def merge(
    ctx: typer.Context,
    revisions: Annotated[
        list[str],
        typer.Argument(metavar="REV...", help="What to join: `heads`, or ids.", autocompletion=complete_revision),
    ],
    message: _Message = None,
    branch_label: _Label = None,
    rev_id: _RevId = None,
) -> None:
    """Write a revision that follows several at once; stdout names the file."""
    session = session_of(ctx)
    path = session.ask(
        lambda migrator: migrator.merge(revisions, message=message, branch_label=branch_label, rev_id=rev_id)
    )
    _show_written(session.console, (path,))


def _show_written(console: Console, paths: tuple[Path, ...]) -> None:
    console.result("\n".join(words.shown_path(path) for path in paths))
    console.data({"files": [str(path) for path in paths]})


def edit(
    ctx: typer.Context,
    revision: Annotated[str, typer.Argument(metavar="REV", help="A revision.", autocompletion=complete_revision)],
) -> None:
    """Open the script of a revision in $VISUAL or $EDITOR. `current` asks the database."""
    session = session_of(ctx)
    path = session.ask(lambda migrator: migrator.edit_path(revision), connects=counts_from_database(revision))
    command = [*_editor(), str(path)]
    try:
        code = subprocess.call(command)
    except OSError as error:
        raise UsageError(
            f"{command[0]} cannot be started: {error.strerror}.", hint="Check $VISUAL and $EDITOR."
        ) from error
    if code:
        raise UsageError(f"{command[0]} ended with exit code {code}.", hint=f"The script is {path}.")


def _editor() -> list[str]:
    """The words of $VISUAL, else $EDITOR: both may carry options, as in `code --wait`."""
    for name in ("VISUAL", "EDITOR"):
        words = shlex.split(os.environ.get(name, ""))
        if words:
            return words
    raise UsageError("Neither $VISUAL nor $EDITOR is set.", hint="Set one, for example: export EDITOR=vim.")
