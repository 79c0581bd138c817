"""op.batches: every row once, whatever interrupts it; and what it refuses."""

import signal
import time
from typing import Any

import pytest
import servers
from projects import Project

from asyncmig.database.events import BatchFinished
from asyncmig.errors import DynamicScript, MigrationFailed

pytestmark = pytest.mark.subset

ROWS = """
op.execute("CREATE TABLE account (id integer PRIMARY KEY, done integer NOT NULL DEFAULT 0)")
op.execute("INSERT INTO account (id) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {count}) SELECT i FROM n")
"""
WALK = """
async def upgrade() -> None:
    async for batch in op.batches("account", key="id", size=10):
        {body}
"""
ADD = "await batch.execute(sa.update(batch.table).where(batch.where).values(done=sa.text('done + 1')))"


def prepared(project: Project, body: str = ADD, *, count: int = 35, walk: str = WALK) -> Project:
    return project.revision("a1", upgrade=ROWS.format(count=count)).revision("b2", "a1", upgrade=walk.format(body=body))


def done(url: str) -> dict[int, int]:
    """How many rows were worked on how often."""
    found = servers.rows(url, "SELECT done, count(*) FROM account GROUP BY done ORDER BY done")
    return {int(times): int(count) for times, count in found}


async def test_every_row_is_worked_on_once(at_driver: Project, driver_url: str) -> None:
    events: list[Any] = []
    await prepared(at_driver).migrator(observer=events.append).upgrade("head")
    assert done(driver_url) == {1: 35}
    batches = [event for event in events if isinstance(event, BatchFinished)]
    assert [(event.number, event.rows) for event in batches] == [(1, 10), (2, 20), (3, 30), (4, 35)]
    assert {event.table for event in batches} == {"account"}
    assert servers.rows(driver_url, "SELECT version_num FROM asyncmig_version") == [("b2",)]
    journal = servers.rows(driver_url, "SELECT revision, outcome, cursor FROM asyncmig_version_journal ORDER BY id")
    assert journal == [("a1", "applied", None), ("b2", "applied", None)]


async def test_sqlite_knows_the_total(at_sqlite: Project) -> None:
    events: list[Any] = []
    await prepared(at_sqlite).migrator(observer=events.append).upgrade("head")
    assert {event.total for event in events if isinstance(event, BatchFinished)} == {35}


@pytest.mark.parametrize("count", [0, 1, 10, 20])
async def test_counts_at_the_edges_end(database_project: Project, database_url: str, count: int) -> None:
    await prepared(database_project, count=max(count, 1)).migrator().upgrade("a1")
    if count == 0:
        servers.execute(database_url, "DELETE FROM account")
    await database_project.migrator().upgrade("head")
    assert done(database_url) == ({1: count} if count else {})


async def test_a_failure_keeps_the_batches_before_it_and_the_rerun_goes_on(at_driver: Project, driver_url: str) -> None:
    fail = f"{ADD}\n        if batch.number == 3: raise RuntimeError('third')"
    prepared(at_driver, fail)
    with pytest.raises(MigrationFailed, match="third") as caught:
        await at_driver.migrator().upgrade("head")
    assert caught.value.exit_code == 4
    assert done(driver_url) == {0: 15, 1: 20}
    assert servers.rows(driver_url, "SELECT version_num FROM asyncmig_version") == [("a1",)]

    prepared(at_driver, ADD + "\n        assert batch.number > 2")
    report = await at_driver.migrator().upgrade("head")
    assert report.applied == ("b2",)
    assert done(driver_url) == {1: 35}


async def test_what_stands_before_and_after_a_backfill_is_done_once(at_driver: Project, driver_url: str) -> None:
    walk = """
async def upgrade() -> None:
    op.create_table("note", sa.Column("id", sa.Integer, primary_key=True))
    op.execute("INSERT INTO note VALUES (1)")
    async for batch in op.batches("account", key="id", size=10):
        {body}
    op.execute("INSERT INTO note VALUES (2)")
    {after}
"""
    failing = walk.replace("{after}", "op.execute('SELECT nothing_like_it')")
    prepared(at_driver, walk=failing)
    with pytest.raises(MigrationFailed):
        await at_driver.migrator().upgrade("head")
    assert done(driver_url) == {1: 35}
    assert servers.rows(driver_url, "SELECT id FROM note") == [(1,)]
    prepared(at_driver, walk=walk.replace("{after}", ""))
    await at_driver.migrator().upgrade("head")
    assert done(driver_url) == {1: 35}
    assert servers.rows(driver_url, "SELECT id FROM note ORDER BY 1") == [(1,), (2,)]


async def test_rows_hold_the_key_and_the_columns_asked_for(database_project: Project, database_url: str) -> None:
    walk = """
async def upgrade() -> None:
    async for batch in op.batches("account", key=("kind", "id"), columns=["done"], where="id <> 3", size=3):
        for kind, id, done in batch.rows:
            op.execute(f"INSERT INTO seen VALUES ({{batch.number}}, '{{kind}}', {{id}}, {{done}})")
"""
    database_project.revision(
        "a1",
        upgrade="""
        op.execute("CREATE TABLE account (kind varchar(1), id integer, done integer, PRIMARY KEY (kind, id))")
        op.execute("INSERT INTO account VALUES ('b', 1, 5), ('a', 2, 6), ('a', 3, 7), ('b', 4, 8), ('a', 9, 9)")
        op.execute("CREATE TABLE seen (number integer, kind varchar(1), id integer, done integer)")
        """,
    ).revision("b2", "a1", upgrade=walk.format())
    await database_project.migrator().upgrade("head")
    found = servers.rows(database_url, "SELECT * FROM seen ORDER BY number, kind, id")
    assert found == [(1, "a", 2, 6), (1, "a", 9, 9), (1, "b", 1, 5), (2, "b", 4, 8)]


KEYS = {
    "uuid": ("uuid", "gen_random_uuid()"),
    "timestamptz": ("timestamptz", "now() + make_interval(secs => i)"),
    "timestamp": ("timestamp", "timestamp '2020-01-01' + make_interval(secs => i)"),
    "date": ("date", "date '2020-01-01' + i"),
    "numeric": ("numeric(20, 3)", "i / 7.0"),
    "bigint": ("bigint", "i * 10000000000"),
    "text": ("text", "'it''s ' || lpad(i::text, 3, '0')"),
    "bytea": ("bytea", "decode(lpad(to_hex(i), 8, '0'), 'hex')"),
}


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
@pytest.mark.parametrize("kind", KEYS)
async def test_keys_of_every_type_are_kept_and_gone_on_with(
    project: Project, postgres_url: str, kind: str, driver: str
) -> None:
    type_, value = KEYS[kind]
    project.config(url=postgres_url.replace("asyncpg", driver))
    project.revision(
        "a1",
        upgrade=f"""
        op.execute('''CREATE TABLE account (id {type_} PRIMARY KEY, done integer NOT NULL DEFAULT 0);
        INSERT INTO account (id) SELECT {value} FROM generate_series(1, 25) AS i''')
        """,
    )
    project.revision("b2", "a1", upgrade=WALK.format(body=f"{ADD}\n        assert batch.number < 2"))
    with pytest.raises(MigrationFailed):
        await project.migrator().upgrade("head")
    assert done(postgres_url) == {0: 15, 1: 10}
    project.revision("b2", "a1", upgrade=WALK.format(body=ADD))
    await project.migrator().upgrade("head")
    assert done(postgres_url) == {1: 25}


async def test_a_break_keeps_what_the_loop_did(database_project: Project, database_url: str) -> None:
    prepared(database_project, f"{ADD}\n        if batch.number == 2: break")
    await database_project.migrator().upgrade("head")
    assert done(database_url) == {0: 15, 1: 20}


REFUSED = {
    "commit": ("op.execute('COMMIT')", "ended by the script"),
    "autocommit": ("op.get_context().autocommit_block().__enter__()", "ended by the script"),
    "commit of the connection": ("await batch.connection.commit()", "ended by the script"),
    "another": ("await anext(aiter(op.batches('account', key='id')))", "another one"),
}


@pytest.mark.parametrize("case", REFUSED)
async def test_a_batch_is_one_transaction(database_project: Project, database_url: str, case: str) -> None:
    body, words = REFUSED[case]
    prepared(database_project, f"{ADD}\n        {body}")
    with pytest.raises(MigrationFailed, match=words):
        await database_project.migrator().upgrade("head")
    assert done(database_url) == {0: 35}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ('"account", key="nothing"', "has no column nothing"),
        ('"nothing", key="id"', "no table nothing"),
        ('"account", key=()', "one or several column names"),
        ('"account", key="id", size=0', "at least 1"),
        ('"account", key="id", columns="done"', "list of columns"),
    ],
)
async def test_what_cannot_be_walked_is_said(database_project: Project, arguments: str, words: str) -> None:
    prepared(
        database_project, "pass", walk=f"async def upgrade():\n    async for batch in op.batches({arguments}): pass"
    )
    with pytest.raises(MigrationFailed, match=words):
        await database_project.migrator().upgrade("head")


async def test_transaction_run_refuses(project: Project, database_url: str) -> None:
    prepared(project.config(url=database_url, transaction="run"))
    with pytest.raises(MigrationFailed, match=r"op.batches .*would have to commit"):
        await project.migrator().upgrade("head")
    assert "account" not in servers.tables(database_url)


async def test_the_callers_transaction_refuses(project: Project, postgres_url: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(postgres_url)
    prepared(project.config(url=postgres_url))
    async with engine.connect() as connection, connection.begin():
        with pytest.raises(MigrationFailed, match=r"op.batches .*caller of connection="):
            await project.migrator(connection=connection).upgrade("head")
    await engine.dispose()


async def test_plan_names_the_backfill_and_sql_refuses_it_with_its_line(database_project: Project) -> None:
    migrator = prepared(database_project).migrator()
    report = await migrator.plan("head")
    assert [operation.description for operation in report.steps[1].operations] == ["Backfill account in batches of 10"]
    assert report.steps[1].operations[0].line == line_of(database_project, "op.batches")
    with pytest.raises(DynamicScript, match=rf"b2_revision.py:{line_of(database_project, 'op.batches')}: .*op.batches"):
        await migrator.upgrade("head", sql=True)


async def test_another_backfill_does_not_go_on_with_the_cursor(database_project: Project, database_url: str) -> None:
    prepared(database_project, "assert batch.number < 2")
    with pytest.raises(MigrationFailed):
        await database_project.migrator().upgrade("head")
    prepared(database_project, walk=WALK.replace("size=10", "size=5"))
    with pytest.raises(MigrationFailed, match="not the backfill that was under way"):
        await database_project.migrator().upgrade("head")
    prepared(database_project, walk="def upgrade():\n    op.execute('SELECT 1')")
    with pytest.raises(MigrationFailed, match="a backfill was under way"):
        await database_project.migrator().upgrade("head")
    assert done(database_url) == {0: 35}


@pytest.mark.parametrize("rounds", [1, pytest.param(5, marks=pytest.mark.soak)])
def test_a_killed_backfill_goes_on_and_works_on_every_row_once(
    database_project: Project, database_url: str, rounds: int
) -> None:
    count = 100_000
    walk = WALK.replace("size=10", "size=1000")
    prepared(database_project, count=count, walk=walk).run("upgrade", "a1").expect(0)
    for killed in range(rounds):
        process = database_project.start("upgrade", "head")
        deadline = time.monotonic() + 30
        while process.poll() is None and time.monotonic() < deadline:
            if done(database_url).get(1, 0) > (killed + 1) * count // (2 * rounds + 2):
                process.send_signal(signal.SIGKILL)
                break
        assert process.wait() == -signal.SIGKILL
        process.communicate()
    half = done(database_url)
    assert set(half) == {0, 1}
    assert servers.rows(database_url, "SELECT version_num FROM asyncmig_version") == [("a1",)]
    database_project.run("upgrade", "head").expect(0)
    assert done(database_url) == {1: count}


def line_of(project: Project, text: str) -> int:
    (path,) = project.versions.glob("b2_*")
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)
