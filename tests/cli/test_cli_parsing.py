"""How a command line is read: the options of every command on both sides of its name, `-1` as a revision."""

from typing import Annotated

import pytest
import typer

from asyncmig.cli.app import COMMANDS, build
from asyncmig.cli.command import make_command
from asyncmig.cli.options import GlobalOptions
from asyncmig.cli.parameters import protect, unprotect
from asyncmig.cli.session import Session, session_of
from asyncmig.errors import UsageError

SEEN: dict[str, object] = {}


def probe(
    ctx: typer.Context,
    places: Annotated[list[str] | None, typer.Argument()] = None,
    range: Annotated[str | None, typer.Option("-r")] = None,
    flag: Annotated[bool, typer.Option("--flag")] = False,
) -> None:
    """A command that remembers what it was given."""
    SEEN.update(places=places or [], range=range, flag=flag, options=session_of(ctx).options)


def seen(*arguments: str) -> dict[str, object]:
    command = make_command("probe", probe, help="Probe.", example="probe", session=Session())
    SEEN.clear()
    command.main(list(arguments), prog_name="probe", standalone_mode=False)
    return dict(SEEN)


@pytest.mark.parametrize(
    ("typed", "places", "range"),
    [
        (["-1"], ["-1"], None),
        (["-12"], ["-12"], None),
        (["+2"], ["+2"], None),
        (["--", "-1"], ["-1"], None),
        (["shop@+1", "-1", "--flag"], ["shop@+1", "-1"], None),
        (["-3:current"], ["-3:current"], None),
        (["-r-3:current"], [], "-3:current"),
        (["-r", "-3:"], [], "-3:"),
        (["-r", "-3:", "-1"], ["-1"], "-3:"),
        (["-2:-1"], ["-2:-1"], None),
    ],
)
def test_relative_revisions_are_values_as_typed(typed: list[str], places: list[str], range: str | None) -> None:
    given = seen(*typed)
    assert (given["places"], given["range"]) == (places, range)


def test_flag_after_a_relative_revision_is_still_a_flag() -> None:
    assert seen("-1", "--flag")["flag"] is True


@pytest.mark.parametrize("typed", [["--nope"], ["-z"], ["-r"]])
def test_unknown_and_unfinished_options_are_usage_errors(typed: list[str]) -> None:
    with pytest.raises(typer.BadParameter.__mro__[1]):
        seen(*typed)


def test_message_about_a_superfluous_relative_revision_shows_it_as_typed() -> None:
    command = make_command("none", lambda: None, help="", example="", session=Session())
    with pytest.raises(typer.BadParameter.__mro__[1], match=r"\(-1\)"):
        command.main(["-1"], prog_name="none", standalone_mode=False)


@pytest.mark.parametrize("text", ["-1", "-12:head", "--x", "-v", "head", "-1x", "", "--1"])
def test_unprotect_undoes_protect(text: str) -> None:
    assert unprotect(protect([text])) == [text]


def test_options_of_every_command_are_taken_out_of_the_commands_own() -> None:
    given = seen("-c", "a.toml", "-x", "a=1", "-x", "b=2", "--json", "-q", "head")
    assert given["options"] == GlobalOptions(config="a.toml", x=("a=1", "b=2"), as_json=True, quiet=True)
    assert given["places"] == ["head"]


def test_what_stands_further_right_wins_and_x_adds_up() -> None:
    left = GlobalOptions().merged({"config": "a", "x": ("a=1",), "verbose": True})
    right = left.merged({"config": "b", "x": ("b=2",), "verbose": False, "url": None})
    assert right == GlobalOptions(config="b", x=("a=1", "b=2"), verbose=True)


@pytest.mark.parametrize(("text", "seconds"), [(None, None), ("30", 30.0), ("0.5", 0.5), ("0", 0.0)])
def test_wait_is_seconds(text: str | None, seconds: float | None) -> None:
    assert Session(GlobalOptions(wait=text)).wait == seconds


@pytest.mark.parametrize("text", ["soon", "-1", "inf", "nan"])
def test_wait_that_is_no_number_of_seconds_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--wait"):
        _ = Session(GlobalOptions(wait=text)).wait


def test_every_listed_command_can_be_loaded_and_documents_itself() -> None:
    group = typer.main.get_command(build())
    for entry in COMMANDS:
        command = group.commands[entry.name]  # type: ignore[attr-defined]
        assert command.help
        assert entry.example.startswith(f"asyncmig {entry.name}")
        assert entry.example in command.epilog
