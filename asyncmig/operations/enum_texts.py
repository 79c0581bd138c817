"""A renamed enum value in the columns' types and the expressions of tables: both hold its number, so all say the new name."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from asyncmig.operations.mentions import text_uses
from asyncmig.schema.enums import brought_types
from asyncmig.schema.expressions import verbatim
from asyncmig.schema.model import Check, Column, Computed, Constraint, Exclude, Index, Ref, Table
from asyncmig.schema.types import SqlText, SqlType, sql_literal

__all__ = ["with_renamed_value"]

_NEVER_TEXT = (sa.Integer, sa.Numeric, sa.Boolean, sa.DateTime, sa.Date, sa.Time)

_Change = Callable[[SqlText], SqlText]


def with_renamed_value(table: Table, enum: Ref, old: str, new: str) -> Table:
    """The table as the database tells it after ALTER TYPE ... RENAME VALUE; the table itself where nothing names it."""
    own = [column for column in table.columns if any(one.ref == enum for one in brought_types((column,)))]
    if not own:
        return table
    change = _change(table, own, old, new)
    columns = [_typed(c, enum, old, new) if c in own else c for c in table.columns]
    return replace(
        table,
        columns=tuple(
            _column(c, change, old, new) if o in own or c.computed else c
            for o, c in zip(table.columns, columns, strict=True)
        ),
        constraints=tuple(_constraint(c, change) for c in table.constraints),
        indexes=tuple(_index(i, change) for i in table.indexes),
    )


def _change(table: Table, own: list[Column], old: str, new: str) -> _Change:
    """With the cast that PostgreSQL writes, and without one where no other column could hold the text."""
    types = {re.escape(column.type.spelling("postgresql").removesuffix("[]")) for column in own}
    literal, instead = re.escape(_quoted(old)), _quoted(new)
    cast = re.compile(rf"{literal}(?=::(?:{'|'.join(sorted(types))})(?![\w$.]))")
    others = [c.name for c in table.columns if c not in own and not isinstance(c.type.engine, _NEVER_TEXT)]

    def change(text: SqlText) -> SqlText:
        sql = text.spelling("postgresql")
        if _quoted(old) not in sql:
            return text
        changed = cast.sub(lambda _: instead, sql)
        if changed == sql and not any(text_uses(text, name) for name in others):
            changed = re.sub(literal, lambda _: instead, sql)
        return text if changed == sql else SqlText(verbatim(changed))

    return change


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _typed(column: Column, enum: Ref, old: str, new: str) -> Column:
    """With the value in its type: a column that was given that type again would bring the former value back."""
    engine = _renamed(column.type.engine, enum, old, new)
    kept = column.type
    return replace(column, type=SqlType(engine, apart=kept.apart, as_found=kept.as_found))


def _renamed(engine: Any, enum: Ref, old: str, new: str) -> Any:
    """An enum, or a list of one, that says its values itself; what says them in a class of the application stays."""
    if isinstance(engine, sa.ARRAY):
        inner = _renamed(engine.item_type, enum, old, new)
        return engine if inner is engine.item_type else type(engine)(inner, dimensions=engine.dimensions)
    if not isinstance(engine, sa.Enum) or engine.enum_class is not None or old not in engine.enums:
        return engine
    values = [new if value == old else value for value in engine.enums]
    brought = {"create_type": False} if getattr(engine, "create_type", True) is False else {}
    return type(engine)(*values, name=enum.name, schema=enum.schema, **brought)


def _column(column: Column, change: _Change, old: str, new: str) -> Column:
    if column.default is not None and column.default.literal is not None:
        return replace(column, default=sql_literal(new)) if column.default.literal == old else column
    default = None if column.default is None else change(column.default)
    computed = None if column.computed is None else Computed(change(column.computed.text), column.computed.persisted)
    return replace(column, default=default, computed=computed)


def _constraint(constraint: Constraint, change: _Change) -> Constraint:
    if isinstance(constraint, Check):
        return replace(constraint, text=change(constraint.text))
    if isinstance(constraint, Exclude) and constraint.where is not None:
        return replace(constraint, where=change(constraint.where))
    return constraint


def _index(index: Index, change: _Change) -> Index:
    def changed(part: Any) -> Any:
        return change(part) if isinstance(part, SqlText) else part

    options = tuple((key, changed(value)) for key, value in index.options)
    return replace(index, elements=tuple(changed(element) for element in index.elements), options=options)
