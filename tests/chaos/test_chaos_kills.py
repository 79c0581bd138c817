"""kill -9 between a statement and its commit: nothing half is left, and the next run reaches head."""

import time
from pathlib import Path

import pytest
import servers
from projects import Project
from tally import Tally, killed

DONE = "SELECT count(*) FROM asyncmig_version_journal"
BODY = """
import pathlib, time
op.create_table("made", sa.Column("id", sa.Integer))
op.execute("INSERT INTO made VALUES (1)")
pathlib.Path({mark!r}).touch()
time.sleep({pause})
"""


def started(project: Project, mark: Path, tally: Tally) -> None:
    """Starts the run and kills it once the script says that its statements are through."""
    process = project.start("upgrade", "head")
    deadline = time.monotonic() + 60
    while not mark.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    tally("kills between statement and commit", hit=killed(process))


def nothing_half(url: str, at: str) -> None:
    deadline = time.monotonic() + 60
    while "made" in servers.tables(url) and time.monotonic() < deadline:  # the server notices in its own time
        time.sleep(0.05)
    assert "made" not in servers.tables(url)
    assert servers.rows(url, "SELECT version_num FROM asyncmig_version") == [(at,)]
    assert servers.rows(url, "SELECT revision FROM asyncmig_version_journal") == [(at,)]


def kill_and_rerun(project: Project, url: str, rounds: int, tally: Tally) -> None:
    mark = project.folder / "mark"
    project.revision("a1").run("upgrade", "head").expect(0)
    project.revision("b2", "a1", upgrade=BODY.format(mark=str(mark), pause=30))
    for _ in range(rounds):
        started(project, mark, tally)
        mark.unlink()
        nothing_half(url, "a1")
    project.revision("b2", "a1", upgrade=BODY.format(mark=str(mark), pause=0))
    project.run("upgrade", "head").expect(0)
    assert servers.rows(url, "SELECT id FROM made") == [(1,)]
    journal = servers.rows(url, "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY id")
    assert journal == [("a1", "applied"), ("b2", "applied")]


def test_a_killed_runner_leaves_nothing_half(database_project: Project, database_url: str, tally: Tally) -> None:
    kill_and_rerun(database_project, database_url, 2, tally)


@pytest.mark.soak
def test_a_runner_killed_many_times(database_project: Project, database_url: str, tally: Tally) -> None:
    kill_and_rerun(database_project, database_url, 30, tally)


@pytest.mark.soak
@pytest.mark.parametrize("moment", [n / 20 for n in range(4, 24)])
def test_a_runner_killed_at_any_moment(
    database_project: Project, database_url: str, moment: float, tally: Tally
) -> None:
    names = [f"rev{number:02}" for number in range(30)]
    for number, name in enumerate(names):
        database_project.revision(
            name,
            names[number - 1] if number else None,
            upgrade=f'op.create_table("{name}", sa.Column("id", sa.Integer))',
        )
    process = database_project.start("upgrade", "head")
    time.sleep(moment)
    hit = killed(process)
    made = database_url.startswith("postgresql") or servers.sqlite_path(database_url).exists()
    tables = servers.tables(database_url) if made else ()
    done = "asyncmig_version_journal" in tables and servers.rows(database_url, DONE) != [(0,)]
    tally("kills of a command at any moment", hit=hit, hit_between_the_first_step_and_the_last=hit and done)
    database_project.run("upgrade", "head").expect(0)
    journal = servers.rows(database_url, "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY id")
    assert journal == [(name, "applied") for name in names]
    assert [name for name in servers.tables(database_url) if name.startswith("rev")] == names


def test_a_run_killed_behind_a_commit_goes_on_there(database_project: Project, database_url: str, tally: Tally) -> None:
    mark = database_project.folder / "mark"
    divided = "op.execute('CREATE TABLE counter (id INTEGER)')\nop.execute('INSERT INTO counter VALUES (1)')\nop.execute('COMMIT')\n"
    database_project.revision("a1").run("upgrade", "head").expect(0)
    database_project.revision("b2", "a1", upgrade=divided + BODY.format(mark=str(mark), pause=30))
    started(database_project, mark, tally)
    nothing_half_of_the_rest(database_url)
    database_project.revision("b2", "a1", upgrade=divided + BODY.format(mark=str(mark), pause=0))
    database_project.run("upgrade", "head").expect(0)
    assert servers.rows(database_url, "SELECT id FROM counter") == [(1,)]
    assert servers.rows(database_url, "SELECT id FROM made") == [(1,)]


def nothing_half_of_the_rest(url: str) -> None:
    assert servers.rows(url, "SELECT id FROM counter") == [(1,)]
    assert "made" not in servers.tables(url)
    journal = servers.rows(url, "SELECT revision, outcome, statements_done FROM asyncmig_version_journal ORDER BY id")
    assert journal == [("a1", "applied", 0), ("b2", "incomplete", 3)]
