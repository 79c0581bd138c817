"""What a change to a SQLite table of 1,000,000 rows costs: asyncmig, Alembic's batch, and twelve steps by hand.

    python -m benchmarks.sqlite_changes [--rows 1000000] [--rounds 3]

10 columns, 2 indexes. Each try works on a fresh copy of the same file; the time is that of one transaction on one
connection of the sqlite3 module, with asyncmig's planning and proofs in it. By hand means: foreign_keys off, new
table, INSERT ... SELECT, DROP, RENAME, indexes, foreign_key_check, without any look at the rows before.
"""

import argparse
import os
import shutil
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

from asyncmig.dialects import sqlite_edits as edit
from asyncmig.dialects.sqlite_change import change_table
from benchmarks.tools import machine

COLUMNS = (
    "id INTEGER PRIMARY KEY, a INTEGER, b VARCHAR(40), c TEXT, d REAL, e INTEGER, f VARCHAR(20), g TEXT,"
    " h INTEGER DEFAULT 5, i VARCHAR(20)"
)
INDEXES = ("CREATE INDEX ix_a ON item (a)", "CREATE INDEX ix_b ON item (b)")
FILL = """WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < ?) INSERT INTO item
 SELECT x, x % 1000, 'name' || x, 'some text', x * 1.5, x % 7, 'f', 'more text', x, 'iiii' FROM n"""


@dataclass(frozen=True, slots=True)
class Case:
    """The same change in the words of each; `by_hand` is the new table's columns, where a rebuild is needed."""

    name: str
    edits: Sequence[edit.Edit]
    batch: Callable[[Any], Any]
    goal: str
    by_hand: str = ""


CASES = (
    Case("NOT NULL", [edit.SetNullable("h", False)], lambda b: b.alter_column("h", nullable=False), ">= 15x"),
    Case("default", [edit.SetDefault("h", "7")], lambda b: b.alter_column("h", server_default="7"), ">= 15x"),
    Case(
        "CHECK",
        [edit.AddConstraint("CONSTRAINT positive CHECK (h > 0)")],
        lambda b: b.create_check_constraint("positive", sa.text("h > 0")),
        ">= 15x",
    ),
    Case(
        "same-affinity type",
        [edit.SetType("b", "VARCHAR(80)")],
        lambda b: b.alter_column("b", type_=sa.String(80)),
        ">= 15x",
    ),
    Case(
        "other affinity (rebuild)",
        [edit.SetType("h", "TEXT")],
        lambda b: b.alter_column("h", type_=sa.Text()),
        "<= 1.15 by hand",
        COLUMNS.replace("h INTEGER", "h TEXT"),
    ),
    Case("drop column", [edit.DropColumn("g")], lambda b: b.drop_column("g"), ""),
    Case("add column", [edit.AddColumn("j INTEGER")], lambda b: b.add_column(sa.Column("j", sa.Integer)), "constant"),
    Case(
        "rename column",
        [edit.RenameColumn("g", "gg")],
        lambda b: b.alter_column("g", new_column_name="gg"),
        "constant",
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    print(f"{machine()}; SQLite {sqlite3.sqlite_version}; {options.rows:,} rows, median of {options.rounds} rounds\n")
    print("| | procedure | asyncmig | Alembic | factor | by hand | ratio | goal |")
    print("|---|---|---:|---:|---:|---:|---:|---|")
    with tempfile.TemporaryDirectory() as folder:
        original = Path(folder) / "original.db"
        _create(original, options.rows)
        for case in CASES:
            print(_line(case, original, options.rounds), flush=True)


def _create(path: Path, rows: int) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE item ({COLUMNS})")
    connection.execute(FILL, (rows,))
    for sql in INDEXES:
        connection.execute(sql)
    connection.commit()
    connection.close()


def _line(case: Case, original: Path, rounds: int) -> str:
    ours, theirs, manual = [], [], []
    procedures: list[str] = []
    for _ in range(rounds):
        seconds, procedures = _asyncmig(case, _copy(original))
        ours.append(seconds)
        theirs.append(_alembic(case, _copy(original)))
        if case.by_hand:
            manual.append(_twelve_steps(case, _copy(original)))
    mine, other = statistics.median(ours), statistics.median(theirs)
    hand = statistics.median(manual) if manual else None
    cells = [case.name, ", ".join(procedures), f"{mine:.3f} s", f"{other:.3f} s", f"{other / mine:.1f}x"]
    cells += [f"{hand:.3f} s", f"{mine / hand:.2f}"] if hand else ["", ""]
    return "| " + " | ".join([*cells, case.goal]) + " |"


def _copy(original: Path) -> Path:
    """A fresh copy, on the disk already, so that nobody's commit waits for it, and in the system's cache."""
    path = original.with_name("try.db")
    for left in original.parent.glob("try.db*"):
        left.unlink()
    shutil.copyfile(original, path)
    with path.open("rb+") as file:
        os.fsync(file.fileno())
    path.read_bytes()
    return path


def _asyncmig(case: Case, path: Path) -> tuple[float, list[str]]:
    connection = sqlite3.connect(path, isolation_level=None)

    def query(sql: str, parameters: Sequence[Any] = ()) -> list[Any]:
        return connection.execute(sql, tuple(parameters)).fetchall()

    query("PRAGMA foreign_keys = OFF")
    started = time.perf_counter()
    query("BEGIN IMMEDIATE")
    change = change_table(query, "item", case.edits)
    change.carry_out(query)
    query("COMMIT")
    seconds = time.perf_counter() - started
    connection.close()
    return seconds, list(change.procedures)


def _alembic(case: Case, path: Path) -> float:
    engine = sa.create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.execute(sa.text("SELECT 1"))
        started = time.perf_counter()
        operations = Operations(MigrationContext.configure(connection))
        with operations.batch_alter_table("item") as batch:
            case.batch(batch)
        connection.commit()
        seconds = time.perf_counter() - started
    engine.dispose()
    return seconds


def _twelve_steps(case: Case, path: Path) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    names = "id, a, b, c, d, e, f, g, h, i"
    statements = [
        "PRAGMA foreign_keys = OFF",
        "BEGIN IMMEDIATE",
        f"CREATE TABLE new_item ({case.by_hand})",
        f"INSERT INTO new_item ({names}) SELECT {names} FROM item",
        "DROP TABLE item",
        "ALTER TABLE new_item RENAME TO item",
        *INDEXES,
        "PRAGMA foreign_key_check(item)",
        "COMMIT",
    ]
    started = time.perf_counter()
    for sql in statements:
        connection.execute(sql).fetchall()
    seconds = time.perf_counter() - started
    connection.close()
    return seconds


if __name__ == "__main__":
    main()
