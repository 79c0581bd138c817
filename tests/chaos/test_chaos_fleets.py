"""kill -9 of a fleet in the middle: each target is at a whole revision, and the next run brings all of them to head."""

import random
import time
from pathlib import Path

import pytest
import servers
from projects import Project
from tally import Tally, killed

REVISIONS = [f"r{number:02}" for number in range(12)]
TARGETS = 9


@pytest.fixture
def fleet(
    project: Project, database_kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> list[tuple[str, str]]:
    """The URL of each target and its schema, in a project whose steps are the same everywhere and so sent whole."""
    for number, name in enumerate(REVISIONS):
        down = REVISIONS[number - 1] if number else None
        project.revision(name, down, upgrade=f'op.create_table("{name}", sa.Column("id", sa.Integer))')
    if database_kind == "sqlite":
        urls = [servers.sqlite_url(tmp_path / f"t{number}.db") for number in range(TARGETS)]
        (project.folder / "targets.txt").write_text("\n".join(urls))
        return [(url, "main") for url in urls]
    url = request.getfixturevalue("postgres_url")
    names = [f"t{number}" for number in range(TARGETS)]
    servers.execute(url, *(f"CREATE SCHEMA {name}" for name in names))
    (project.folder / "targets.txt").write_text("\n".join(names))
    project.config(url=url)
    return [(url, name) for name in names]


def state(url: str, schema: str) -> int:
    """How many revisions are applied, by tables, journal and version row alike."""
    if schema == "main" and not servers.sqlite_path(url).exists():
        return 0
    tables = servers.tables(url, schema)
    made = [name for name in tables if name in REVISIONS]
    if "asyncmig_version" not in tables:
        assert made == []
        return 0
    journal = servers.rows(url, f"SELECT revision, outcome FROM {schema}.asyncmig_version_journal ORDER BY id")
    rows = servers.rows(url, f"SELECT version_num FROM {schema}.asyncmig_version")
    assert made == REVISIONS[: len(made)]
    assert journal == [(name, "applied") for name in made]
    assert [name for (name,) in rows] == made[-1:]
    return len(made)


def settled(url: str, schema: str) -> int:
    """The server ends what a killed client had begun in its own time: asked until two answers are the same."""
    before, deadline = -1, time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            found = state(url, schema)
        except AssertionError:
            found = -1
        if found == before >= 0:
            return found
        before = found
        time.sleep(0.05)
    return state(url, schema)


def kill_and_rerun(project: Project, fleet: list[tuple[str, str]], tally: Tally) -> None:
    """Kills one run after some targets, and finishes with another."""
    command = ("fleet", "upgrade", "--targets", "targets.txt", "--concurrency", "3")
    process = project.start(*command)
    assert process.stderr is not None
    for _ in range(random.randint(1, 5)):  # the number of targets, and then that of each finished one
        assert process.stderr.readline()
    time.sleep(random.uniform(0, 0.05))
    hit = killed(process)
    found = [settled(*target) for target in fleet]
    project.run(*command).expect(0)
    assert [state(*target) for target in fleet] == [len(REVISIONS)] * TARGETS
    tally("kills of a fleet", hit=hit, targets_between_two_revisions=sum(0 < n < len(REVISIONS) for n in found))


def test_a_killed_fleet_leaves_whole_revisions(project: Project, fleet: list[tuple[str, str]], tally: Tally) -> None:
    kill_and_rerun(project, fleet, tally)


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(20))
def test_a_fleet_killed_many_times(project: Project, fleet: list[tuple[str, str]], _round: int, tally: Tally) -> None:
    kill_and_rerun(project, fleet, tally)
