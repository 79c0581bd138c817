"""The command line: `main` behind the console script, `create_app` for an application's own Typer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import typer

    from asyncmig.migrator import Migrator

__all__ = ["create_app", "main"]


def main() -> None:
    """Run the command in sys.argv and end the process with its exit code."""
    import gc

    from asyncmig.cli.app import run

    # The process is ours and short: collecting among the values of a long history or schema finds nothing to free.
    gc.set_threshold(50_000, 20, 100)
    raise SystemExit(run())


def create_app(migrator: Migrator | None = None) -> typer.Typer:
    """The commands as a Typer, to be mounted in another: `app.add_typer(create_app(migrator), name="db")`.

    With a migrator the commands work on its configuration, its engine and its observer, and the options that
    would choose others (-c, -n, -x, --url, --env-file) are refused.
    """
    from asyncmig.cli.app import build

    return build(migrator)
