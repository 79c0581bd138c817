"""Indexes read from their stored text say what SQLite's own PRAGMA says of them."""

import sqlite3

import pytest
import sqlalchemy as sa

from asyncmig.dialects.sqlite_index_text import index_parts, is_unique
from asyncmig.schema.model import Column
from asyncmig.schema.types import sql_type

TABLE = 'CREATE TABLE t ("Id" INTEGER PRIMARY KEY, a TEXT, b TEXT COLLATE NOCASE, "c d" INT, [e,f] INT, "g""h" INT)'
COLUMNS = {
    name: Column(name, sql_type(sa.Text(collation="NOCASE") if name == "b" else sa.Text()))
    for name in ("Id", "a", "b", "c d", "e,f", 'g"h')
}

INDEXES = {
    "CREATE INDEX i ON t (a)": ["a"],
    "create unique index if not exists i on T(A , id)": ["a", "Id"],
    'CREATE INDEX i ON "t" ("c d" ASC)': ["c d"],
    'CREATE INDEX i ON t ([e,f], "g""h", `a`)': ["e,f", 'g"h', "a"],
    "CREATE INDEX i ON t ('a')": ["a"],
    "CREATE INDEX i ON t (a COLLATE binary)": ["a"],
    "CREATE INDEX i ON t (b COLLATE binary, a)": ["b COLLATE binary", "a"],
    "CREATE INDEX i ON t (b COLLATE nocase ASC, a)": ["b", "a"],
    "CREATE INDEX i ON t (a DESC, lower(b))": ["a DESC", "lower(b)"],
    'CREATE INDEX "i ""x" ON t (a, "b")': ["a", "b"],
    'CREATE UNIQUE\n INDEX main.i ON t -- x)\n (a /* y */, "c d")': ["a", "c d"],
    "CREATE INDEX i ON t (a) WHERE b > ')'": ["a"],
}


@pytest.mark.parametrize("sql", INDEXES)
def test_elements_are_those_that_sqlite_tells(sql: str) -> None:
    with sqlite3.connect(":memory:") as database:
        database.execute(TABLE)
        database.execute(sql)
        ((name, stored),) = database.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index'").fetchall()
        told = database.execute("SELECT name FROM pragma_index_xinfo(?) WHERE key", (name,)).fetchall()
        ((unique, partial),) = database.execute("SELECT \"unique\", partial FROM pragma_index_list('t')").fetchall()
    elements, where = index_parts(stored, COLUMNS)
    assert [e if isinstance(e, str) else e.spelling("sqlite") for e in elements] == INDEXES[sql]
    assert all(column == element for (column,), element in zip(told, elements, strict=True) if isinstance(element, str))
    assert (is_unique(stored), where is not None) == (bool(unique), bool(partial))
