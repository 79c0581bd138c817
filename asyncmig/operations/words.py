"""SQL as a few words of a sentence; never an error, whatever a script's construct does when it is compiled."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = ["expression_words", "sql_words"]

_SHOWN = 60


def sql_words(sql: str | sa.Executable | sa.ClauseElement) -> str:
    """The SQL in one line of at most 60 letters or so, or the construct's class where it does not compile here."""
    text = sql if isinstance(sql, str) else _compiled(sql)
    words = " ".join(text[: 20 * _SHOWN].split())
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN].rstrip()}..."


def _compiled(construct: sa.Executable | sa.ClauseElement) -> str:
    try:
        return str(construct)
    except Exception:  # a third party's @compiles may raise anything; the statement itself will say so
        return type(construct).__name__


def expression_words(expression: sa.ClauseElement) -> str:
    """The same for what stands in a schema, with its values: they are no row's, and IN (...) has no words without them."""
    try:
        return sql_words(str(expression.compile(compile_kwargs={"literal_binds": True})))
    except Exception:  # as above
        return sql_words(expression)
