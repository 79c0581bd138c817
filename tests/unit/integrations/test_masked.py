"""SQL without its literals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asyncmig.integrations.masked import masked

CASES = [
    ("SELECT 'a''b', 12, 1.5e3, .5, t1.c2 FROM t1", "SELECT ?, ?, ?, ?, t1.c2 FROM t1"),
    ("WHERE x = $1 AND y = :name AND z = %(a)s", "WHERE x = $1 AND y = :name AND z = %(a)s"),
    ("E'it\\'s secret' || E'x'", "? || ?"),
    ("SELECT 'back\\' || 'y'", "SELECT ? || ?"),
    ("name'secret'", "name?"),
    ("/* a /* b */ it's */ SELECT 'secret'", "SELECT ?"),
    ("-- it's secret\nSELECT 1", "SELECT ?"),
    ("/* never closed 'secret'", ""),
    ("CREATE FUNCTION f() AS $$ SELECT 'x' $$ LANGUAGE sql", "CREATE FUNCTION f() AS ? LANGUAGE sql"),
    ("$tag$ 'a' $$ b $tag$ 7", "? ?"),
    ('INSERT INTO "T 1" VALUES (\'unfinished', 'INSERT INTO "T 1" VALUES (?'),
    ("X'00ff' u&'abc' ::text 'x'::varchar(20)", "? ? ::text ?::varchar(?)"),
    ("ARRAY[1, 2] || '{3}'", "ARRAY[?, ?] || ?"),
    ("SELECT 0x1F, 1_000, -5", "SELECT ?, ?, -?"),
    ("`a'b` 'c'", "`a'b` ?"),
    (
        "ALTER TABLE account ADD COLUMN kind VARCHAR DEFAULT 'new'",
        "ALTER TABLE account ADD COLUMN kind VARCHAR DEFAULT ?",
    ),
]


@pytest.mark.parametrize(("sql", "shown"), CASES)
def test_literals_are_replaced_and_names_stay(sql: str, shown: str) -> None:
    assert masked(sql) == shown


@given(st.text(st.characters(exclude_characters="Z")), st.text(alphabet="ab ,()=", max_size=20))
def test_a_quoted_value_never_shows(value: str, before: str) -> None:
    literal = "'Z" + value.replace("'", "''") + "Z'"
    assert "Z" not in masked(f"SELECT {before} {literal}, {literal}")
