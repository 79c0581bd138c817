"""Constraints out of stored texts: the pattern for plain texts and the parser say the same."""

import pytest
import sqlalchemy as sa
from schema_cases import CASES, Case
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from asyncmig.dialects import sqlite_constraints
from asyncmig.dialects.sqlite_constraints import read_constraints
from asyncmig.dialects.sqlite_table_text import parse_table
from asyncmig.schema.model import Check, ForeignKey, PrimaryKey, Ref, Unique

PLAIN = """CREATE TABLE t (
\tid INTEGER NOT NULL,
\tunique_code VARCHAR(20) DEFAULT 'it''s UNIQUE (x)',
\t"a b" INTEGER,
\tPRIMARY KEY (id),
\tCONSTRAINT uq UNIQUE (unique_code, "a b"),
\tUNIQUE (id),
\tCONSTRAINT "f k" FOREIGN KEY("a b") REFERENCES "o t" (id) ON DELETE SET NULL ON UPDATE CASCADE,
\tFOREIGN KEY(id) REFERENCES other
)"""


def test_a_plain_text_is_read_without_the_parser() -> None:
    read = read_constraints(PLAIN, None)
    assert read.text is None
    assert read.constraints == (
        PrimaryKey(("id",)),
        Unique(("unique_code", "a b"), "uq"),
        Unique(("id",)),
        ForeignKey(("a b",), Ref("o t"), ("id",), "f k", "CASCADE", "SET NULL"),
        ForeignKey(("id",), Ref("other"), ()),
    )


@pytest.mark.parametrize(
    "part",
    [
        "a INTEGER PRIMARY KEY",
        "a INTEGER UNIQUE",
        "a INTEGER REFERENCES b (c)",
        "a INTEGER, CHECK (a > 0)",
        "a TEXT COLLATE NOCASE",
        "a INTEGER, b GENERATED ALWAYS AS (a * 2)",
        "a INTEGER, UNIQUE (a) ON CONFLICT IGNORE",
        "a INTEGER, FOREIGN KEY (a) REFERENCES b (c) DEFERRABLE INITIALLY DEFERRED",
        "a INTEGER, -- UNIQUE (b)\n UNIQUE (a)",
        "[a] INTEGER, UNIQUE ([a])",
        "a INTEGER, UNIQUE (a DESC)",
    ],
)
def test_anything_else_goes_to_the_parser(part: str) -> None:
    assert read_constraints(f"CREATE TABLE t ({part})", None).text is not None


@pytest.mark.parametrize("case", [case for case in CASES if "sqlite" in case.runs_on], ids=lambda case: case.name)
def test_pattern_and_parser_agree_on_every_case(case: Case) -> None:
    for table in case.metadata().tables.values():
        sql = str(CreateTable(table).compile(dialect=sqlite.dialect()))
        if sql.strip().endswith("(\n)"):
            continue
        text = parse_table(sql)
        parsed = [sqlite_constraints.constraint_of(clause, text, None) for clause in text.clauses]
        assert list(read_constraints(sql, None).constraints) == [value for value in parsed if value is not None]


def test_a_check_keeps_its_text_and_its_column() -> None:
    (check,) = read_constraints("CREATE TABLE t (a INTEGER CONSTRAINT ck CHECK ( a > 0 /* so */ ))", None).constraints
    assert isinstance(check, Check)
    assert (check.name, check.column) == ("ck", "a")
    assert isinstance(check.text.clause, sa.TextClause)
    assert check.text.clause.text == "a > 0 /* so */"
