"""`plan`: what a run would do now, in words and in SQL, with nothing written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncmig.database.planned import PlannedOperation, PlannedStep
from asyncmig.database.recording import StatementWriter, record_whole_step
from asyncmig.errors import DynamicScript

if TYPE_CHECKING:
    from collections.abc import Sequence

    from asyncmig.database.attempt import Work
    from asyncmig.database.step_settings import StepSettings
    from asyncmig.operations.recorder import Recorded
    from asyncmig.revisions.plan import Plan, Step

__all__ = ["preview"]


def preview(
    plan: Plan, work: Sequence[Work], settings: StepSettings, writer: StatementWriter
) -> tuple[PlannedStep, ...]:
    """The steps of `plan`; one whose script asks for the database is marked dynamic, with its line."""
    return tuple(_step(step, piece, settings, writer) for step, piece in zip(plan.steps, work, strict=True))


def _step(step: Step, work: Work, settings: StepSettings, writer: StatementWriter) -> PlannedStep:
    operations: tuple[PlannedOperation, ...] = ()
    dynamic = None
    try:
        operations = tuple(_operation(item, writer) for item in record_whole_step(step, work, settings))
    except DynamicScript as error:
        dynamic = error.message
    revision = step.revision
    return PlannedStep(
        revision.id, step.direction, revision.message, revision.down_revisions, work.path, operations, dynamic
    )


def _operation(item: Recorded, writer: StatementWriter) -> PlannedOperation:
    statements = writer.statements(item)
    return PlannedOperation(
        sign=item.operation.sign,
        description=item.operation.describe(),
        sql=tuple(statement.sql for statement in statements),
        line=item.origin.line if item.origin else None,
        transactional=all(statement.transactional for statement in statements),
    )
