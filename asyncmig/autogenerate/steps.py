"""The steps of a script: operations with what a reader should know of them, and the way back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from asyncmig.autogenerate.diff import diff
from asyncmig.autogenerate.fillers import listed_value, neutral_value, wants_value
from asyncmig.errors import Irreversible
from asyncmig.operations.alter_column import AlterColumn, Existing
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.constraints import AddConstraint
from asyncmig.operations.enums import CreateEnum, DropEnum
from asyncmig.operations.renaming import RenameColumn
from asyncmig.operations.tables import DropTable, RenameTable
from asyncmig.schema.model import Check, EnumType, Ref, Schema
from asyncmig.schema.types import SqlText, sql_literal

__all__ = ["Step", "filled", "given_back", "steps_of", "undone", "without_remade"]


@dataclass(frozen=True, slots=True)
class Step:
    """`operation` None is a remark by itself. `notes` are comments above the call, without their `#`.

    `data` marks one that changes rows and not the schema: it needs no way back. `committed` marks one that has to be
    committed before the next.
    """

    operation: Operation | None
    notes: tuple[str, ...] = ()
    data: bool = False
    committed: bool = False


def steps_of(operations: Iterable[Operation]) -> list[Step]:
    """Each operation, with a note where rows lose something or stand in the way."""
    steps: list[Step] = []
    replaced: dict[Ref, EnumType | None] = {}
    listed = list(operations)
    losing = {id(operation) for operation in without_remade(listed)}
    for operation in listed:
        notes = tuple(_losses(operation)) if id(operation) in losing else ()
        if isinstance(operation, DropEnum):
            replaced[operation.ref] = operation.enum
        elif isinstance(operation, CreateEnum):
            notes = tuple(_removed(replaced.get(operation.enum.ref), operation.enum))
        steps.append(Step(operation, notes))
    return steps


def without_remade(operations: Sequence[Operation]) -> list[Operation]:
    """Without the drops of generated columns that are added again: every row has its value anew."""
    added = {(o.ref, o.column.name) for o in operations if isinstance(o, AddColumn) and o.column.computed is not None}
    return [
        one
        for one in operations
        if not (
            isinstance(one, DropColumn)
            and one.column is not None
            and one.column.computed is not None
            and (one.ref, one.name) in added
        )
    ]


def _removed(current: EnumType | None, wanted: EnumType) -> Iterator[str]:
    gone = [value for value in (current.values if current is not None else ()) if value not in wanted.values]
    if gone:
        yield f"Rows that hold {', '.join(map(repr, gone))} make this fail: give them another value before it."


def _losses(operation: Operation) -> Iterator[str]:
    if isinstance(operation, DropTable):
        yield f"Data is lost here: {operation.ref} goes with all its rows."
    elif isinstance(operation, DropColumn):
        yield f"Data is lost here: {operation.ref}.{operation.name} goes with its values."
    elif isinstance(operation, AlterColumn) and operation.computes_anew:
        yield f"Data is lost here: the values of {operation.ref}.{operation.name} are computed from now on."


def undone(steps: Sequence[Step], before: Schema) -> list[Step]:
    """The way back, last step first. What changed rows needs none; what has none says so in a note."""
    result: list[Step] = []
    state = before
    for step in steps:
        if step.operation is None or step.data:
            continue
        result[:0] = _undo(step.operation, state)
        state = step.operation.apply(state)
    return [step for n, step in enumerate(result) if not _is_idle(step, result[n + 1 :])]


def _is_idle(step: Step, later: Sequence[Step]) -> bool:
    """A change of a column that is then dropped."""
    one = step.operation
    if not isinstance(one, AlterColumn) or one.new_name is not None:
        return False
    for other in (following.operation for following in later):
        if isinstance(other, RenameColumn | RenameTable):
            return False
        if isinstance(other, DropColumn) and (other.ref, other.name) == (one.ref, one.name):
            return True
    return False


def _undo(operation: Operation, before: Schema) -> Iterator[Step]:
    try:
        back = operation.reverse(before)
    except Irreversible as error:
        back = tuple(diff(operation.apply(before), before))
        if not back:
            yield Step(None, (error.message,))
    yield from given_back(back)


def given_back(operations: Iterable[Operation]) -> Iterator[Step]:
    """The steps of a way back. A column that rows cannot do without gets a value; which one it had is gone."""
    listed = list(operations)
    for operation in listed:
        yield from _given_back(operation, listed)


def _given_back(operation: Operation, operations: Sequence[Operation]) -> Iterator[Step]:
    if not isinstance(operation, AddColumn) or not wants_value(operation):
        yield Step(operation)
        return
    value = _listed_value(operation, operations) or neutral_value(operation.column.type)
    name = f"{operation.ref}.{operation.column.name}"
    if value is None:
        yield Step(operation, (f"The values of {name} are gone: this needs an empty table.",))
        return
    first, *rest = filled(operation, value)
    yield replace(first, notes=(f"The values of {name} are gone: every row gets the same one.",))
    yield from rest


def _listed_value(added: AddColumn, operations: Sequence[Operation]) -> SqlText | None:
    """The first of the values to which a CHECK that comes back limits the column."""
    own = (one.constraint for one in operations if isinstance(one, AddConstraint) and one.ref == added.ref)
    for check in (*added.constraints, *own):
        value = listed_value(check.text, added.column.name) if isinstance(check, Check) else None
        if value is not None:
            return sql_literal(value)
    return None


def filled(operation: AddColumn, value: SqlText) -> list[Step]:
    """The column added with a default for the rows that are there, which is then taken away."""
    column = operation.column
    added = replace(operation, column=replace(column, default=value))
    existing = Existing(column.type, column.nullable, value)
    return [Step(added), Step(AlterColumn(operation.ref, column.name, default=None, existing=existing))]
