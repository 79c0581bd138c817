"""The way back past renames: what is built on tables comes after those have their former names again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from asyncmig.operations.base import Operation
from asyncmig.operations.enums import DropEnum
from asyncmig.operations.policies import CreatePolicy, SetRowSecurity
from asyncmig.operations.routines import CreateFunction, CreateTrigger, DropFunction
from asyncmig.operations.schemas import DropExtension, DropSchema
from asyncmig.operations.sequences import DropSequence
from asyncmig.operations.sql import Execute
from asyncmig.operations.tables import RenameTable
from asyncmig.operations.views import CreateView, ReplaceView
from asyncmig.schema.model import Ref

__all__ = ["parted"]

_BUILT = (CreateView, ReplaceView, CreateTrigger, CreatePolicy, SetRowSecurity, CreateFunction, Execute)
_LAST = (DropFunction, DropEnum, DropSequence, DropExtension, DropSchema)


def parted(back: Sequence[Operation], renames: Sequence[Operation]) -> tuple[list[Operation], list[Operation]]:
    """What comes before `renames` are undone, and what after: texts of before them say the former names."""
    place = len(back)
    while place and isinstance(back[place - 1], (*_BUILT, *_LAST)):
        place -= 1
    while place < len(back) and isinstance(back[place], Execute):  # of the table before it, not of what is built on one
        place += 1
    names: dict[Ref, Ref] = {}
    for one in renames:
        if isinstance(one, RenameTable):
            names[one.new_ref] = names.pop(one.ref, one.ref)
    return list(back[:place]), [_on_former_table(one, names) for one in back[place:]]


def _on_former_table(operation: Operation, names: Mapping[Ref, Ref]) -> Operation:
    match operation:
        case CreateTrigger(trigger=trigger) if trigger.table in names:
            return replace(operation, trigger=replace(trigger, table=names[trigger.table]))
        case CreatePolicy(policy=policy) if policy.table in names:
            return replace(operation, policy=replace(policy, table=names[policy.table]))
        case SetRowSecurity(table=table) if table in names:
            return replace(operation, table=names[table])
        case _:
            return operation
