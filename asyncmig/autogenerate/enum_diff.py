"""The difference between two states of the enum types."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import sqlalchemy as sa

from asyncmig.operations.alter_column import KEEP, AlterColumn, Existing
from asyncmig.operations.base import Operation
from asyncmig.operations.enums import AddEnumValue, CreateEnum, DropEnum
from asyncmig.schema.enums import brought_types, created_types
from asyncmig.schema.model import Column, EnumType, Ref, Schema, Table
from asyncmig.schema.types import sql_type

__all__ = ["EnumDiff", "diff_enums"]


@dataclass(slots=True)
class EnumDiff:
    """What comes before tables change and what comes after."""

    first: list[Operation] = field(default_factory=list)
    last: list[Operation] = field(default_factory=list)


def diff_enums(current: Schema, wanted: Schema) -> EnumDiff:
    """A type that a new table or column brings along needs no operation of its own; a DOMAIN never has one."""
    result = EnumDiff()
    if not current.enums and not wanted.enums:
        return result
    added = [enum for ref, enum in wanted.enums.items() if ref not in current.enums and enum.values]
    if added:
        brought = {enum.ref for enum in created_types(_new_columns(current, wanted))}
        result.first.extend(
            CreateEnum(enum) for enum in added if enum.ref not in brought or _is_altered_to(enum, current, wanted)
        )
    for ref, enum in wanted.enums.items():
        known = current.enums.get(ref)
        if known is not None and enum.values and known.values and known.values != enum.values:
            result.first.extend(_changed(known, enum, current, wanted))
    gone = (enum for ref, enum in current.enums.items() if ref not in wanted.enums and enum.values)
    result.last.extend(DropEnum(enum.ref, enum=enum) for enum in gone if not _is_needed(enum, wanted))
    return result


def _new_columns(current: Schema, wanted: Schema) -> Iterator[Column]:
    for ref, table in wanted.tables.items():
        known = current.tables.get(ref)
        if known is None:
            yield from table.columns
        elif known is not table:
            names = {column.name for column in known.columns}
            yield from (column for column in table.columns if column.name not in names)


def _is_altered_to(enum: EnumType, current: Schema, wanted: Schema) -> bool:
    """Whether a column that is there gets this type: ALTER TYPE may come before the table that brings it along."""
    return any(
        known.type is not column.type and _uses(column, enum.ref) and not _uses(known, enum.ref)
        for known, column, _ in _kept_columns(current, wanted)
    )


def _kept_columns(current: Schema, wanted: Schema) -> Iterator[tuple[Column, Column, Table]]:
    for ref, table in wanted.tables.items():
        known = current.tables.get(ref)
        if known is not None:
            columns = {column.name: column for column in known.columns}
            yield from ((columns[c.name], c, table) for c in table.columns if c.name in columns)


def _uses(column: Column, ref: Ref) -> bool:
    return any(enum.ref == ref for enum in brought_types((column,)))


def _is_needed(enum: EnumType, wanted: Schema) -> bool:
    """A type with create_type=False is nobody's in the models, and yet a column has it."""
    return any(_uses(column, enum.ref) for table in wanted.tables.values() for column in table.columns)


def _changed(current: EnumType, wanted: EnumType, before: Schema, after: Schema) -> Iterator[Operation]:
    kept = [value for value in wanted.values if value in current.values]
    if kept == list(current.values):
        yield from _additions(current, wanted)
    else:
        yield from _rebuilt(current, wanted, before, after)


def _additions(current: EnumType, wanted: EnumType) -> Iterator[Operation]:
    """From left to right: the value before each new one is there when it is added."""
    known = set(current.values)
    for place, value in enumerate(wanted.values):
        if value in known:
            continue
        if not any(later in known for later in wanted.values[place + 1 :]):
            yield AddEnumValue(wanted.ref, value)
        elif place:
            yield AddEnumValue(wanted.ref, value, after_value=wanted.values[place - 1])
        else:
            yield AddEnumValue(wanted.ref, value, before_value=current.values[0])
        known.add(value)


def _rebuilt(current: EnumType, wanted: EnumType, before: Schema, after: Schema) -> Iterator[Operation]:
    """No database removes or moves a value: the columns are text while the type is made anew."""
    uses = [
        (table.ref, known, column) for known, column, table in _kept_columns(before, after) if _uses(known, current.ref)
    ]
    text = sql_type(sa.Text())
    for ref, known, _ in uses:
        default = None if known.default is not None else KEEP
        existing = Existing(known.type, known.nullable, known.default)
        yield AlterColumn(ref, known.name, type=text, default=default, existing=existing)
    yield DropEnum(current.ref, enum=current)
    yield CreateEnum(wanted)
    for ref, known, column in uses:
        if _uses(column, wanted.ref):
            using = f"{_quoted(known.name)}::{column.type.spelling('postgresql')}"
            back = column.default if column.default is not None else KEEP
            yield AlterColumn(ref, known.name, type=column.type, default=back, using=using, existing=Existing(text))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
