"""A step that is the same at every target is sent in one exchange: with the outcome, the journal and the errors of any other."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import servers
from projects import Project

from asyncmig.database.whole import WholeSteps
from asyncmig.database.work import SharedWork
from asyncmig.dialects.registry import dialect_for
from asyncmig.errors import FleetFailed
from asyncmig.fleet import FleetReport, TargetOutcome
from asyncmig.revisions.plan import plan_upgrade
from asyncmig.revisions.target import parse_target

STEPS = {
    "a1": (
        'op.create_table("account", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(9)))\n'
        'op.create_index("ix_name", "account", ["name"])'
    ),
    "b2": 'op.add_column("account", sa.Column("email", sa.String(50)))',
    "c3": 'op.execute("INSERT INTO account (id) VALUES (7)")',
    "d4": 'op.create_table("orders", sa.Column("id", sa.Integer, sa.ForeignKey("account.id"), primary_key=True))',
    "e5": 'op.alter_column("account", "name", existing_type=sa.String(9), server_default="x")',
    "f6": 'op.drop_table("orders")\nop.rename_table("account", "person")',
}


@pytest.fixture
def shop(project: Project) -> Project:
    down = None
    for name, body in STEPS.items():
        project.revision(name, down, upgrade=body)
        down = name
    return project


def targets(shop: Project, kind: str, request: pytest.FixtureRequest, folder: Path, word: str) -> list[str]:
    if kind == "sqlite":
        return [servers.sqlite_url(folder / f"{word}{number}.db") for number in range(3)]
    url = request.getfixturevalue("postgres_url")
    shop.config(url=url)
    names = [f"{word}{number}" for number in range(3)]
    servers.execute(url, *(f"CREATE SCHEMA {name}" for name in names))
    return names


def found(shop: Project, target: str, sql: str) -> list[tuple[object, ...]]:
    if "://" in target:
        return servers.rows(target, sql.replace("SCHEMA.", ""))
    line = next(line for line in shop.config_file.read_text().splitlines() if line.startswith("url"))
    return servers.rows(line.split('"')[1], sql.replace("SCHEMA", target))


JOURNAL = (
    "SELECT revision, down_revision, direction, outcome, checksum, file_hash, statements_done, statements, error "
    "FROM SCHEMA.asyncmig_version_journal ORDER BY id"
)


@pytest.mark.subset
async def test_whether_anybody_listens_makes_no_difference(
    shop: Project, database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    # Somebody who listens is told of each statement, so that nothing can be sent whole.
    plain = targets(shop, database_kind, request, tmp_path, "plain")
    heard = [target.replace("plain", "heard") for target in plain]
    if database_kind == "postgresql":
        servers.execute(request.getfixturevalue("postgres_url"), *(f"CREATE SCHEMA {name}" for name in heard))
    for goal in ("d4", "f6"):
        whole = await shop.migrator().fleet(plain).upgrade(goal)
        single = await shop.migrator(observer=lambda event: None).fleet(heard).upgrade(goal)
        assert [result.applied for result in whole.results] == [result.applied for result in single.results]
        for one, other in zip(plain, heard, strict=True):
            assert found(shop, one, JOURNAL) == found(shop, other, JOURNAL)
    look = "SELECT id, name, email FROM SCHEMA.person"
    assert {tuple(found(shop, target, look)) for target in (*plain, *heard)} == {((7, None, None),)}


async def test_a_failure_names_statement_and_line_and_leaves_nothing(
    shop: Project, database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    every = targets(shop, database_kind, request, tmp_path, "t")
    await shop.migrator().fleet(every).upgrade("b2")
    url = every[1] if database_kind == "sqlite" else request.getfixturevalue("postgres_url")
    servers.execute(url, f"CREATE TABLE {'t1.' if database_kind == 'postgresql' else ''}orders (id INTEGER)")
    with pytest.raises(FleetFailed) as failed:
        await shop.migrator().fleet(every).upgrade("d4")
    report = failed.value.report
    assert isinstance(report, FleetReport)
    assert [result.outcome for result in report.results] == [
        TargetOutcome.CHANGED,
        TargetOutcome.FAILED,
        TargetOutcome.CHANGED,
    ]
    error = report.results[1].error or ""
    assert "d4" in error
    assert ".py:" in error
    assert "already exists" in error
    assert report.results[1].after == ("c3",)
    assert found(shop, every[1], "SELECT count(*) FROM SCHEMA.orders") == [(0,)]
    assert found(shop, every[1], JOURNAL)[-1][3] == "failed"
    servers.execute(url, f"DROP TABLE {'t1.' if database_kind == 'postgresql' else ''}orders")
    again = await shop.migrator().fleet(every).upgrade("d4")
    assert [result.outcome for result in again.results] == [
        TargetOutcome.UNCHANGED,
        TargetOutcome.CHANGED,
        TargetOutcome.UNCHANGED,
    ]


async def test_a_script_that_asks_where_it_is_runs_at_each_target(
    project: Project, database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    project.revision(
        "a1",
        upgrade=(
            "import uuid\n"
            'op.create_table("mark", sa.Column("id", sa.String(40), server_default=str(uuid.uuid4())))\n'
            'op.execute("INSERT INTO mark DEFAULT VALUES")'
        ),
    )
    every = targets(project, database_kind, request, tmp_path, "t")
    await project.migrator().fleet(every).upgrade()
    assert len({found(project, target, "SELECT id FROM SCHEMA.mark")[0] for target in every}) == 3


async def until(look: Callable[[], object]) -> None:
    for _ in range(3_000):
        if look():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("it never came")


async def test_a_target_that_is_locked_is_waited_for(
    shop: Project, database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    every = targets(shop, database_kind, request, tmp_path, "t")
    await shop.migrator().fleet(every).upgrade("a1")
    url = every[1] if database_kind == "sqlite" else request.getfixturevalue("postgres_url")
    shop.config(url=url, lock_timeout=60, statement_lock_timeout=0.1)
    with servers.connected(url) as other:
        other.execute("BEGIN EXCLUSIVE" if database_kind == "sqlite" else "BEGIN; LOCK TABLE t1.account")
        task = asyncio.create_task(shop.migrator().fleet(every).upgrade("d4"))
        await until(lambda: "d4" in {row[0] for row in found(shop, every[2], JOURNAL)})
        await asyncio.sleep(0.3)
        assert not task.done()
        other.execute("ROLLBACK")
        report = await task
    assert [result.applied for result in report.results] == [("b2", "c3", "d4")] * 3
    assert [row[3] for row in found(shop, every[1], JOURNAL)] == ["applied"] * 4


async def test_a_connection_that_is_cut_fails_its_target_only(
    shop: Project, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    every = targets(shop, "postgresql", request, tmp_path, "t")
    url = request.getfixturevalue("postgres_url")
    await shop.migrator().fleet(every).upgrade("a1")
    waiting = "SELECT pid FROM pg_stat_activity WHERE application_name = 'asyncmig' AND wait_event_type = 'Lock'"
    with servers.connected(url) as other:
        other.execute("BEGIN; LOCK TABLE t1.account")
        task = asyncio.create_task(shop.migrator().fleet(every).upgrade("b2"))
        await until(lambda: servers.rows(url, waiting))
        servers.execute(url, waiting.replace("SELECT pid", "SELECT pg_terminate_backend(pid)"))
        with pytest.raises(FleetFailed) as failed:
            await task
        other.execute("ROLLBACK")
    missed = failed.value.report.missed
    assert [result.target for result in missed] == ["t1"]
    assert [row[0] for row in found(shop, "t1", JOURNAL)] == ["a1"]
    assert (await shop.migrator().fleet(every).upgrade()).counts[TargetOutcome.CHANGED] == 3


# Whether a step is sent whole on SQLite, and on PostgreSQL.
WHOLE = {
    "a table with an index": (STEPS["a1"], True, True),
    "a column": (STEPS["b2"], True, True),
    "text": (STEPS["c3"], False, False),
    "a change that depends on how the table is stored": (STEPS["e5"], False, True),
    "rows that foreign keys would take along, a type that may have to be dropped": ('op.drop_table("a")', False, False),
    "a type that may have to be made": ('op.add_column("a", sa.Column("b", sa.Enum("x", name="kind")))', True, False),
    "what refuses a transaction": ('op.create_index("ix", "a", ["b"], postgresql_concurrently=True)', True, False),
    "a script that fails": ('op.create_table("a", sa.Column("id"), sa.Column("id"))', False, False),
}


@pytest.mark.parametrize("case", WHOLE)
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_what_is_sent_whole(case: str, kind: str, project: Project) -> None:
    body, *expected = WHOLE[case]
    project.revision("a1", upgrade=body)
    migrator = project.migrator(url=f"{kind}://localhost/nowhere")
    graph = migrator.graph()
    plan = plan_upgrade(graph, frozenset(), parse_target("head"))
    (work,) = SharedWork()(plan)
    steps = WholeSteps()
    settings = (await migrator.site()).settings(dialect_for(kind), graph)
    found = steps.of(plan.steps[0], work, settings)
    assert (found is not None) == expected[kind == "postgresql"]
    assert steps.of(plan.steps[0], work, settings) is found
    assert steps.of(plan.steps[0], work, replace(settings, observer=lambda event: None)) is None
    assert steps.of(plan.steps[0], work, replace(settings, schemas={"tenant": "t1"})) is None
