"""Steps at the front of a plan that go to the database together, each in its own transaction.

An exchange with the database costs more than most statements do: a round trip to a server, a turn of the driver's thread and
of the event loop on SQLite. What can be foreseen of a step (whole.py) needs none between one step and the next: so as many as
are spelled within a moment share one. Whatever one of them meets, what came before it is committed, and it is done
again by itself, the ordinary way, which says what is wrong with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

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
        change = attempt.whole_change(whole, recheck=recheck, follows=bool(ready)) if attempt.may_be_whole else None
        if change is None:
            break
        ready.append((attempt, whole, change))
        if time.monotonic() > until:
            break
    if not ready:
        return []
    began = time.monotonic()
    try:
        seconds = driver.change_many([change for _, _, change in ready])
    except sa.exc.DBAPIError:
        share = (time.monotonic() - began) / len(ready)
        seconds = [share] * _standing(driver, [attempt for attempt, _, _ in ready])
    return [
        attempt.report(len(whole.statements), taken) for (attempt, whole, _), taken in zip(ready, seconds, strict=False)
    ]


def _standing(driver: Driver, attempts: Sequence[Attempt]) -> int:
    """How many of the steps are committed: a text that failed does not say."""
    attempts[0].undo()
    if driver.gone:
        return 0
    rows = attempts[0].ledger.read().versions
    return next((number for number, attempt in enumerate(attempts, 1) if attempt.step.after == rows), 0)
