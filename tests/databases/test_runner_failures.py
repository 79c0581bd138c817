"""A step that fails: nothing of it stays, the journal says so, and the rerun after mending works."""

import re

import pytest
import servers
from projects import Project

from asyncmig.errors import MigrationFailed, ScriptError

ACCOUNT = 'op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))'
BROKEN = """
op.create_table("invoice", sa.Column("id", sa.Integer, primary_key=True))
op.execute("INSERT INTO account VALUES (7)")
op.execute("INSERT INTO nowhere VALUES (1)")
"""
MENDED = BROKEN.replace("nowhere", "invoice")

pytestmark = pytest.mark.subset


def line_of(project: Project, revision: str, text: str) -> int:
    (path,) = project.versions.glob(f"{revision}_*")
    return next(number for number, line in enumerate(path.read_text().splitlines(), 1) if text in line)


async def test_a_failing_script_leaves_nothing_and_is_journaled(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1", upgrade=ACCOUNT).revision("b2", "a1", upgrade=BROKEN)
    with pytest.raises(MigrationFailed) as caught:
        await at_driver.migrator().upgrade("head")

    assert "invoice" not in servers.tables(driver_url)
    assert servers.rows(driver_url, "SELECT count(*) FROM account") == [(0,)]
    assert servers.rows(driver_url, "SELECT version_num FROM asyncmig_version") == [("a1",)]
    journal = servers.rows(driver_url, "SELECT revision, outcome, error FROM asyncmig_version_journal ORDER BY id")
    assert [row[:2] for row in journal] == [("a1", "applied"), ("b2", "failed")]
    assert journal[0][2] is None
    assert "nowhere" in journal[1][2]

    error = caught.value
    assert error.exit_code == 4
    assert error.revision == "b2"
    assert error.path is not None
    assert error.path.name == "b2_revision.py"
    assert error.line == line_of(at_driver, "b2", "nowhere")
    assert error.sql == "INSERT INTO nowhere VALUES (1)"
    assert error.report.applied == ("a1",)
    assert error.report.after == ("a1",)


async def test_the_rerun_after_mending_reaches_head(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1", upgrade=ACCOUNT).revision("b2", "a1", upgrade=BROKEN)
    with pytest.raises(MigrationFailed):
        await at_driver.migrator().upgrade("head")
    at_driver.revision("b2", "a1", upgrade=MENDED)
    report = await at_driver.migrator().upgrade("head")
    assert report.applied == ("b2",)
    assert servers.rows(driver_url, "SELECT id FROM account") == [(7,)]
    assert [entry.outcome for entry in await at_driver.migrator().log()] == ["applied", "failed", "applied"]


async def test_the_first_step_failing_has_exit_code_3(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1", upgrade=f"{ACCOUNT}\nraise RuntimeError('no such luck')")
    with pytest.raises(MigrationFailed, match="RuntimeError: no such luck") as caught:
        await at_driver.migrator().upgrade("head")
    assert caught.value.exit_code == 3
    assert caught.value.line == line_of(at_driver, "a1", "raise RuntimeError")
    assert caught.value.sql is None
    assert "account" not in servers.tables(driver_url)
    assert servers.rows(driver_url, "SELECT count(*) FROM asyncmig_version") == [(0,)]


async def test_a_failing_downgrade_leaves_everything(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1", upgrade=ACCOUNT, downgrade='op.drop_table("account")\nop.execute("SELECT nothing")')
    await at_driver.migrator().upgrade("head")
    with pytest.raises(MigrationFailed, match="Downgrade of a1"):
        await at_driver.migrator().downgrade("base")
    assert "account" in servers.tables(driver_url)
    assert servers.rows(driver_url, "SELECT version_num FROM asyncmig_version") == [("a1",)]


def test_the_command_tells_3_from_4(database_project: Project, database_url: str) -> None:
    database_project.revision("a1", upgrade=BROKEN)
    nothing = database_project.run("upgrade", "head").expect(3)
    assert re.search(r"a1_revision\.py:\d+\)", nothing.stderr)
    database_project.revision("a1", upgrade=ACCOUNT).revision("b2", "a1", upgrade=BROKEN)
    database_project.run("upgrade", "head").expect(4)
    assert "invoice" not in servers.tables(database_url)


async def test_an_error_that_the_script_wraps_keeps_statement_and_line(at_driver: Project) -> None:
    at_driver.revision(
        "a1",
        upgrade="""
        try:
            op.execute("SELECT nothing_like_it")
        except Exception as error:
            raise ValueError("wrapped") from error
        """,
    )
    with pytest.raises(MigrationFailed, match="ValueError: wrapped") as caught:
        await at_driver.migrator().upgrade("head")
    assert caught.value.sql == "SELECT nothing_like_it"
    assert caught.value.line == line_of(at_driver, "a1", "nothing_like_it")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("x = 1\nasync def work(): op.execute('SELECT 1')\nreturn work()", "nobody awaits"),
        ("op.execute('CREATE TABLE made (id INTEGER)')\nyield", "`yield`"),
        ("async def upgrade():\n    yield", "`yield`"),
        ("async def upgrade():\n    async def work(): pass\n    return work()", "nobody awaits"),
        ("import asyncio\nreturn asyncio.sleep(0)", "nobody awaits"),
    ],
)
async def test_a_result_that_still_waits_is_an_error_and_never_a_stamp(
    database_project: Project, database_url: str, body: str, words: str
) -> None:
    database_project.revision("a1", upgrade=body)
    with pytest.raises((MigrationFailed, ScriptError), match=words):
        await database_project.migrator().upgrade("head")
    assert "made" not in servers.tables(database_url)
    assert servers.rows(database_url, "SELECT count(*) FROM asyncmig_version") == [(0,)]


async def test_what_is_wrong_in_a_later_script_stops_before_the_first_statement(
    database_project: Project, database_url: str
) -> None:
    database_project.revision("a1", upgrade=ACCOUNT).revision("b2", "a1", before="import no_such_module_here")
    with pytest.raises(ScriptError):
        await database_project.migrator().upgrade("head")
    assert "account" not in servers.tables(database_url)


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("raise SystemExit(0)", "SystemExit(0)"),
        ("import asyncio; raise asyncio.CancelledError", "nobody cancelled the migration"),
        (
            "import asyncio; task = asyncio.ensure_future(asyncio.sleep(9)); task.cancel(); await task",
            "nobody cancelled",
        ),
    ],
)
def test_a_script_that_ends_the_process_fails_like_any_other(
    database_project: Project, database_url: str, end: str, said: str
) -> None:
    database_project.revision("a1", upgrade=f"async def upgrade():\n    {ACCOUNT}\n    {end}")
    failed = database_project.run("upgrade").expect(3)
    assert "Traceback" not in failed.output
    assert said in failed.stderr and "The revision was rolled back" in failed.stderr
    assert f":{line_of(database_project, 'a1', end)})" in failed.stderr
    assert servers.rows(database_url, "SELECT revision, outcome FROM asyncmig_version_journal") == [("a1", "failed")]
    assert "account" not in servers.tables(database_url)


def test_a_run_in_one_transaction_says_that_all_of_it_went(database_project: Project) -> None:
    database_project.revision("a1", upgrade=ACCOUNT).revision("b2", "a1", upgrade=BROKEN)
    failed = database_project.run("upgrade", env={"ASYNCMIG_TRANSACTION": "run"}).expect(3)
    assert "The whole run was rolled back, the steps before it too." in failed.stderr


@pytest.mark.parametrize(
    ("before", "column", "message"),
    [
        ("", "sa.Column('x', sa.types.NullType())", "Can't generate DDL for NullType"),
        (
            "class Odd(sa.types.UserDefinedType):\n    def get_col_spec(self, **kw):\n        raise AttributeError('odd')",
            "sa.Column('x', Odd())",
            "odd",
        ),
    ],
    ids=["no type", "a type that raises"],
)
async def test_a_type_that_cannot_be_spelled_is_the_scripts(
    database_project: Project, database_url: str, before: str, column: str, message: str
) -> None:
    """Wherever it is spelled: beforehand, in the step, or for a script that is written down."""
    database_project.revision("a1", before=before, upgrade=f"op.create_table('t', {column})")
    line = line_of(database_project, "a1", "op.create_table")
    with pytest.raises(MigrationFailed, match=message) as caught:
        await database_project.migrator().upgrade("head")
    with pytest.raises(ScriptError, match=message) as recorded:
        await database_project.migrator().upgrade("head", sql=True)
    assert recorded.value.line == line
    assert caught.value.line is not None
