"""lock = "lease" through a transaction-mode pooler: one run at a time, taken over when it dies, fenced when it only slept."""

import asyncio
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import poolers
import psycopg
import pytest
import servers
from projects import Project

from asyncmig import ConfigError, FleetFailed, LockTimeout, MigrationFailed, Migrator, RunLockLost
from asyncmig.database.events import Event, LockWaiting

NAMES = [f"rev{number}" for number in range(1, 6)]
LEASE = "SELECT token, holder, isfinite(expires_at) FROM asyncmig_version_lease"
JOURNAL = "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY id"


@pytest.fixture(scope="module")
def pooler(postgres_server: servers.PostgresServer) -> Iterator[int]:
    with poolers.transaction_pooler(postgres_server) as port:
        yield port


@pytest.fixture(params=["asyncpg", "psycopg"])
def pooled_url(request: pytest.FixtureRequest, postgres_url: str, pooler: int) -> str:
    return poolers.through(postgres_url, pooler).replace("+asyncpg", f"+{request.param}")


@pytest.fixture
def at_pooler(project: Project, postgres_url: str, pooler: int) -> Project:
    return project.config(url=poolers.through(postgres_url, pooler), lock="lease", lease_duration=1)


def table(name: str) -> str:
    return f'op.create_table("{name}", sa.Column("id", sa.Integer))\nop.execute("INSERT INTO {name} VALUES (1)")'


def history(project: Project) -> Project:
    for number, name in enumerate(NAMES):
        project.revision(name, NAMES[number - 1] if number else None, upgrade=table(name))
    return project


def each_once(url: str) -> None:
    assert servers.rows(url, JOURNAL) == [(name, "applied") for name in NAMES]
    assert servers.rows(url, "SELECT version_num FROM asyncmig_version") == [(NAMES[-1],)]
    assert [servers.rows(url, f"SELECT id FROM {name}") for name in NAMES] == [[(1,)]] * len(NAMES)


def free(url: str) -> bool:
    return all(holder is None and not held for _token, holder, held in servers.rows(url, LEASE))


def test_the_pooler_changes_the_server_between_transactions(postgres_url: str, pooler: int) -> None:
    assert len(poolers.backends(poolers.through(postgres_url, pooler), 12)) > 1


VARIED = {
    "the script's connection": """
        bind = op.get_bind()
        for number in range(12):
            bind.execute(sa.text("INSERT INTO base VALUES (:n, 'x')"), {"n": 100 + number})
        assert bind.execute(sa.text("SELECT count(*) FROM base")).scalar() == 24
    """,
    "outside a transaction": """
        op.create_index("ix_base_name", "base", ["name"], postgresql_concurrently=True)
        op.add_column("base", sa.Column("more", sa.Integer))
    """,
    "an autocommit block": """
        with op.get_context().autocommit_block():
            op.execute("CREATE TABLE one (id integer)")
            op.execute("CREATE TABLE two (id integer)")
    """,
    "batches": """
        async def upgrade():
            async for batch in op.batches("base", key="id", size=5):
                op.execute("UPDATE base SET name = 'y' WHERE id = 1")
    """,
    "an enum": """
        op.add_column("base", sa.Column("kind", sa.Enum("a", "b", name="kind"), server_default="a"))
    """,
}


@pytest.mark.subset
@pytest.mark.parametrize("body", VARIED)
async def test_what_steps_are_made_of(project: Project, postgres_url: str, pooled_url: str, body: str) -> None:
    project.config(url=pooled_url, lock="lease")
    project.revision(
        "a1",
        upgrade="op.execute(\"CREATE TABLE base AS SELECT n AS id, 'x' AS name FROM generate_series(1, 12) AS n\")",
    )
    project.revision("b2", "a1", upgrade=VARIED[body])
    report = await project.migrator().upgrade("head")
    assert report.applied == ("a1", "b2")
    assert servers.rows(postgres_url, JOURNAL) == [("a1", "applied"), ("b2", "applied")]
    assert free(postgres_url)
    assert (await project.migrator().upgrade("head")).applied == ()
    assert (await project.migrator().downgrade("base")).after == ()
    assert servers.rows(postgres_url, LEASE)[0][0] == 2


def race(project: Project, url: str, starters: int) -> None:
    history(project.config(url=url_of(project), lock="lease"))
    for process in [project.start("upgrade", "head") for _ in range(starters)]:
        stdout, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stdout + stderr
    each_once(url)
    assert free(url)


def test_starters_through_the_pooler_apply_each_revision_once(at_pooler: Project, postgres_url: str) -> None:
    race(at_pooler, postgres_url, 4)


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(5))
def test_many_starters_through_the_pooler(at_pooler: Project, postgres_url: str, _round: int) -> None:
    race(at_pooler, postgres_url, 16)


def url_of(project: Project) -> str:
    found = re.search(r'^url = "(.+)"$', project.config_file.read_text(), re.MULTILINE)
    assert found is not None
    return found[1]


OLD_LEASE = """
SELECT expires_at > clock_timestamp() AND clock_timestamp() > (
    SELECT min(started_at)::timestamptz + interval '2.2 seconds' FROM asyncmig_version_journal
) FROM asyncmig_version_lease
"""


@pytest.mark.parametrize("transaction", ["revision", "run"])
async def test_a_long_step_keeps_the_lease_and_the_wait_names_its_holder(
    at_pooler: Project, postgres_url: str, transaction: str
) -> None:
    """With one transaction for the run the row stays locked behind the first step: that keeps others away too."""
    at_pooler.config(url=url_of(at_pooler), lock="lease", lease_duration=2, transaction=transaction)
    go = at_pooler.folder / "go"
    waits = f"async def upgrade():\n    import asyncio, pathlib\n    while not pathlib.Path({str(go)!r}).exists():\n        await asyncio.sleep(0.01)\n    "
    at_pooler.revision("a1").revision("b2", "a1", upgrade=waits + table("made").splitlines()[0])
    first = asyncio.create_task(at_pooler.migrator().upgrade("head"))
    async with asyncio.timeout(60):
        while "asyncmig_version_lease" not in servers.tables(postgres_url) or free(postgres_url):  # noqa: ASYNC110 - a row
            await asyncio.sleep(0.02)
    holders: list[str | None] = []

    def observe(event: Event) -> None:
        if isinstance(event, LockWaiting):
            holders.append(event.holder)
            go.touch()

    impatient = at_pooler.migrator(lock_timeout=0.2)
    with pytest.raises(LockTimeout, match=rf"which .*\(pid {os.getpid()}\)(, whose lease has \d s left,)? holds"):
        await impatient.upgrade("head")
    if transaction == "revision":  # else the row is locked, and that is enough
        async with asyncio.timeout(60):
            while servers.rows(postgres_url, OLD_LEASE) != [(True,)]:  # noqa: ASYNC110 - the server's clock
                await asyncio.sleep(0.05)
    second = await at_pooler.migrator(observer=observe).upgrade("head")
    assert (await first).applied == ("a1", "b2")
    assert second.applied == ()
    assert [holder for holder in holders if holder and f"(pid {os.getpid()})" in holder]
    assert servers.rows(postgres_url, LEASE) == [(2, None, False)]


def waits_for(mark: Path) -> str:
    return f"import pathlib, time\npathlib.Path({str(mark)!r}).touch()\ntime.sleep(1000 if not pathlib.Path({str(mark) + '.go'!r}).exists() else 0)"


def started(project: Project, mark: Path) -> "subprocess.Popen[str]":
    process = project.start("upgrade", "head")
    deadline = time.monotonic() + 60
    while not mark.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


async def test_the_lease_of_a_killed_run_is_taken_over(at_pooler: Project, postgres_url: str) -> None:
    mark = at_pooler.folder / "mark"
    at_pooler.revision("a1", upgrade=f"{table('made')}\n{waits_for(mark)}")
    process = started(at_pooler, mark)
    process.kill()
    process.communicate()
    assert not free(postgres_url)
    Path(f"{mark}.go").touch()
    assert (await at_pooler.migrator().upgrade("head")).applied == ("a1",)
    assert servers.rows(postgres_url, JOURNAL) == [("a1", "applied")]
    assert servers.rows(postgres_url, LEASE) == [(2, None, False)]


# While it sleeps, the script has done nothing yet, or holds its own locks.
BEFORE = "{wait}\n{table}"
BEHIND_A_COMMIT = "op.execute('CREATE TABLE early (id integer)')\nop.execute('COMMIT')\n{wait}\n{table}"


@pytest.mark.parametrize("body", [BEFORE, BEHIND_A_COMMIT])
async def test_a_paused_run_cannot_go_on_after_a_takeover(at_pooler: Project, postgres_url: str, body: str) -> None:
    """The holder is stopped (SIGSTOP) until another run has gone on to head; woken, it commits nothing."""
    mark = at_pooler.folder / "mark"
    wait = (
        f"import pathlib, time\npathlib.Path({str(mark)!r}).touch()\n"
        f"while not pathlib.Path({str(mark) + '.go'!r}).exists():\n    time.sleep(0.01)"
    )
    at_pooler.revision("a1", upgrade=body.format(wait=wait, table=table("made")))
    at_pooler.revision("b2", "a1", upgrade=table("later"))
    process = started(at_pooler, mark)
    process.send_signal(signal.SIGSTOP)
    try:
        Path(f"{mark}.go").touch()
        assert (await at_pooler.migrator().upgrade("head")).applied == ("a1", "b2")
    finally:
        process.send_signal(signal.SIGCONT)
    stdout, stderr = await asyncio.to_thread(process.communicate, timeout=30)
    text = " ".join((stdout + stderr).split())
    assert process.returncode in (3, 4), text
    assert "already exists" in text or "Lost the run lock" in text
    assert servers.rows(postgres_url, JOURNAL) == [("a1", "applied"), ("b2", "applied")]
    assert servers.rows(postgres_url, "SELECT id FROM made") == [(1,)]
    assert free(postgres_url)


TAKEN = "UPDATE asyncmig_version_lease SET token = token + 1, holder = 'the other run'"
FENCED = {
    "a plain step": "op.execute('CREATE TABLE made (id integer)')\nTAKE",
    "a statement outside a transaction": "TAKE\nop.create_index('ix', 'base', ['id'], postgresql_concurrently=True)",
    "an autocommit block": "with op.get_context().autocommit_block():\n    TAKE\n    op.execute('CREATE TABLE made (id integer)')",
    "a commit of the script's": "op.execute('CREATE TABLE made (id integer)')\nTAKE\nop.execute('COMMIT')",
    "the connection's commit": "op.get_bind().execute(sa.text('CREATE TABLE made (id integer)'))\nTAKE\nop.get_bind().commit()",
    "a batch": (
        "async def upgrade():\n"
        "    async for batch in op.batches('base', key='id', size=2):\n"
        "        op.execute('INSERT INTO base VALUES (100)')\n"
        "        TAKE"
    ),
    "a failing statement": "TAKE\nop.execute('SELECT nonsense')",
}


@pytest.mark.subset
@pytest.mark.parametrize("body", FENCED)
async def test_whoever_lost_the_lease_commits_nothing_more(at_pooler: Project, postgres_url: str, body: str) -> None:
    await loses_it(at_pooler, postgres_url, FENCED[body])


async def test_whoever_lost_the_lease_commits_nothing_of_the_whole_run(at_pooler: Project, postgres_url: str) -> None:
    at_pooler.config(url=url_of(at_pooler), lock="lease", transaction="run")
    await loses_it(at_pooler, postgres_url, FENCED["a plain step"])
    assert "made" not in servers.tables(postgres_url)


async def loses_it(project: Project, url: str, body: str) -> None:
    project.revision("a1", upgrade="op.execute('CREATE TABLE base AS SELECT n AS id FROM generate_series(1, 5) AS n')")
    await project.migrator().upgrade("head")
    take = f"import servers; servers.execute({url!r}, {TAKEN!r})"
    project.revision("b2", "a1", upgrade=body.replace("TAKE", take))
    with pytest.raises(MigrationFailed) as failed:
        await project.migrator().upgrade("head")
    if "nonsense" in body:
        assert "nonsense" in str(failed.value)
    else:
        assert isinstance(failed.value.__cause__, RunLockLost)
        assert re.search(
            "Lost the run lock: .*, and the other run has it now. Nothing more was done", str(failed.value)
        )
    assert servers.rows(url, "SELECT version_num FROM asyncmig_version") == [("a1",)]
    assert servers.rows(url, "SELECT count(*) FROM base") == [(5,)]
    assert {outcome for name, outcome in servers.rows(url, JOURNAL) if name == "b2"} <= {"incomplete"}
    assert servers.rows(url, "SELECT holder FROM asyncmig_version_lease") == [("the other run",)]


async def test_the_lease_is_given_back_after_failure_and_cancellation(at_pooler: Project, postgres_url: str) -> None:
    at_pooler.revision("a1", upgrade="op.execute('SELECT nonsense')")
    with pytest.raises(MigrationFailed, match="nonsense"):
        await at_pooler.migrator().upgrade("head")
    assert free(postgres_url)
    at_pooler.revision("a1", upgrade="op.execute('SELECT pg_sleep(30)')")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.7):
            await at_pooler.migrator().upgrade("head")
    assert free(postgres_url)
    assert [task for task in asyncio.all_tasks() if task is not asyncio.current_task()] == []


async def test_a_lost_heartbeat_connection_is_made_again(at_pooler: Project, postgres_url: str) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    at_pooler.revision(
        "a1",
        upgrade=(
            f"async def upgrade():\n    import asyncio, servers\n    servers.execute({postgres_url!r}, {cut!r})\n"
            f"    await asyncio.sleep(1.5)\n    op.execute('CREATE TABLE made (id integer)')"
        ),
    )
    assert (await at_pooler.migrator().upgrade("head")).applied == ("a1",)
    assert free(postgres_url)


class Row:
    """The lease's row, looked at while the event loop, and with it everything of the run's, stands still."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection

    def found(self, query: str) -> list[tuple[Any, ...]]:
        return self.connection.execute(query).fetchall()

    def is_free(self) -> bool:
        """Nobody keeps it locked. The server itself may be changing it this moment, and then it ends that by itself."""
        for _ in range(1000):
            if self.found("SELECT 1 FROM asyncmig_version_lease FOR UPDATE SKIP LOCKED"):
                return True
            time.sleep(0.005)
        return False


async def test_a_loop_that_stands_still_never_keeps_the_row_locked(
    project: Project, postgres_url: str, pooled_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """After each turn of the loop: while the lease is waited for, taken, extended, lost to another run, and given back."""
    migrator = project.config(url=pooled_url, lock="lease", lease_duration=1).revision("a1").migrator()
    await migrator.upgrade()
    with psycopg.connect(servers.libpq_url(postgres_url), autocommit=True) as connection:
        ends = await watched(migrator, Row(connection), caplog)
    assert len(ends) == 4
    assert servers.rows(postgres_url, LEASE) == [(4, "the other run", True)]


async def watched(migrator: Migrator, row: Row, caplog: pytest.LogCaptureFixture) -> set[Any]:
    """The ends that our lease had, up to when another run took it."""
    row.found(f"{TAKEN}, expires_at = clock_timestamp() + interval '0.5 seconds' RETURNING 1")
    enough = asyncio.Event()
    ends: set[Any] = set()

    async def run() -> None:
        async with (await migrator.site()).session() as session, session.locked():
            await enough.wait()

    task = asyncio.create_task(run())
    while not task.done():
        await asyncio.sleep(0)
        assert row.is_free()
        ((token, end),) = row.found("SELECT token, expires_at FROM asyncmig_version_lease")
        if token == 3:
            ends.add(end)
        if len(ends) == 4 and token == 3:
            row.found(f"{TAKEN} RETURNING 1")
        if "taken over by another run" in caplog.text:
            enough.set()
    await task
    return ends


async def test_in_the_callers_transaction(at_pooler: Project, postgres_url: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    history(at_pooler)
    engine = create_async_engine(postgres_url)
    async with engine.begin() as connection:
        report = await Migrator(at_pooler.config_file, connection=connection).upgrade("head")
        assert report.applied == tuple(NAMES)
    await engine.dispose()
    each_once(postgres_url)
    assert not servers.rows(postgres_url, LEASE)[0][2]
    assert (await at_pooler.migrator().downgrade("base")).after == ()


async def test_schemas_of_a_fleet_need_a_session(at_pooler: Project, postgres_url: str) -> None:
    servers.execute(postgres_url, "CREATE SCHEMA tenant")
    at_pooler.revision("a1")
    with pytest.raises(FleetFailed, match='lock = "lease" is for a pooler'):
        await at_pooler.migrator().fleet(["tenant"]).upgrade()
    assert "asyncmig_version" not in servers.tables(postgres_url, "tenant")


@pytest.mark.parametrize("lock", ["lease", "advisory"])
async def test_sqlite_needs_no_lock_of_a_server(project: Project, sqlite_url: str, lock: str) -> None:
    project.config(url=sqlite_url, lock=lock).revision("a1")
    with pytest.raises(ConfigError, match="is for PostgreSQL: on SQLite the lock of the file serves") as refused:
        await project.migrator().upgrade("head")
    assert refused.value.exit_code == 2
