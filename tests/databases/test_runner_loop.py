"""The event loop of the host goes on while asyncmig loads itself, reads scripts, and waits for others."""

import asyncio
import builtins
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import servers
from projects import Project

from asyncmig.database.loading import load_aside
from asyncmig.database.lock import lock_key

TABLE = 'op.create_table("made", sa.Column("id", sa.Integer, primary_key=True))'

# What an application has imported anyway. The rest comes on the first upgrade: none of it where the loop would wait.
HOST = """
import asyncio, sys, threading
import sqlalchemy.ext.asyncio
from asyncmig import Migrator

imported = []


def hook(event, arguments):
    if event == "import" and threading.current_thread() is threading.main_thread():
        imported.append(arguments[0])


async def main():
    migrator = Migrator(sys.argv[1])
    await asyncio.to_thread(str)
    sys.addaudithook(hook)
    await METHOD
    found = [name for name in imported if name.partition(".")[0] in ("asyncmig", "sqlalchemy", "anyio", "asyncpg", "psycopg", "aiosqlite")]
    print(*found)


asyncio.run(main())
"""


@pytest.mark.parametrize("method", ["migrator.upgrade()", "migrator.fleet([URL]).upgrade()"])
def test_a_first_start_imports_beside_the_loop(at_driver: Project, driver_url: str, method: str) -> None:
    at_driver.revision("a1", upgrade=TABLE)
    at_driver.revision("b2", "a1", upgrade='op.add_column("made", sa.Column("name", sa.String(9)))')
    program = HOST.replace("METHOD", method.replace("URL", repr(driver_url)))
    command = [sys.executable, "-c", program, str(at_driver.config_file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    light = {"database", "database.loading", "fleet", "fleet.fleet", "fleet.report", "fleet.sources", "fleet.targets"}
    assert set(done.stdout.split()) <= {f"asyncmig.{name}" for name in light}


async def test_what_cannot_be_imported_is_left_to_whoever_needs_it() -> None:
    await load_aside("asyncmig.no_such_module", "json")


@asynccontextmanager
async def held(kind: str, url: str) -> AsyncIterator[asyncio.Event]:
    """The run lock is somebody else's until the event is set."""
    free = asyncio.Event()
    if kind == "sqlite":
        with servers.connected(url) as other:
            other.execute("BEGIN IMMEDIATE")
            releasing = asyncio.create_task(free.wait())
            releasing.add_done_callback(lambda _: other.execute("ROLLBACK"))
            yield free
            await releasing
        return
    import asyncpg

    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute(f"SELECT pg_advisory_lock({lock_key('public', 'asyncmig_version')})")

    async def release() -> None:
        await free.wait()
        await connection.close()

    releasing = asyncio.create_task(release())
    yield free
    await releasing


@pytest.mark.parametrize("waiters", [3])
async def test_the_loop_beats_while_somebody_else_holds_the_lock(
    database_project: Project, database_kind: str, database_url: str, waiters: int
) -> None:
    """The beat itself gives the lock free: a loop that stood still would wait for ever."""
    database_project.config(url=database_url, lock_timeout=60).revision("a1").revision("b2", "a1", upgrade=TABLE)
    await database_project.migrator().upgrade("a1")
    async with held(database_kind, database_url) as free:
        tasks = [asyncio.create_task(database_project.migrator().upgrade()) for _ in range(waiters)]
        for _ in range(100):
            await asyncio.sleep(0.01)
            assert not any(task.done() for task in tasks)
        free.set()
        reports = await asyncio.gather(*tasks)
    assert sorted(report.applied for report in reports) == [()] * (waiters - 1) + [("b2",)]


async def test_the_loop_has_its_turns_while_many_scripts_are_loaded(project: Project, sqlite_url: str) -> None:
    """Each script takes a while, as large ones do, and leaves a mark; the beat counts the marks since the last one."""
    count, down = 100, None
    for number in range(count):
        name = f"r{number:03}"
        project.revision(
            name, down, before="import time, builtins\ntime.sleep(0.002)\nbuiltins.asyncmig_marks.append(1)"
        )
        down = name
    marks: list[int] = []
    most = 0

    async def beat() -> None:
        nonlocal most
        while True:
            await asyncio.sleep(0)
            most = max(most, len(marks))
            marks.clear()

    project.config(url=sqlite_url)
    builtins.asyncmig_marks = marks  # type: ignore[attr-defined]
    try:
        task = asyncio.create_task(beat())
        await project.migrator().upgrade()
        task.cancel()
    finally:
        del builtins.asyncmig_marks  # type: ignore[attr-defined]
    assert 0 < most <= count // 4
