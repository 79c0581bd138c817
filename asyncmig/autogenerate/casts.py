"""Changes of type that the database does not make by itself: postgresql_using proposed, defaults out of the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from asyncmig.autogenerate.steps import Step
from asyncmig.dialects.writing import Writing
from asyncmig.operations.alter_column import KEEP, AlterColumn, Existing
from asyncmig.schema.types import SqlText

__all__ = ["with_casts"]


def with_casts(steps: Iterable[Step], writing: Writing) -> list[Step]:
    """The steps, each change of type with the SQL that makes the new values, as a proposal."""
    return [made for step in steps for made in _cast(step, writing)]


def _cast(step: Step, writing: Writing) -> Iterator[Step]:
    operation = step.operation
    if not isinstance(operation, AlterColumn) or operation.type is None:
        yield step
        return
    old = operation.existing
    using = operation.using
    lost = None if old.type is None else writing.loses(old.type, operation.type)
    if lost is not None:
        note = f"Data is lost here: the values of {operation.ref}.{operation.name} lose {lost}."
        step = replace(step, notes=(*step.notes, note))
    if using is None and old.type is not None:
        using = writing.using(operation.name, old.type, operation.type)
    if using is None:
        yield step
        return
    note = "Check postgresql_using: values that do not fit make this fail."
    if not isinstance(old.default, SqlText):
        yield replace(step, operation=replace(operation, using=using), notes=(*step.notes, note))
        return
    # A default of the old type cannot be cast either, so it steps aside.
    yield Step(
        AlterColumn(operation.ref, operation.name, default=None, existing=Existing(old.type, default=old.default))
    )
    bare = replace(operation, using=using, default=KEEP, existing=replace(old, default=KEEP))
    yield replace(step, operation=bare, notes=(*step.notes, note))
    default = old.default if operation.default is KEEP else operation.default
    if default is not None:
        yield Step(AlterColumn(operation.ref, operation.name, default=default, existing=Existing(operation.type)))
