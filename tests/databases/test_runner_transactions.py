"""One transaction a revision, one for the run, and steps that cannot be one: divided, journaled, gone on with."""

import asyncio

import pytest
import servers
from projects import Project

from asyncmig.database.events import Event, Retrying, StepStarted
from asyncmig.errors import CheckFailed, MigrationFailed, OperationError

COUNTER = 'op.execute("CREATE TABLE counter (label varchar(20))")'
COUNT = "op.execute(\"INSERT INTO counter VALUES ('{}')\")"
FAIL = 'op.execute("INSERT INTO nowhere VALUES (1)")'

pytestmark = pytest.mark.subset


def counted(url: str) -> list[str]:
    return [str(label) for (label,) in servers.rows(url, "SELECT label FROM counter ORDER BY 1")]


def versions(url: str) -> list[str]:
    return sorted(str(row[0]) for row in servers.rows(url, "SELECT version_num FROM asyncmig_version"))


# transaction = "run"


async def test_run_is_all_or_nothing(project: Project, driver_url: str) -> None:
    project.config(url=driver_url, transaction="run")
    project.revision("a1", upgrade=COUNTER).revision("b2", "a1", upgrade=FAIL)
    with pytest.raises(MigrationFailed) as caught:
        await project.migrator().upgrade("head")
    assert caught.value.exit_code == 3
    assert caught.value.report.applied == ()
    assert caught.value.report.after == ()
    assert "counter" not in servers.tables(driver_url)
    assert versions(driver_url) == []
    # journaled after the rollback of the whole run
    found = [(entry.revision, entry.outcome) for entry in await project.migrator().log()]
    assert found == [("b2", "failed")]

    project.revision("b2", "a1", upgrade=COUNT.format("b2"))
    report = await project.migrator().upgrade("head")
    assert report.applied == ("a1", "b2")
    assert counted(driver_url) == ["b2"]
    assert versions(driver_url) == ["b2"]


async def test_run_is_one_transaction_on_the_server(project: Project, postgres_url: str) -> None:
    project.config(url=postgres_url, transaction="run")
    project.revision("a1", upgrade='op.execute("CREATE TABLE ids AS SELECT txid_current() AS id")')
    project.revision("b2", "a1", upgrade='op.execute("INSERT INTO ids SELECT txid_current()")')
    await project.migrator().upgrade("head")
    assert servers.rows(postgres_url, "SELECT count(DISTINCT id) FROM ids") == [(1,)]
    project.config(url=postgres_url).revision("c3", "b2", upgrade='op.execute("INSERT INTO ids SELECT txid_current()")')
    await project.migrator().upgrade("head")
    assert servers.rows(postgres_url, "SELECT count(DISTINCT id) FROM ids") == [(2,)]


async def test_run_is_tried_again_as_a_whole_when_it_loses_a_lock(project: Project, postgres_url: str) -> None:
    settings = {"url": postgres_url, "transaction": "run", "statement_lock_timeout": 0.1}
    project.config(**settings).revision("a1", upgrade=COUNTER)
    await project.migrator().upgrade("head")
    project.revision("b2", "a1", upgrade='op.create_table("other", sa.Column("id", sa.Integer))')
    project.revision("c3", "b2", upgrade='op.add_column("counter", sa.Column("more", sa.Integer))')
    heard: list[Event] = []
    twice = asyncio.Event()

    def observe(event: Event) -> None:
        heard.append(event)
        if sum(isinstance(one, Retrying) for one in heard) == 2:
            twice.set()

    with servers.connected(postgres_url) as blocker:
        blocker.execute("BEGIN")
        blocker.execute("SELECT count(*) FROM counter")
        task = asyncio.create_task(project.migrator(observer=observe).upgrade("head"))
        async with asyncio.timeout(30):
            await twice.wait()
        assert "other" not in servers.tables(postgres_url)
        blocker.execute("ROLLBACK")
        report = await task
    assert report.applied == ("b2", "c3")
    retries = [event for event in heard if isinstance(event, Retrying)]
    assert [(event.revision, event.attempt) for event in retries] == [("c3", n + 1) for n in range(len(retries))]
    # b2 ran in each try, and stands once.
    assert sum(isinstance(event, StepStarted) and event.revision == "b2" for event in heard) == len(retries) + 1
    found = [(entry.revision, entry.outcome) for entry in await project.migrator().log()]
    assert found == [("c3", "applied"), ("b2", "applied"), ("a1", "applied")]

    project.config(**settings, lock_timeout=0.3).revision("d4", "c3", upgrade='op.drop_column("counter", "more")')
    with servers.connected(postgres_url) as blocker:
        blocker.execute("BEGIN")
        blocker.execute("SELECT count(*) FROM counter")
        with pytest.raises(MigrationFailed, match=r"d4.*lock timeout") as caught:
            await project.migrator().upgrade("head")
        blocker.execute("ROLLBACK")
    assert caught.value.report.after == ("c3",)
    assert [entry.outcome for entry in await project.migrator().log(limit=1)] == ["failed"]


async def test_run_refuses_what_would_commit_in_between(project: Project, driver_url: str) -> None:
    project.config(url=driver_url, transaction="run").revision("a1", upgrade=COUNTER)
    for body in (
        'with op.autocommit_block():\n    op.execute("SELECT 1")',
        'op.execute("COMMIT")',
        "op.get_bind().commit()",
        "op.get_bind().rollback()",
    ):
        project.revision("b2", "a1", upgrade=body)
        with pytest.raises(MigrationFailed, match='transaction = "run"') as caught:
            await project.migrator().upgrade("head")
        assert caught.value.exit_code == 3, body
        assert "counter" not in servers.tables(driver_url), body


async def test_run_refuses_concurrently(project: Project, postgres_url: str) -> None:
    project.config(url=postgres_url, transaction="run")
    project.revision(
        "a1", upgrade=f'{COUNTER}\nop.create_index("ix", "counter", ["label"], postgresql_concurrently=True)'
    )
    with pytest.raises(MigrationFailed, match='transaction = "run"'):
        await project.migrator().upgrade("head")
    assert "counter" not in servers.tables(postgres_url)


# What a transaction forbids


async def test_autocommit_block_runs_vacuum(at_driver: Project, driver_url: str) -> None:
    at_driver.revision(
        "a1", upgrade=f'{COUNTER}\nwith op.autocommit_block():\n    op.execute("VACUUM")\n{COUNT.format("after")}'
    )
    await at_driver.migrator().upgrade("head")
    assert counted(driver_url) == ["after"]
    assert versions(driver_url) == ["a1"]
    assert [(e.outcome, e.statements_done) for e in await at_driver.migrator().log()] == [("applied", 3)]


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_an_index_is_created_concurrently(project: Project, postgres_url: str, driver: str) -> None:
    url = postgres_url.replace("asyncpg", driver)
    project.config(url=url).revision(
        "a1",
        upgrade=f'{COUNTER}\nop.create_index("ix", "counter", ["label"], postgresql_concurrently=True)\n{COUNT.format("after")}',
        downgrade='op.drop_index("ix", "counter", postgresql_concurrently=True)\nop.drop_table("counter")',
    )
    await project.migrator().upgrade("head")
    assert servers.rows(url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass") == [(True,)]
    assert counted(url) == ["after"]
    await project.migrator().downgrade("base")
    assert "counter" not in servers.tables(url)
    assert versions(url) == []


# Scripts that end the transaction themselves, and a failure afterwards

ENDS = {
    "commit": 'op.execute("COMMIT")',
    "end": 'op.execute("end transaction")',
    "commit in a string of several": 'op.execute("SELECT 1; COMMIT; SELECT 2")',
    "construct": 'op.execute(sa.text("COMMIT"))',
    "bind commit": "op.get_bind().commit()",
    "bind executes commit": 'op.get_bind().execute(sa.text("COMMIT"))',
    "bind executes its driver's commit": 'op.get_bind().exec_driver_sql("COMMIT")',
    "commit in an autocommit block": 'with op.autocommit_block():\n    op.execute("SELECT 1")\n    op.execute("COMMIT")\n    op.get_bind().commit()',
    "a second commit of the bind": "bind = op.get_bind()\nbind.commit()\nop.execute('SELECT 1')\nbind.commit()",
    "autocommit block": 'with op.autocommit_block():\n    op.execute("SELECT 1")',
}


@pytest.mark.parametrize("how", ENDS)
async def test_a_failure_behind_a_commit_is_incomplete_not_rolled_back(
    database_project: Project, database_url: str, how: str
) -> None:
    await check_incomplete(database_project, database_url, ENDS[how])


async def check_incomplete(project: Project, url: str, end: str) -> None:
    parts = [COUNT.format("before"), end, COUNT.format("lost"), FAIL]
    project.revision("a1", upgrade=COUNTER).revision("b2", "a1", upgrade="\n".join(parts))
    with pytest.raises(MigrationFailed, match="incomplete") as caught:
        await project.migrator().upgrade("head")
    assert caught.value.exit_code == 4
    assert counted(url) == ["before"]
    assert versions(url) == ["a1"]
    newest = (await project.migrator().log())[0]
    assert (newest.revision, newest.outcome) == ("b2", "incomplete")
    assert newest.error is not None
    assert "nowhere" in newest.error
    status = await project.migrator().status()
    assert [(one.revision, one.statements_done) for one in status.incomplete] == [("b2", newest.statements_done)]
    with pytest.raises(CheckFailed, match="b2 is incomplete after statement"):
        await project.migrator().check()


def divided(*behind: str) -> str:
    return "\n".join([COUNT.format("one"), COUNT.format("two"), 'op.execute("COMMIT")', *behind])


async def incomplete(project: Project) -> None:
    project.revision("a1", upgrade=COUNTER).revision("b2", "a1", upgrade=divided(COUNT.format("three"), FAIL))
    with pytest.raises(MigrationFailed):
        await project.migrator().upgrade("head")


async def test_the_rerun_after_mending_resumes(at_driver: Project, driver_url: str) -> None:
    await incomplete(at_driver)
    at_driver.revision("b2", "a1", upgrade=divided(COUNT.format("three"), COUNT.format("mended")))
    report = await at_driver.migrator().upgrade("head")
    assert counted(driver_url) == ["mended", "one", "three", "two"]
    assert [(step.revision, step.resumed) for step in report.steps] == [("b2", True)]
    newest = (await at_driver.migrator().log())[0]
    assert (newest.outcome, newest.statements_done, newest.error) == ("applied", 5, None)
    assert versions(driver_url) == ["b2"]
    assert (await at_driver.migrator().status()).clean


async def test_it_may_fail_again_and_resume_again(database_project: Project, database_url: str) -> None:
    await incomplete(database_project)
    again = divided(COUNT.format("three"), 'op.execute("COMMIT")', COUNT.format("four"), FAIL)
    database_project.revision("b2", "a1", upgrade=again)
    with pytest.raises(MigrationFailed, match="incomplete"):
        await database_project.migrator().upgrade("head")
    assert counted(database_url) == ["one", "three", "two"]
    database_project.revision("b2", "a1", upgrade=again.replace("nowhere", "counter"))
    await database_project.migrator().upgrade("head")
    assert counted(database_url) == ["1", "four", "one", "three", "two"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (divided().replace("'two'", "'zwei'"), "statement 2 is no longer the one that was run"),
        (f"op.get_bind()\n{divided()}", "the script uses the connection"),
        (COUNT.format("one"), "the script ends"),
    ],
)
async def test_what_cannot_be_gone_on_with_stops_and_names_the_ways_out(
    at_driver: Project, driver_url: str, body: str, words: str
) -> None:
    await incomplete(at_driver)
    at_driver.revision("b2", "a1", upgrade=body)
    with pytest.raises(MigrationFailed, match=words) as caught:
        await at_driver.migrator().upgrade("head")
    assert "Put the script back" in str(caught.value)
    assert "asyncmig stamp" in str(caught.value)
    assert counted(driver_url) == ["one", "two"]
    assert [(e.revision, e.outcome) for e in await at_driver.migrator().log(limit=1)] == [("b2", "incomplete")]
    assert versions(driver_url) == ["a1"]


async def test_using_the_connection_behind_the_point_is_fine(at_driver: Project, driver_url: str) -> None:
    await incomplete(at_driver)
    at_driver.revision(
        "b2", "a1", upgrade=divided("op.get_bind().execute(sa.text(\"INSERT INTO counter VALUES ('bind')\"))")
    )
    await at_driver.migrator().upgrade("head")
    assert counted(driver_url) == ["bind", "one", "two"]


@pytest.mark.parametrize("target", ["a1", "b2"])
async def test_stamp_abandons_an_incomplete_revision(at_driver: Project, driver_url: str, target: str) -> None:
    await incomplete(at_driver)
    await at_driver.migrator().stamp(target)
    assert versions(driver_url) == [target]
    outcomes = {entry.outcome for entry in await at_driver.migrator().log() if entry.revision == "b2"}
    assert "incomplete" not in outcomes
    assert "abandoned" in outcomes
    at_driver.revision("b2", "a1", upgrade=COUNT.format("anew"))
    if target == "a1":
        await at_driver.migrator().upgrade("head")
        assert counted(driver_url) == ["anew", "one", "two"]
    else:
        assert (await at_driver.migrator().status()).incomplete == ()


async def test_another_direction_stops_before_anything_runs(database_project: Project, database_url: str) -> None:
    await incomplete(database_project)
    with pytest.raises(OperationError, match="Upgrade of b2 is incomplete after statement"):
        await database_project.migrator().downgrade("base")
    assert counted(database_url) == ["one", "two"]


async def test_a_statement_that_is_not_transactional_fails_alone(at_postgres: Project, postgres_url: str) -> None:
    """The failing CONCURRENTLY is the first statement behind the point: mended, it is the first that runs."""
    index = 'op.create_index("ix", "counter", ["{}"], unique=True, postgresql_concurrently=True)'
    parts = [COUNT.format("same"), COUNT.format("same")]
    at_postgres.revision("a1", upgrade=COUNTER)
    at_postgres.revision("b2", "a1", upgrade="\n".join([*parts, index.format("label")]))
    with pytest.raises(MigrationFailed, match="incomplete") as caught:
        await at_postgres.migrator().upgrade("head")
    assert caught.value.sql is not None
    assert "CONCURRENTLY" in caught.value.sql
    servers.execute(postgres_url, "DROP INDEX ix", "UPDATE counter SET label = ctid::text")
    await at_postgres.migrator().upgrade("head")
    assert len(counted(postgres_url)) == 2


async def test_a_rollback_of_the_script_undoes_its_own_work_only(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1", upgrade=COUNTER)
    at_driver.revision(
        "b2", "a1", upgrade=f"op.get_bind()\n{COUNT.format('undone')}\nop.get_bind().rollback()\n{COUNT.format('kept')}"
    )
    await at_driver.migrator().upgrade("head")
    assert counted(driver_url) == ["kept"]
    assert versions(driver_url) == ["b2"]


async def test_a_rollback_of_the_script_takes_no_operation_with_it(at_driver: Project, driver_url: str) -> None:
    """The revision would be called applied, and the column would be missing."""
    at_driver.revision("a1", upgrade=COUNTER)
    add = 'op.add_column("counter", sa.Column("more", sa.Integer))'
    for rollback in (
        "op.get_bind().rollback()",
        'op.execute("ROLLBACK")',
        'op.get_bind().execute(sa.text("ROLLBACK"))',
    ):
        at_driver.revision("b2", "a1", upgrade=f"op.get_bind()\n{add}\n{rollback}\n{COUNT.format('kept')}")
        with pytest.raises(MigrationFailed, match=r"rolled back .* with it: Add column counter.more \(.*b2.*:\d+\)"):
            await at_driver.migrator().upgrade("head")
        assert (versions(driver_url), counted(driver_url)) == (["a1"], [])
    said = 'op.execute("/* one more */ ALTER TABLE counter ADD COLUMN more integer")'
    at_driver.revision("b2", "a1", upgrade=f"{said}\nop.get_bind().rollback()")
    with pytest.raises(MigrationFailed, match=r"with it: Execute .*ALTER TABLE"):
        await at_driver.migrator().upgrade("head")
    failing = 'try:\n    op.drop_table("nowhere")\nexcept Exception:\n    op.get_bind().rollback()'
    at_driver.revision("b2", "a1", upgrade=f'{COUNT.format("undone")}\nop.execute("ROLLBACK")\n{failing}\n{add}')
    await at_driver.migrator().upgrade("head")
    assert servers.columns(driver_url, "counter")[-1] == "more"
    assert counted(driver_url) == []


async def test_a_savepoint_of_the_script_works(at_driver: Project, driver_url: str) -> None:
    at_driver.revision(
        "a1",
        upgrade=f"""
{COUNTER}
bind = op.get_bind()
try:
    with bind.begin_nested():
        bind.execute(sa.text("INSERT INTO counter VALUES ('undone')"))
        raise KeyError
except KeyError:
    pass
with bind.begin_nested():
    bind.execute(sa.text("INSERT INTO counter VALUES ('kept')"))
""",
    )
    await at_driver.migrator().upgrade("head")
    assert counted(driver_url) == ["kept"]


async def test_the_connection_in_a_failing_script_is_rolled_back_with_it(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1", upgrade=COUNTER)
    at_driver.revision(
        "b2", "a1", upgrade=f"op.get_bind().execute(sa.text(\"INSERT INTO counter VALUES ('lost')\"))\n{FAIL}"
    )
    with pytest.raises(MigrationFailed):
        await at_driver.migrator().upgrade("head")
    assert counted(driver_url) == []
