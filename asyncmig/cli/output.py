"""Where text goes: the result to stdout, everything else to stderr, colour only on a terminal."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TextIO

from asyncmig.errors import AsyncmigError

__all__ = ["Console", "OutputLost", "Styles", "printable_json"]

_CODES = {
    "add": "32",
    "drop": "31",
    "change": "33",
    "dim": "2",
    "strong": "1",
    "error": "1;31",
    "warning": "1;33",
    "id": "33",
}
_SIGNS = {"+": "add", "-": "drop", "~": "change"}


class OutputLost(AsyncmigError):
    """stdout takes no more: its disk is full, or it was closed."""


@contextmanager
def _lost_in_words() -> Iterator[None]:
    """A reader that went away (BrokenPipeError) is no failure, and not told here."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputLost(
            f"The result cannot be written to stdout: {error.strerror}.",
            hint="What was done to the database stands: `asyncmig status` shows it.",
        ) from error


@dataclass(frozen=True, slots=True)
class Styles:
    """Colours for one stream; without colour every text comes back as it is."""

    colour: bool = False

    def paint(self, text: str, style: str) -> str:
        return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if self.colour and text else text

    def signed(self, text: str) -> str:
        """A line that begins with + - or ~, in the colour of its sign."""
        style = _SIGNS.get(text.lstrip()[:1])
        return self.paint(text, style) if style else text


@dataclass(frozen=True, slots=True)
class Console:
    """Both streams of the process, and what the user wants to see of them."""

    out: TextIO
    err: TextIO
    out_styles: Styles = Styles()
    err_styles: Styles = Styles()
    as_json: bool = False
    as_lines: bool = False
    quiet: bool = False
    verbose: bool = False

    @classmethod
    def for_process(
        cls,
        *,
        as_json: bool = False,
        as_lines: bool = False,
        quiet: bool = False,
        verbose: bool = False,
        no_color: bool = False,
    ) -> Console:
        def styles(stream: TextIO) -> Styles:
            wanted = not (no_color or os.environ.get("NO_COLOR")) and os.environ.get("TERM") != "dumb"
            return Styles(wanted and stream.isatty())

        return cls(sys.stdout, sys.stderr, styles(sys.stdout), styles(sys.stderr), as_json, as_lines, quiet, verbose)

    @property
    def interactive(self) -> bool:
        """Somebody looks at stderr: a progress bar makes sense."""
        return self.err.isatty()

    def result(self, text: str) -> None:
        """The result, for people; nothing where it is empty, and nothing with --json.

        What stdout's encoding does not have is shown as an escape: a pipe on Windows, or a terminal set to Latin-1.
        """
        if text and not self.as_json:
            self._write(text, otherwise=lambda: self._escaped(text))

    def script(self, sql: str) -> None:
        """A result that a database is to run: to the letter, or OutputLost."""
        if sql and not self.as_json:
            self._write(sql, otherwise=self._refuse_encoding)

    def data(self, payload: Callable[[], Mapping[str, object]]) -> None:
        """The result, for programs; not even made without --json: a history may have ten thousand entries."""
        if self.as_json:
            self._write_json(payload(), indent=None if self.as_lines else 2)

    def event(self, payload: Mapping[str, object]) -> None:
        """What happens while a command runs, for programs: at once, a line each; nothing without --events."""
        if self.as_lines:
            self._write_json(payload, indent=None)
            self.flush()

    def flush(self) -> None:
        with _lost_in_words():
            self.out.flush()

    def _write_json(self, payload: Mapping[str, object], *, indent: int | None) -> None:
        text = printable_json(payload, indent=indent)
        self._write(text, otherwise=lambda: printable_json(payload, indent=indent, ascii_only=True))

    def _write(self, text: str, *, otherwise: Callable[[], str]) -> None:
        """`otherwise` gives what is written where stdout's encoding does not have all of the text."""
        with _lost_in_words():
            try:
                print(text, file=self.out)
            except UnicodeEncodeError:  # of the whole text, before any of it was written
                print(otherwise(), file=self.out)

    def _escaped(self, text: str) -> str:
        encoding = self.out.encoding
        return text.encode(encoding, "backslashreplace").decode(encoding)

    def _refuse_encoding(self) -> str:
        raise OutputLost(
            f"The result cannot be written to stdout: not all of it can be said in {self.out.encoding}.",
            hint="Set PYTHONIOENCODING=utf-8 and run it again.",
        )

    def note(self, text: str) -> None:
        """What is good to know and not the result; --quiet drops it."""
        if text and not self.quiet:
            print(text, file=self.err, flush=True)

    def tell(self, text: str) -> None:
        """What --quiet does not drop: a question hangs on it."""
        print(text, file=self.err, flush=True)

    def warn(self, text: str) -> None:
        """What somebody should look into, also with --quiet."""
        print(f"{self.err_styles.paint('warning:', 'warning')} {text}", file=self.err, flush=True)


def printable_json(payload: Mapping[str, object], *, indent: int | None = 2, ascii_only: bool = False) -> str:
    """One object, `"version": 1` first; what no JSON type fits was turned into text by payloads.py."""
    return json.dumps({"version": 1, **payload}, indent=indent, ensure_ascii=ascii_only)
