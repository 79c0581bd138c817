"""Progress of a fleet: on stderr a bar with counts, or a line a target; with --events all of it on stdout too."""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from asyncmig.cli import payloads
from asyncmig.cli.words import seconds_text
from asyncmig.database.events import LockWaiting, Retrying, Warned, facts
from asyncmig.url import redact

if TYPE_CHECKING:
    from asyncmig.cli.output import Console
    from asyncmig.database.events import Event
    from asyncmig.fleet import TargetFinished

__all__ = ["FleetBar", "FleetLines", "FleetProgress", "FleetStream", "fleet_progress_for"]


def fleet_progress_for(console: Console) -> FleetProgress:
    """A bar where somebody watches; --quiet shows neither, warnings excepted. With --events a program watches too."""
    shown = FleetBar(console) if console.interactive and not console.quiet else FleetLines(console)
    return FleetStream(console, shown) if console.as_lines else shown


class FleetProgress(ABC):
    """An observer of what happens at each target, and of the targets that are finished.

    Statements are not shown: a fleet need not stop at each to tell them.
    """

    hears_statements = False

    def __init__(self, console: Console) -> None:
        self.console = console

    def __call__(self, event: Event) -> None:
        match event:
            case Warned():
                self.warn(f"{event.target}: {event.message}")
            case Retrying():
                words = f"{event.revision}: {event.reason}; trying again in {seconds_text(event.delay)}"
                self.say(f"{event.target}: {words}")
            case LockWaiting():
                self.say(f"{event.target}: waiting for {event.holder or 'another migration'} to end")
            case _:
                pass

    def say(self, text: str) -> None:
        self.console.note(text)

    def warn(self, text: str) -> None:
        self.console.warn(text)

    def shown(self, total: int) -> AbstractContextManager[Any]:
        return nullcontext()

    @abstractmethod
    def finished(self, event: TargetFinished) -> None: ...


class FleetLines(FleetProgress):
    """Says which targets changed or failed as it happens; with --verbose the others too."""

    def finished(self, event: TargetFinished) -> None:
        result = event.result
        if result.outcome.value != "unchanged" or self.console.verbose:
            line = f"{event.done}/{event.total} {result.target} {result.outcome} ({seconds_text(result.seconds)})"
            self.console.note(line)


class FleetBar(FleetProgress):
    """A bar, and beside it how many changed, failed and so on."""

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        from rich.console import Console as RichConsole
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=RichConsole(file=console.err, no_color=not console.err_styles.colour, highlight=False),
            transient=True,
        )
        self._task = self._progress.add_task("")

    def say(self, text: str) -> None:
        self._progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def warn(self, text: str) -> None:
        self.say(f"warning: {text}")

    def shown(self, total: int) -> AbstractContextManager[Any]:
        self._progress.update(self._task, total=total)
        return self._progress

    def finished(self, event: TargetFinished) -> None:
        counts = ", ".join(f"{count:,} {outcome}" for outcome, count in event.counts.items() if count)
        self._progress.update(self._task, completed=event.done, description=counts)


class FleetStream(FleetProgress):
    """Writes each event to stdout as a line of JSON, and each target that is finished."""

    hears_statements = True

    def __init__(self, console: Console, shown: FleetProgress) -> None:
        super().__init__(console)
        self._shown = shown

    def __call__(self, event: Event) -> None:
        told = facts(event)
        self.console.event({key: redact(value) if isinstance(value, str) else value for key, value in told.items()})
        self._shown(event)

    def shown(self, total: int) -> AbstractContextManager[Any]:
        return self._shown.shown(total)

    def finished(self, event: TargetFinished) -> None:
        payload = payloads.object_payload(event.result)
        self.console.event({"event": "target_finished", **payload, "done": event.done, "total": event.total})
        self._shown.finished(event)
