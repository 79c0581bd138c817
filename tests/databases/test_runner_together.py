"""Statements of a step that wait for each other: one exchange with the database, and nothing else is different."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import servers
from projects import COMMAND, Project

from asyncmig.database.driver import AiosqliteDriver, AsyncpgDriver, Driver, PsycopgDriver
from asyncmig.database.events import Event, StepFinished, StepStarted
from asyncmig.errors import MigrationFailed

THREE = """
op.create_table("account", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
op.execute("INSERT INTO account VALUES (1, 'a')")
op.create_index("ix_account_name", "account", ["name"])
"""
SLOW = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(0.2)",
}


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What is sent while it is there; each text is one message, or one turn of SQLite's thread."""
    sent: list[str] = []

    def noting(kind: type[Driver], name: str) -> None:
        method = getattr(kind, name)

        def noted(self: Driver, *arguments: object, **keywords: object) -> object:
            sent.append(name if name.startswith("change_") else str(arguments[0]))
            return method(self, *arguments, **keywords)

        monkeypatch.setattr(kind, name, noted)

    for name in ("change_whole", "change_many"):
        noting(AiosqliteDriver, name)
    for kind in (AiosqliteDriver, AsyncpgDriver, PsycopgDriver):
        for name in ("_run", "_fetch", "_execute"):
            noting(kind, name)
    return sent


async def test_a_step_of_several_statements_is_one_exchange(
    at_driver: Project, driver_url: str, exchanges: list[str]
) -> None:
    at_driver.revision("a1", upgrade=THREE)
    await at_driver.migrator().upgrade()
    (whole,) = [text for text in exchanges if "CREATE TABLE account" in text or text == "change_whole"]
    if whole != "change_whole":
        assert whole.startswith("BEGIN")
        assert whole.endswith("COMMIT")
    assert servers.rows(driver_url, "SELECT * FROM account") == [(1, "a")]
    (entry,) = await at_driver.migrator().log()
    assert (entry.outcome, entry.statements_done) == ("applied", 3)


async def test_the_journal_knows_how_long_it_took(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1", upgrade=f"op.execute({SLOW[driver_url.partition('+')[0]]!r})")
    report = await at_driver.migrator().upgrade()
    (entry,) = await at_driver.migrator().log()
    assert entry.seconds is not None
    assert entry.started_at is not None
    assert entry.finished_at is not None
    assert 0.005 < entry.seconds <= report.steps[0].seconds + 0.1
    assert abs((entry.finished_at - entry.started_at).total_seconds() - entry.seconds) < 0.005


@pytest.mark.parametrize(
    "reading",
    [
        'names = op.get_bind().execute(sa.text("SELECT name FROM account")).scalars().all()',
        'names = [row["name"] for row in op.get_bind().execute(sa.text("SELECT name FROM account")).mappings()]',
        'names = op.execute(sa.text("SELECT name FROM account"))\nnames = ["a"]',
    ],
)
async def test_what_reads_sees_what_waited(at_driver: Project, driver_url: str, reading: str) -> None:
    at_driver.revision(
        "a1", upgrade=f"{THREE}\n{reading}\nop.execute(f\"INSERT INTO account VALUES (2, '{{names[0]}}2')\")"
    )
    await at_driver.migrator().upgrade()
    assert servers.rows(driver_url, "SELECT name FROM account ORDER BY id") == [("a",), ("a2",)]


def counted(folder: Path, body: str) -> str:
    """The body, in a script that counts how often it is run."""
    return f'with open({str(folder / "runs")!r}, "a") as runs:\n    runs.write("x")\n{body}'


@pytest.mark.parametrize("caught", ["except Exception:", "except BaseException:", "except:"])
async def test_a_script_cannot_swallow_what_waited_and_failed(at_driver: Project, driver_url: str, caught: str) -> None:
    """As before: on SQLite it goes on without the statement, on PostgreSQL the transaction is spoilt."""
    tried = f'try:\n    op.execute("DROP TABLE nowhere")\n    op.get_bind()\n{caught}\n    pass\n'
    at_driver.revision("a1", upgrade=counted(at_driver.folder, f"{tried}{THREE}"))
    if driver_url.startswith("sqlite"):
        await at_driver.migrator().upgrade()
        assert servers.rows(driver_url, "SELECT * FROM account") == [(1, "a")]
    else:
        with pytest.raises(MigrationFailed):
            await at_driver.migrator().upgrade()
        assert "account" not in servers.tables(driver_url)
    assert (at_driver.folder / "runs").read_text() == "xx"


async def test_a_failure_is_that_of_the_statement_even_where_the_script_fails_after_it(
    at_driver: Project, driver_url: str
) -> None:
    body = f'{THREE}\nop.execute("INSERT INTO nowhere VALUES (1)")\nraise ValueError("later")'
    at_driver.revision("a1", upgrade=counted(at_driver.folder, body))
    with pytest.raises(MigrationFailed, match="nowhere") as caught:
        await at_driver.migrator().upgrade()
    assert caught.value.sql == "INSERT INTO nowhere VALUES (1)"
    assert "account" not in servers.tables(driver_url)
    assert [entry.outcome for entry in await at_driver.migrator().log()] == ["failed"]
    assert (at_driver.folder / "runs").read_text() == "xx"


async def test_a_script_that_only_reads_runs_once(at_driver: Project, driver_url: str) -> None:
    at_driver.revision(
        "a1", upgrade=counted(at_driver.folder, f'{THREE}\nop.get_bind().commit()\nraise ValueError("x")')
    )
    with pytest.raises(MigrationFailed):
        await at_driver.migrator().upgrade()
    assert (at_driver.folder / "runs").read_text() == "x"
    assert [entry.outcome for entry in await at_driver.migrator().log()] == ["incomplete"]


def test_who_was_overtaken_on_sqlite_goes_on_from_there(at_sqlite: Project, sqlite_url: str) -> None:
    """What waits there has no lock yet: another run applies the revision while the first one's script computes."""
    body = (
        "import os, subprocess\n"
        'if "OVERTAKEN" not in os.environ:\n'
        '    subprocess.run([os.environ["COMMAND"], "upgrade", "b2"], check=True, capture_output=True, env={**os.environ, "OVERTAKEN": "1"})\n'
    )
    at_sqlite.revision("a1", upgrade=f"{THREE}\n{body}").revision("b2", "a1").revision("c3", "b2")
    done = at_sqlite.run("upgrade", "head", env={"COMMAND": str(COMMAND)}).expect(0)
    assert "upgrade c3" in done.stderr
    assert "upgrade b2" not in done.stderr
    assert servers.rows(sqlite_url, "SELECT * FROM account") == [(1, "a")]
    journal = "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY id"
    assert servers.rows(sqlite_url, journal) == [("a1", "applied"), ("b2", "applied"), ("c3", "applied")]


class Late:
    """An observer that may be told of a step when those behind it are through too."""

    hears_statements = False
    hears_late = True

    def __init__(self) -> None:
        self.heard: list[str] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, StepStarted):
            self.heard.append(f"{event.index}/{event.total} {event.revision}")
        elif isinstance(event, StepFinished):
            self.heard.append(event.report.revision)


def seven(project: Project, body: str = 'op.create_table("{name}", sa.Column("id", sa.Integer))') -> list[str]:
    """Seven revisions in a line whose text says all that they do."""
    names = [f"r{number}" for number in range(1, 8)]
    for before, name in zip([None, *names], names, strict=False):
        project.revision(name, before, upgrade=body.format(name=name), downgrade=f'op.drop_table("{name}")')
    return names


async def test_steps_that_are_known_beforehand_share_an_exchange(
    at_driver: Project, driver_url: str, exchanges: list[str]
) -> None:
    names = seven(at_driver)
    observer = Late()
    report = await at_driver.migrator(observer=observer).upgrade()
    together = [text for text in exchanges if text == "change_many" or "CREATE TABLE r" in text]
    assert 0 < len(together) < len(names)
    assert report.applied == tuple(names)
    assert observer.heard == [each for number, name in enumerate(names, 1) for each in (f"{number}/7 {name}", name)]
    assert set(names) < set(servers.tables(driver_url))
    log = (await at_driver.migrator().log())[::-1]
    assert [(entry.revision, entry.outcome, entry.statements_done) for entry in log] == [
        (name, "applied", 1) for name in names
    ]
    starts = [entry.started_at for entry in log if entry.started_at]
    ends = [entry.finished_at for entry in log if entry.finished_at]
    assert len(starts) == len(ends) == 7
    assert all(start <= end for start, end in zip(starts, ends, strict=True))
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))
    assert (await at_driver.migrator(observer=Late()).downgrade("base")).applied == tuple(reversed(names))


async def test_who_wants_to_hear_of_each_step_in_time_does(at_driver: Project, exchanges: list[str]) -> None:
    names = seven(at_driver)
    heard: list[str] = []

    def hear(event: Event) -> None:
        if isinstance(event, StepStarted):
            assert not any(f"'{event.revision}'" in text for text in exchanges)
            heard.append(event.revision)

    await at_driver.migrator(observer=hear).upgrade()
    assert heard == names
    assert "change_many" not in exchanges


@pytest.mark.parametrize("failing", ["op.drop_table('nowhere')", "op.create_table('r1', sa.Column('id', sa.Integer))"])
async def test_a_step_that_fails_among_others_keeps_those_before_it(
    at_driver: Project, driver_url: str, failing: str
) -> None:
    names = seven(at_driver)
    at_driver.revision("r5", "r4", upgrade=f"op.create_table('half', sa.Column('id', sa.Integer))\n{failing}")
    with pytest.raises(MigrationFailed) as caught:
        await at_driver.migrator().upgrade()
    assert caught.value.line is not None
    assert "the 4 steps before it are kept" in str(caught.value)
    assert set(names[:4]) == {name for name in servers.tables(driver_url) if name.startswith(("r", "half"))}
    outcomes = [(entry.revision, entry.outcome) for entry in (await at_driver.migrator().log())[::-1]]
    assert outcomes == [*((name, "applied") for name in names[:4]), ("r5", "failed")]


async def test_steps_that_are_not_known_beforehand_keep_their_place(at_driver: Project, driver_url: str) -> None:
    names = seven(at_driver)
    where = "sqlite_schema" if driver_url.startswith("sqlite") else "information_schema.tables"
    for name, before in (("r3", "r2"), ("r6", "r5")):
        body = f'found = op.get_bind().execute(sa.text("SELECT count(*) FROM {where}")).scalar()\nop.create_table("{name}", sa.Column(f"c{{found}}", sa.Integer))'
        at_driver.revision(name, before, upgrade=body)
    assert (await at_driver.migrator().upgrade()).applied == tuple(names)
    found = [servers.columns(driver_url, name) for name in ("r3", "r6")]
    assert int(found[1][0][1:]) - int(found[0][0][1:]) == 3
