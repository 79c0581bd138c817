"""Locks that the application holds: a deadlock and a lock_timeout are tried again, in the end named; other timeouts are not."""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
import pytest
import servers
from projects import Project

from asyncmig import MigrationFailed
from asyncmig.database.events import Event, Retrying

JOURNAL = "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY id"
TABLES = 'for name in ("one", "two"):\n    op.create_table(name, sa.Column("id", sa.Integer))'


@contextmanager
def an_application(url: str, name: str = "shop-api") -> "Iterator[psycopg.Connection[Any]]":
    with psycopg.connect(servers.libpq_url(url), application_name=name) as connection:
        yield connection


async def at_a1(project: Project, upgrade: str, **config: object) -> None:
    project.config(url=project_url(project), **config).revision("a1", upgrade=TABLES)
    await project.migrator().upgrade("head")
    project.revision("b2", "a1", upgrade=upgrade)


def project_url(project: Project) -> str:
    found = re.search(r'^url = "(.+)"$', project.config_file.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


@pytest.mark.subset
async def test_the_blocker_is_named_in_every_retry_and_in_the_end(at_postgres: Project, postgres_url: str) -> None:
    await at_a1(
        at_postgres,
        'op.add_column("one", sa.Column("more", sa.Integer))',
        statement_lock_timeout=0.7,
        lock_timeout=1.8,
    )
    retries: list[Retrying] = []
    with an_application(postgres_url) as other:
        other.execute("SELECT id, 'a-secret' FROM one")
        pid = other.info.backend_pid
        with pytest.raises(MigrationFailed) as failed:
            await at_postgres.migrator(
                observer=lambda e: retries.append(e) if isinstance(e, Retrying) else None
            ).upgrade("head")
    blocker = rf"blocked by shop-api \(pid {pid}, for \d:\d\d:\d\d, idle in transaction, last query: SELECT id, '...' FROM one\)"
    assert re.search(f"lock timeout; {blocker}", str(failed.value)), str(failed.value)
    assert retries
    assert all(re.search(blocker, retry.reason) for retry in retries)
    assert servers.columns(postgres_url, "one") == ["id"]
    assert servers.rows(postgres_url, JOURNAL) == [("a1", "applied"), ("b2", "failed")]
    ((error,),) = servers.rows(postgres_url, "SELECT error FROM asyncmig_version_journal WHERE outcome = 'failed'")
    assert f"pid {pid}" in error
    assert "a-secret" not in error
    left = servers.rows(
        postgres_url,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    assert left == [(0,)]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_the_victim_of_a_deadlock_runs_again(at_postgres: Project, postgres_url: str, driver: str) -> None:
    await deadlocks(at_postgres, postgres_url, driver)


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(10))
async def test_the_victim_of_many_deadlocks(at_postgres: Project, postgres_url: str, _round: int) -> None:
    await deadlocks(at_postgres, postgres_url, "asyncpg")


WAITS = """
SELECT wait_event_type = 'Lock' AND clock_timestamp() - query_start > interval '1.3 seconds'
FROM pg_stat_activity WHERE pid = {pid}
"""


async def deadlocks(project: Project, url: str, driver: str) -> None:
    """The application locks two and wants one; the step has locked one and wants two, and notices.

    The server looks for a deadlock once, a second (deadlock_timeout) after a wait began: the application's look is over
    when the step begins to wait.
    """
    project.config(url=url.replace("+asyncpg", f"+{driver}"))
    body = """
async def upgrade():
    import asyncio, pathlib
    op.execute("ALTER TABLE one ADD COLUMN more integer")
    op.get_bind()
    pathlib.Path(MARK).touch()
    while not pathlib.Path(MARK + ".go").exists():
        await asyncio.sleep(0.01)
    op.execute("ALTER TABLE two ADD COLUMN more integer")
""".replace("MARK", repr(str(project.folder / "mark")))
    await at_a1(project, body)
    events: list[Event] = []
    task = asyncio.create_task(project.migrator(observer=events.append).upgrade("head"))
    with an_application(url) as other:
        pid = other.info.backend_pid
        other.execute("LOCK TABLE two IN ACCESS EXCLUSIVE MODE")
        async with asyncio.timeout(60):
            while not (project.folder / "mark").exists():  # noqa: ASYNC110 - the script makes it
                await asyncio.sleep(0.01)
            waits = threading.Thread(target=lambda: wants_one(other))
            waits.start()
            while servers.rows(url, WAITS.format(pid=pid)) != [(True,)]:  # noqa: ASYNC110 - the server's clock
                await asyncio.sleep(0.05)
            (project.folder / "mark.go").touch()
            report = await task
        await asyncio.to_thread(waits.join, 60)
    assert report.applied == ("b2",)
    assert servers.columns(url, "two") == ["id", "more"]
    reasons = [event.reason for event in events if isinstance(event, Retrying)]
    assert [reason for reason in reasons if "deadlock detected" in reason]
    assert f"pid {pid}" in reasons[0]
    assert servers.rows(url, JOURNAL) == [("a1", "applied"), ("b2", "applied")]


def wants_one(connection: "psycopg.Connection[Any]") -> None:
    with suppress(psycopg.errors.DeadlockDetected):
        connection.execute("SELECT count(*) FROM one")
    connection.rollback()


async def test_a_deadlock_within_no_budget_names_the_other_side(at_postgres: Project, postgres_url: str) -> None:
    """The server's error has the other's process id in its DETAIL; what that does is asked afterwards."""
    with an_application(postgres_url) as other:
        pid = other.info.backend_pid
        error = f"USING ERRCODE = '40P01', DETAIL = 'Process 1 waits for X; blocked by process {pid}.'"
        body = f"""op.execute("DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' {error}; END $$")"""
        await at_a1(at_postgres, body, lock_timeout=0)
        other.execute("SELECT count(*) FROM one")
        with pytest.raises(MigrationFailed, match=rf"deadlock detected; blocked by shop-api \(pid {pid}, "):
            await at_postgres.migrator().upgrade("head")


async def test_a_statement_timeout_is_no_lock_and_is_not_tried_again(at_postgres: Project, postgres_url: str) -> None:
    await at_a1(
        at_postgres,
        "op.create_table('made', sa.Column('id', sa.Integer))\nop.execute(\"SET LOCAL statement_timeout = '100ms'\")\nop.execute('SELECT pg_sleep(5)')",
    )
    events: list[Event] = []
    with pytest.raises(MigrationFailed, match="statement timeout"):
        await at_postgres.migrator(observer=events.append).upgrade("head")
    assert [event for event in events if isinstance(event, Retrying)] == []
    assert "made" not in servers.tables(postgres_url)
    assert servers.rows(postgres_url, JOURNAL) == [("a1", "applied"), ("b2", "failed")]
    at_postgres.revision("b2", "a1", upgrade="op.create_table('made', sa.Column('id', sa.Integer))")
    assert (await at_postgres.migrator().upgrade("head")).applied == ("b2",)
