"""The same call writes the same SQL as Alembic, or stands in the table of docs/coming-from-alembic.md with its reason.

A row's calls may hold `*`. The two SQL cells are either the text itself, statements joined by "; ", or one of the
phrases that `FITS` knows how to check. A row that no case needs any more fails too.
"""

import re
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from both_tools import alembic_sql, our_sql, outcome
from directive_cases import COMMON, CONVENTION, CONVENTIONAL, POSTGRESQL, SETUP

pytest.importorskip("alembic")

PAGE = Path(__file__).parents[2] / "docs" / "coming-from-alembic.md"
CASES = [
    *(("postgresql", code, False) for code in [*COMMON, *POSTGRESQL]),
    *(("sqlite", code, False) for code in COMMON),
    *((name, code, True) for name in ("postgresql", "sqlite") for code in CONVENTIONAL),
]


@dataclass(frozen=True)
class Row:
    call: str
    database: str
    alembic: str
    asyncmig: str
    why: str

    def is_about(self, name: str, code: str) -> bool:
        pattern = re.escape(self.call).replace(r"\*", ".*")
        return self.database in (name, "both") and re.fullmatch(pattern, one_line(code)) is not None


def table() -> list[Row]:
    section = PAGE.read_text(encoding="utf-8").split("## SQL that differs", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    return [Row(*(_cell(cell) for cell in re.split(r"(?<!\\)\|", line.strip("|")))) for line in lines]


def _cell(text: str) -> str:
    text = text.strip().replace("\\|", "|")
    return text[1:-1].strip() if text.startswith("`") and text.endswith("`") else text


def one_line(text: str) -> str:
    return " ".join(text.split())


def joined(statements: list[str]) -> str:
    return "; ".join(one_line(text) for text in statements)


def is_refused(statements: list[str], *, rows: bool) -> bool:
    """Whether SQLite itself says no to some statement, after the tables of SETUP."""
    connection = prepared(rows)
    try:
        for text in statements:
            connection.execute(text)
    except sqlite3.Error:
        return True
    finally:
        connection.close()
    return False


def prepared(rows: bool) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    for text in alembic_sql("sqlite", SETUP):
        connection.execute(text)
    if rows:  # SQLite adds to an empty table what it refuses for one with rows
        connection.execute("INSERT INTO o VALUES (6, 1)")
        connection.execute("INSERT INTO t VALUES (1, 'xyz', 6, '2020-01-01', 'M', 1)")
        connection.execute("INSERT INTO bare VALUES (1, 1)")
    return connection


def is_error(statements: list[str]) -> bool:
    return statements[:1] != [] and statements[0].startswith("error: ")


FITS: dict[str, Callable[[list[str]], bool]] = {
    "an error": is_error,
    "SQL that SQLite refuses, or an error": lambda statements: (
        is_error(statements) or is_refused(statements, rows=True)
    ),
    "the table is changed": lambda statements: (
        not is_error(statements) and bool(statements) and not is_refused(statements, rows=False)
    ),
    "nothing": lambda statements: statements == [],
    "percent signs doubled": lambda statements: "%%" in joined(statements),
    "percent signs as they are": lambda statements: "%" in joined(statements) and "%%" not in joined(statements),
}


def fits(cell: str, statements: list[str]) -> bool:
    return FITS[cell](statements) if cell in FITS else cell == joined(statements)


ROWS = table()


def both(name: str, code: str, conventional: bool) -> tuple[list[str], list[str]]:
    convention = CONVENTION if conventional else None
    return outcome(alembic_sql, name, code, convention), outcome(our_sql, name, code, convention)


@pytest.mark.parametrize(("name", "code", "conventional"), CASES, ids=lambda value: one_line(str(value)))
def test_sql_is_alembics_or_in_the_table(name: str, code: str, conventional: bool) -> None:
    theirs, ours = both(name, code, conventional)
    if theirs == ours and not is_error(theirs):
        return
    rows = [row for row in ROWS if row.is_about(name, code)]
    assert any(fits(row.alembic, theirs) and fits(row.asyncmig, ours) for row in rows), (
        f"{name}: {one_line(code)}\nAlembic:  {joined(theirs)}\nasyncmig: {joined(ours)}\nrows: {rows}"
    )


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.database} {row.call}")
def test_row_is_needed(row: Row) -> None:
    assert row.why
    for name, code, conventional in CASES:
        if row.is_about(name, code):
            theirs, ours = both(name, code, conventional)
            if theirs != ours and fits(row.alembic, theirs) and fits(row.asyncmig, ours):
                return
    pytest.fail("no case differs so any more")
