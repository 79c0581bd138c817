"""The options that every command takes, before or after the command's name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any

import typer

__all__ = ["GlobalOptions", "declare"]


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """What was given, or None, () and False; `wait` is still text, parsed where it is used."""

    config: str | None = None
    name: str | None = None
    x: tuple[str, ...] = ()
    url: str | None = None
    env_file: str | None = None
    wait: str | None = None
    as_json: bool = False
    events: bool = False
    quiet: bool = False
    verbose: bool = False
    no_color: bool = False
    yes: bool = False
    no_input: bool = False
    traceback: bool = False

    @classmethod
    def names(cls) -> frozenset[str]:
        return frozenset(field.name for field in fields(cls))

    def merged(self, given: Mapping[str, Any]) -> GlobalOptions:
        """These, with what stands further to the right on the command line: it wins; -x adds up."""
        changes = {name: value for name, value in given.items() if value}
        if "x" in changes:
            changes["x"] = (*self.x, *changes["x"])
        return replace(self, **changes)

    @property
    def choosing(self) -> tuple[str, ...]:
        """The given options that choose configuration or database, as they are typed."""
        typed = {"config": "-c", "name": "-n", "x": "-x", "url": "--url", "env_file": "--env-file"}
        return tuple(option for name, option in typed.items() if getattr(self, name))


def _complete_database(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    # Imported late: completion.py needs the options, and only a Tab needs completion.py.
    from asyncmig.cli.completion import complete_database

    return complete_database(ctx, incomplete)


def declare(
    config: Annotated[str | None, typer.Option("-c", "--config", metavar="FILE", help="Configuration file.")] = None,
    name: Annotated[
        str | None,
        typer.Option("-n", "--name", metavar="NAME", help="One of [databases].", autocompletion=_complete_database),
    ] = None,
    x: Annotated[
        list[str] | None, typer.Option("-x", metavar="KEY=VALUE", help="Argument for env.py; repeatable.")
    ] = None,
    url: Annotated[str | None, typer.Option("--url", metavar="URL", help="Database URL.")] = None,
    env_file: Annotated[
        str | None, typer.Option("--env-file", metavar="FILE", help="Environment variables from a file.")
    ] = None,
    wait: Annotated[
        str | None, typer.Option("--wait", metavar="SECONDS", help="Retry until the server answers, this long.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The result as one JSON object.")] = False,
    events: Annotated[
        bool, typer.Option("--events", help="Each event of a run as a line of JSON, the result last.")
    ] = False,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Only the result.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say more.")] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colour (NO_COLOR does the same).")] = False,
    yes: Annotated[bool, typer.Option("-y", "--yes", help="Answer yes to questions.")] = False,
    no_input: Annotated[bool, typer.Option("--no-input", help="Never ask; stop where an answer is needed.")] = False,
    traceback: Annotated[
        bool, typer.Option("--traceback", "--raiseerr", help="Show the traceback of an error.")
    ] = False,
) -> None:
    """The declaration that command.py copies into each command and into the group."""
