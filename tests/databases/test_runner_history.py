"""Scripts that changed since, and databases that are ahead of the scripts or know what the scripts do not."""

import json

import pytest
import servers
from projects import Project

from asyncmig.database.events import Event, Warned
from asyncmig.database.placement import RevisionState
from asyncmig.errors import ChangedScripts, CheckFailed, ForeignRevision

MODELS = """
import sqlalchemy as sa
from asyncmig import Environment

models = sa.MetaData()
sa.Table("u", models, sa.Column("id", sa.Integer))
environment = Environment(target_metadata=models)
"""
TABLE = 'op.create_table("t", sa.Column("id", sa.Integer))'

pytestmark = pytest.mark.subset


def script_of(project: Project, revision: str):
    (path,) = project.versions.glob(f"{revision}_*")
    return path


async def applied(project: Project) -> None:
    project.revision("a1", upgrade=TABLE)
    await project.migrator().upgrade("head")


def reformat(text: str) -> str:
    """Another layout, another quote, comments, a docstring, CRLF: the same meaning."""
    text = text.replace('"t", sa.Column(', "\n        't',  # named in a hurry\n        sa . Column(").replace(
        '"""a1', '"""better words'
    )
    return text.replace("\n", "\r\n")


async def test_formatting_comments_and_line_ends_do_not_count(database_project: Project) -> None:
    await applied(database_project)
    path = script_of(database_project, "a1")
    path.write_bytes(reformat(path.read_text()).encode())
    migrator = database_project.revision("b2", "a1").migrator()
    assert (await migrator.status()).changed == ()
    assert (await migrator.upgrade("head")).applied == ("b2",)
    await migrator.check()


def change(project: Project) -> None:
    path = script_of(project, "a1")
    path.write_text(path.read_text().replace('"t"', '"u"'))


async def test_a_changed_meaning_stops_work_and_is_told(database_project: Project, database_url: str) -> None:
    await applied(database_project)
    change(database_project)
    migrator = database_project.migrator()
    # Nothing to do is the path of every start: nobody reads scripts there.
    assert (await migrator.upgrade("head")).applied == ()
    (changed,) = (await migrator.status()).changed
    assert (changed.revision, changed.path.name) == ("a1", "a1_revision.py")
    assert changed.applied_at is not None
    with pytest.raises(CheckFailed, match=r"a1_revision\.py was changed after a1 was applied"):
        await migrator.check()
    database_project.revision("b2", "a1")
    with pytest.raises(
        ChangedScripts, match=rf"a1_revision\.py was changed after a1 was applied on {changed.applied_at:%Y-%m-%d}"
    ):
        await migrator.upgrade("head")
    assert servers.rows(database_url, "SELECT * FROM asyncmig_version") == [("a1",)]
    assert [script.revision for script in (await migrator.plan()).changed] == ["a1"]


def test_the_commands_at_a_changed_script(database_project: Project) -> None:
    """The run failed with nothing applied; a check answered no."""
    database_project.revision("a1", upgrade=TABLE).run("upgrade").expect(0)
    change(database_project)
    database_project.revision("b2", "a1")
    refused = json.loads(database_project.run("upgrade", "--json").expect(3).stdout)["error"]
    assert refused["type"] == "ChangedScripts"
    assert list(refused["scripts"]) == ["a1"]
    for command in (("plan",), ("upgrade",)):
        said = database_project.run(*command, env={"ASYNCMIG_CHECKSUMS": "warn"}).expect(0).stderr
        assert "warning: " in said and "a1_revision.py was changed after a1 was applied" in said
    assert "was changed" in database_project.run("check").expect(1).stderr
    tolerated = database_project.run("check", env={"ASYNCMIG_CHECKSUMS": "warn"}).expect(0)
    assert "warning: " in tolerated.stderr and "was changed" in tolerated.stderr


async def test_warn_tells_the_observer_and_goes_on(project: Project, database_url: str) -> None:
    project.config(url=database_url, checksums="warn")
    await applied(project)
    change(project)
    project.revision("b2", "a1")
    events: list[Event] = []
    assert (await project.migrator(observer=events.append).upgrade("head")).applied == ("b2",)
    (warning,) = [event for event in events if isinstance(event, Warned)]
    assert "a1_revision.py was changed" in warning.message
    assert len((await project.migrator().status()).changed) == 1


async def test_off_looks_at_nothing(project: Project, database_url: str) -> None:
    project.config(url=database_url, checksums="off")
    await applied(project)
    change(project)
    migrator = project.revision("b2", "a1").migrator()
    assert (await migrator.upgrade("head")).applied == ("b2",)
    assert (await migrator.status()).changed == ()
    await migrator.check()


@pytest.mark.parametrize("target", ["a1", "b2"])
async def test_stamping_accepts_the_changed_scripts_below(
    database_project: Project, database_url: str, target: str
) -> None:
    """Also where the stamp is where the database stands already."""
    await applied(database_project)
    change(database_project)
    migrator = database_project.revision("b2", "a1").migrator()
    await migrator.stamp(target)
    assert (await migrator.status()).changed == ()
    assert servers.rows(database_url, "SELECT * FROM asyncmig_version") == [(target,)]
    entries = await migrator.log()
    assert len(entries) == (2 if target == "a1" else 3)
    await migrator.stamp(target)
    assert await migrator.log() == entries


async def test_a_script_taken_down_and_changed_is_not_a_changed_one(database_project: Project) -> None:
    database_project.revision("a1", upgrade=TABLE, downgrade='op.drop_table("t")')
    migrator = database_project.migrator()
    await migrator.upgrade("head")
    await migrator.downgrade("base")
    change(database_project)
    assert (await migrator.upgrade("head")).applied == ("a1",)
    assert (await migrator.status()).changed == ()


# Ahead and foreign


async def newer_release(project: Project) -> None:
    """The database has a1, b2, c3 and d4; the code only a1."""
    project.revision("a1").revision("b2", "a1").revision("c3", "b2").revision("d4", "b2")
    await project.migrator().upgrade("heads")
    for name in ("b2", "c3", "d4"):
        script_of(project, name).unlink()


async def test_a_database_ahead_is_accepted_and_reported(database_project: Project) -> None:
    await newer_release(database_project)
    migrator = database_project.migrator()
    report = await migrator.upgrade("head")
    assert report.ahead == ("c3", "d4")
    assert report.applied == ()
    assert {row.revision: row.state for row in (await migrator.current()).revisions} == {
        "c3": RevisionState.AHEAD,
        "d4": RevisionState.AHEAD,
    }
    assert "ahead" in database_project.run("upgrade", "head").expect(0).output
    assert "(ahead)" in database_project.run("current", "--check-heads").expect(0).stdout


async def test_a_database_ahead_is_not_compared_with_older_models(database_project: Project) -> None:
    await newer_release(database_project)
    database_project.env(MODELS)
    migrator = database_project.migrator()
    assert (await migrator.status()).drift is None
    await migrator.check()


async def test_status_tells_how_the_models_differ(database_project: Project) -> None:
    await applied(database_project)
    database_project.env(MODELS)
    status = await database_project.migrator().status()
    assert status.drift is not None
    assert [item.description for item in status.drift.items] == ["Create table u with column id", "Drop table t"]
    assert not status.clean
    shown = database_project.run("status").expect(0).stdout
    assert "drift       + Create table u with column id\n            - Drop table t\n" in shown
    assert shown.endswith("2 differences to the models\n")


async def test_status_is_shown_where_the_models_cannot_be_compared(database_project: Project) -> None:
    await applied(database_project)
    database_project.env(MODELS.replace("sa.Table", "# sa.Table"))
    assert (
        "drift       not compared: target_metadata holds no tables" in database_project.run("status").expect(0).stdout
    )
    assert "Import the modules" in database_project.run("check").expect(2).stderr


async def test_what_is_missing_below_a_newer_release_is_refused(database_project: Project, database_url: str) -> None:
    await newer_release(database_project)
    database_project.revision("e5", "a1", upgrade=TABLE)
    with pytest.raises(ForeignRevision, match=r"ahead of this code at c3, d4, so it cannot run e5"):
        await database_project.migrator().upgrade("heads")
    with pytest.raises(ForeignRevision, match="ahead of this code"):
        await database_project.migrator().downgrade("base")
    assert "t" not in servers.tables(database_url)


async def test_a_foreign_revision_can_be_looked_at_and_healed(database_project: Project, database_url: str) -> None:
    await applied(database_project)
    servers.execute(database_url, "UPDATE asyncmig_version SET version_num = 'from_nowhere'")
    database_project.revision("b2", "a1")
    migrator = database_project.migrator()
    (row,) = (await migrator.current()).revisions
    assert (row.revision, row.state) == ("from_nowhere", RevisionState.FOREIGN)
    assert not (await migrator.status()).clean
    assert [entry.revision for entry in await migrator.log()] == ["a1"]
    for attempt in (migrator.upgrade("head"), migrator.downgrade("base"), migrator.plan()):
        with pytest.raises(ForeignRevision, match="from_nowhere") as caught:
            await attempt
        assert "asyncmig stamp --purge" in str(caught.value)
    await migrator.stamp("a1", purge=True)
    assert servers.rows(database_url, "SELECT * FROM asyncmig_version") == [("a1",)]
    assert (await migrator.upgrade("head")).applied == ("b2",)


def test_the_commands_at_a_foreign_revision(database_project: Project, database_url: str) -> None:
    database_project.revision("a1").run("upgrade").expect(0)
    servers.execute(database_url, "UPDATE asyncmig_version SET version_num = 'from_nowhere'")
    assert "from_nowhere" in database_project.run("current").expect(0).output
    database_project.run("upgrade").expect(3)
    database_project.run("stamp", "--purge", "head").expect(0)
    database_project.run("check").expect(0)
