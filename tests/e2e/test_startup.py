"""Real applications under uvicorn that migrate their database when they start."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
import servers
from applications import application, applied, serve, workers
from projects import Project

from asyncmig.database.lock import lock_key

SLOW = """
import asyncio
op.run_async(lambda connection: asyncio.sleep(3))
op.create_table("slow", sa.Column("id", sa.Integer, primary_key=True))
"""
# Long, and in one statement: what a server must be told to stop.
ENDLESS = {
    "postgresql": 'op.execute("SELECT pg_sleep(120)")',
    "sqlite": 'op.execute("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n")',
}
SESSIONS = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
def shop(database_project: Project) -> Project:
    return _shop(database_project)


@pytest.fixture
def shop_in_a_file(project: Project, sqlite_url: str) -> Project:
    return _shop(project.config(url=sqlite_url), middle='op.create_table("slow", sa.Column("id", sa.Integer))')


def _shop(project: Project, middle: str = SLOW) -> Project:
    """Three revisions; the one in the middle takes a while."""
    return (
        project.revision("a1", upgrade='op.create_table("first", sa.Column("id", sa.Integer))')
        .revision("b2", "a1", upgrade=middle)
        .revision("c3", "b2", upgrade='op.add_column("slow", sa.Column("note", sa.String(20)))')
    )


def test_several_servers_started_at_once_apply_each_revision_once(shop: Project, database_url: str) -> None:
    application(shop, "starlette")
    with serve(shop, "--workers", "4") as first, serve(shop, "--workers", "4") as second:
        first.started(4)
        second.started(4)
        assert first.get()["unchanged"] and second.get()["unchanged"]
    assert applied(database_url) == ["a1", "b2", "c3"]
    seen = workers(shop)
    assert len(seen) == 8
    assert all(worker["unchanged"] for worker in seen)
    # A step slept for 3 s, and all others waited for it: their event loops went on.
    assert max(float(str(worker["gap"])) for worker in seen) < 2


@pytest.mark.parametrize("framework", ["fastapi", "starlette", "litestar"])
def test_each_framework_starts_with_its_own_lifespan_inside(
    shop_in_a_file: Project, sqlite_url: str, framework: str
) -> None:
    with serve(application(shop_in_a_file, framework)) as server:
        server.started()
        assert server.get()["handed"] == {"from": "the application"}
        assert server.get()["unchanged"]
        assert "slow" in servers.tables(sqlite_url)


@pytest.mark.parametrize("framework", ["fastapi", "starlette", "litestar"])
def test_a_failing_migration_stops_the_server_with_one_short_error(shop_in_a_file: Project, framework: str) -> None:
    shop_in_a_file.revision("d4", "c3", upgrade='op.execute("SELECT * FROM nowhere")')
    with serve(application(shop_in_a_file, framework)) as server:
        assert server.ended() == 3
        output = server.output
    assert output.count("MigrationFailed: Upgrade of d4") == 1
    assert "nowhere" in output
    frames = output.count('File "')
    # Litestar starts its lifespan inside a task group and shows that as well.
    assert frames <= (14 if framework == "litestar" else 4), output
    assert not [line for line in output.splitlines() if "asyncmig/database" in line or "sqlalchemy/" in line]


def test_a_worker_that_cannot_migrate_stops_the_whole_server(project: Project, postgres_url: str) -> None:
    project.config(url=postgres_url).revision("d4", upgrade='op.execute("SELECT * FROM nowhere")')
    with serve(application(project, "starlette"), "--workers", "2") as server:
        server.said("MigrationFailed: Upgrade of d4")
        server.ended()
        assert "Application startup complete" not in server.output


@pytest.mark.subset
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
def test_a_start_that_is_stopped_leaves_nothing_behind(
    database_project: Project, database_url: str, database_kind: str, number: signal.Signals
) -> None:
    made = 'op.create_table("made", sa.Column("id", sa.Integer))'
    project = database_project.revision("a1", upgrade=f"{made}\nopen('begun', 'w').close()\n{ENDLESS[database_kind]}")
    with serve(application(project, "starlette")) as server:
        _until((project.folder / "begun").exists)
        time.sleep(0.3)  # the statement is on its way
        server.process.send_signal(number)
        server.ended(60)
        assert f"Stopped by {number.name} while starting. What a1 had not committed was rolled back." in server.output
        assert server.output.count("Traceback") == 1
    assert "made" not in servers.tables(database_url)
    if database_kind == "postgresql":
        _until(lambda: servers.rows(database_url, SESSIONS) == [(0,)])
    project.revision("a1", upgrade=made)
    project.run("upgrade", "head").expect(0)
    assert applied(database_url) == ["a1"]


def test_a_start_that_waits_for_the_lock_stops_at_its_timeout(project: Project, postgres_url: str) -> None:
    project.config(url=postgres_url).revision("a1", upgrade='op.create_table("made", sa.Column("id", sa.Integer))')
    with _held(postgres_url), serve(application(project, "starlette"), env={"STARTUP_TIMEOUT": "2"}) as server:
        assert server.ended() == 3
        output = server.output
    assert "LockTimeout: Waited" in output and "the other runner" in output
    assert output.count('File "') <= 4
    assert servers.tables(postgres_url) == []


def test_a_run_that_takes_too_long_is_rolled_back_at_the_timeout(
    database_project: Project, database_url: str, database_kind: str
) -> None:
    made = 'op.create_table("made", sa.Column("id", sa.Integer))'
    project = database_project.revision("a1", upgrade=f"{made}\n{ENDLESS[database_kind]}")
    with serve(application(project, "starlette"), env={"STARTUP_TIMEOUT": "3"}) as server:
        assert server.ended() == 3
        assert "Interrupted: The start took longer than timeout=3 s. What a1 had not committed" in server.output
    assert "made" not in servers.tables(database_url)


def test_plain_upgrade_in_a_lifespan_works_the_same(shop: Project, database_url: str) -> None:
    application(shop, "fastapi")
    main = shop.folder / "main.py"
    plain = """
@contextlib.asynccontextmanager
async def inner(app):
    await migrator.upgrade()
    yield {"from": "the application"}
"""
    main.write_text(main.read_text().replace("\nfrom fastapi", f"{plain}\nfrom fastapi"))
    with serve(shop, "--workers", "4") as server:
        server.started(4)
    assert applied(database_url) == ["a1", "b2", "c3"]
    assert all(worker["unchanged"] and float(str(worker["gap"])) < 2 for worker in workers(shop))


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextlib.contextmanager
def _held(url: str) -> Iterator[None]:
    """Somebody else's session holds the run lock."""
    with psycopg.connect(servers.libpq_url(url), autocommit=True, application_name="the other runner") as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", (lock_key("public", "asyncmig_version"),))
        yield
