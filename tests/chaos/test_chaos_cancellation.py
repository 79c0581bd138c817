"""A cancelled run: rolled back, lock released, nothing of ours executing on the server, and soon."""

import asyncio
import itertools
import random
import signal
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from pathlib import Path

import anyio
import pytest
import servers
import sqlalchemy as sa
from projects import Project
from sqlalchemy.ext.asyncio import create_async_engine

from asyncmig import Migrator

LONG = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) INSERT INTO made SELECT i FROM n WHERE i < 0",
    "postgresql": "SELECT pg_sleep(60)",
}
MARK = "import pathlib\npathlib.Path({mark!r}).touch()"

Cancel = Callable[[Awaitable[object], Path], Awaitable[None]]


async def appears(mark: Path) -> None:
    async with asyncio.timeout(60):
        while not mark.exists():  # noqa: ASYNC110 - another thread or process makes the file
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)


async def cancel_task(run: Awaitable[object], mark: Path) -> None:
    task = asyncio.ensure_future(run)
    await appears(mark)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancel_again_and_again(run: Awaitable[object], mark: Path) -> None:
    """As a server does with whom it told to stop and who is still there."""
    task = asyncio.ensure_future(run)
    await appears(mark)
    while not task.done():
        task.cancel()
        await asyncio.sleep(0.001)
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancel_by_wait_for(run: Awaitable[object], mark: Path) -> None:
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(run, 0.6)


async def cancel_by_move_on(run: Awaitable[object], mark: Path) -> None:
    with anyio.move_on_after(0.6) as scope:
        await run
    assert scope.cancelled_caught


async def cancel_by_group(run: Awaitable[object], mark: Path) -> None:
    async def start() -> None:
        await run

    async with anyio.create_task_group() as group:
        group.start_soon(start)
        await appears(mark)
        group.cancel_scope.cancel()


HOW = [cancel_task, cancel_again_and_again, cancel_by_wait_for, cancel_by_move_on, cancel_by_group]


def kind(url: str) -> str:
    return "sqlite" if url.startswith("sqlite") else "postgresql"


def prepare(project: Project, url: str, body: str = "op.execute({long!r})") -> Path:
    mark = project.folder / "mark"
    project.revision("a1")
    create = 'op.create_table("made", sa.Column("id", sa.Integer))'
    inner = body.format(long=LONG[kind(url)])
    whole = inner if inner.startswith("async def") else f"{create}\n{MARK.format(mark=str(mark))}\n{inner}"
    project.revision(
        "b2",
        "a1",
        upgrade=whole.replace("CREATE;", create).replace("MARK;", MARK.format(mark=str(mark)).replace("\n", "; ")),
    )
    return mark


async def all_is_quiet(url: str) -> None:
    assert "made" not in servers.tables(url)
    assert servers.rows(url, "SELECT version_num FROM asyncmig_version") == [("a1",)]
    if kind(url) == "postgresql":
        sql = "SELECT state, query FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        for _ in range(100):
            active = [row for row in servers.rows(url, sql) if row[0] != "idle"]
            if not active:
                break
            await asyncio.sleep(0.02)
        assert active == []
        assert servers.rows(url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


async def the_next_run_works(project: Project, url: str) -> None:
    project.revision("b2", "a1", upgrade='op.create_table("made", sa.Column("id", sa.Integer))')
    async with asyncio.timeout(60):
        assert (await project.migrator().upgrade("head")).applied == ("b2",)


@pytest.mark.parametrize("how", HOW)
async def test_a_cancelled_statement_is_ended_and_rolled_back(at_driver: Project, driver_url: str, how: Cancel) -> None:
    mark = prepare(at_driver, driver_url)
    await at_driver.migrator().upgrade("a1")
    async with asyncio.timeout(60):  # or the cancellation waited for the statement
        await how(at_driver.migrator().upgrade("head"), mark)
    await all_is_quiet(driver_url)
    await the_next_run_works(at_driver, driver_url)


BODIES = {
    "the script's connection": "op.get_bind().exec_driver_sql({long!r})",
    "an async script": "async def upgrade():\n    CREATE;\n    MARK;\n    op.execute({long!r})",
    "an async script that awaits": "async def upgrade():\n    import asyncio\n    CREATE;\n    MARK;\n    await asyncio.sleep(60)",
    "an async script's connection": "async def upgrade():\n    CREATE;\n    MARK;\n    await (await op.connection()).exec_driver_sql({long!r})",
}


@pytest.mark.parametrize("body", BODIES)
async def test_wherever_the_script_waits(at_driver: Project, driver_url: str, body: str) -> None:
    mark = prepare(at_driver, driver_url, BODIES[body])
    await at_driver.migrator().upgrade("a1")
    async with asyncio.timeout(60):
        await cancel_task(at_driver.migrator().upgrade("head"), mark)
    await all_is_quiet(driver_url)
    await the_next_run_works(at_driver, driver_url)


@pytest.mark.parametrize("transaction", ["revision", "run"])
async def test_with_the_applications_pool_of_one(at_driver: Project, driver_url: str, transaction: str) -> None:
    at_driver.config(transaction=transaction)
    mark = prepare(at_driver, driver_url)
    engine = create_async_engine(
        driver_url, poolclass=sa.AsyncAdaptedQueuePool, pool_size=1, max_overflow=0, pool_timeout=3
    )
    await Migrator(at_driver.config_file, engine=engine).upgrade("a1")
    await cancel_task(Migrator(at_driver.config_file, engine=engine).upgrade("head"), mark)
    await all_is_quiet(driver_url)
    at_driver.revision("b2", "a1", upgrade='op.create_table("made", sa.Column("id", sa.Integer))')
    assert (await Migrator(at_driver.config_file, engine=engine).upgrade("head")).applied == ("b2",)
    assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
    await engine.dispose()


async def test_waiting_for_the_run_lock_is_cancelled_at_once(project: Project, postgres_url: str) -> None:
    import psycopg

    from asyncmig.database.lock import lock_key

    project.config(url=postgres_url, lock_timeout=60).revision(
        "a1", upgrade='op.create_table("made", sa.Column("id", sa.Integer))'
    )
    with psycopg.connect(servers.libpq_url(postgres_url), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (lock_key("public", "asyncmig_version"),))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await project.migrator().upgrade("head")
        assert servers.rows(postgres_url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(1,)]
    assert (await project.migrator().upgrade("head")).applied == ("a1",)


# SQLAlchemy forgets a connection whose first use was cancelled; aiosqlite ends its thread and says so.
forgotten = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


async def cancel_at_turns(project: Project, url: str, turns: Iterable[int], caplog: pytest.LogCaptureFixture) -> None:
    """Between any two messages of an exchange: nothing hangs, nothing is left, and the next run does it all.

    The loop stands still before each turn, so that an answer is there and a turn is about one message.
    """
    project.revision("a1").revision("b2", "a1", upgrade='op.create_table("made", sa.Column("id", sa.Integer))')
    project.revision("c3", "b2", upgrade="op.get_bind().execute(sa.text('INSERT INTO made VALUES (1)'))")
    for turn in turns:
        task = asyncio.create_task(project.migrator().upgrade("head"))
        for _ in range(turn):
            await asyncio.sleep(0)
            time.sleep(0.002)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
            break
    # psycopg tells of a connection that it closes itself, asyncpg of one that was still being opened.
    told = [record.getMessage() for record in caplog.records if record.name.startswith(("asyncmig", "sqlalchemy"))]
    assert [words for words in told if not words.startswith("Exception during reset")] == []
    await project.migrator().upgrade("head")
    assert servers.rows(url, "SELECT id FROM made") == [(1,)]
    journal = servers.rows(url, "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY id")
    assert journal == [(name, "applied") for name in ("a1", "b2", "c3")]


@forgotten
async def test_cancelled_at_some_turns_of_the_loop(
    at_driver: Project, driver_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await cancel_at_turns(at_driver, driver_url, itertools.count(random.randint(1, 15), 15), caplog)


@forgotten
@pytest.mark.soak
async def test_cancelled_at_each_turn_of_the_loop(
    at_driver: Project, driver_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    await cancel_at_turns(at_driver, driver_url, itertools.count(1), caplog)


@pytest.mark.parametrize("turns", range(1, 5))
async def test_cancelled_between_the_two_messages_of_a_query(
    at_postgres: Project, caplog: pytest.LogCaptureFixture, turns: int
) -> None:
    """asyncpg leaves the server waiting for the second then: there is nothing to cancel there, and nothing to wait for."""
    from asyncmig.database.driver import driver_of

    site = await at_postgres.migrator().site()
    async with site.session() as session:

        async def ask() -> None:
            async with session.whole_run():
                await session.connection.run_sync(lambda sync: driver_of(sync).fetch("SELECT 1"))

        query = asyncio.create_task(ask())
        for _ in range(turns):
            await asyncio.sleep(0)
            time.sleep(0.05)  # the server answers meanwhile
        query.cancel()
        with suppress(asyncio.CancelledError):
            await query
        assert await session.connection.run_sync(lambda sync: driver_of(sync).fetch("SELECT 2")) == [(2,)]
    assert caplog.text == ""


@pytest.mark.soak
@pytest.mark.parametrize("delay", [n / 200 for n in range(1, 60)])
async def test_cancelled_at_any_moment(at_driver: Project, driver_url: str, delay: float) -> None:
    names = [f"rev{number:02}" for number in range(40)]
    for number, name in enumerate(names):
        at_driver.revision(
            name,
            names[number - 1] if number else None,
            upgrade=f'op.create_table("{name}", sa.Column("id", sa.Integer))',
        )
    with anyio.move_on_after(delay):
        await at_driver.migrator().upgrade("head")
    async with asyncio.timeout(60):
        await at_driver.migrator().upgrade("head")
    journal = servers.rows(driver_url, "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY id")
    assert journal == [(name, "applied") for name in names]


# Ctrl-C


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_ctrl_c_during_a_step(database_project: Project, database_url: str, number: signal.Signals) -> None:
    mark = prepare(database_project, database_url)
    await database_project.migrator().upgrade("a1")
    process = database_project.start("upgrade", "head")
    await appears(mark)
    process.send_signal(number)
    _, stderr = await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == 130, stderr
    assert "Interrupted" in stderr
    await all_is_quiet(database_url)
    await the_next_run_works(database_project, database_url)


IN_PYTHON = {
    "a loop": "HALF;\nwhile True:\n    pass",
    "a sleep": "HALF;\nimport time\ntime.sleep(1000)",
    "a loop through what must not be broken off": "HALF;\nwhile True:\n    str(sa.select(sa.column('x')))",
    "an async loop": "async def upgrade():\n    HALF;\n    while True:\n        pass",
    "a function of the project": "HALF;\nimport json\nclass Big(dict):\n    def items(self):\n        while True:\n            pass\njson.dumps(Big(a=1))",
    "what catches everything else": "HALF;\nwhile True:\n    try:\n        pass\n    except Exception:\n        pass",
}


@pytest.mark.parametrize("body", IN_PYTHON)
async def test_one_ctrl_c_ends_a_script_that_computes(database_project: Project, database_url: str, body: str) -> None:
    """The event loop would hear of the signal only when the script has ended, and these never end."""
    mark = database_project.folder / "mark"
    half = f"op.create_table('half', sa.Column('id', sa.Integer)); __import__('pathlib').Path({str(mark)!r}).touch()"
    database_project.revision("a1", upgrade=IN_PYTHON[body].replace("HALF;", half))
    await interrupted_once(database_project, "upgrade", "head", mark=mark)
    nothing_half(database_project, database_url)


async def test_one_ctrl_c_ends_a_hook_that_computes(project: Project, sqlite_url: str) -> None:
    mark = project.folder / "mark"
    project.config(url=sqlite_url).revision("a1", upgrade='op.create_table("half", sa.Column("id", sa.Integer))')
    project.env(f"""
        import pathlib
        from asyncmig import Environment

        def after_step(step):
            pathlib.Path({str(mark)!r}).touch()
            while True:
                pass

        environment = Environment(after_step=after_step)
    """)
    await interrupted_once(project, "upgrade", "head", mark=mark)
    project.env("from asyncmig import Environment\nenvironment = Environment()")
    nothing_half(project, sqlite_url)


async def test_one_ctrl_c_ends_a_fleet_whose_script_computes(project: Project, postgres_url: str) -> None:
    mark = project.folder / "mark"
    project.config(url=postgres_url)
    servers.execute(postgres_url, *(f"CREATE SCHEMA t{number}" for number in range(4)))
    project.file("targets.txt", "\n".join(f"t{number}" for number in range(4)))
    half = f"op.create_table('half', sa.Column('id', sa.Integer))\n__import__('pathlib').Path({str(mark)!r}).touch()"
    project.revision("a1", upgrade=f"{half}\nwhile True:\n    pass")
    await interrupted_once(project, "fleet", "upgrade", "head", "--targets", "targets.txt", mark=mark)
    assert [name for number in range(4) for name in servers.tables(postgres_url, f"t{number}") if name == "half"] == []
    assert servers.rows(postgres_url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


async def interrupted_once(project: Project, *command: str, mark: Path) -> None:
    process = project.start(*command)
    await appears(mark)
    process.send_signal(signal.SIGINT)
    _, stderr = await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == 130, stderr
    assert stderr.splitlines()[1:] == ["error: Interrupted: what was not finished was rolled back."]


def nothing_half(project: Project, url: str) -> None:
    assert "half" not in servers.tables(url)
    assert servers.rows(url, "SELECT * FROM asyncmig_version") == []
    project.revision("a1")
    project.run("upgrade", "head").expect(0)
