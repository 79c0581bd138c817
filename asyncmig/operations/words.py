"""SQL as a few words of a sentence; never an error, whatever a script's construct does when it is compiled."""

from __future__ import annotations

import sqlalchemy as sa

__all__ = ["sql_words"]

_SHOWN = 60


def sql_words(sql: str | sa.Executable | sa.ClauseElement) -> str:
    """The SQL in one line of at most 60 letters or so, or the construct's class where it does not compile here."""
    text = sql if isinstance(sql, str) else _compiled(sql)
    words = " ".join(text[: 20 * _SHOWN].split())
    return words if len(words) <= _SHOWN else f"{words[:_SHOWN].rstrip()}..."


def _with_values(construct: sa.Executable | sa.ClauseElement) -> str:
    """Its values in it where they can be written, else marks in their places."""
    if not isinstance(construct, sa.ClauseElement):
        return str(construct)
    try:
        return str(construct.compile(compile_kwargs={"literal_binds": True}))
    except sa.exc.CompileError:
        return str(construct)


def _compiled(construct: sa.Executable | sa.ClauseElement) -> str:
    try:
        return _with_values(construct)
    except Exception:  # a third party's @compiles may raise anything; the statement itself will say so
        return type(construct).__name__
