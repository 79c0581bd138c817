"""Every command and option of Alembic's command line is here too, or docs/coming-from-alembic.md says why not."""

import argparse
import re
from pathlib import Path
from typing import Any

import pytest
import typer
from alembic.config import CommandLine

from asyncmig.cli.app import build

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from-alembic.md").read_text(encoding="utf-8")
LACKING = set(re.findall(r"^\| `([\w-]+ -[\w-]+)` \|", PAGE, re.MULTILINE))


def alembics() -> dict[str, argparse.ArgumentParser]:
    (commands,) = (one for one in CommandLine().parser._actions if isinstance(one, argparse._SubParsersAction))
    return dict(commands.choices)


def options(parser: argparse.ArgumentParser) -> set[str]:
    return {option for action in parser._actions for option in action.option_strings}


def ours(command: Any) -> set[str]:
    return {"-h", *(option for parameter in command.get_params(typer.Context(command)) for option in parameter.opts)}


@pytest.mark.parametrize("name", alembics())
def test_command_has_every_option_of_alembics(name: str) -> None:
    group = typer.main.get_command(build())
    command = group.get_command(typer.Context(group), name)  # type: ignore[attr-defined]
    assert command is not None
    missing = {f"{name} {option}" for option in options(alembics()[name]) - ours(command)}
    assert missing <= LACKING


def test_the_command_itself_has_every_option_of_alembics() -> None:
    assert options(CommandLine().parser) <= ours(typer.main.get_command(build()))
