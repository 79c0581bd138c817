"""Values for rows that get a NOT NULL column back whose values are gone."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.sql.sqltypes import _AbstractInterval

from asyncmig.operations.columns import AddColumn
from asyncmig.operations.words import expression_words
from asyncmig.schema.model import Column
from asyncmig.schema.types import SqlText, SqlType, sql_literal, sql_text

__all__ = ["listed_value", "neutral_value", "wants_value"]

# x IN ('a', ...), and what PostgreSQL makes of it: x::text = ANY (ARRAY['a'::character varying, ...])
_LISTED = re.compile(r"""\(*"?(\w+)"?\)*(?:::[\w ]+)?\)*\s*(?:IN \(|= ANY \(+ARRAY\[)'((?:[^']|'')*)'""")


def wants_value(operation: AddColumn) -> bool:
    """Whether the column cannot be added to a table with rows: NOT NULL, and nothing fills it."""
    column = operation.column
    return not column.nullable and not _is_filled(column) and not operation.primary_key


def _is_filled(column: Column) -> bool:
    own = (column.default, column.identity, column.computed)
    return any(part is not None for part in own) or (column.sequence is not None and not column.sequence.optional)


def listed_value(check: SqlText, column: str) -> str | None:
    """The first string of a CHECK that lists those that the column may have; None for any other CHECK."""
    found = _LISTED.match(expression_words(check.clause))
    return found[2].replace("''", "'") if found is not None and found[1] == column else None


def neutral_value(type_: SqlType) -> SqlText | None:
    """The least that a type can say: 0, false, an empty text; None where nothing offers itself."""
    engine: Any = type_.engine
    while isinstance(engine, sa.types.TypeDecorator) or engine.__visit_name__ == "DOMAIN":
        engine = engine.impl_instance if isinstance(engine, sa.types.TypeDecorator) else engine.data_type
    if isinstance(engine, sa.Enum):
        return sql_literal(engine.enums[0]) if engine.enums else None
    if isinstance(engine, sa.Boolean):
        return SqlText(sa.false())
    for kinds, value in _VALUES:
        if isinstance(engine, kinds):
            return sql_literal(value) if isinstance(value, str) else sql_text(str(value))
    return None


_VALUES: tuple[tuple[Any, str | int], ...] = (
    ((sa.Integer, sa.Numeric, sa.Float), 0),
    (sa.String, ""),
    (sa.DateTime, "1970-01-01 00:00:00"),
    (sa.Date, "1970-01-01"),
    (sa.Time, "00:00:00"),
    (_AbstractInterval, "0"),
    (sa.Uuid, "00000000-0000-0000-0000-000000000000"),
    (sa.JSON, "null"),
    (sa.ARRAY, "{}"),
    (sa.LargeBinary, ""),
)
