"""What SQLite makes of an expression, found out in a database in memory.

SQLite keeps texts as they are written, so there is no spelling of its own to compare. But it compiles: two expressions
that become the same program over the same table mean the same. And a default without functions has a value.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing

from asyncmig.dialects.asking import Question
from asyncmig.dialects.sqlite_tokens import quote

__all__ = ["answers"]

_CALLS = re.compile(r"'(?:[^']|'')*'|(?P<call>\w\s*\(|\bCURRENT_)", re.IGNORECASE)


def answers(questions: Iterable[Question]) -> Mapping[Question, str | None]:
    """None where SQLite refuses: a function or collation that only the application's connections have."""
    with closing(sqlite3.connect(":memory:")) as connection:
        return {question: _answer(connection, question) for question in questions}


def _answer(connection: sqlite3.Connection, question: Question) -> str | None:
    if question.kind == "type":
        return question.sql
    try:
        if question.kind == "default" and not any(match["call"] for match in _CALLS.finditer(question.sql)):
            return _value(connection, question)
        return _program(connection, question)
    except sqlite3.Error:
        return None


def _value(connection: sqlite3.Connection, question: Question) -> str:
    """What a row gets: '1' and 1 are the same in an INTEGER column, and not in a TEXT one."""
    connection.execute("DROP TABLE IF EXISTS scratch")
    connection.execute(f"CREATE TABLE scratch (value {question.type} DEFAULT ({question.sql}))")
    connection.execute("INSERT INTO scratch DEFAULT VALUES")
    (found,) = connection.execute("SELECT typeof(value) || ' ' || quote(value) FROM scratch").fetchone()
    return str(found)


def _program(connection: sqlite3.Connection, question: Question) -> str:
    connection.execute("DROP TABLE IF EXISTS scratch")
    columns = ", ".join([*(f"{quote(name)} {type_}" for name, type_ in question.columns), "asyncmig_value"])
    connection.execute(f"CREATE TABLE scratch ({columns})")
    rows = connection.execute(f"EXPLAIN SELECT ({question.sql}) FROM scratch").fetchall()
    return repr([row[1:7] for row in rows])
