"""SQL expressions cut loose from the tables they were written against."""

from __future__ import annotations

from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql import visitors

__all__ = ["attach", "constant_key", "detach", "verbatim"]


_CONSTANTS: tuple[type[Any], ...] = (sa.sql.elements.True_, sa.sql.elements.False_, sa.sql.elements.Null)


def constant_key(clause: Any) -> tuple[Any, ...] | None:
    """A key that `true()`, `now()` and their like share with their equals; None for anything with parts of its own.

    Only classes of SQLAlchemy's: what an application's own function says may depend on more than its name.
    """
    kind = type(clause)
    if kind in _CONSTANTS:
        return (kind,)
    if kind.__module__ != "sqlalchemy.sql.functions" or not isinstance(clause, sa.sql.functions.Function):
        return None
    if isinstance(clause, sa.sql.functions.next_value) or len(clause.clauses):
        return None
    return (kind, getattr(clause, "name", None), getattr(clause, "packagenames", ()))


def verbatim(sql: str) -> sa.TextClause:
    """SQL as it stands: `text()` would take `:name` for a parameter."""
    return sa.text(sql.replace(":", "\\:"))


def detach(clause: sa.ClauseElement) -> sa.ClauseElement:
    """The expression with each table's column replaced by a bare one of that name and type.

    A constraint or index made from the original would attach itself to the original's table.
    """
    if isinstance(clause, sa.TextClause) or not any(isinstance(part, sa.Column) for part in visitors.iterate(clause)):
        return clause
    return cast("sa.ClauseElement", visitors.replacement_traverse(cast("Any", clause), {}, _bare_column))


def attach(clause: sa.ClauseElement, table: sa.Table) -> sa.ClauseElement:
    """The reverse of `detach`, for the one place where SQLAlchemy writes the table's name: EXCLUDE ... WHERE."""

    def bound(element: Any, **_: Any) -> Any:
        if isinstance(element, sa.ColumnClause) and element.table is None and not element.is_literal:
            return table.c.get(element.name)
        return None

    return cast("sa.ClauseElement", visitors.replacement_traverse(cast("Any", clause), {}, bound))


def _bare_column(element: Any, **_: Any) -> Any:
    return sa.column(element.name, element.type) if isinstance(element, sa.Column) else None
