"""From Python: inside a running loop, on the application's engine or connection, several at once, the host untouched."""

import asyncio
import logging
import logging.config
import sqlite3
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import anyio
import psycopg
import pytest
import servers
import sqlalchemy as sa
from projects import Project
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from asyncmig import Migrator
from asyncmig.database.events import Event, Retrying
from asyncmig.errors import LockTimeout, MigrationFailed, UsageError

TABLE = 'op.create_table("made", sa.Column("id", sa.Integer))'
HISTORY_TABLES = ["asyncmig_version", "asyncmig_version_journal", "made"]

pytestmark = pytest.mark.subset


@asynccontextmanager
async def transactional(url: str) -> AsyncIterator[AsyncEngine]:
    """An engine whose transactions are real on SQLite too, as SQLAlchemy's manual recommends."""
    engine = create_async_engine(url)
    if engine.dialect.name == "sqlite":

        @sa.event.listens_for(engine.sync_engine, "connect")
        def plain(dbapi_connection, record) -> None:
            dbapi_connection.isolation_level = None

        @sa.event.listens_for(engine.sync_engine, "begin")
        def begin(connection) -> None:
            connection.exec_driver_sql("BEGIN")

    try:
        yield engine
    finally:
        await engine.dispose()


async def test_the_applications_engine_is_used_and_left_open(at_driver: Project, driver_url: str) -> None:
    at_driver.config().revision("a1", upgrade=TABLE)
    async with transactional(driver_url) as engine:
        async with Migrator(at_driver.config_file, engine=engine) as migrator:
            assert (await migrator.upgrade("head")).applied == ("a1",)
        async with engine.connect() as connection:
            assert (await connection.execute(sa.text("SELECT count(*) FROM made"))).scalar() == 0


async def test_an_engine_in_memory_keeps_its_database(project: Project) -> None:
    project.revision("a1", upgrade=TABLE)
    engine = create_async_engine("sqlite+aiosqlite://")
    await Migrator(project.config_file, engine=engine).upgrade("head")
    async with engine.connect() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM made"))).scalar() == 0
    await engine.dispose()


# connection=


async def test_the_caller_commits_and_all_is_there(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1", upgrade=TABLE).revision("b2", "a1", upgrade='op.execute("INSERT INTO made VALUES (1)")')
    async with transactional(driver_url) as engine:
        async with engine.begin() as connection:
            report = await Migrator(at_driver.config_file, connection=connection).upgrade("head")
            assert report.applied == ("a1", "b2")
            assert connection.in_transaction()
        async with engine.connect() as connection:
            migrator = Migrator(at_driver.config_file, connection=connection)
            assert (await migrator.upgrade("head")).applied == ()
            assert [row.revision for row in (await migrator.current()).revisions] == ["b2"]
            assert (await migrator.status()).clean
    assert servers.tables(driver_url) == HISTORY_TABLES
    assert servers.rows(driver_url, "SELECT id FROM made") == [(1,)]


async def test_the_caller_rolls_back_and_nothing_is_left(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1", upgrade=TABLE)
    async with transactional(driver_url) as engine, engine.connect() as connection:
        await connection.execute(sa.text("SELECT 1"))
        await Migrator(at_driver.config_file, connection=connection).upgrade("head")
        await connection.rollback()
    assert servers.tables(driver_url) == []
    if "postgres" in driver_url:
        assert servers.rows(driver_url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]


async def test_a_failure_leaves_the_callers_transaction_usable(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1", upgrade=TABLE)
    at_driver.revision("b2", "a1", upgrade='op.execute("INSERT INTO made VALUES (1)")\nop.execute("SELECT nonsense")')
    async with transactional(driver_url) as engine, engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE theirs (id INTEGER)"))
        with pytest.raises(MigrationFailed) as caught:
            await Migrator(at_driver.config_file, connection=connection).upgrade("head")
        assert caught.value.report.applied == ("a1",)
        await connection.execute(sa.text("INSERT INTO theirs VALUES (1)"))
        assert (await connection.execute(sa.text("SELECT count(*) FROM made"))).scalar() == 0
    assert servers.rows(driver_url, "SELECT id FROM theirs") == [(1,)]
    assert servers.rows(driver_url, "SELECT version_num FROM asyncmig_version") == [("a1",)]
    # A failure is reported, not journaled: the transaction is the caller's.
    assert servers.rows(driver_url, "SELECT revision FROM asyncmig_version_journal") == [("a1",)]


async def test_what_must_commit_in_between_is_refused(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1", upgrade=f'{TABLE}\nwith op.autocommit_block():\n    op.execute("SELECT 1")')
    async with transactional(driver_url) as engine, engine.begin() as connection:
        with pytest.raises(MigrationFailed, match="belongs to the caller of connection="):
            await Migrator(at_driver.config_file, connection=connection).upgrade("head")
        assert connection.in_transaction()
    assert "made" not in servers.tables(driver_url)


async def test_concurrently_is_refused_in_a_callers_transaction(at_postgres: Project, postgres_url: str) -> None:
    at_postgres.revision("a1", upgrade=f'{TABLE}\nop.create_index("ix", "made", ["id"], postgresql_concurrently=True)')
    async with transactional(postgres_url) as engine, engine.begin() as connection:
        with pytest.raises(MigrationFailed, match="belongs to the caller of connection="):
            await Migrator(at_postgres.config_file, connection=connection).upgrade("head")
    assert "made" not in servers.tables(postgres_url)


@pytest.mark.parametrize("ending", ["commit", "rollback"])
async def test_the_drivers_own_late_begin_is_brought_forward(at_sqlite: Project, sqlite_url: str, ending: str) -> None:
    """sqlite3 would begin with the first changed row only, behind the tables."""
    at_sqlite.revision("a1", upgrade=f'{TABLE}\nop.execute("INSERT INTO made VALUES (1)")')
    at_sqlite.revision("b2", "a1", upgrade='op.execute("INSERT INTO made VALUES (2)")\nop.execute("SELECT nowhere")')
    engine = create_async_engine(sqlite_url)
    async with engine.connect() as connection:
        with pytest.raises(MigrationFailed):
            await Migrator(at_sqlite.config_file, connection=connection).upgrade("head")
        assert (await connection.execute(sa.text("SELECT id FROM made"))).all() == [(1,)]
        await getattr(connection, ending)()
    await engine.dispose()
    assert servers.tables(sqlite_url) == (HISTORY_TABLES if ending == "commit" else [])


async def test_a_callers_locked_file_is_said(at_sqlite: Project, sqlite_url: str) -> None:
    at_sqlite.revision("a1", upgrade=TABLE)
    engine = create_async_engine(sqlite_url, connect_args={"timeout": 0.1})
    with closing(sqlite3.connect(servers.sqlite_path(sqlite_url), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with engine.begin() as connection:
            with pytest.raises(LockTimeout, match="locked by another process"):
                await Migrator(at_sqlite.config_file, connection=connection).upgrade("head")
    await engine.dispose()


async def test_a_caller_in_autocommit_is_refused(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1", upgrade=TABLE)
    engine = create_async_engine(driver_url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        with pytest.raises(UsageError, match="not inside a transaction of the database"):
            await Migrator(at_driver.config_file, connection=connection).upgrade("head")
    await engine.dispose()
    assert servers.tables(driver_url) == []


async def test_a_caller_waits_for_the_run_lock_too(project: Project, postgres_url: str) -> None:
    from asyncmig.database.lock import lock_key

    project.config(url=postgres_url, lock_timeout=0.2).revision("a1", upgrade=TABLE)
    with psycopg.connect(servers.libpq_url(postgres_url), autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(%s)", (lock_key("public", "asyncmig_version"),))
        async with transactional(postgres_url) as engine, engine.begin() as connection:
            with pytest.raises(LockTimeout):
                await Migrator(project.config_file, connection=connection).upgrade("head")
            assert (await connection.execute(sa.text("SELECT 1"))).scalar() == 1


async def test_looking_fails_nothing_of_the_caller(at_driver: Project, driver_url: str) -> None:
    """Without tables of ours, every query that misses one would end the caller's transaction on PostgreSQL."""
    at_driver.revision("a1", upgrade=TABLE)
    async with transactional(driver_url) as engine, engine.begin() as connection:
        migrator = Migrator(at_driver.config_file, connection=connection)
        assert (await migrator.current()).revisions == ()
        assert (await migrator.status()).pending == ("a1",)
        assert await migrator.log() == ()
        assert len((await migrator.plan()).steps) == 1
        assert await usable(connection)
    if "postgres" in driver_url or servers.sqlite_path(driver_url).exists():
        assert servers.tables(driver_url) == []


async def usable(connection: AsyncConnection) -> bool:
    return (await connection.execute(sa.text("SELECT 1"))).scalar() == 1


# Two at once


def history(project: Project, name: str) -> Project:
    body = f"async def upgrade():\n    import asyncio\n    op.execute('CREATE TABLE {name}_{{n}} (id INTEGER)')\n    await asyncio.sleep(0)"
    for n in range(1, 6):
        project.revision(f"{name}{n}", f"{name}{n - 1}" if n > 1 else None, upgrade=body.replace("{n}", str(n)))
    return project


def two(tmp_path, databases: Callable[[], str]) -> list[tuple[Project, str, str]]:
    return several(tmp_path, databases, ("aa", "bb"))


def several(tmp_path, databases: Callable[[], str], names: Iterable[str]) -> list[tuple[Project, str, str]]:
    found = []
    for name in names:
        url = databases()
        found.append((history(Project.create(tmp_path / name).config(url=url), name), url, name))
    return found


def check_both(pairs: list[tuple[Project, str, str]]) -> None:
    for _, url, name in pairs:
        tables = [table for table in servers.tables(url) if not table.startswith("asyncmig")]
        assert tables == [f"{name}_{n}" for n in range(1, 6)]
        assert servers.rows(url, "SELECT version_num FROM asyncmig_version") == [(f"{name}5",)]


async def test_two_migrators_in_one_task_group(tmp_path, databases: Callable[[], str]) -> None:
    pairs = two(tmp_path, databases)
    async with anyio.create_task_group() as group:
        for project, _, _ in pairs:
            group.start_soon(project.migrator().upgrade, "head")
    check_both(pairs)


def test_eight_migrators_in_eight_threads(tmp_path, databases: Callable[[], str]) -> None:
    in_threads(several(tmp_path, databases, [letter * 2 for letter in "abcdefgh"]), 1)


@pytest.mark.soak
def test_two_migrators_in_two_threads_many_times(tmp_path, databases: Callable[[], str]) -> None:
    in_threads(two(tmp_path, databases), 40)


def in_threads(pairs: list[tuple[Project, str, str]], rounds: int) -> None:
    errors: list[BaseException] = []

    def run(project: Project, barrier: threading.Barrier) -> None:
        try:
            for _ in range(rounds):
                barrier.wait(30)
                asyncio.run(project.migrator().upgrade("head"))
                barrier.wait(30)
                asyncio.run(down_but_last(project))
            asyncio.run(project.migrator().upgrade("head"))
        except BaseException as error:
            errors.append(error)
            barrier.abort()

    barrier = threading.Barrier(len(pairs))
    threads = [threading.Thread(target=run, args=(project, barrier)) for project, _, _ in pairs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    check_both(pairs)


async def down_but_last(project: Project) -> None:
    await project.migrator().stamp("base")
    for name in [
        table for table in servers.tables(project.migrator().config.url or "") if not table.startswith("asyncmig")
    ]:
        servers.execute(project.migrator().config.url or "", f"DROP TABLE {name}")


# The host


async def test_logging_path_and_folder_of_the_host_are_untouched(database_project: Project) -> None:
    database_project.file("helper_of_env.py", "WORD = 'made'")
    database_project.env(
        "import logging\nimport helper_of_env\nfrom asyncmig import Environment\nenvironment = Environment()"
    )
    database_project.revision("a1", upgrade=TABLE).revision("b2", "a1", upgrade="raise RuntimeError")
    mine = logging.getLogger("of_the_host")
    mine.setLevel(logging.DEBUG)
    root = logging.getLogger()
    before = picture()
    migrator = database_project.migrator()
    with pytest.raises(MigrationFailed):
        await migrator.upgrade("head")
    await migrator.status()
    await migrator.downgrade("base")
    assert picture() == before
    assert not mine.disabled
    assert root.level == before[0]
    asyncmig = logging.getLogger("asyncmig")
    assert [type(handler) for handler in asyncmig.handlers] in ([], [logging.NullHandler])
    assert asyncmig.propagate


def picture() -> tuple[object, ...]:
    root = logging.getLogger()
    loggers = {
        name: (logger.level, logger.disabled, logger.propagate, tuple(logger.handlers))
        for name, logger in sorted(root.manager.loggerDict.items())
        if isinstance(logger, logging.Logger) and not name.startswith("asyncmig")
    }
    return (
        root.level,
        tuple(root.handlers),
        logging.raiseExceptions,
        loggers.get("of_the_host"),
        list(sys.path),
        Path.cwd(),
    )


# A lock that somebody else holds in the database


async def test_a_step_that_loses_a_lock_is_retried(project: Project, postgres_url: str) -> None:
    project.config(url=postgres_url, statement_lock_timeout=0.1).revision("a1", upgrade=TABLE)
    await project.migrator().upgrade("head")
    project.revision("b2", "a1", upgrade='op.add_column("made", sa.Column("more", sa.Integer))')
    retries: list[Retrying] = []
    twice = asyncio.Event()

    def observe(event: Event) -> None:
        if isinstance(event, Retrying):
            retries.append(event)
            if len(retries) == 2:
                twice.set()

    with psycopg.connect(servers.libpq_url(postgres_url)) as other:
        other.execute("SELECT count(*) FROM made")
        task = asyncio.create_task(project.migrator(observer=observe).upgrade("head"))
        async with asyncio.timeout(60):
            await twice.wait()
        assert servers.columns(postgres_url, "made") == ["id"]
        other.rollback()
        report = await task
    assert report.applied == ("b2",)
    assert [event.attempt for event in retries] == list(range(1, len(retries) + 1))
    assert "lock timeout" in retries[0].reason
    assert [entry.outcome for entry in await project.migrator().log()] == ["applied", "applied"]


async def test_a_lock_that_is_never_given_back_fails_the_step(project: Project, postgres_url: str) -> None:
    project.config(url=postgres_url, statement_lock_timeout=0.1, lock_timeout=0.5).revision("a1", upgrade=TABLE)
    await project.migrator().upgrade("head")
    project.revision("b2", "a1", upgrade='op.add_column("made", sa.Column("more", sa.Integer))')
    with psycopg.connect(servers.libpq_url(postgres_url)) as other:
        other.execute("SELECT count(*) FROM made")
        with pytest.raises((MigrationFailed, LockTimeout), match="lock timeout"):
            await project.migrator().upgrade("head")
    assert servers.columns(postgres_url, "made") == ["id"]
