"""Columns that become NOT NULL in tables with rows: what to ask, and the steps that give the rows a value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from asyncmig.autogenerate.fillers import wants_value
from asyncmig.autogenerate.questions import FillQuestion, Questioner
from asyncmig.autogenerate.steps import Step, filled
from asyncmig.errors import UsageError
from asyncmig.operations.alter_column import AlterColumn, Existing
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn
from asyncmig.operations.constraints import AddConstraint
from asyncmig.operations.former_names import FormerNames
from asyncmig.operations.sql import Execute
from asyncmig.schema.model import PrimaryKey, Ref, Schema
from asyncmig.schema.types import SqlText, SqlType, sql_literal, sql_text

__all__ = ["Filling", "Gap", "fill", "gaps", "sql_value"]

_SQL = re.compile(r"'.*'\Z|.*[(].*|(?:true|false|null|current_\w+|localtime\w*)\Z", re.IGNORECASE | re.DOTALL)
_STRING = re.compile(r"'(?:[^']|'')*'\Z")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?\Z")


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows of `table` without a value for `column`; `counted` is the column to count NULLs of, None for all rows.

    `home` is what the database calls the table now, where that is something else; so is `counted`.
    """

    table: Ref
    column: str
    counted: str | None = field(compare=False)
    home: Ref | None = field(default=None, compare=False)

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"


def gaps(operations: Iterable[Operation], current: Schema) -> list[Gap]:
    """What to count before `fill`: in tables that are there."""
    found: list[Gap] = []
    former = FormerNames()
    for operation in operations:
        gap = _gap(operation)
        if gap is not None and former.table(gap.table) in current.tables:
            counted = None if gap.counted is None else former.column(gap.table, gap.counted)
            found.append(replace(gap, counted=counted, home=former.table(gap.table)))
        former.follow(operation)
    return found


def _gap(operation: Operation) -> Gap | None:
    if isinstance(operation, AddColumn) and wants_value(operation):
        return Gap(operation.ref, operation.column.name, None)
    if isinstance(operation, AlterColumn) and operation.nullable is False:
        return Gap(operation.ref, operation.name, operation.name)
    return None


@dataclass(slots=True)
class Filling:
    """What `fill` needs to know: `rows` by gap, `defaults` by "table.column"; `update` writes the UPDATE.

    `numbers` is the SQL of a number for each row, for new columns that are to be their key: one default would not do.
    """

    rows: Mapping[Gap, int]
    defaults: dict[str, str]
    questioner: Questioner
    update: Callable[[Gap, str], str]
    split: bool = False
    numbers: str | None = None


def fill(steps: Iterable[Step], filling: Filling) -> list[Step]:
    """The steps, with values for rows that have none; UsageError for a default that nothing wants."""
    unused = set(filling.defaults)
    result: list[Step] = []
    steps = list(steps)
    keys = _whole_number_keys(step.operation for step in steps)
    for step in steps:
        gap = None if step.operation is None else _gap(step.operation)
        if gap is None or gap not in filling.rows:
            result.append(step)
            continue
        unused.discard(gap.name)
        if gap.name in keys and filling.numbers is not None and gap.name not in filling.defaults:
            result += _numbered(step, gap, filling.update, filling.numbers)
        else:
            result += _filled(step, gap, filling)
    if unused:
        raise UsageError(
            f"--default {min(unused)}: no column of that name becomes NOT NULL.", hint="For example account.kind='a'."
        )
    return result


def _whole_number_keys(operations: Iterable[Operation | None]) -> set[str]:
    """The names of new columns that are whole numbers and are to be their table's key, alone."""
    new: set[tuple[Ref, str]] = set()
    found: set[str] = set()
    for one in operations:
        if isinstance(one, AddColumn) and isinstance(one.column.type.engine, sa.Integer):
            new.add((one.ref, one.column.name))
        elif isinstance(one, AddConstraint) and isinstance(one.constraint, PrimaryKey):
            found.update(f"{one.ref}.{name}" for name in one.constraint.columns if len(one.constraint.columns) == 1)
    return found & {f"{ref}.{name}" for ref, name in new}


def _numbered(step: Step, gap: Gap, update: Callable[[Gap, str], str], numbers: str) -> Iterator[Step]:
    assert isinstance(step.operation, AddColumn)
    column = step.operation.column
    yield replace(step, operation=replace(step.operation, column=replace(column, nullable=True)))
    yield Step(Execute(update(gap, numbers)), data=True)
    yield Step(AlterColumn(gap.table, column.name, nullable=False, existing=Existing(column.type, True)))


def _filled(step: Step, gap: Gap, filling: Filling) -> Iterator[Step]:
    rows = filling.rows[gap]
    value = filling.defaults.get(gap.name)
    if value is None and rows:
        value = filling.questioner.value(FillQuestion(gap.table, gap.column, rows)) or None
    operation = step.operation
    if value is None and not rows:
        yield _warned(step, gap) if isinstance(operation, AddColumn) else step
    elif isinstance(operation, AddColumn):
        yield from _added(operation, step, gap, value, filling)
    elif isinstance(operation, AlterColumn):
        yield from _updated(gap, operation.known_type, value, filling)
        yield step


def _warned(step: Step, gap: Gap) -> Step:
    note = f"This fails where {gap.table} has rows: they would have no value for {gap.column}."
    return replace(step, notes=(*step.notes, note))


def _added(operation: AddColumn, step: Step, gap: Gap, value: str | None, filling: Filling) -> Iterator[Step]:
    column = operation.column
    if value is not None and not filling.split:
        first, *rest = filled(operation, _default(sql_value(value, column.type)))
        yield replace(first, notes=step.notes)
        yield from rest
        return
    yield Step(replace(operation, column=replace(column, nullable=True)), step.notes)
    yield from _updated(gap, column.type, value, filling)
    yield Step(AlterColumn(operation.ref, column.name, nullable=False, existing=Existing(column.type, True)))


def _updated(gap: Gap, type_: SqlType | None, value: str | None, filling: Filling) -> Iterator[Step]:
    if value is not None:
        yield Step(Execute(filling.update(gap, sql_value(value, type_))), data=True)
        return
    example = filling.update(gap, "...")
    yield Step(
        None, (f"Give the rows of {gap.table} a value here, for example:", f"op.execute({example!r})"), data=True
    )


def _default(sql: str) -> SqlText:
    """A plain string as one, as a model would say it."""
    return sql_literal(sql[1:-1].replace("''", "'")) if _STRING.match(sql) else sql_text(sql)


def sql_value(text: str, type_: SqlType | None) -> str:
    """The SQL of a value as a shell hands it over, where the quotes of 'a' are gone.

    What has quotes or parentheses, and words such as true and current_date, stay; so do numbers, unless the column
    holds text. Everything else is a string.
    """
    engine: Any = None if type_ is None else type_.engine
    while isinstance(engine, sa.types.TypeDecorator):
        engine = engine.impl_instance
    is_text = isinstance(engine, sa.String)
    if _SQL.match(text) or (_NUMBER.match(text) and not is_text):
        return text
    return "'" + text.replace("'", "''") + "'"
