"""The run lock: polled, named when it is missed, given back in every case; and connections that return as they came."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest
import servers
import sqlalchemy as sa
from projects import Project
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from asyncmig import Migrator
from asyncmig.database.events import Event, LockWaiting
from asyncmig.database.lock import lock_key
from asyncmig.errors import LockTimeout, MigrationFailed

TABLE = 'op.create_table("made", sa.Column("id", sa.Integer))'
HELD = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"

pytestmark = pytest.mark.subset


@asynccontextmanager
async def engine_of(url: str, **options: object) -> AsyncIterator[AsyncEngine]:
    # SQLAlchemy 2.0 gives aiosqlite no pool of its own accord.
    pool = {"poolclass": AsyncAdaptedQueuePool, "pool_size": 1, "max_overflow": 0, "pool_timeout": 5}
    engine = create_async_engine(url, **pool, **options)
    try:
        yield engine
    finally:
        await engine.dispose()


def advisory_locks(url: str) -> int:
    return int(
        servers.rows(url, HELD + " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")[0][
            0
        ]
    )


@asynccontextmanager
async def held(url: str, table: str = "asyncmig_version") -> AsyncIterator[psycopg.AsyncConnection]:
    """Somebody else's session that holds the run lock."""
    async with await psycopg.AsyncConnection.connect(
        servers.libpq_url(url).replace("+psycopg", ""), autocommit=True, application_name="the other runner"
    ) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", (lock_key("public", table),))
        yield connection


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_waiting_too_long_is_a_lock_timeout_that_names_the_holder(
    project: Project, postgres_url: str, driver: str
) -> None:
    project.config(url=postgres_url.replace("asyncpg", driver), lock_timeout=0.3).revision("a1", upgrade=TABLE)
    async with held(postgres_url):
        with pytest.raises(LockTimeout, match=r"the other runner \(pid \d+, user keeper") as caught:
            await project.migrator().upgrade("head")
    assert caught.value.exit_code == 5
    assert servers.tables(postgres_url) == []


async def test_the_command_exits_5(project: Project, postgres_url: str) -> None:
    project.config(url=postgres_url, lock_timeout=0.2).revision("a1", upgrade=TABLE)
    async with held(postgres_url):
        done = await asyncio.to_thread(project.run, "upgrade", "head")
    assert "the other runner" in done.expect(5).stderr


async def test_it_waits_for_the_holder_and_says_so(project: Project, postgres_url: str) -> None:
    project.config(url=postgres_url, lock_timeout=20).revision("a1", upgrade=TABLE)
    events: list[Event] = []
    waiting = asyncio.Event()

    def observe(event: Event) -> None:
        events.append(event)
        if isinstance(event, LockWaiting):
            waiting.set()

    async with held(postgres_url) as holder:
        task = asyncio.create_task(project.migrator(observer=observe).upgrade("head"))
        async with asyncio.timeout(60):
            await waiting.wait()
        (session,) = servers.rows(
            postgres_url, "SELECT state, query FROM pg_stat_activity WHERE application_name = 'asyncmig'"
        )
        assert session[0] == "idle", "a session that waits inside the server holds a snapshot"
        assert servers.tables(postgres_url) == []
        await holder.execute("SELECT pg_advisory_unlock_all()")
        report = await task
    assert report.applied == ("a1",)
    assert report.waited > 0
    assert next(event.holder for event in events if isinstance(event, LockWaiting))


async def test_another_version_table_is_another_lock(project: Project, postgres_url: str) -> None:
    project.config(url=postgres_url, lock_timeout=0.2, version_table="mine").revision("a1", upgrade=TABLE)
    async with held(postgres_url):
        assert (await project.migrator().upgrade("head")).applied == ("a1",)


async def test_lock_none_waits_for_nobody(project: Project, postgres_url: str) -> None:
    project.config(url=postgres_url, lock="none", lock_timeout=0.2).revision("a1", upgrade=TABLE)
    async with held(postgres_url):
        assert (await project.migrator().upgrade("head")).applied == ("a1",)


async def test_index_concurrently_while_others_wait_for_the_lock(project: Project, postgres_url: str) -> None:
    """A waiter inside pg_advisory_lock() would be a deadlock here."""
    project.config(url=postgres_url, lock_timeout=30)
    project.revision("a1", upgrade=f"{TABLE}\nop.execute('INSERT INTO made SELECT generate_series(1, 2000)')")
    project.revision(
        "b2",
        "a1",
        upgrade='import time\ntime.sleep(0.4)\nop.create_index("ix", "made", ["id"], postgresql_concurrently=True)',
    )
    runs = [
        asyncio.create_task(asyncio.to_thread(lambda: asyncio.run(project.migrator().upgrade("head"))))
        for _ in range(4)
    ]
    reports = await asyncio.gather(*runs)
    assert sorted(report.applied for report in reports) == [(), (), (), ("a1", "b2")]
    assert servers.rows(postgres_url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass") == [(True,)]


# The application's own engine, with a pool of one connection


async def succeed(migrator: Migrator) -> None:
    await migrator.upgrade("a1")


async def fail(migrator: Migrator) -> None:
    with pytest.raises(MigrationFailed):
        await migrator.upgrade("b2")


async def cancelled(migrator: Migrator) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await migrator.upgrade("c3")


@pytest.mark.parametrize("how", [succeed, fail, cancelled])
async def test_the_lock_is_given_back_and_the_connection_returns_as_it_came(
    at_driver: Project, driver_url: str, how: Callable[[Migrator], object]
) -> None:
    at_driver.revision("a1", upgrade=TABLE).revision("b2", upgrade="raise RuntimeError")
    at_driver.revision(
        "c3",
        upgrade="async def upgrade():\n    import asyncio\n    op.execute('SELECT 1')\n    await asyncio.sleep(30)",
    )
    async with engine_of(driver_url) as engine:
        seen: list[str] = []
        sa.event.listen(engine.sync_engine, "before_cursor_execute", lambda *_: seen.append("theirs"))
        before = await looked_at(engine)
        await how(Migrator(at_driver.config_file, engine=engine))
        assert await looked_at(engine) == before
        if "postgres" in driver_url:
            assert advisory_locks(driver_url) == 0
        # The application's own transactions still begin lazily and roll back.
        async with engine.connect() as connection:
            await connection.execute(sa.text("CREATE TABLE IF NOT EXISTS theirs (id INTEGER)"))
            await connection.commit()
            await connection.execute(sa.text("INSERT INTO theirs VALUES (1)"))
            await connection.rollback()
            assert (await connection.execute(sa.text("SELECT count(*) FROM theirs"))).scalar() == 0


def _level(raw: object) -> str:
    """The driver's isolation level by name: None is the default, which SQLAlchemy 2.0 leaves set after a reset."""
    level = getattr(raw, "isolation_level", None)
    return str(getattr(level, "name", level) or "read_committed").lower()


async def looked_at(engine: AsyncEngine) -> object:
    """What a borrower of the connection could notice."""
    async with engine.connect() as connection:
        sync = connection.sync_connection
        assert sync is not None
        raw = (await connection.get_raw_connection()).dbapi_connection
        assert raw is not None
        found = [
            await connection.get_isolation_level(),
            sync.get_execution_options(),
            sync.dialect is engine.dialect,
            engine.dialect.supports_server_side_cursors,
            sync.dispatch._events is None if hasattr(sync.dispatch, "_events") else None,
            [len(list(getattr(engine.sync_engine.dispatch, name))) for name in ("begin", "commit", "rollback")],
            _level(raw),
            getattr(raw, "autocommit", None),
        ]
        if engine.dialect.name == "sqlite":
            found += [
                (await connection.execute(sa.text(f"PRAGMA {name}"))).scalar()
                for name in ("foreign_keys", "busy_timeout")
            ]
        else:
            found += [
                (await connection.execute(sa.text(f"SHOW {name}"))).scalar()
                for name in ("lock_timeout", "statement_timeout", "search_path", "application_name")
            ]
    assert engine.pool.checkedout() == 0
    return found


async def test_sqlite_waits_for_the_file_up_to_lock_timeout(project: Project, sqlite_url: str) -> None:
    """Held before the tables of ours are there, and after: nothing is journaled, the exit code is 5."""
    project.config(url=sqlite_url, lock_timeout=0.5).revision("a1").revision("b2", "a1", upgrade=TABLE)
    await project.migrator().upgrade("a1")
    with servers.connected(sqlite_url) as other:
        for lock in ("IMMEDIATE", "EXCLUSIVE"):
            other.execute(f"BEGIN {lock}")
            with pytest.raises(LockTimeout, match="locked by another process") as caught:
                await project.migrator().upgrade("head")
            assert caught.value.exit_code == 5
            other.execute("ROLLBACK")
    assert [entry.revision for entry in await project.migrator().log()] == ["a1"]
    assert servers.tables(sqlite_url) == ["asyncmig_version", "asyncmig_version_journal"]
    assert (await project.migrator().upgrade("head")).applied == ("b2",)


async def test_sqlite_goes_on_when_the_file_is_free_again(project: Project, sqlite_url: str) -> None:
    project.config(url=sqlite_url, lock_timeout=20).revision("a1").revision("b2", "a1", upgrade=TABLE)
    await project.migrator().upgrade("a1")
    with servers.connected(sqlite_url) as other:
        other.execute("BEGIN EXCLUSIVE")
        task = asyncio.create_task(project.migrator().upgrade("head"))
        await asyncio.sleep(0.4)
        assert not task.done()
        other.execute("COMMIT")
        assert (await task).applied == ("b2",)


def test_the_command_exits_5_on_a_locked_file(project: Project, sqlite_url: str) -> None:
    project.config(url=sqlite_url, lock_timeout=0.3).revision("a1", upgrade=TABLE)
    servers.sqlite_path(sqlite_url).touch()
    with servers.connected(sqlite_url) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert "locked by another process" in project.run("upgrade", "head").expect(5).stderr


async def test_sqlite_waits_for_the_file_when_it_looks_for_our_tables(project: Project, sqlite_url: str) -> None:
    """Another starter may be committing between our first look and the making of the tables."""
    servers.sqlite_path(sqlite_url).touch()
    migrator = project.config(url=sqlite_url, lock_timeout=20).migrator()
    async with (await migrator.site()).session() as session:
        with servers.connected(sqlite_url) as other:
            other.execute("BEGIN EXCLUSIVE")
            task = asyncio.create_task(session.create_ledger())
            await asyncio.sleep(0.4)
            assert not task.done()
            other.execute("COMMIT")
            await task
    assert "asyncmig_version" in servers.tables(sqlite_url)
