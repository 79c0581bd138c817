"""Operations in the form in which scripts say them, one thing a call; and several changes of one table in a batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from asyncmig.operations.alter_column import KEEP, AlterColumn, Existing, Keep
from asyncmig.operations.base import Operation
from asyncmig.operations.batch import BatchTable
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.constraints import AddConstraint, DropConstraint
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.tables import CreateTable
from asyncmig.schema.model import Check, Constraint, Ref

__all__ = ["batched", "plain"]

_OF_TABLE = (AlterColumn, AddColumn, DropColumn, AddConstraint, DropConstraint, CreateIndex, DropIndex)
_INDEXES = (CreateIndex, DropIndex)


def plain(operations: Iterable[Operation]) -> Iterator[Operation]:
    """The same change, with indexes and constraints of new tables and columns as operations of their own."""
    for operation in operations:
        match operation:
            case CreateTable(table=table) if table.indexes:
                yield replace(operation, table=replace(table, indexes=()), original=None)
                yield from (CreateIndex(table.ref, index, operation.if_not_exists) for index in table.indexes)
            case AddColumn():
                yield from _added(operation)
            case AlterColumn(default=Keep.KEEP, existing=Existing(default=None)):
                # That there was no default need not be said where it stays so.
                yield replace(operation, existing=replace(operation.existing, default=KEEP))
            case BatchTable():
                yield replace(operation, operations=tuple(plain(operation.operations)))
            case _:
                yield operation


def _added(operation: AddColumn) -> Iterator[Operation]:
    own = tuple(c for c in operation.constraints if _is_own(c, operation.column.name))
    yield replace(operation, constraints=own, indexes=())
    for constraint in operation.constraints:
        if constraint not in own:
            yield AddConstraint(operation.ref, constraint)
    yield from (CreateIndex(operation.ref, index) for index in operation.indexes)


def _is_own(constraint: Constraint, column: str) -> bool:
    """CHECKs that stand in the column's definition or come with its type."""
    return isinstance(constraint, Check) and constraint.column == column


def batched(operations: Iterable[Operation]) -> list[Operation]:
    """Changes of one table that would each make it again as one batch, at the place of the first.

    A change is moved to an earlier one of its table only past operations that have nothing to do with it.
    """
    groups: list[list[Operation]] = []
    for operation in operations:
        home = _home(operation, groups)
        if home is None:
            groups.append([operation])
        else:
            home.append(operation)
    return [made for group in groups for made in _settled(group)]


def _home(operation: Operation, groups: list[list[Operation]]) -> list[Operation] | None:
    """The last group of the operation's table, unless something behind it stands in the way."""
    ref = _table(operation)
    if ref is None:
        return None
    subjects = {ref, *(other for other in operation.touches() if other.kind == "index")}
    for group in reversed(groups):
        if _table(group[0]) == ref:
            return group
        if any(subjects & one.touches() for one in group):
            return None
    return None


def _table(operation: Operation) -> Ref | None:
    return operation.ref if isinstance(operation, _OF_TABLE) else None


def _settled(group: list[Operation]) -> list[Operation]:
    if sum(_makes_again(operation) for operation in group) < 2:
        return group
    first = next(i for i, operation in enumerate(group) if not isinstance(operation, _INDEXES))
    last = len(group) - next(i for i, operation in enumerate(reversed(group)) if not isinstance(operation, _INDEXES))
    ref = _table(group[0])
    assert ref is not None
    return [*group[:first], BatchTable(ref, tuple(group[first:last])), *group[last:]]


def _makes_again(operation: Operation) -> bool:
    """Whether the table may have to be made again for it; the other changes are small by themselves."""
    match operation:
        case AlterColumn():
            return operation.type is not None or operation.nullable is not None or operation.default is not KEEP
        case AddColumn(column=column):
            return bool(operation.constraints) or column.computed is not None
        case AddConstraint() | DropConstraint():
            return True
        case _:
            return False
