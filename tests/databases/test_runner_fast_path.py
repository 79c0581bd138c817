"""Nothing to do: one query of ours, no lock, no write. Counted where nothing can hide: in the server's log, in SQLite's trace."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
import sqlalchemy as sa
from projects import Project
from sqlalchemy.ext.asyncio import create_async_engine

from asyncmig import Migrator


@pytest.fixture(scope="module")
def talkative(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[servers.PostgresServer, Path]]:
    """A server of our own that writes every statement into a file."""
    folder = tmp_path_factory.mktemp("log")
    folder.chmod(0o777)
    for parent in folder.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o055)
    settings = {
        "log_statement": "all",
        "log_line_prefix": "%a|",
        "logging_collector": "on",
        "log_directory": str(folder),
        "log_filename": "statements",
        "log_rotation_age": "0",
    }
    with servers.running_server(settings=settings) as server:
        yield server, folder / "statements"


@pytest.fixture
def said(talkative: tuple[servers.PostgresServer, Path]) -> Iterator[tuple[str, Path]]:
    server, log = talkative
    with servers.fresh_postgres_database(server) as url:
        yield url, log


def _between(log: Path, first: str, last: str) -> list[str]:
    """The statements that the server logged between two others; its collector writes them in order, a moment later."""
    deadline = time.monotonic() + 10
    while last not in (text := log.read_text()):
        assert time.monotonic() < deadline, text
        time.sleep(0.01)
    lines = text.partition(first)[2].partition(last)[0].splitlines()[1:-1]
    return [line for line in lines if "statement:" in line or "execute " in line]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_postgresql_hears_one_query(project: Project, said: tuple[str, Path], driver: str) -> None:
    url, log = said
    project.config(url=url.replace("asyncpg", driver)).revision("a1").revision("b2", "a1")
    await project.migrator().upgrade("head")
    # An engine that is warm already: what SQLAlchemy and the drivers ask of a new server is not ours.
    engine = create_async_engine(project.migrator().config.url or "")
    async with engine.connect() as connection:
        await connection.execute(sa.text("SELECT 'warm'"))
        await connection.rollback()
    servers.execute(url, "SELECT 'from here'")
    assert (await Migrator(project.config_file, engine=engine).upgrade("head")).applied == ()
    servers.execute(url, "SELECT 'to here'")
    await engine.dispose()
    lines = _between(log, "'from here'", "'to here'")
    assert len(lines) == 1, lines
    assert 'FROM "asyncmig_version" UNION ALL' in lines[0]


async def test_sqlite_runs_one_query_and_writes_nothing(project: Project, sqlite_url: str) -> None:
    project.config(url=sqlite_url).revision("a1").revision("b2", "a1")
    await project.migrator().upgrade("head")
    path = servers.sqlite_path(sqlite_url)
    content, changed = path.read_bytes(), path.stat().st_mtime_ns
    engine = create_async_engine(sqlite_url)
    heard: list[str] = []

    @sa.event.listens_for(engine.sync_engine, "connect")
    def trace(dbapi_connection, record) -> None:
        dbapi_connection.run_async(lambda raw: raw.set_trace_callback(heard.append))

    assert (await Migrator(project.config_file, engine=engine).upgrade("head")).applied == ()
    await engine.dispose()
    ours = [sql for sql in heard if not sql.startswith("PRAGMA")]
    assert len(ours) == 1, heard
    assert ours[0].startswith("SELECT version_num")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, changed)


async def test_nothing_to_do_does_not_wait_for_the_lock(project: Project, database_url: str) -> None:
    project.config(url=database_url, lock_timeout=0.1).revision("a1")
    await project.migrator().upgrade("head")
    with servers.connected(database_url) as other:
        if "postgres" in database_url:
            from asyncmig.database.lock import lock_key

            other.execute("SELECT pg_advisory_lock(%s)", (lock_key("public", "asyncmig_version"),))
        else:
            other.execute("BEGIN IMMEDIATE")
        assert (await project.migrator().upgrade("head")).applied == ()


async def test_nothing_to_do_needs_no_right_to_write(
    project: Project, postgres_url: str, postgres_server: servers.PostgresServer
) -> None:
    project.config(url=postgres_url).revision("a1")
    await project.migrator().upgrade("head")
    name = postgres_url.rpartition("/")[2]
    admin, role = postgres_server.superuser_url(name), f"looker_{name}"
    servers.execute(
        admin, f"CREATE ROLE {role} LOGIN PASSWORD 'look'", f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"
    )
    try:
        project.config(url=postgres_server.url(name, user=role, password="look"))
        assert (await project.migrator().upgrade("head")).applied == ()
        assert (await project.migrator().status()).clean
    finally:
        servers.execute(admin, f"DROP OWNED BY {role}", f"DROP ROLE {role}")


async def test_nothing_is_created_where_there_is_nothing_to_apply(database_project: Project, database_url: str) -> None:
    assert (await database_project.migrator().upgrade("heads")).applied == ()
    if "postgres" in database_url or servers.sqlite_path(database_url).exists():
        assert servers.tables(database_url) == []
