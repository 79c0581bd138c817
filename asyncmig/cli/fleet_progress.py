"""Progress of a fleet on stderr: a bar with counts on a terminal; elsewhere a line a target, where it is worth one."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from asyncmig.cli.words import seconds_text

if TYPE_CHECKING:
    from asyncmig.cli.output import Console
    from asyncmig.fleet import TargetFinished

__all__ = ["FleetBar", "FleetLines"]


class FleetLines:
    """Says which targets changed or failed as it happens; with --verbose the others too."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def shown(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def __call__(self, event: TargetFinished) -> None:
        result = event.result
        if result.outcome.value != "unchanged" or self._console.verbose:
            line = f"{event.done}/{event.total} {result.target} {result.outcome} ({seconds_text(result.seconds)})"
            self._console.note(line)


class FleetBar:
    """A bar, and beside it how many changed, failed and so on."""

    def __init__(self, console: Console, total: int) -> None:
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
        self._task = self._progress.add_task("", total=total)

    def shown(self) -> AbstractContextManager[Any]:
        return self._progress

    def __call__(self, event: TargetFinished) -> None:
        counts = ", ".join(f"{count:,} {outcome}" for outcome, count in event.counts.items() if count)
        self._progress.update(self._task, completed=event.done, description=counts)
