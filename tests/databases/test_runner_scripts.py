"""What a script may do: await, time out, gather; what it may not: use `op` elsewhere. And the hooks around it."""

import contextvars

import pytest
import servers
from projects import Project

from asyncmig import Migrator
from asyncmig.errors import MigrationFailed

pytestmark = pytest.mark.subset

TABLE = 'op.create_table("made", sa.Column("n", sa.Integer))'


async def test_an_async_script_awaits_times_out_gathers_and_sees_contexts(at_driver: Project, driver_url: str) -> None:
    at_driver.revision(
        "a1",
        before="""
        import asyncio
        import contextvars

        here = contextvars.ContextVar("here")

        async def number(n):
            await asyncio.sleep(0.01)
            return n * here.get()
        """,
        upgrade=f"""
async def upgrade() -> None:
    {TABLE}
    here.set(10)
    await asyncio.sleep(0)
    for n in await asyncio.gather(number(1), number(2)):
        op.execute(f"INSERT INTO made VALUES ({{n}})")
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(10)
    except TimeoutError:
        op.execute("INSERT INTO made VALUES (30)")
    connection = await op.connection()
    assert (await connection.execute(sa.text("SELECT count(*) FROM made"))).scalar() == 3
    await connection.execute(sa.text("INSERT INTO made VALUES (:n)"), {{"n": 40}})
    result = op.get_bind().execute(sa.text("SELECT sum(n) FROM made"))
    op.execute(f"INSERT INTO made VALUES ({{int(result.scalar()) - 50}})")
""",
        downgrade='async def downgrade():\n    op.drop_table("made")',
    )
    await at_driver.migrator().upgrade("head")
    assert servers.rows(driver_url, "SELECT n FROM made ORDER BY n") == [(10,), (20,), (30,), (40,), (50,)]
    await at_driver.migrator().downgrade("base")
    assert "made" not in servers.tables(driver_url)


async def test_a_failing_async_script_is_rolled_back(at_driver: Project, driver_url: str) -> None:
    at_driver.revision(
        "a1",
        upgrade=f"""
async def upgrade() -> None:
    import asyncio
    {TABLE}
    connection = await op.connection()
    await connection.execute(sa.text("INSERT INTO made VALUES (1)"))
    await asyncio.sleep(0)
    raise LookupError("after an await")
""",
    )
    with pytest.raises(MigrationFailed, match="LookupError: after an await"):
        await at_driver.migrator().upgrade("head")
    assert "made" not in servers.tables(driver_url)


@pytest.mark.parametrize(
    ("work", "words"),
    [
        (
            "async def child(): op.execute('SELECT 1')\n    await asyncio.create_task(child())",
            "from a task that the migration started",
        ),
        ("await asyncio.to_thread(op.execute, 'SELECT 1')", "another thread"),
        (
            "async def child(): op.get_bind()\n    await asyncio.gather(child())",
            "from a task that the migration started",
        ),
    ],
)
async def test_op_elsewhere_is_an_error(database_project: Project, database_url: str, work: str, words: str) -> None:
    database_project.revision("a1", upgrade=f"async def upgrade():\n    import asyncio\n    {TABLE}\n    {work}")
    with pytest.raises(MigrationFailed, match=words):
        await database_project.migrator().upgrade("head")
    assert "made" not in servers.tables(database_url)


async def test_op_in_a_thread_of_a_plain_script_is_an_error(database_project: Project, database_url: str) -> None:
    database_project.revision(
        "a1",
        upgrade="""
        import concurrent.futures
        import contextvars
        with concurrent.futures.ThreadPoolExecutor() as pool:
            pool.submit(contextvars.copy_context().run, op.execute, "CREATE TABLE made (n INTEGER)").result()
        """,
    )
    with pytest.raises(MigrationFailed, match="another thread"):
        await database_project.migrator().upgrade("head")
    assert "made" not in servers.tables(database_url)


async def test_run_async_gives_the_connection_to_a_plain_script(at_driver: Project, driver_url: str) -> None:
    at_driver.revision(
        "a1",
        before="""
        async def fill(connection, n, *, times):
            for _ in range(times):
                await connection.execute(sa.text("INSERT INTO made VALUES (:n)"), {"n": n})
            return "done"
        """,
        upgrade=f"{TABLE}\nassert op.run_async(fill, 7, times=2) == 'done'",
    )
    await at_driver.migrator().upgrade("head")
    assert servers.rows(driver_url, "SELECT n FROM made") == [(7,), (7,)]


here: contextvars.ContextVar[str] = contextvars.ContextVar("here", default="unset")


async def test_the_callers_context_reaches_the_script(database_project: Project, database_url: str) -> None:
    database_project.revision(
        "a1",
        upgrade=f"""
        import sys
        (test,) = [m for n, m in list(sys.modules.items()) if n.endswith("test_runner_scripts")]
        {TABLE}
        op.execute(f"INSERT INTO made VALUES ({{test.here.get()}})")
        """,
    )
    here.set("42")
    await database_project.migrator().upgrade("head")
    assert servers.rows(database_url, "SELECT n FROM made") == [(42,)]


# Hooks

HOOKS = """
import sqlalchemy as sa
from asyncmig import Environment

{prefix}def before(step):
    {note}(step, "before")

{prefix}def after(step):
    {note}(step, "after")

{prefix}def failed(step):
    with open({file!r}, "a") as file:
        file.write(f"{{step.revision}} {{step.direction}} {{type(step.error).__name__}} {{step.connection}} {{step.bind}}\\n")

def sync_note(step, when):
    step.bind.execute(sa.text("INSERT INTO notes VALUES (:note)"), {{"note": f"{{when}} {{step.revision}} {{sorted(step.heads)}}"}})

async def async_note(step, when):
    await step.connection.execute(sa.text("INSERT INTO notes VALUES (:note)"), {{"note": f"{{when}} {{step.revision}} {{sorted(step.heads)}}"}})

environment = Environment(before_step=before, after_step=after, on_error=failed)
"""


@pytest.mark.parametrize(("prefix", "note"), [("", "sync_note"), ("async ", "await async_note")])
async def test_hooks_run_inside_the_step(at_driver: Project, driver_url: str, prefix: str, note: str) -> None:
    at_driver.revision("a1", upgrade='op.create_table("notes", sa.Column("note", sa.Text))')
    await at_driver.migrator().upgrade("head")
    errors = at_driver.folder / "errors.txt"
    at_driver.env(HOOKS.format(prefix=prefix, note=note, file=str(errors)))
    at_driver.revision("b2", "a1").revision("c3", "b2", upgrade="raise KeyError('no')")
    with pytest.raises(MigrationFailed):
        await at_driver.migrator().upgrade("head")
    # c3's own before_step is rolled back with it
    found = [note for (note,) in servers.rows(driver_url, "SELECT note FROM notes")]
    assert found == ["before b2 ['a1']", "after b2 ['b2']"]
    assert errors.read_text() == "c3 upgrade KeyError None None\n"


async def test_a_failing_hook_fails_the_step(at_driver: Project, driver_url: str) -> None:
    at_driver.env(
        "from asyncmig import Environment\n"
        "def after(step): raise RuntimeError('the hook says no')\n"
        "environment = Environment(after_step=after)"
    )
    at_driver.revision("a1", upgrade=TABLE)
    with pytest.raises(MigrationFailed, match="the hook says no"):
        await at_driver.migrator().upgrade("head")
    assert "made" not in servers.tables(driver_url)


async def test_an_observer_may_be_async(database_project: Project) -> None:
    database_project.revision("a1", upgrade=TABLE)
    seen: list[str] = []

    async def observe(event: object) -> None:
        seen.append(type(event).__name__)

    await Migrator(database_project.config_file, observer=observe).upgrade("head")
    assert seen == ["StepStarted", "StatementStarted", "StepFinished"]
