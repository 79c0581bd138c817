"""Steps at the front of a plan that go to the database together, each in its own transaction.

A turn of a driver's thread and of the event loop costs more than most statements on SQLite do. What can be foreseen of a step
(whole.py) needs neither between one step and the next: so as many as are spelled within a moment are done in one turn.
Whatever one of them meets, what came before it is committed, and it is done again by itself, the ordinary way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from asyncmig.database.events import hears_late

if TYPE_CHECKING:
    from asyncmig.database.attempt import Attempt, Work
    from asyncmig.database.driver import Driver, WholeChange
    from asyncmig.database.report import StepReport
    from asyncmig.database.step_settings import StepSettings
    from asyncmig.database.whole import WholeStep
    from asyncmig.revisions.plan import Step

__all__ = ["LONGEST", "may_stretch", "send_stretch"]

LONGEST = 50
_MOMENT = 0.003  # seconds that the event loop may wait for steps to be spelled


def may_stretch(settings: StepSettings) -> bool:
    """Whether nobody has to be told of a step before the next begins."""
    return settings.whole is not None and hears_late(settings.observer)


def send_stretch(
    driver: Driver,
    front: Iterable[tuple[Step, Work]],
    settings: StepSettings,
    attempt_at: Callable[[Step, Work], Attempt],
    *,
    recheck: bool,
) -> list[StepReport]:
    """Do the steps from the front that can be done so; gives the reports of those that were, [] where none was."""
    ready: list[tuple[Attempt, WholeStep, WholeChange]] = []
    until = time.monotonic() + _MOMENT
    for step, work in front:
        whole = settings.whole.of(step, work, settings) if settings.whole else None
        if whole is None:
            break
        attempt = attempt_at(step, work)
        change = attempt.whole_change(whole, recheck=recheck) if attempt.may_be_whole else None
        if change is None:
            break
        ready.append((attempt, whole, change))
        if time.monotonic() > until:
            break
    if not ready:
        return []
    clocks = driver.change_many([change for _, _, change in ready])
    return [
        attempt.report(len(whole.statements), ended) for (attempt, whole, _), ended in zip(ready, clocks, strict=False)
    ]
