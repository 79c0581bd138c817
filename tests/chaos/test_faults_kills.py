"""kill -9 at a random moment of DDL, of a rebuild, of CREATE INDEX CONCURRENTLY, of batches.

Afterwards the database is at a whole revision, or at one that the journal calls incomplete; journal and version table
agree, a rerun reaches head, and every row is still there.
"""

import random
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import servers
from projects import Project
from tally import Tally, killed

ROWS = 20_000
JOURNAL = "SELECT revision, direction, outcome FROM asyncmig_version_journal ORDER BY id"
VERSION = "SELECT version_num FROM asyncmig_version"
BASE = """
op.create_table(
    "item",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String(40), nullable=False),
    sa.Column("price", sa.Integer),
)
op.execute({fill!r})
"""
FILL = {
    "sqlite": (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
        "INSERT INTO item SELECT i, 'item ' || i, i FROM n"
    ),
    "postgresql": "INSERT INTO item SELECT i, 'item ' || i, i FROM generate_series(1, {rows}) AS i",
}


@dataclass(frozen=True)
class Fault:
    """What b2 does, once as often as `name`; `holds` looks whether that is there, on top of all the rows."""

    upgrade: str
    holds: Callable[[str], bool]
    only: str | None = None


def has_column(url: str) -> bool:
    return "more" in servers.columns(url, "item")


def has_valid_index(url: str) -> bool:
    sql = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('ix_item_name')"
    return servers.rows(url, sql) == [(True,)]


def price_is_text(url: str) -> bool:
    if url.startswith("sqlite"):
        sql = "SELECT type FROM pragma_table_info('item') WHERE name = 'price'"
    else:
        sql = "SELECT data_type FROM information_schema.columns WHERE table_name = 'item' AND column_name = 'price'"
    return servers.rows(url, sql)[0][0].lower() in ("text", "character varying", "varchar(20)")


def batch_is_done(url: str) -> bool:
    return servers.rows(url, "SELECT count(*) FROM item WHERE name LIKE '%!'") == [(ROWS,)]


FAULTS = {
    "DDL": Fault(
        'for n in range(30):\n    op.create_table(f"t{n}", sa.Column("id", sa.Integer))\n'
        'op.add_column("item", sa.Column("more", sa.Integer))\nop.create_index("ix_item_name", "item", ["name"])',
        has_column,
    ),
    "a table that is built anew": Fault(
        'op.alter_column("item", "price", type_=sa.String(20), existing_type=sa.Integer(), '
        'postgresql_using="price::text")',
        price_is_text,
    ),
    "a batch of changes": Fault(
        'with op.batch_alter_table("item") as batch:\n'
        '    batch.add_column(sa.Column("more", sa.Integer))\n'
        '    batch.alter_column("name", type_=sa.Text(), existing_type=sa.String(40))\n'
        '    batch.create_check_constraint("ck_item_price", "price > 0")',
        has_column,
    ),
    "CREATE INDEX CONCURRENTLY": Fault(
        'op.create_index("ix_item_name", "item", ["name"], postgresql_concurrently=True)', has_valid_index, "postgresql"
    ),
    "batches": Fault(
        "async def upgrade():\n"
        '    async for batch in op.batches("item", key="id", size=500, columns=["name"]):\n'
        "        await (await op.connection()).execute(\n"
        '            sa.update(batch.table).where(batch.where).values(name=sa.column("name") + "!")\n'
        "        )",
        batch_is_done,
    ),
}


def kind(url: str) -> str:
    return "sqlite" if url.startswith("sqlite") else "postgresql"


def prepared(project: Project, url: str, fault: Fault) -> Path:
    """At a1, with the rows. Gives the file that b2 makes when it begins."""
    project.revision("a1", upgrade=BASE.format(fill=FILL[kind(url)].format(rows=ROWS)))
    project.run("upgrade", "head").expect(0)
    mark = project.folder / "mark"
    touch = f"__import__('pathlib').Path({str(mark)!r}).touch()"
    head, rest = fault.upgrade.split("\n", 1) if fault.upgrade.startswith("async def") else ("", fault.upgrade)
    project.revision("b2", "a1", upgrade=f"{head}\n    {touch}\n{rest}" if head else f"{touch}\n{rest}")
    project.revision("c3", "b2", upgrade='op.create_table("last", sa.Column("id", sa.Integer))')
    return mark


def is_some_whole_revision(url: str, fault: Fault) -> None:
    """Or one that the journal calls incomplete."""
    ((at,),) = servers.rows(url, VERSION)
    journal = servers.rows(url, JOURNAL)
    applied = [name for name, _, outcome in journal if outcome == "applied"]
    incomplete = [name for name, _, outcome in journal if outcome == "incomplete"]
    assert applied == ["a1", "b2", "c3"][: ["a1", "b2", "c3"].index(at) + 1], journal
    assert incomplete in ([], ["b2"] if at == "a1" else []), journal
    if not incomplete:
        assert fault.holds(url) == (at != "a1"), journal
    assert servers.rows(url, "SELECT count(*), min(id), max(id) FROM item") == [(ROWS, 1, ROWS)]
    leftovers = [name for name in servers.tables(url) if name.startswith("_")]
    assert leftovers == []


def settled(url: str) -> None:
    """The server has noticed that the client is gone; on SQLite the next reader rolls the file back."""
    if kind(url) == "sqlite":
        with sqlite3.connect(servers.sqlite_path(url)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        database.close()
        return
    deadline = time.monotonic() + 60
    sql = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    while servers.rows(url, sql) != [(0,)]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill_at_random(project: Project, url: str, name: str, rounds: int, tally: Tally) -> None:
    fault = FAULTS[name]
    mark = prepared(project, url, fault)
    for _ in range(rounds):
        mark.unlink(missing_ok=True)
        process = project.start("upgrade", "head")
        deadline = time.monotonic() + 60
        while not mark.exists() and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(random.choice([0.02, 0.1, 0.5]) * random.random())
        hit = killed(process)
        settled(url)
        is_some_whole_revision(url, fault)
        incomplete = any(outcome == "incomplete" for _, _, outcome in servers.rows(url, JOURNAL))
        tally(f"kills during {name}", hit=hit, found_incomplete=incomplete)
        if servers.rows(url, VERSION) == [("c3",)]:
            break
    project.run("upgrade", "head").expect(0)
    is_some_whole_revision(url, fault)
    assert servers.rows(url, VERSION) == [("c3",)]
    assert fault.holds(url)


# Where the two differ; the soak does them all.
ON_POSTGRESQL = ["DDL", "CREATE INDEX CONCURRENTLY", "batches"]
ON_SQLITE = ["a table that is built anew", "a batch of changes", "batches"]


@pytest.mark.parametrize("name", ON_POSTGRESQL)
def test_a_run_killed_at_a_random_moment(at_postgres: Project, postgres_url: str, name: str, tally: Tally) -> None:
    kill_at_random(at_postgres, postgres_url, name, 1, tally)


@pytest.mark.parametrize("name", ON_SQLITE)
def test_a_run_on_a_file_killed_at_a_random_moment(
    at_sqlite: Project, sqlite_url: str, name: str, tally: Tally
) -> None:
    kill_at_random(at_sqlite, sqlite_url, name, 1, tally)


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(6))
@pytest.mark.parametrize("name", FAULTS)
def test_a_run_killed_at_many_moments(
    database_project: Project, database_url: str, name: str, _round: int, tally: Tally
) -> None:
    if FAULTS[name].only in (None, kind(database_url)):
        kill_at_random(database_project, database_url, name, 8, tally)


def waiters_go_on(project: Project, url: str, waiters: int, tally: Tally) -> None:
    """The holder of the lock is killed in its step; of those who wait one goes on, and all find head.

    It asks for the connection: on SQLite the lock is the step's transaction, which begins there.
    """
    mark = project.folder / "mark"
    wait = (
        f"import pathlib, time\np = pathlib.Path({str(mark)!r})\nif not p.exists():\n    p.touch()\n    time.sleep(600)"
    )
    create = 'op.create_table("made", sa.Column("id", sa.Integer))\nop.execute("INSERT INTO made VALUES (1)")'
    create += "\nop.get_bind()"
    project.revision("a1", upgrade=f"{create}\n{wait}").revision("b2", "a1")
    holder = project.start("upgrade", "head")
    deadline = time.monotonic() + 60
    while not mark.exists():
        assert holder.poll() is None, holder.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    others = [project.start("upgrade", "head") for _ in range(waiters)]
    time.sleep(random.uniform(0.1, 1.5))
    assert all(process.poll() is None for process in others)
    tally("kills of the holder of the lock", hit=killed(holder), others_waited=waiters)
    for process in others:
        stdout, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stdout + stderr
    assert servers.rows(url, "SELECT id FROM made") == [(1,)]
    assert servers.rows(url, JOURNAL) == [("a1", "upgrade", "applied"), ("b2", "upgrade", "applied")]


def test_others_go_on_when_the_holder_of_the_lock_is_killed(
    database_project: Project, database_url: str, tally: Tally
) -> None:
    waiters_go_on(database_project, database_url, 2, tally)


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(5))
def test_many_go_on_when_the_holder_is_killed(
    database_project: Project, database_url: str, _round: int, tally: Tally
) -> None:
    waiters_go_on(database_project, database_url, 8, tally)


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(2))
def test_a_great_many_starters(database_project: Project, database_url: str, _round: int) -> None:
    """32 at once on PostgreSQL, 16 on one SQLite file."""
    names = [f"rev{number}" for number in range(1, 6)]
    for number, name in enumerate(names):
        body = f'op.create_table("{name}", sa.Column("id", sa.Integer))\nop.execute("INSERT INTO {name} VALUES (1)")'
        database_project.revision(name, names[number - 1] if number else None, upgrade=body)
    starters = [database_project.start("upgrade", "head") for _ in range(16 if kind(database_url) == "sqlite" else 32)]
    for process in starters:
        stdout, stderr = process.communicate(timeout=300)
        assert process.returncode == 0, stdout + stderr
    assert servers.rows(database_url, JOURNAL) == [(name, "upgrade", "applied") for name in names]
    assert [servers.rows(database_url, f"SELECT id FROM {name}") for name in names] == [[(1,)]] * 5
