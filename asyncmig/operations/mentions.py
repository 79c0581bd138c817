"""Which constraints and indexes name a column, also inside their expressions.

Expressions may be free text, so this reads words: outside of string literals a column's name, bare or quoted.
A function of the same name is taken for the column too; a database would keep what we then call dropped, which
is the safe side for a plan.
"""

from __future__ import annotations

import re
from typing import assert_never

import sqlalchemy as sa

from asyncmig.schema.model import Check, Constraint, Exclude, ForeignKey, Index, PrimaryKey, Unique
from asyncmig.schema.types import SqlText

__all__ = ["constraint_uses", "index_uses", "text_uses"]

_WORD = re.compile(r"""'(?:[^']|'')*'|"(?P<quoted>(?:[^"]|"")*)"|(?P<bare>[^\W\d][\w$]*)""")


def constraint_uses(constraint: Constraint, column: str) -> bool:
    """Whether the database drops `constraint` when it drops `column` of the same table."""
    match constraint:
        case PrimaryKey() | Unique() | ForeignKey():
            return column in constraint.columns
        case Check():
            return constraint.column == column or text_uses(constraint.text, column)
        case Exclude():
            texts = [element for element, _ in constraint.elements]
            texts += [constraint.where] if constraint.where else []
            return any(text_uses(text, column) for text in texts)
        case _:
            assert_never(constraint)


def index_uses(index: Index, column: str) -> bool:
    """Whether elements, predicate or included columns of `index` name `column`."""
    if any(e == column if isinstance(e, str) else text_uses(e, column) for e in index.elements):
        return True
    return any(_option_uses(key, value, column) for key, value in index.options)


def text_uses(expression: SqlText | sa.ClauseElement | str, column: str) -> bool:
    """Whether `column` stands in an expression."""
    clause = expression.clause if isinstance(expression, SqlText) else expression
    if isinstance(clause, sa.ClauseElement) and not isinstance(clause, sa.TextClause):
        return any(_part_uses(part, column) for part in sa.sql.visitors.iterate(clause))
    return any(
        (word["quoted"] or "").replace('""', '"') == column or _folds_to(word["bare"], column)
        for word in _WORD.finditer(str(clause))
    )


def _part_uses(part: object, column: str) -> bool:
    if isinstance(part, sa.TextClause):
        return text_uses(part, column)
    if isinstance(part, sa.ColumnClause):
        return text_uses(str(part.name), column) if part.is_literal else part.name == column
    return False


def _option_uses(key: str, value: object, column: str) -> bool:
    if key.endswith("_where"):
        return isinstance(value, SqlText | sa.ClauseElement | str) and text_uses(value, column)
    if key.endswith("_include") and isinstance(value, list | tuple):
        return any(getattr(item, "name", item) == column for item in value)
    return False


def _folds_to(bare: str | None, column: str) -> bool:
    """A bare word means the column whatever its case: databases fold it, each in its way."""
    return bare is not None and bare.lower() == column.lower()
