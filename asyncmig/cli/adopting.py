"""adopt: from Alembic to asyncmig."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from asyncmig.cli.session import session_of
from asyncmig.cli.words import shown_path

if TYPE_CHECKING:
    from asyncmig.cli.output import Console
    from asyncmig.scripts.adopt import Adoption

__all__ = ["adopt"]


def adopt(
    ctx: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
) -> None:
    """Make an Alembic project an asyncmig project too. -c names its alembic.ini or pyproject.toml.

    Writes asyncmig.toml and asyncmig_env.py. The scripts, env.py, alembic.ini and the alembic_version table stay as they
    are, and `alembic upgrade head` goes on working.
    """
    from asyncmig.scripts.adopt import plan_adoption

    session = session_of(ctx)
    adoption = plan_adoption(Path.cwd(), session.options.config)
    if not dry_run:
        adoption.write()
    _show(session.console, adoption, dry_run)


def _show(console: Console, adoption: Adoption, dry_run: bool) -> None:
    if dry_run:
        diffs = [_coloured(console, file.diff(adoption.here)) for file in adoption.files]
        console.result("\n".join(diff.rstrip("\n") for diff in diffs))
    else:
        console.result("\n".join(shown_path(file.path) for file in adoption.files))
    console.data(
        lambda: {
            "dry_run": dry_run,
            "files": [{"path": str(file.path), "text": file.text} for file in adoption.files],
            "notes": list(adoption.notes),
        }
    )
    for note in adoption.notes:
        console.warn(note)
    if not adoption.files:
        console.note("This project is adopted already: nothing was written.")
    elif not dry_run:
        console.note("Next: asyncmig current. Alembic works as before; to go back, delete the files written.")


def _coloured(console: Console, diff: str) -> str:
    return "\n".join(console.out_styles.signed(line) for line in diff.splitlines())
