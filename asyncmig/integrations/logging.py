"""An observer that writes what a run does into Python's logging."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import assert_never

from asyncmig.database.events import (
    BatchFinished,
    Event,
    LockWaiting,
    Retrying,
    StatementStarted,
    StepFailed,
    StepFinished,
    StepStarted,
    Warned,
    facts,
)
from asyncmig.database.failures import message_of

__all__ = ["LoggingObserver"]


@dataclass(frozen=True, slots=True)
class LoggingObserver:
    """`Migrator(observer=LoggingObserver())`: a record an event, under the logger "asyncmig" unless told otherwise.

    A record's `asyncmig` attribute is the event as a flat dict of JSON's types, for formatters that write structures.
    Steps are INFO, retries and warnings WARNING, a failed step ERROR. Statements, as the script wrote them, and batches of rows are DEBUG.
    """

    logger: logging.Logger = field(default_factory=lambda: logging.getLogger("asyncmig"))

    def __call__(self, event: Event) -> None:
        level = _level(event)
        if self.logger.isEnabledFor(level):
            where = f"{event.target}: " if event.target else ""
            self.logger.log(level, "%s%s", where, _sentence(event), extra={"asyncmig": facts(event)})


def _level(event: Event) -> int:
    match event:
        case StatementStarted() | BatchFinished():
            return logging.DEBUG
        case StepStarted() | StepFinished() | LockWaiting():
            return logging.INFO
        case Retrying() | Warned():
            return logging.WARNING
        case StepFailed():
            return logging.ERROR
    assert_never(event)


def _sentence(event: Event) -> str:
    match event:
        case StepStarted():
            message = event.message.partition("\n")[0]
            return f"{event.direction} {event.revision} {message} ({event.index} of {event.total})".replace("  ", " ")
        case StatementStarted():
            return f"{event.revision} statement {event.number}: {event.sql}"
        case StepFinished():
            step = event.report
            return f"{step.direction} {step.revision} done in {step.seconds:.2f} s"
        case StepFailed():
            return f"{event.direction} {event.revision} failed: {message_of(event.error)}"
        case LockWaiting():
            return f"waiting for the run lock, held by {event.holder or 'another runner'}"
        case Retrying():
            return f"{event.revision}: {event.reason}; attempt {event.attempt + 1} in {event.delay:.2f} s"
        case BatchFinished():
            return f"{event.revision}: {event.rows} rows of {event.table}"
        case Warned():
            return event.message
    assert_never(event)
