"""Errors as the user sees them: one short paragraph on stderr, an object on stdout with --json, an exit code."""

from __future__ import annotations

import os
import shutil
import sys
import sysconfig
import textwrap
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import asyncmig
from asyncmig.cli.output import OutputLost
from asyncmig.errors import AsyncmigError
from asyncmig.url import redact

if TYPE_CHECKING:
    from asyncmig.cli.output import Console

__all__ = ["BUG_EXIT_CODE", "discard_output", "error_payload", "paragraph", "report", "say"]

BUG_EXIT_CODE = 3


def paragraph(text: str, *, width: int | None) -> str:
    """`text` wrapped at words; a line break in it stays one. Without a width (no terminal) nothing is wrapped."""
    if width is None:
        return text
    lines = text.splitlines() or [""]
    return "\n".join(textwrap.fill(line, width, break_long_words=False, break_on_hyphens=False) for line in lines)


def error_payload(error: BaseException, exit_code: int) -> dict[str, object]:
    """The `error` object of --json: type, message, hint, exit code and the error's own data."""
    expected = isinstance(error, AsyncmigError)
    return {
        "type": type(error).__name__,
        "message": redact(error.message if isinstance(error, AsyncmigError) else str(error)),
        "hint": redact(error.hint) if isinstance(error, AsyncmigError) and error.hint else None,
        "exit_code": exit_code,
        "expected": expected,
        **(error.data if isinstance(error, AsyncmigError) else {}),
    }


def report(error: BaseException, console: Console, *, show_traceback: bool) -> int:
    """Say what went wrong, to people and to programs, and return the exit code that goes with it."""
    say(error, console, show_traceback=show_traceback)
    exit_code = error.exit_code if isinstance(error, AsyncmigError) else BUG_EXIT_CODE
    try:
        console.data(lambda: {"error": error_payload(error, exit_code)})
        console.flush()
    except (OutputLost, BrokenPipeError):
        discard_output()  # nobody hears it there; stderr and the exit code say it
    return exit_code


def discard_output() -> None:
    """What is still in stdout's buffer would be tried, and complained about, again at the interpreter's end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(error: BaseException, console: Console, *, show_traceback: bool = False, about: str = "") -> None:
    """The paragraph on stderr; `about` stands before it where several things can fail."""
    if show_traceback:
        print(redact("".join(traceback.format_exception(error))), file=console.err, end="")
    width = min(shutil.get_terminal_size().columns, 100) if console.interactive else None
    text = paragraph(f"error: {about}{_sentences(error)}", width=width)
    label = console.err_styles.paint("error:", "error")
    print(redact(text.replace("error:", label, 1)), file=console.err, flush=True)


def _sentences(error: BaseException) -> str:
    if isinstance(error, AsyncmigError):
        return str(error)
    said = f"unexpected {type(error).__name__}: {error}".rstrip(".")
    place = _place_in_project(error)
    if place is not None:
        return f"{said}. It comes out of {place}; --traceback shows the way there."
    return (
        f"{said}. This is a defect in asyncmig or in code that it called; "
        "run the same command with --traceback to see where."
    )


def _place_in_project(error: BaseException) -> str | None:
    """FILE:LINE of the last code on the way that is neither ours nor a library's: a hook of env.py, a model."""
    installed = [sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib", "scripts")]
    others = (*(f"{folder}{os.sep}" for folder in (*installed, Path(asyncmig.__file__).parent)), "<")
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return next((f"{one.filename}:{one.lineno}" for one in frames if not one.filename.startswith(others)), None)
