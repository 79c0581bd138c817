"""The parse of stored CREATE TABLE texts, and what each edit makes of them."""

from __future__ import annotations

import sqlite3

import pytest

from asyncmig.dialects import sqlite_edits as edit
from asyncmig.dialects.sqlite_layout import affinity, layout
from asyncmig.dialects.sqlite_table_text import parse_table
from asyncmig.errors import UnsupportedOperation

ODD = {
    "no types": ("CREATE TABLE t(a,b, c )", ["a", "b", "c"], ["", "", ""]),
    "types of many words": ("CREATE TABLE t(a LONG  VARYING\tCHARACTER(255) NOT NULL, b 'x' y)", ["a", "b"], ["LONG  VARYING\tCHARACTER(255)", "'x' y"]),
    "numbers in types": ("CREATE TABLE t(a DECIMAL(10,-2), b FLOAT(+5))", ["a", "b"], ["DECIMAL(10,-2)", "FLOAT(+5)"]),
    "every quote": ('CREATE TABLE "t"("a ""q""" x, [b c] y, `d``e` z, \'f\'\'g\' w)', ['a "q"', "b c", "d`e", "f'g"], list("xyzw")),
    "keywords as names": ("CREATE TABLE t(key INT, action, desc TEXT, replace)", ["key", "action", "desc", "replace"], ["INT", "", "TEXT", ""]),
    "comments everywhere": ("CREATE TABLE t(--x,\na/*,*/INT/*)*/NOT/**/NULL--,)\n,b)", ["a", "b"], ["INT", ""]),
    "no commas between constraints": ("CREATE TABLE t(a, b, CHECK(a) UNIQUE(b) CONSTRAINT x PRIMARY KEY(a))", ["a", "b"], ["", ""]),
    "names in front of nothing": ("CREATE TABLE t(a CONSTRAINT x CONSTRAINT y NOT NULL CONSTRAINT z, b)", ["a", "b"], ["", ""]),
    "generated": ("CREATE TABLE t(a INT, b INT GENERATED ALWAYS AS (a,) STORED, c AS (a))".replace(",)", ")"), ["a", "b", "c"], ["INT", "INT", ""]),
    "a type called generated": ("CREATE TABLE t(a GENERATED, b always)", ["a", "b"], ["GENERATED", "always"]),
    "signed and bare defaults": ("CREATE TABLE t(a DEFAULT -1 NOT NULL, b DEFAULT + 1.5e3, c DEFAULT word, d DEFAULT x'00')", list("abcd"), [""] * 4),
    "a comment behind": ("CREATE TABLE t(a) -- why", ["a"], [""]),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_columns_and_types_are_read_as_sqlite_reads_them(name: str) -> None:
    sql, names, types = ODD[name]
    table = parse_table(sql)
    assert [column.name for column in table.columns] == names
    assert [column.type for column in table.columns] == types
    database = sqlite3.connect(":memory:")
    database.execute(sql)
    rows = database.execute("SELECT name, \"notnull\" FROM pragma_table_xinfo('t')").fetchall()
    database.close()
    assert [row[0] for row in rows] == names
    assert [bool(row[1]) for row in rows] == [column.not_null for column in table.columns]


def test_clauses_are_found_with_their_names_and_columns() -> None:
    table = parse_table(
        "CREATE TABLE t(a INT CONSTRAINT one PRIMARY KEY DESC ON CONFLICT FAIL, b REFERENCES o(x) ON DELETE SET NULL"
        " MATCH FULL NOT DEFERRABLE INITIALLY DEFERRED NOT NULL, CONSTRAINT 'two' FOREIGN KEY (a, b) REFERENCES o"
        " ON UPDATE NO ACTION DEFERRABLE, UNIQUE (b COLLATE NOCASE DESC, a) ON CONFLICT IGNORE) WITHOUT ROWID, STRICT"
    )
    assert [(c.kind, c.name, c.columns) for c in table.clauses] == [
        ("primary key", "one", ("a",)), ("foreign key", None, ("b",)), ("not null", None, ("b",)),
        ("foreign key", "two", ("a", "b")), ("unique", None, ("b", "a")),
    ]  # fmt: skip
    assert [c.reference and (c.reference.table, c.reference.columns) for c in table.clauses if c.reference] == [
        ("o", ("x",)), ("o", ()),
    ]  # fmt: skip
    assert table.clauses[1].spelling.endswith("not deferrable initially deferred")
    assert table.strict and table.without_rowid


@pytest.mark.parametrize(
    ("definition", "alias"),
    [
        ("a INTEGER PRIMARY KEY", "a"),
        ("a integer, PRIMARY KEY (a)", "a"),
        ("a INTEGER, PRIMARY KEY (a DESC)", "a"),
        ("a INTEGER PRIMARY KEY DESC", None),
        ("a INT PRIMARY KEY", None),
        ("a INTEGER, b, PRIMARY KEY (a, b)", None),
        ("a INTEGER", None),
    ],
)
def test_the_rowid_alias_is_the_one_that_sqlite_sees(definition: str, alias: str | None) -> None:
    assert parse_table(f"CREATE TABLE t({definition})").rowid_alias == alias
    database = sqlite3.connect(":memory:")
    database.execute(f"CREATE TABLE t({definition})")
    database.execute("INSERT INTO t (rowid) VALUES (77)")
    assert (database.execute("SELECT a FROM t").fetchone()[0] == 77) == (alias is not None)
    database.close()


@pytest.mark.parametrize(
    "sql", ["CREATE VIRTUAL TABLE t USING fts5(a)", "CREATE TABLE t", "CREATE TABLE t(a", "CREATE TABLE t(a,,b)"]
)
def test_what_is_no_table_with_columns_is_refused(sql: str) -> None:
    with pytest.raises(UnsupportedOperation):
        parse_table(sql)


T = "CREATE TABLE t(\n  a INT, -- first\n  b TEXT /* b */ DEFAULT 'x' COLLATE NOCASE, -- second\n  c NOT NULL -- third\n)"
EDITS = [
    (T, edit.SetType("a", "BIGINT"), "a BIGINT,"),
    (T, edit.SetType("a", ""), "  a, -- first"),
    (T, edit.SetType("c", "INT"), "c INT NOT NULL --"),
    (T, edit.SetNullable("a", False), "a INT NOT NULL, -- first"),
    (T, edit.SetNullable("c", True), "  c -- third\n)"),
    (T, edit.SetDefault("a", "1 + 1"), "a INT DEFAULT (1 + 1),"),
    (T, edit.SetDefault("a", "(1) + (1)"), "a INT DEFAULT ((1) + (1)),"),
    (T, edit.SetDefault("a", "-5"), "a INT DEFAULT -5,"),
    (T, edit.SetDefault("b", "CURRENT_TIMESTAMP"), "/* b */ DEFAULT CURRENT_TIMESTAMP COLLATE"),
    (T, edit.SetDefault("b", None), "b TEXT /* b */ COLLATE NOCASE,"),
    (T, edit.SetCollation("b", "RTRIM"), "DEFAULT 'x' COLLATE RTRIM,"),
    (T, edit.SetCollation("b", None), "DEFAULT 'x', -- second"),
    (T, edit.SetGenerated("a", "b || c"), "a INT GENERATED ALWAYS AS (b || c) VIRTUAL, -- first"),
    (T, edit.DropColumn("b"), "-- first\n /* b */ DEFAULT".replace(" /* b */ DEFAULT", " -- second\n  c NOT NULL -- third\n)")),
    (T, edit.DropColumn("a"), "( -- first\n  b TEXT"),
    (T, edit.DropColumn("c"), "COLLATE NOCASE -- second\n -- third\n)"),
    (T, edit.AddColumn("d -- fourth"), "c NOT NULL,\n  d -- fourth\n -- third\n)"),
    (T, edit.AddColumn("d", before="a"), "(\n  d,\n  a INT"),
    (T, edit.AddConstraint("CHECK (a) -- why"), "c NOT NULL,\n  CHECK (a) -- why\n -- third\n)"),
    (T, edit.ReorderColumns(("c", "b", "a")), "  c NOT NULL, -- first\n  b TEXT"),
    (T, edit.SetOptions("STRICT"), "\n) STRICT"),
    (T, edit.RenameTable("a b"), 'CREATE TABLE "a b"(\n'),
    ("CREATE TABLE t(a, CHECK(a)UNIQUE(a),CHECK(1))", edit.DropConstraint(kind="unique"), "(a, CHECK(a),CHECK(1))"),
    ("CREATE TABLE t(a, b, CHECK(a) UNIQUE(b))", edit.DropConstraint(kind="check"), "(a, b UNIQUE(b))".replace("b U", "b, U")),
    ("CREATE TABLE t(a DEFAULT 'x'NOT NULL/**/CHECK(1))", edit.SetNullable("a", True), "DEFAULT 'x' /**/CHECK(1)"),
    ("CREATE TABLE t(a INT -- why\n NOT NULL)", edit.SetNullable("a", True), "(a INT -- why\n)"),
    ("CREATE TABLE t(a) WITHOUT/**/ROWID", edit.SetOptions(""), "(a) "),
    ("CREATE TABLE t(a, b, UNIQUE(a, b), CHECK(b > 0 AND a))", edit.DropColumn("b"), "(a)"),
    ("CREATE TABLE t(a, text, CHECK(CAST(a AS text) <> 'text' AND text(a) COLLATE text))", edit.DropColumn("text"), "(a, CHECK"),
]  # fmt: skip


@pytest.mark.parametrize(("sql", "change", "part"), EDITS, ids=lambda value: str(value)[:60])
def test_an_edit_changes_its_part_of_the_text(sql: str, change: edit.Edit, part: str) -> None:
    assert part in edit.edited(parse_table(sql), change).sql


@pytest.mark.parametrize(
    ("type", "expected"),
    [
        ("FLOATING POINT", "INTEGER"), ("CHARINT", "INTEGER"), ("VARCHAR(5)", "TEXT"), ("", "BLOB"), ("blob", "BLOB"),
        ("DOUBLE", "REAL"), ("BOOLEAN", "NUMERIC"), ("DATETIME", "NUMERIC"), ("ANY", "NUMERIC"), ("STRING", "NUMERIC"),
    ],
)  # fmt: skip
def test_affinities_follow_the_manual(type: str, expected: str) -> None:
    assert affinity(type) == expected


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        ("a INT, b", "a BIGINT NOT NULL DEFAULT 1 CHECK (a), b REFERENCES x", True),
        ("a INT, b", "a TEXT, b", False),
        ("a INTEGER PRIMARY KEY", "a BIGINT PRIMARY KEY", False),
        ("a INTEGER PRIMARY KEY", "a INTEGER PRIMARY KEY AUTOINCREMENT", False),
        ("a UNIQUE ON CONFLICT FAIL", "a CONSTRAINT u UNIQUE", True),
        ("a, b, UNIQUE (a), UNIQUE (b)", "a, b, UNIQUE (b), UNIQUE (a)", False),
        ("a, UNIQUE (a)", "a, UNIQUE (a COLLATE NOCASE)", False),
        ("a, b AS (a)", "a, b AS (a + 1)", False),
        ("a, b", "b, a", False),
    ],
)
def test_layouts_are_equal_where_the_file_stays_the_same(left: str, right: str, same: bool) -> None:
    layouts = [layout(parse_table(f"CREATE TABLE t({body})")) for body in (left, right)]
    assert (layouts[0] == layouts[1]) is same
