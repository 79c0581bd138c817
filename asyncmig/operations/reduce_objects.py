"""Two operations on what is no table as one, where they stand side by side: types, sequences, views, routines ..."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from asyncmig.operations.base import Operation
from asyncmig.operations.enums import AddEnumValue, CreateEnum, DropEnum, RenameEnumValue
from asyncmig.operations.policies import CreatePolicy, DropPolicy
from asyncmig.operations.routines import CreateFunction, CreateTrigger, DropFunction, DropTrigger
from asyncmig.operations.schemas import CreateExtension, CreateSchema, DropExtension, DropSchema
from asyncmig.operations.sequences import AlterSequence, CreateSequence, DropSequence
from asyncmig.operations.views import CreateView, DropView, ReplaceView
from asyncmig.schema.model import Schema

__all__ = ["merged_objects"]

_OPPOSITES: tuple[tuple[type[Operation], type[Operation]], ...] = (
    (CreateEnum, DropEnum),
    (CreateSequence, DropSequence),
    (CreateView, DropView),
    (CreateFunction, DropFunction),
    (CreateTrigger, DropTrigger),
    (CreatePolicy, DropPolicy),
    (CreateSchema, DropSchema),
    (CreateExtension, DropExtension),
)


def merged_objects(first: Operation, second: Operation) -> tuple[Operation, ...] | None:
    """What both are together, one right after the other: () is nothing at all, None that they stay two."""
    if _undoes(first, second):
        return ()
    match first, second:
        case CreateEnum(if_not_exists=False), AddEnumValue() | RenameEnumValue() if first.enum.ref == second.ref:
            after = second.apply(first.apply(Schema()))
            return (replace(first, enum=after.enums[second.ref]),)
        case CreateSequence(if_not_exists=False), AlterSequence(restart=None, owned_by=None):
            if first.sequence.ref != second.ref or any(value is None for _, value in second.changes):
                return None
            after = second.apply(first.apply(Schema()))
            return (replace(first, sequence=after.sequences[second.ref]),)
        case ReplaceView(), ReplaceView() if first.view.ref == second.view.ref:
            return None if first.view.materialized != second.view.materialized else (second,)
    return None


def _undoes(first: Operation, second: Operation) -> bool:
    """Whether `second` drops what `first` has just made, and nothing else with it."""
    if (type(first), type(second)) not in _OPPOSITES:
        return False
    made: Any = first
    gone: Any = second
    unsure = getattr(made, "if_not_exists", False) or getattr(made, "replace", False)
    more = getattr(made, "cascade", False) or getattr(gone, "cascade", False) or getattr(made, "owned_by", None)
    return not unsure and not more and _made(made) == (gone.name if isinstance(gone, DropSchema) else gone.ref)


def _made(create: Any) -> object:
    if isinstance(create, CreateSchema):
        return create.name
    name = type(create).__name__.removeprefix("Create").lower()
    return getattr(create, name).ref
