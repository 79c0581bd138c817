"""The connection is cut or the server restarted, in a step and between steps: whoever lost it does nothing more."""

import asyncio
import random
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import servers
from projects import Project
from tally import Tally

from asyncmig import AsyncmigError, ConnectionFailed, MigrationFailed
from asyncmig.database.events import Event, StepFinished

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
JOURNAL = "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY id"
VERSION = "SELECT version_num FROM asyncmig_version"
NAMES = [f"rev{number:02}" for number in range(30)]


def cut(url: str) -> str:
    return f"import servers; servers.execute({url!r}, {CUT!r})"


def history(project: Project) -> None:
    for number, name in enumerate(NAMES):
        body = f'op.create_table("{name}", sa.Column("id", sa.Integer))\nop.execute("INSERT INTO {name} VALUES (1)")'
        project.revision(name, NAMES[number - 1] if number else None, upgrade=body)


def is_some_whole_revision(url: str) -> int:
    """How many revisions are applied: by the journal, the version table and the tables alike."""
    there = servers.tables(url)
    if "asyncmig_version_journal" not in there:
        return 0
    done = [name for name, outcome in servers.rows(url, JOURNAL) if outcome == "applied"]
    assert done == NAMES[: len(done)]
    assert servers.rows(url, VERSION) == ([(done[-1],)] if done else [])
    assert [name for name in there if name.startswith("rev")] == done
    assert all(servers.rows(url, f"SELECT id FROM {name}") == [(1,)] for name in done)
    return len(done)


IN_A_STEP = {
    "the next statement": "op.create_table('made', sa.Column('id', sa.Integer))\nCUT\nop.execute('CREATE TABLE more (id integer)')",
    "the commit": "op.create_table('made', sa.Column('id', sa.Integer))\nCUT",
    "before the first statement": "CUT\nop.create_table('made', sa.Column('id', sa.Integer))",
    "a script that goes on": (
        "op.create_table('made', sa.Column('id', sa.Integer))\nCUT\n"
        "try:\n    op.execute('SELECT 1')\nexcept Exception:\n    pass\n"
        "op.execute('CREATE TABLE more (id integer)')"
    ),
    "a script that goes on with the connection": (
        "bind = op.get_bind()\nbind.execute(sa.text('CREATE TABLE made (id integer)'))\nCUT\n"
        "for _ in range(3):\n"
        "    try:\n        bind.execute(sa.text('CREATE TABLE more (id integer)'))\n    except Exception:\n        pass\n"
    ),
    "a script that goes on and commits": (
        "bind = op.get_bind()\nbind.execute(sa.text('CREATE TABLE made (id integer)'))\nCUT\n"
        "for _ in range(3):\n"
        "    try:\n        bind.execute(sa.text('CREATE TABLE more (id integer)'))\n        bind.commit()\n"
        "    except Exception:\n        pass\n"
    ),
    "a script that rolls back and goes on": (
        "bind = op.get_bind()\nbind.execute(sa.text('CREATE TABLE made (id integer)'))\nCUT\n"
        "for _ in range(3):\n"
        "    try:\n        bind.execute(sa.text('CREATE TABLE more (id integer)'))\n"
        "    except Exception:\n        bind.rollback()\n"
    ),
    "an autocommit block": (
        "with op.get_context().autocommit_block():\n"
        "    CUT\n"
        "    for _ in range(2):\n"
        "        try:\n            op.execute('CREATE TABLE more (id integer)')\n        except Exception:\n            pass\n"
    ),
}


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
@pytest.mark.parametrize("body", IN_A_STEP)
async def test_a_connection_cut_in_a_step_ends_the_run(
    at_postgres: Project, postgres_url: str, body: str, driver: str
) -> None:
    at_postgres.config(url=postgres_url.replace("+asyncpg", f"+{driver}"))
    at_postgres.revision("a1")
    await at_postgres.migrator().upgrade("head")
    at_postgres.revision("b2", "a1", upgrade=IN_A_STEP[body].replace("CUT", cut(postgres_url)))
    at_postgres.revision("c3", "b2", upgrade="op.create_table('last', sa.Column('id', sa.Integer))")
    with pytest.raises((MigrationFailed, ConnectionFailed)):
        await at_postgres.migrator().upgrade("head")
    assert {"made", "more", "last"} & set(servers.tables(postgres_url)) == set()
    assert servers.rows(postgres_url, VERSION) == [("a1",)]
    assert servers.rows(postgres_url, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'") == [(0,)]
    divided = [outcome for name, outcome in servers.rows(postgres_url, JOURNAL) if name == "b2"]
    assert divided in ([], ["incomplete"])
    if divided != ["incomplete"]:
        at_postgres.revision("b2", "a1", upgrade="op.create_table('made', sa.Column('id', sa.Integer))")
        assert (await at_postgres.migrator().upgrade("head")).applied == ("b2", "c3")


async def test_a_connection_cut_between_steps_hands_over(at_postgres: Project, postgres_url: str) -> None:
    """The lock goes with the connection: the one that waits does the rest, the one that lost it does nothing."""
    history(at_postgres)
    finished: list[str] = []
    other: list[asyncio.Task[object]] = []

    async def observe(event: Event) -> None:
        if isinstance(event, StepFinished):
            finished.append(event.report.revision)
            if len(finished) == 3:
                servers.execute(postgres_url, CUT)
                other.append(asyncio.create_task(at_postgres.migrator().upgrade("head")))
                await asyncio.sleep(random.uniform(0, 0.3))

    with pytest.raises((MigrationFailed, ConnectionFailed)):
        await at_postgres.migrator(observer=observe).upgrade("head")
    assert finished == NAMES[:3]
    report = await other[0]
    assert report.applied == tuple(NAMES[3:])  # type: ignore[attr-defined]
    assert is_some_whole_revision(postgres_url) == len(NAMES)


async def cut_at_random(project: Project, url: str, runners: int, tally: Tally) -> None:
    """Cut all connections while `runners` run at once: each is through, or says in its own words what happened to it."""
    runs = [asyncio.create_task(project.migrator().upgrade("head")) for _ in range(runners)]
    await asyncio.sleep(random.uniform(0, 0.3))
    connections = len(await asyncio.to_thread(servers.rows, url, CUT))
    outcomes = await asyncio.gather(*runs, return_exceptions=True)
    for outcome in outcomes:
        assert not isinstance(outcome, BaseException) or isinstance(outcome, AsyncmigError), repr(outcome)
    done = is_some_whole_revision(url)
    ended = sum(isinstance(outcome, AsyncmigError) for outcome in outcomes)
    tally("cuts", connections_cut=connections, runs_ended=ended, left_in_between=0 < done < len(NAMES))


async def test_connections_cut_at_random(at_postgres: Project, postgres_url: str, tally: Tally) -> None:
    history(at_postgres)
    await cut_at_random(at_postgres, postgres_url, 1, tally)
    await at_postgres.migrator().upgrade("head")
    assert is_some_whole_revision(postgres_url) == len(NAMES)


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(40))
async def test_connections_cut_many_times(at_postgres: Project, postgres_url: str, _round: int, tally: Tally) -> None:
    history(at_postgres)
    for _ in range(6):
        await cut_at_random(at_postgres, postgres_url, 2, tally)
    await at_postgres.migrator().upgrade("head")
    assert is_some_whole_revision(postgres_url) == len(NAMES)


# A server that comes back


@dataclass(frozen=True)
class Restartable:
    """`pg_ctl restart -m immediate`, as whoever may run the server."""

    server: servers.PostgresServer
    data: Path
    binaries: Path

    def control(self, *arguments: str) -> None:
        command = [str(self.binaries / "pg_ctl"), "-D", str(self.data), "-w", "-m", "immediate", *arguments]
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            **servers._as_account(servers._unprivileged()),
        )
        assert done.returncode == 0


@pytest.fixture(scope="module")
def restartable() -> Iterator[Restartable]:
    with servers.running_server(settings={}) as server:
        data = Path(servers.rows(server.superuser_url(), "SHOW data_directory")[0][0])
        binaries = Path((data / "postmaster.opts").read_text().split()[0]).parent
        found = Restartable(server, data, binaries)
        yield found
        found.control("stop")


async def restart_at_random(project: Project, restartable: Restartable, rounds: int, tally: Tally) -> None:
    with servers.fresh_postgres_database(restartable.server) as url:
        history(project.config(url=url))
        slow = 'op.execute("SELECT pg_sleep(0.2)")\n'
        for name in NAMES[5::6]:
            script = next(project.versions.glob(f"{name}_*"))
            script.write_text(script.read_text().replace("    op.execute(", f"    {slow}    op.execute(", 1))
        for _ in range(rounds):
            restart = threading.Timer(random.uniform(0.05, 1.0), restartable.control, ["restart"])
            restart.start()
            ended = False
            try:
                await project.migrator().upgrade("head")
            except AsyncmigError as error:
                assert isinstance(error, MigrationFailed | ConnectionFailed), repr(error)
                ended = True
            await asyncio.to_thread(restart.join)
            is_some_whole_revision(url)
            tally("restarts of the server", hit=ended)
        await project.migrator().wait_until_reachable(10)
        await project.migrator().upgrade("head")
        assert is_some_whole_revision(url) == len(NAMES)


async def test_a_server_restarted_at_a_random_moment(project: Project, restartable: Restartable, tally: Tally) -> None:
    await restart_at_random(project, restartable, 2, tally)


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(20))
async def test_a_server_restarted_many_times(
    project: Project, restartable: Restartable, _round: int, tally: Tally
) -> None:
    await restart_at_random(project, restartable, 4, tally)
