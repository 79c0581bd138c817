"""What a lifespan does to the database and to the process that it runs in, entered without a server."""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest
import servers
import sqlalchemy as sa
from applications import applied
from projects import Project
from sqlalchemy.ext.asyncio import create_async_engine

from asyncmig import Migrator
from asyncmig.database.lock import lock_key
from asyncmig.errors import CheckFailed, ForeignRevision, Interrupted, MigrationFailed, UsageError
from asyncmig.integrations.asgi import lifespan

pytestmark = pytest.mark.subset

APP = object()
TABLE = 'op.create_table("{0}", sa.Column("id", sa.Integer))'


@pytest.fixture
def shop(database_project: Project) -> Project:
    database_project.revision("a1", upgrade=TABLE.format("one")).revision("b2", "a1", upgrade=TABLE.format("two"))
    return database_project


@pytest.fixture
def reader(request: pytest.FixtureRequest, database_kind: str, database_url: str) -> Callable[[], str]:
    """The URL of the same database for somebody who may only read what is there now."""
    if database_kind == "sqlite":
        return lambda: f"sqlite+aiosqlite:///file:{servers.sqlite_path(database_url)}?mode=ro&uri=true"
    server: servers.PostgresServer = request.getfixturevalue("postgres_server")
    name = f"reader_{os.getpid()}_{database_url.rpartition('_')[2]}"

    def granted() -> str:
        servers.execute(
            _as_superuser(server, database_url),
            f"CREATE ROLE {name} LOGIN PASSWORD 'reads'",
            f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}",
        )
        request.addfinalizer(lambda: _drop_role(server, database_url, name))
        return server.url(database_url.rpartition("/")[2], user=name, password="reads")

    return granted


def _as_superuser(server: servers.PostgresServer, url: str) -> str:
    return server.superuser_url(url.rpartition("/")[2])


def _drop_role(server: servers.PostgresServer, url: str, name: str) -> None:
    servers.execute(_as_superuser(server, url), f"DROP OWNED BY {name}", f"DROP ROLE {name}")


async def test_verify_starts_at_head_with_nothing_but_select(shop: Project, reader: Callable[[], str]) -> None:
    await shop.migrator().upgrade()
    async with lifespan(shop.migrator(url=reader()), "verify")(APP):
        pass


async def test_verify_refuses_to_start_behind_in_one_line(
    shop: Project, reader: Callable[[], str], database_url: str
) -> None:
    await shop.migrator().upgrade("a1")
    shop.revision("c3", "b2")
    with pytest.raises(CheckFailed, match=r"is behind: 2 pending \(b2, c3\)\. Run `asyncmig upgrade head`") as caught:
        async with lifespan(shop.migrator(url=reader()), "verify")(APP):
            pass
    assert "\n" not in str(caught.value)
    assert caught.value.data == {"pending": ["b2", "c3"], "incomplete": []}
    assert "two" not in servers.tables(database_url)


async def test_verify_never_creates_the_database_file(shop: Project, database_url: str, database_kind: str) -> None:
    with pytest.raises(CheckFailed, match=r"2 pending \(a1, b2\)"):
        async with lifespan(shop.migrator(), "verify")(APP):
            pass
    if database_kind == "sqlite":
        assert not servers.sqlite_path(database_url).exists()
    else:
        assert servers.tables(database_url) == []


@pytest.mark.parametrize("mode", ["upgrade", "verify"])
async def test_a_database_that_is_ahead_is_accepted_and_logged(
    shop: Project, mode: Any, caplog: pytest.LogCaptureFixture
) -> None:
    await shop.migrator().upgrade()
    (shop.versions / "b2_revision.py").unlink()
    with caplog.at_level(logging.INFO, "asyncmig"):
        async with lifespan(shop.migrator(), mode)(APP):
            pass
    (record,) = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert "is ahead of this code, at b2" in record.getMessage()


@pytest.mark.parametrize("mode", ["upgrade", "verify"])
async def test_a_database_at_an_unknown_revision_stops_the_start(shop: Project, database_url: str, mode: Any) -> None:
    await shop.migrator().upgrade()
    servers.execute(database_url, "UPDATE asyncmig_version SET version_num = 'zz'")
    with pytest.raises(ForeignRevision, match="zz"):
        async with lifespan(shop.migrator(), mode)(APP):
            pass


@pytest.mark.parametrize("mode", ["upgrade", "verify"])
async def test_a_start_with_nothing_to_do_costs_one_query(project: Project, sqlite_url: str, mode: Any) -> None:
    """On PostgreSQL the server's own log is the witness, in the runner's tests."""
    project.config(url=sqlite_url).revision("a1", upgrade=TABLE.format("one"))
    await project.migrator().upgrade()
    engine = create_async_engine(sqlite_url)
    heard: list[str] = []

    @sa.event.listens_for(engine.sync_engine, "connect")
    def trace(dbapi_connection: Any, _: object) -> None:
        dbapi_connection.run_async(lambda raw: raw.set_trace_callback(heard.append))

    async with lifespan(Migrator(project.config_file, engine=engine), mode)(APP):
        pass
    await engine.dispose()
    (ours,) = [sql for sql in heard if not sql.startswith("PRAGMA")]
    assert ours.startswith("SELECT version_num")


@pytest.mark.parametrize("mode", ["upgrade", "verify"])
async def test_a_start_with_nothing_to_do_needs_no_lock(shop: Project, database_url: str, mode: Any) -> None:
    await shop.migrator().upgrade()
    with servers.connected(database_url) as other:
        if "postgres" in database_url:
            other.execute("SELECT pg_advisory_lock(%s)", (lock_key("public", "asyncmig_version"),))
        else:
            other.execute("BEGIN IMMEDIATE")
        async with lifespan(shop.migrator(), mode, timeout=5)(APP):
            pass


async def test_off_never_connects(project: Project) -> None:
    project.config(url="postgresql://nobody@127.0.0.1:1/nothing").revision("a1")
    async with lifespan(project.migrator(), "off")(APP):
        pass


async def test_an_unknown_mode_is_refused_when_the_application_is_made(project: Project) -> None:
    with pytest.raises(UsageError, match=r"mode='check' is none of 'upgrade', 'verify', 'off'"):
        lifespan(project.migrator(), "check")  # type: ignore[arg-type]


async def test_the_application_s_lifespan_runs_inside_and_hands_its_state_on(shop: Project, database_url: str) -> None:
    seen: list[object] = []

    @contextlib.asynccontextmanager
    async def own(app: object) -> AsyncIterator[dict[str, str]]:
        seen.append((app is APP, servers.tables(database_url)[-2:]))
        try:
            yield {"pool": "mine"}
        except RuntimeError as error:
            seen.append(str(error))
            raise

    with pytest.raises(RuntimeError, match="in the application"):
        async with lifespan(shop.migrator(), wrap=own)(APP) as state:
            assert state == {"pool": "mine"}
            raise RuntimeError("in the application")
    assert seen == [(True, ["one", "two"]), "in the application"]


async def test_the_error_keeps_its_type_and_data_and_loses_its_frames(
    shop: Project, caplog: pytest.LogCaptureFixture
) -> None:
    shop.revision("c3", "b2", upgrade='op.execute("SELECT * FROM nowhere")')
    with (
        caplog.at_level(logging.DEBUG, "asyncmig"),
        pytest.raises(MigrationFailed) as caught,
    ):
        async with lifespan(shop.migrator())(APP):
            pass
    assert [step.revision for step in caught.value.report.steps] == ["a1", "b2"]
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert len(caught.traceback) == 2  # this function and __aenter__
    (record,) = [record for record in caplog.records if "not started" in record.getMessage()]
    assert record.exc_info is not None  # the frames are here for who wants them


async def test_a_cancelled_start_is_rolled_back_and_cancelled(shop: Project, database_url: str) -> None:
    slow = f"open({str(shop.folder / 'begun')!r}, 'w').close()\nimport anyio\nop.run_async(lambda c: anyio.sleep(60))"
    shop.revision("c3", "b2", upgrade=f"{TABLE.format('three')}\n{slow}")

    async def start() -> None:
        async with lifespan(shop.migrator())(APP):
            pass

    task = asyncio.create_task(start())
    while not ((shop.folder / "begun").exists() or task.done()):  # noqa: ASYNC110 - made by the script
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert "three" not in servers.tables(database_url)
    shop.revision("c3", "b2", upgrade=TABLE.format("three"))
    await shop.migrator().upgrade()
    assert applied(database_url) == ["a1", "b2", "c3"]


async def test_the_timeout_leaves_the_steps_that_were_applied(shop: Project, database_url: str) -> None:
    shop.revision("c3", "b2", upgrade="import anyio\nop.run_async(lambda connection: anyio.sleep(60))")
    with pytest.raises(Interrupted, match=r"timeout=3 s\. What c3 had not .* rolled back\. 2 revisions were applied"):
        async with lifespan(shop.migrator(), timeout=3)(APP):
            pass
    assert applied(database_url) == ["a1", "b2"]


async def test_the_timeout_is_how_long_the_lock_is_waited_for(project: Project, postgres_url: str) -> None:
    """lock_timeout of 60 s is only a default: a timeout above it must not be cut short by it."""
    from asyncmig.integrations import asgi

    patient = asgi._patient(project.config(url=postgres_url).migrator(), 300)
    assert patient.config.lock_timeout == 300
    explicit = asgi._patient(project.config(url=postgres_url, lock_timeout=5).migrator(), 300)
    assert explicit.config.lock_timeout == 5


async def test_the_process_is_as_it_was(shop: Project, tmp_path: Path) -> None:
    def process() -> list[object]:
        manager = logging.Logger.manager.loggerDict
        return [
            [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)],
            (logging.root.level, list(logging.root.handlers), logging.root.manager.disable),
            {name for name, one in manager.items() if isinstance(one, logging.Logger) and one.disabled},
            list(sys.path),
            Path.cwd(),
            type(asyncio.get_event_loop_policy()),
            asyncio.get_running_loop(),
        ]

    before = process()
    async with lifespan(shop.migrator())(APP):
        assert process() == before
    assert process() == before
    shop.revision("c3", "b2", upgrade='op.execute("SELECT * FROM nowhere")')
    with pytest.raises(MigrationFailed):
        async with lifespan(shop.migrator())(APP):
            pass
    assert process() == before


@pytest.mark.parametrize("use", ["lifespan", "migrator"])
def test_trio_is_answered_with_what_to_do(project: Project, sqlite_url: str, use: str) -> None:
    migrator = project.config(url=sqlite_url).revision("a1").migrator()

    async def start() -> None:
        if use == "migrator":
            await migrator.upgrade()
        async with lifespan(migrator)(APP):
            pass

    with pytest.raises(UsageError, match=r"No asyncio event loop .* trio.*hypercorn -k asyncio"):
        anyio.run(start, backend="trio")


def test_a_signal_that_nobody_else_hears_ends_the_process_after_the_rollback(project: Project, sqlite_url: str) -> None:
    """Without a server's handler SIGTERM would end the process at once, in the middle of the step."""
    slow = f"{TABLE.format('one')}\nimport anyio\nopen('begun', 'w').close()\nop.run_async(lambda c: anyio.sleep(60))"
    project.config(url=sqlite_url).revision("a1", upgrade=slow)
    program = """
import asyncio
from asyncmig import Migrator
from asyncmig.database.lock import lock_key
from asyncmig.integrations.asgi import lifespan

async def main():
    async with lifespan(Migrator())(None):
        print("never")

asyncio.run(main())
"""
    process = subprocess.Popen([sys.executable, "-c", program], cwd=project.folder, stdout=subprocess.PIPE)
    while not (project.folder / "begun").exists():
        assert process.poll() is None
    process.terminate()
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, out) == (-signal.SIGTERM, b"")
    assert "one" not in servers.tables(sqlite_url)
    assert not Path(f"{servers.sqlite_path(sqlite_url)}-journal").exists()


def test_a_warning_of_a_library_never_reaches_the_stderr_of_a_silent_host() -> None:
    program = "import asyncmig.migrator, asyncmig.database, logging; logging.getLogger('asyncmig').warning('loud')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_psycopg_may_be_the_driver(project: Project, postgres_url: str) -> None:
    project.config(url=postgres_url.replace("asyncpg", "psycopg")).revision("a1", upgrade=TABLE.format("one"))

    async def start() -> None:
        async with lifespan(project.migrator(), timeout=30)(APP):
            pass

    asyncio.run(start())
    assert applied(postgres_url) == ["a1"]
