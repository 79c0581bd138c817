"""The disk fills up under SQLite, or the file may not grow any more: nothing half is left, and with room it goes on."""

import random
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import servers
from projects import COMMAND, Finished, Project

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there are no such limits")

ROWS = 5_000
JOURNAL = "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY id"
FILL = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) "
    "INSERT INTO item SELECT i, 'some text of item number ' || i, i FROM n"
)
STEPS = {
    "a rebuild": 'op.alter_column("item", "price", type_=sa.String(20), existing_type=sa.Integer())',
    "an index": 'op.create_index("ix_item_name", "item", ["name"])',
    "rows": 'op.execute("CREATE TABLE item2 AS SELECT * FROM item")',
}


def prepare(project: Project, path: Path, step: str) -> str:
    url = servers.sqlite_url(path)
    columns = 'sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(60)), sa.Column("price", sa.Integer)'
    body = f'op.create_table("item", {columns})\nop.execute({FILL.format(rows=ROWS)!r})'
    project.config(url=url).revision("a1", upgrade=body).run("upgrade", "head").expect(0)
    project.revision("b2", "a1", upgrade=f'op.create_table("made", sa.Column("id", sa.Integer))\n{step}')
    return url


def stands_at_a1(url: str, finished: Finished) -> None:
    assert finished.code == 3, finished.output
    assert any(words in finished.stderr for words in ("full", "disk I/O error")), finished.output
    assert "Traceback" not in finished.output
    assert servers.rows(url, "SELECT version_num FROM asyncmig_version") == [("a1",)]
    first, *others = servers.rows(url, JOURNAL)
    assert first == ("a1", "applied")
    assert set(others) <= {("b2", "failed")}
    assert servers.rows(url, "SELECT count(*) FROM item") == [(ROWS,)]
    assert "made" not in servers.tables(url)
    assert servers.rows(url, "PRAGMA integrity_check") == [("ok",)]


def reaches_head(project: Project, url: str) -> None:
    project.run("upgrade", "head").expect(0)
    assert servers.rows(url, "SELECT version_num FROM asyncmig_version") == [("b2",)]
    assert servers.rows(url, "SELECT count(*) FROM item") == [(ROWS,)]
    assert "made" in servers.tables(url)


def run_limited(project: Project, limit: int) -> Finished:
    """The command, in a process none of whose files may grow beyond `limit` bytes."""

    def restrict() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    done = subprocess.run(
        [str(COMMAND), "upgrade", "head"],
        cwd=project.folder,
        capture_output=True,
        text=True,
        preexec_fn=restrict,
        timeout=150,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("step", ["a rebuild"])
def test_a_file_that_may_not_grow_keeps_what_it_has(project: Project, step: str) -> None:
    path = project.folder / "limited.db"
    url = prepare(project, path, STEPS[step])
    stands_at_a1(url, run_limited(project, path.stat().st_size + random.randrange(0, 16) * 4096))
    reaches_head(project, url)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[], Path]]:
    """A file system of 2 MB, where the tests may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip("only root mounts a file system")
    try:
        yield lambda: folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("mount") is None, reason="there is no mount here")
@pytest.mark.parametrize("step", ["a rebuild", "rows"])
def test_a_full_disk_keeps_what_it_has(project: Project, small_disk: Callable[[], Path], step: str) -> None:
    folder = small_disk()
    url = prepare(project, folder / "full.db", STEPS[step])
    ballast = folder / "ballast"
    free = shutil.disk_usage(folder).free
    ballast.write_bytes(b"x" * (free - random.randrange(8, 30) * 4096))
    stands_at_a1(url, project.run("upgrade", "head"))
    ballast.unlink()
    reaches_head(project, url)


@pytest.mark.soak
@pytest.mark.parametrize("_round", range(15))
@pytest.mark.parametrize("step", STEPS)
def test_a_file_that_may_not_grow_many_times(project: Project, step: str, _round: int) -> None:
    path = project.folder / "limited.db"
    url = prepare(project, path, STEPS[step])
    size = path.stat().st_size
    for _ in range(4):
        stands_at_a1(url, run_limited(project, size + random.randrange(0, 24) * 4096))
    reaches_head(project, url)
