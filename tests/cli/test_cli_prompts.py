"""Questions and who answers them; errors as paragraphs."""

import io
from pathlib import Path
from typing import Any

import pytest

from asyncmig.cli.failures import error_payload, paragraph, report
from asyncmig.cli.output import Console
from asyncmig.cli.prompts import AnswersYes, AsksNobody, AsksTerminal
from asyncmig.errors import AmbiguousRevision, Declined


@pytest.mark.parametrize("answer", ["y\n", "Y\n", "yes\n", " yes \n"])
def test_terminal_takes_yes_and_asks_on_the_writer(answer: str) -> None:
    writer = io.StringIO()
    AsksTerminal(io.StringIO(answer), writer).confirm("Go on?", flag="--yes")
    assert writer.getvalue() == "Go on? [y/N] "


@pytest.mark.parametrize("answer", ["\n", "n\n", "no\n", "", "yep\n"])
def test_terminal_takes_anything_else_as_no(answer: str) -> None:
    with pytest.raises(Declined, match="--yes answers yes"):
        AsksTerminal(io.StringIO(answer), io.StringIO()).confirm("Go on?", flag="--yes")


def test_without_a_terminal_the_message_names_the_flag() -> None:
    with pytest.raises(Declined, match=r"Go on\?.*Answer with --yes"):
        AsksNobody().confirm("Go on?", flag="--yes")


def test_yes_answers() -> None:
    AnswersYes().confirm("Go on?", flag="--yes")


def console(*, as_json: bool = False) -> tuple[Console, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    return Console(out, err, as_json=as_json), out, err


def test_expected_error_is_one_paragraph_without_traceback() -> None:
    shown, out, err = console()
    error = AmbiguousRevision(
        "ab could be ab12 or ab34.", identifier="ab", candidates=["ab12", "ab34"], hint="Type more."
    )
    assert report(error, shown, show_traceback=False) == 2
    assert err.getvalue() == "error: ab could be ab12 or ab34. Type more.\n"
    assert out.getvalue() == ""


def test_traceback_is_shown_when_asked_for() -> None:
    shown, _, err = console()
    try:
        raise ValueError("odd")
    except ValueError as error:
        assert report(error, shown, show_traceback=True) == 3
    assert "Traceback" in err.getvalue()
    assert "error: unexpected ValueError: odd." in err.getvalue()


def test_what_comes_out_of_the_projects_own_code_is_said_to(tmp_path: Path) -> None:
    """Also where a library raises it, called from there."""
    own = tmp_path / "env.py"
    own.write_text("import json\ndef hook():\n    json.loads('{')\n")
    names: dict[str, Any] = {}
    exec(compile(own.read_text(), str(own), "exec"), names)
    shown, _, err = console()
    try:
        names["hook"]()
    except ValueError as error:
        report(error, shown, show_traceback=False)
    assert f"It comes out of {own}:3;" in err.getvalue()
    assert "defect" not in err.getvalue()


def test_json_error_is_on_stdout_with_the_errors_data() -> None:
    shown, out, err = console(as_json=True)
    error = AmbiguousRevision("x", identifier="ab", candidates=["ab12"])
    report(error, shown, show_traceback=False)
    assert '"version": 1' in out.getvalue()
    assert error_payload(error, 2)["candidates"] == ["ab12"]
    assert err.getvalue() == "error: x\n"


def test_password_never_appears_in_an_error() -> None:
    shown, out, err = console(as_json=True)
    report(RuntimeError("postgresql://ann:s3c@ret@db/x failed"), shown, show_traceback=True)
    assert "s3c" not in out.getvalue() + err.getvalue()


def test_paragraph_wraps_at_words_and_keeps_line_breaks() -> None:
    assert paragraph("one two three\nfour", width=8) == "one two\nthree\nfour"
    assert paragraph("one two three", width=None) == "one two three"
