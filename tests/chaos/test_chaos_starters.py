"""Eight processes start `upgrade head` on an empty database at once: each revision is applied exactly once, all exit 0."""

import pytest
import servers
from projects import Project

STARTERS = 8
NAMES = [f"rev{number}" for number in range(1, 6)]


def history(project: Project) -> Project:
    for number, name in enumerate(NAMES):
        body = f'op.create_table("{name}", sa.Column("id", sa.Integer))\nop.execute("INSERT INTO {name} VALUES (1)")'
        project.revision(name, NAMES[number - 1] if number else None, upgrade=body)
    return project


def race(project: Project, url: str) -> None:
    processes = [project.start("upgrade", "head") for _ in range(STARTERS)]
    for process in processes:
        stdout, stderr = process.communicate(timeout=120)
        assert process.returncode == 0, stdout + stderr
    journal = servers.rows(url, "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY id")
    assert journal == [(name, "applied") for name in NAMES]
    assert servers.rows(url, "SELECT version_num FROM asyncmig_version") == [(NAMES[-1],)]
    for name in NAMES:
        assert servers.rows(url, f"SELECT id FROM {name}") == [(1,)]


@pytest.mark.parametrize("_round", range(2))
def test_eight_starters_apply_each_revision_once(database_project: Project, database_url: str, _round: int) -> None:
    race(history(database_project), database_url)


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(20))
def test_eight_starters_many_times(database_project: Project, database_url: str, _round: int) -> None:
    race(history(database_project), database_url)


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(5))
def test_eight_starters_without_the_lock(project: Project, postgres_url: str, _round: int) -> None:
    """The compare-and-swap alone keeps every revision from being applied twice; a loser may fail on what is there already."""
    history(project.config(url=postgres_url, lock="none"))
    for process in [project.start("upgrade", "head") for _ in range(STARTERS)]:
        process.communicate(timeout=120)
    sql = "SELECT revision FROM asyncmig_version_journal WHERE outcome = 'applied' ORDER BY id"
    done = [name for (name,) in servers.rows(postgres_url, sql)]
    assert done == NAMES[: len(done)]
    project.run("upgrade", "head").expect(0)
    assert [name for (name,) in servers.rows(postgres_url, sql)] == NAMES
