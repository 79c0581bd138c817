"""Several machines run the same fleet: each target is claimed through its own lock, and each revision applied once."""

import asyncio
import random
import re
import time

import psycopg
import pytest
import servers
from projects import Project
from tally import Tally, killed

from asyncmig.database.lock import lock_key
from asyncmig.errors import FleetFailed

TABLE = 'op.create_table("t{0}", sa.Column("id", sa.Integer, primary_key=True))'
LOCKS = "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database WHERE locktype = 'advisory' AND datname = current_database()"


@pytest.fixture
def history(project: Project) -> Project:
    for number in range(4):
        down = f"r{number - 1}" if number else None
        project.revision(f"r{number}", down, upgrade=TABLE.format(number))
    return project


def schemas(url: str, count: int) -> list[str]:
    names = [f"tenant{number}" for number in range(count)]
    servers.execute(url, *(f"CREATE SCHEMA {name}" for name in names))
    return names


def test_three_processes_share_thirty_schemas(history: Project, postgres_url: str) -> None:
    names = schemas(postgres_url, 30)
    history.config(url=postgres_url)
    (history.folder / "tenants.txt").write_text("\n".join(names))
    command = ("fleet", "upgrade", "head", "--targets", "tenants.txt", "--concurrency", "3", "--canary", "1")
    started = [history.start(*command) for _ in range(3)]
    outputs = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], outputs
    for name in names:
        found = servers.rows(postgres_url, f"SELECT revision, outcome FROM {name}.asyncmig_version_journal ORDER BY id")
        assert found == [(f"r{number}", "applied") for number in range(4)]
    changed = sum(int(found) for _, text in outputs for found in re.findall(r"^(\d+) changed", text, re.MULTILINE))
    assert changed == 30
    assert servers.rows(postgres_url, LOCKS) == [(0,)]


def test_three_processes_share_sqlite_files(history: Project) -> None:
    history.config(url="sqlite:///own.db")
    (history.folder / "users").mkdir()
    urls = [f"sqlite:///users/{number}.db" for number in range(8)]
    (history.folder / "users.txt").write_text("\n".join(urls))
    started = [history.start("fleet", "upgrade", "head", "--targets", "users.txt") for _ in range(3)]
    outputs = [process.communicate(timeout=120) for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], outputs
    for number in range(8):
        url = servers.sqlite_url(history.folder / "users" / f"{number}.db")
        found = servers.rows(url, "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY id")
        assert found == [(f"r{number}", "applied") for number in range(4)]


@pytest.fixture
def targets(history: Project, database_kind: str, request: pytest.FixtureRequest) -> list[tuple[str, str]]:
    """The URL and the schema of each target, which are listed in targets.txt."""
    if database_kind == "sqlite":
        history.config(url="sqlite:///own.db")
        found = [(servers.sqlite_url(history.folder / f"user{number}.db"), "main") for number in range(12)]
        (history.folder / "targets.txt").write_text("\n".join(url for url, _ in found))
        return found
    url = request.getfixturevalue("postgres_url")
    history.config(url=url)
    found = [(url, name) for name in schemas(url, 12)]
    (history.folder / "targets.txt").write_text("\n".join(name for _, name in found))
    return found


def one_is_killed(project: Project, targets: list[tuple[str, str]], tally: Tally) -> None:
    """Of three machines one is killed after some targets: the others finish, and nothing is done twice or left out."""
    command = ("fleet", "upgrade", "head", "--targets", "targets.txt", "--concurrency", "2", "-v")
    runners = [project.start(*command) for _ in range(3)]
    victim = random.choice(runners)
    assert victim.stderr is not None
    for _ in range(random.randint(1, 4)):  # the number of targets, and then that of each finished one
        assert victim.stderr.readline()
    time.sleep(random.uniform(0, 0.05))
    tally("kills of one of three that share a fleet", hit=killed(victim))
    for runner in runners:
        if runner is not victim:
            stdout, stderr = runner.communicate(timeout=120)
            assert runner.returncode == 0, stdout + stderr
    for url, schema in targets:
        journal = servers.rows(url, f"SELECT revision, outcome FROM {schema}.asyncmig_version_journal ORDER BY id")
        assert journal == [(f"r{number}", "applied") for number in range(4)], schema
        assert {f"t{number}" for number in range(4)} <= set(servers.tables(url, schema))


def test_others_finish_the_fleet_of_one_that_was_killed(
    history: Project, targets: list[tuple[str, str]], tally: Tally
) -> None:
    one_is_killed(history, targets, tally)


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(25))
def test_others_finish_the_fleets_of_many_that_were_killed(
    history: Project, targets: list[tuple[str, str]], _round: int, tally: Tally
) -> None:
    one_is_killed(history, targets, tally)


@pytest.mark.subset
async def test_a_target_that_another_runner_holds_comes_last(history: Project, postgres_url: str) -> None:
    names = schemas(postgres_url, 4)
    history.config(url=postgres_url)
    order: list[str] = []
    released = asyncio.Event()

    def observe(event: object) -> None:
        order.append(event.result.target)  # type: ignore[attr-defined]
        if len(order) == 3:
            released.set()

    async with await psycopg.AsyncConnection.connect(servers.libpq_url(postgres_url), autocommit=True) as holder:
        await holder.execute("SELECT pg_advisory_lock(%s)", (lock_key("tenant1", "asyncmig_version"),))
        fleet = history.migrator().fleet(names, concurrency=1, observer=observe, shuffle=lambda queue: None)
        run = asyncio.create_task(fleet.upgrade())
        await asyncio.wait_for(released.wait(), 60)
        assert order == ["tenant0", "tenant2", "tenant3"]
        await holder.execute("SELECT pg_advisory_unlock_all()")
        report = await asyncio.wait_for(run, 60)
    assert order[-1] == "tenant1"
    assert [str(result.outcome) for result in report.results] == ["changed"] * 4


async def test_a_target_that_is_held_for_too_long_fails_and_names_the_holder(
    history: Project, postgres_url: str
) -> None:
    names = schemas(postgres_url, 2)
    history.config(url=postgres_url, lock_timeout=0.3)
    async with await psycopg.AsyncConnection.connect(
        servers.libpq_url(postgres_url), autocommit=True, application_name="the other machine"
    ) as holder:
        await holder.execute("SELECT pg_advisory_lock(%s)", (lock_key("tenant1", "asyncmig_version"),))
        with pytest.raises(FleetFailed, match="the other machine") as caught:
            await history.migrator().fleet(names).upgrade()
    assert [result.exit_code for result in caught.value.report.results] == [0, 5]


async def test_a_cancelled_fleet_leaves_whole_revisions_and_no_lock(history: Project, postgres_url: str) -> None:
    names = schemas(postgres_url, 6)
    history.revision("r4", "r3", upgrade='op.execute("CREATE TABLE late (id int)")\nop.execute("SELECT pg_sleep(30)")')
    history.config(url=postgres_url)
    run = asyncio.create_task(history.migrator().fleet(names, concurrency=3).upgrade())
    sleeping = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%%pg_sleep(30)%%' AND pid <> pg_backend_pid()"
    deadline = time.monotonic() + 60
    while servers.rows(postgres_url, sleeping)[0][0] < 3 and time.monotonic() < deadline:  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert servers.rows(postgres_url, sleeping + " AND state = 'active'") == [(0,)]
    assert servers.rows(postgres_url, LOCKS) == [(0,)]
    found = [servers.tables(postgres_url, name) for name in names]
    assert all("late" not in tables for tables in found)
    assert sum("t3" in tables for tables in found) == 3
