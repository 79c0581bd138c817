"""Progress of a run on stderr: a bar on a terminal, a line a step elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from asyncmig.cli.words import seconds_text
from asyncmig.database.events import (
    BatchFinished,
    LockWaiting,
    Retrying,
    StatementStarted,
    StepFinished,
    StepStarted,
    Warned,
    facts,
)
from asyncmig.url import redact

if TYPE_CHECKING:
    from asyncmig.cli.output import Console
    from asyncmig.database.events import Event

__all__ = ["Bar", "Lines", "Stream", "progress_for"]

_BATCH_SECONDS = 5.0


def progress_for(console: Console) -> Lines | Bar | Stream:
    """A bar where somebody watches; --quiet shows neither, warnings excepted. With --events a program watches too."""
    shown = Bar(console) if console.interactive and not console.quiet else Lines(console)
    return Stream(console, shown) if console.as_lines else shown


def finished_line(event: StepFinished) -> str:
    """`upgrade 433af9f41996 create account (0.02 s)`."""
    step = event.report
    resumed = ", resumed" if step.resumed else ""
    words = " ".join(part for part in (step.direction.value, step.revision, step.message.partition("\n")[0]) if part)
    return f"{words} ({seconds_text(step.seconds)}{resumed})"


class Lines:
    """An observer that writes what has happened, a line each."""

    hears_late = True

    def __init__(self, console: Console, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console
        self._clock = clock
        self._waits = False
        self._told = clock()

    @property
    def hears_statements(self) -> bool:
        return self._console.verbose

    def shown(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def __call__(self, event: Event) -> None:
        if isinstance(event, StepFinished):
            self._console.note(finished_line(event))
        elif isinstance(event, LockWaiting) and not self._waits:
            self._waits = True
            self._console.note(waiting_line(event))
        elif isinstance(event, Retrying):
            self._console.note(retrying_line(event))
        elif isinstance(event, BatchFinished):
            self._batch(event)
        elif isinstance(event, Warned):
            self._console.warn(event.message)
        elif isinstance(event, StatementStarted) and self._console.verbose:
            self._console.note(f"  {event.sql}")

    def _batch(self, event: BatchFinished) -> None:
        """A line every few seconds: a backfill may have a hundred thousand batches."""
        now = self._clock()
        if now - self._told >= _BATCH_SECONDS:
            self._told = now
            self._console.note(batch_line(event))


class Bar:
    """An observer that draws a bar for the steps, the running one named beside it."""

    def __init__(self, console: Console) -> None:
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._console = console
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=RichConsole(file=console.err, no_color=not console.err_styles.colour, highlight=False),
            transient=True,
        )
        self._task = self._progress.add_task("", total=None, visible=False)

    @property
    def hears_statements(self) -> bool:
        return self._console.verbose

    def shown(self) -> AbstractContextManager[Any]:
        return self._progress

    def __call__(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            title = f"{event.direction.value} {event.revision} {event.message.partition(chr(10))[0]}".rstrip()
            self._progress.update(self._task, description=title, total=event.total, visible=True)
        elif isinstance(event, StepFinished):
            self._say(finished_line(event))
            self._progress.update(self._task, completed=event.index, total=event.total)
        elif isinstance(event, LockWaiting):
            self._progress.update(self._task, description=waiting_line(event), visible=True)
        elif isinstance(event, Retrying):
            self._say(retrying_line(event))
        elif isinstance(event, BatchFinished):
            self._progress.update(self._task, description=batch_line(event))
        elif isinstance(event, Warned):
            self._say(f"warning: {event.message}")
        elif isinstance(event, StatementStarted) and self._console.verbose:
            self._say(f"  {event.sql}")

    def _say(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)


class Stream:
    """An observer that writes each event to stdout as a line of JSON, beside what people are shown."""

    def __init__(self, console: Console, shown: Lines | Bar) -> None:
        self._console = console
        self._shown = shown

    def shown(self) -> AbstractContextManager[Any]:
        return self._shown.shown()

    def __call__(self, event: Event) -> None:
        told = facts(event)
        self._console.event({key: redact(value) if isinstance(value, str) else value for key, value in told.items()})
        self._shown(event)


def batch_line(event: BatchFinished) -> str:
    total = "" if event.total is None else f" of about {max(event.total, event.rows):,}"
    return f"{event.revision}: {event.table}, {event.rows:,} rows{total}"


def waiting_line(event: LockWaiting) -> str:
    holder = f" (held by {event.holder})" if event.holder else ""
    return f"waiting for another migration to end{holder}"


def retrying_line(event: Retrying) -> str:
    return f"{event.revision}: {event.reason}; trying again in {seconds_text(event.delay)}"
