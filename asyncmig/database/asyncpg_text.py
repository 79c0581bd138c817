"""asyncpg made to take what psycopg2 takes, on one connection: values inside the text, several statements in one string.

asyncpg sends each statement prepared. So it takes one at a time; a parameter must have the Python type of the column
that it is for, and the server must be able to tell which type that is. Scripts written for psycopg2 rely on neither:
it writes the values into the text, where '5' is whatever number or date or enum it stands for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.interfaces import BindTyping
from sqlalchemy.util import await_only

__all__ = ["send_values_as_text"]

_ROWS_AT_ONCE = 500


def send_values_as_text(dialect: Any) -> None:
    """Change this dialect object, which must be one connection's own."""
    dialect.bind_typing = BindTyping.RENDER_CASTS
    # SQLAlchemy keeps what it concluded from bind_typing; a copy has that too.
    dialect.__dict__["_bind_typing_render_casts"] = True
    dialect.statement_compiler = _casting_arrays(dialect.statement_compiler)
    dialect.do_execute = _execute
    dialect.do_executemany = _execute_many


def _casting_arrays(compiler: type[Any]) -> type[Any]:
    """ARRAY['a'] is an array of text, which is none of an enum, of inet or of varchar; all else is what it has to be."""

    class CastingArrays(compiler):  # type: ignore[misc]
        def render_bind_cast(self, type_: Any, dbapi_type: Any, sqltext: str) -> str:
            item = getattr(dbapi_type, "item_type", None)
            if item is None:
                return sqltext
            if isinstance(item, sa.String) and not isinstance(item, sa.Enum):
                return f"{sqltext}::VARCHAR[]"  # one to VARCHAR(n) would cut what is too long
            return str(super().render_bind_cast(type_, dbapi_type, sqltext))

    return CastingArrays


def _execute(cursor: Any, statement: str, parameters: Sequence[object], context: Any = None) -> None:
    sql, left = _with_values(statement, parameters, context) if parameters else (statement, ())
    if left or ";" not in sql.rstrip("; \n\t\r"):
        cursor.execute(sql, left)
        return
    from asyncmig.dialects.splitter import split_postgresql

    # The result is the last statement's.
    for part in split_postgresql(sql) or [sql]:
        cursor.execute(part, ())


def _execute_many(cursor: Any, statement: str, parameters: Sequence[Sequence[object]], context: Any = None) -> None:
    """Many rows at once through the simple protocol; as parameters where a value has no literal."""
    for start in range(0, len(parameters), _ROWS_AT_ONCE):
        spelled = [_with_values(statement, row, context) for row in parameters[start : start + _ROWS_AT_ONCE]]
        if any(left for _, left in spelled):
            for sql, left in spelled:
                cursor.execute(sql, left)
        else:
            _send(cursor, ";\n".join(sql for sql, _ in spelled))


def _with_values(sql: str, parameters: Any, context: Any) -> tuple[str, tuple[object, ...]]:
    # Late: a start with nothing to do sends nothing through here.
    from asyncmig.dialects.postgresql_values import numbered, with_values

    if getattr(context, "compiled", None) is None:  # exec_driver_sql: the driver's own marks, which were psycopg2's
        sql, parameters = numbered(sql, parameters)
    return with_values(sql, parameters)


def _send(cursor: Any, sql: str) -> None:
    adapted = cursor._adapt_connection
    try:
        await_only(adapted.driver_connection.execute(sql))
    except Exception as error:
        adapted._handle_exception(error)
