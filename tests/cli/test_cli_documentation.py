"""docs/commands.md says what the application has: the same commands, groups, options and examples."""

import re
from pathlib import Path

import pytest
import typer

from asyncmig.cli.app import COMMANDS, Entry, build
from asyncmig.cli.command import global_parameters

PAGE = (Path(__file__).parents[2] / "docs" / "commands.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^### (\S+)\n(.*?)(?=^##|\Z)", PAGE, re.DOTALL | re.MULTILINE))


def test_page_has_the_commands_of_the_application_in_its_order() -> None:
    assert list(SECTIONS) == [entry.name for entry in COMMANDS]


def test_page_has_the_groups_of_the_application() -> None:
    groups = list(dict.fromkeys(entry.group for entry in COMMANDS))
    assert [title for title in re.findall(r"^## (.*)$", PAGE, re.MULTILINE) if title in groups] == groups


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_section_has_every_option_and_the_example(entry: Entry) -> None:
    shared = {option for parameter in global_parameters() for option in parameter.opts}
    command = typer.main.get_command(build()).commands[entry.name]  # type: ignore[attr-defined]
    own = {option for parameter in command.params if parameter.param_type_name == "option" for option in parameter.opts}
    documented = set(re.findall(r"^- `.*", SECTIONS[entry.name], re.MULTILINE))
    words = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(documented)))
    assert own - shared == words - shared
    assert f"    {entry.example}\n" in SECTIONS[entry.name]


def test_options_of_every_command_are_on_the_page() -> None:
    table = PAGE[PAGE.index("| option |") : PAGE.index("`asyncmig --version`")]
    words = set(
        re.findall(
            r"(?<![\w-])--?[a-z][a-z-]*", "".join(line.split("|")[1] for line in table.splitlines() if "|" in line)
        )
    )
    assert words == {option for parameter in global_parameters() for option in parameter.opts}
