"""The difference between two states of the enum types."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import sqlalchemy as sa

from asyncmig.autogenerate.filters import EVERYTHING, Filters
from asyncmig.autogenerate.sql_names import quoted_name
from asyncmig.autogenerate.table_diff import drop_constraint
from asyncmig.operations.alter_column import KEEP, AlterColumn, Existing
from asyncmig.operations.base import Operation
from asyncmig.operations.enums import AddEnumValue, CreateEnum, DropEnum
from asyncmig.operations.indexes import DropIndex
from asyncmig.operations.mentions import constraint_uses, index_uses
from asyncmig.schema.enums import brought_types, created_types
from asyncmig.schema.model import Check, Column, EnumType, Exclude, Ref, Schema, Table
from asyncmig.schema.types import sql_type

__all__ = ["EnumDiff", "diff_enums"]


@dataclass(slots=True)
class EnumDiff:
    """What comes before tables change and what comes after.

    `in_the_way` comes before all of it; the tables are to be compared as they are then, and with the columns as text
    that `as_text`, a part of `first`, leaves so: they get another type than the enum.
    """

    in_the_way: list[Operation] = field(default_factory=list)
    as_text: list[Operation] = field(default_factory=list)
    first: list[Operation] = field(default_factory=list)
    last: list[Operation] = field(default_factory=list)


def diff_enums(current: Schema, wanted: Schema, filters: Filters = EVERYTHING) -> EnumDiff:
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
        if known is None or not enum.values or not known.values or known.values == enum.values:
            continue
        if _only_adds(known, enum):
            result.first.extend(_additions(known, enum))
        else:
            uses = list(_uses_of(ref, current, wanted, filters))
            result.in_the_way.extend(one for one in _in_the_way(uses, filters) if one not in result.in_the_way)
            leaving = [use for use in uses if use.wanted is not None and not _uses(use.wanted, ref)]
            texts = {id(use): _to_text(use, leaving=use in leaving) for use in uses}
            result.as_text.extend(texts[id(use)] for use in leaving)
            result.first.extend(_rebuilt(known, enum, uses, list(texts.values())))
    gone = (e for ref, e in current.enums.items() if ref not in wanted.enums and e.values and not e.in_use)
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


def _only_adds(current: EnumType, wanted: EnumType) -> bool:
    return [value for value in wanted.values if value in current.values] == list(current.values)


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


@dataclass(frozen=True, slots=True)
class _Use:
    """A column of the type. `wanted` None: it goes, or the models do not know it; `stays` then says which."""

    table: Table
    column: Column
    wanted: Column | None
    stays: bool


def _uses_of(enum: Ref, before: Schema, after: Schema, filters: Filters) -> Iterator[_Use]:
    for ref, table in before.tables.items():
        wanted = after.tables.get(ref)
        for column in table.columns:
            if not _uses(column, enum):
                continue
            if wanted is None:
                yield _Use(table, column, None, not filters.has_table(table, None, reflected=True))
            else:
                same = next((c for c in wanted.columns if c.name == column.name), None)
                yield _Use(table, column, same, not filters.has_part(table, column, None, reflected=True))


def _to_text(use: _Use, *, leaving: bool) -> AlterColumn:
    """An array that is to be something else is a list then, as it becomes where it goes there at once."""
    column = use.column
    is_array = column.type.spelling("postgresql").endswith("]")
    using = f"array_to_string({quoted_name(column.name)}, ',')" if leaving and is_array else None
    default = None if column.default is not None else KEEP
    existing = Existing(column.type, column.nullable, column.default)
    text = sql_type(sa.Text())
    return AlterColumn(use.table.ref, column.name, type=text, default=default, using=using, existing=existing)


def _rebuilt(
    current: EnumType, wanted: EnumType, uses: Sequence[_Use], texts: Sequence[AlterColumn]
) -> Iterator[Operation]:
    """No database removes or moves a value: the columns are text while the type is made anew."""
    text = sql_type(sa.Text())
    yield from texts
    yield DropEnum(current.ref, enum=current)
    yield CreateEnum(wanted)
    for use in uses:
        column = use.wanted if use.wanted is not None else use.column if use.stays else None
        if column is not None and _uses(column, wanted.ref):
            using = f"{quoted_name(column.name)}::{column.type.spelling('postgresql')}"
            back = column.default if column.default is not None else KEEP
            yield AlterColumn(
                use.table.ref, column.name, type=column.type, default=back, using=using, existing=Existing(text)
            )


def _in_the_way(uses: Sequence[_Use], filters: Filters) -> Iterator[Operation]:
    """What compares a column with a value of the type, and so would not fit text: dropped, and then added as missing."""
    for table in {use.table.ref: use.table for use in uses}.values():
        names = [use.column.name for use in uses if use.table is table]
        for constraint in table.constraints:
            compares = isinstance(constraint, Check | Exclude) and any(constraint_uses(constraint, n) for n in names)
            if compares and filters.has_part(table, constraint, None, reflected=True):
                yield drop_constraint(table, constraint)
        for index in table.indexes:
            # An index of the bare column is built again by itself.
            expressions = replace(index, elements=tuple(e for e in index.elements if not isinstance(e, str)))
            compares = index.name is not None and any(index_uses(expressions, n) for n in names)
            if compares and filters.has_part(table, index, None, reflected=True):
                yield DropIndex(str(index.name), table.ref, table.ref.schema, index=index)
