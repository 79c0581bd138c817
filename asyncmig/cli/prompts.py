"""Questions: asked on a terminal, answered by a flag, or refused naming that flag."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Protocol, TextIO

from asyncmig.errors import Declined

__all__ = ["AnswersYes", "AsksNobody", "AsksTerminal", "Questioner", "questioner_for", "read_answer"]


class Questioner(Protocol):
    """Whoever answers. `flag` is the option that would have answered yes."""

    def confirm(self, question: str, *, flag: str) -> None:
        """Return where the answer is yes; raise Declined where it is no or nobody can be asked."""


@dataclass(frozen=True, slots=True)
class AnswersYes:
    def confirm(self, question: str, *, flag: str) -> None:
        return None


@dataclass(frozen=True, slots=True)
class AsksNobody:
    """Without a terminal a question is never asked: a pipeline must not hang."""

    def confirm(self, question: str, *, flag: str) -> None:
        raise Declined(f"{question} Nobody was asked: nothing was done.", hint=f"Answer with {flag}.")


@dataclass(frozen=True, slots=True)
class AsksTerminal:
    """Questions stand on stderr, so that stdout holds the result alone."""

    reader: TextIO
    writer: TextIO

    def confirm(self, question: str, *, flag: str) -> None:
        answer = read_answer(self.reader, self.writer, f"{question} [y/N] ")
        if answer.lower() not in ("y", "yes"):
            raise Declined("Not confirmed: nothing was done.", hint=f"{flag} answers yes.")


def read_answer(reader: TextIO, writer: TextIO, question: str) -> str:
    """The line that somebody types, without the spaces around it; "" at the end of the input."""
    print(question, end="", file=writer, flush=True)
    with _interruptible():
        answer = reader.readline()
    if not answer:
        print(file=writer)
    return answer.strip()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C and SIGTERM end a wait for an answer at once.

    The runner's own handlers cancel a task, which a person's answer would have to come first for.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _interrupt) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def questioner_for(*, yes: bool, no_input: bool) -> Questioner:
    """The questioner that the options and the process's own stdin and stderr call for."""
    if yes:
        return AnswersYes()
    if no_input or not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return AsksNobody()
    return AsksTerminal(sys.stdin, sys.stderr)
