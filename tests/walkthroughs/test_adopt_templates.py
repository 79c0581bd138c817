"""A project of each of Alembic's templates: begun with Alembic, continued with asyncmig, and back again."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import servers
from projects import COMMAND

TEMPLATES = ("generic", "async", "multidb", "pyproject", "pyproject_async")

FIRST = {
    "upgrade": 'op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))',
    "downgrade": 'op.drop_table("account")',
}
SECOND = {
    "upgrade": 'op.add_column("account", sa.Column("email", sa.String(50)))',
    "downgrade": 'op.drop_column("account", "email")',
}


@dataclass(frozen=True)
class AlembicProject:
    folder: Path
    template: str
    urls: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return ("engine1", "engine2") if self.template == "multidb" else ()

    def alembic(self, *arguments: str) -> str:
        return self._run([sys.executable, "-m", "alembic", *arguments])

    def asyncmig(self, *arguments: str) -> str:
        return self._run([str(COMMAND), *arguments])

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, env=dict(os.environ))
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def fill(self, path: Path, bodies: dict[str, str]) -> None:
        """Put the bodies where the template of the script has `pass`."""
        text = path.read_text()
        for direction, body in bodies.items():
            names = [f"{direction}_{name}" for name in self.names] or [direction]
            for name in names:
                head, _, tail = text.partition(f"def {name}(")
                assert tail
                text = f"{head}def {name}({tail.replace('pass', body, 1)}"
        path.write_text(text)

    def tree(self) -> dict[str, bytes]:
        files = (path for path in self.folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files if path.suffix != ".db"}


@pytest.fixture
def make(tmp_path: Path, databases: Callable[[], str]) -> Callable[[str], AlembicProject]:
    def made(template: str) -> AlembicProject:
        folder = tmp_path / "shop"
        folder.mkdir()
        urls = tuple(databases() for _ in range(2 if template == "multidb" else 1))
        project = AlembicProject(folder, template, urls)
        project.alembic("init", "-t", template, "migrations")
        text = (folder / "alembic.ini").read_text()
        for url, placeholder in zip(urls, ("dbname2", "dbname") if len(urls) == 2 else ("dbname",), strict=True):
            text = text.replace(
                f"driver://user:pass@localhost/{placeholder}", _spelled(url, template).replace("%", "%%")
            )
        (folder / "alembic.ini").write_text(text)
        return project

    return made


def _spelled(url: str, template: str) -> str:
    """The URL with the driver that the template's env.py needs."""
    backend, _, rest = url.partition("://")
    drivers = ("+asyncpg", "+aiosqlite") if "async" in template else ("+psycopg", "")
    return f"{backend.partition('+')[0]}{drivers[backend.startswith('sqlite')]}://{rest}"


def _revisions(output: str) -> list[str]:
    return [line for line in output.splitlines() if line[:1].isalnum()]


# Most templates differ in what adopt reads, not in what runs; generic is synchronous, and SQLite's driver tells that too.
@pytest.mark.parametrize(
    ("database_kind", "template"),
    [
        *(("sqlite", template) for template in TEMPLATES),
        ("postgresql", "async"),
    ],
)
def test_project_goes_from_alembic_to_asyncmig_and_back(
    make: Callable[[str], AlembicProject], template: str, database_kind: str
) -> None:
    project = make(template)
    versions = project.folder / "migrations" / "versions"

    project.alembic("revision", "-m", "create account", "--rev-id", "aaaa1111")
    project.fill(next(versions.glob("aaaa1111*.py")), FIRST)
    project.alembic("upgrade", "head")
    before = project.tree()
    current = project.alembic("current")

    shown = project.asyncmig("adopt", "--dry-run")
    assert project.tree() == before, "--dry-run changed the project"
    assert "+++ asyncmig.toml" in shown and "+++ migrations/asyncmig_env.py" in shown

    project.asyncmig("adopt")
    after = project.tree()
    assert {name: after[name] for name in before} == before, "adopt changed what was there"
    assert sorted(set(after) - set(before)) == ["asyncmig.toml", str(Path("migrations", "asyncmig_env.py"))]
    assert project.asyncmig("adopt") == "" and project.tree() == after

    # The same place, told by both.
    for name in project.names or ("",):
        chosen = ("-n", name) if name else ()
        assert _revisions(project.asyncmig(*chosen, "current")) == ["aaaa1111 (head)"]
    assert set(_revisions(current)) == {"aaaa1111 (head)"}

    # asyncmig writes and applies the next one.
    project.asyncmig("revision", "-m", "add email", "--rev-id", "bbbb2222")
    project.fill(next(versions.glob("*bbbb2222*.py")), SECOND)
    for name in project.names or ("",):
        project.asyncmig(*(("-n", name) if name else ()), "upgrade", "head")
    for url in project.urls:
        assert servers.columns(url, "account") == ["id", "email"]

    # And Alembic goes on from there.
    assert set(_revisions(project.alembic("current"))) == {"bbbb2222 (head)"}
    project.alembic("downgrade", "-1")
    for url in project.urls:
        assert servers.columns(url, "account") == ["id"]
        assert servers.rows(url, "SELECT version_num FROM alembic_version") == [("aaaa1111",)]
    for name in project.names or ("",):
        chosen = ("-n", name) if name else ()
        assert _revisions(project.asyncmig(*chosen, "current")) == ["aaaa1111"]
        project.asyncmig(*chosen, "-y", "downgrade", "base")
    for url in project.urls:
        assert "account" not in servers.tables(url)
    if template != "generic":
        return

    # Back for good: what adopt wrote is all there is to delete.
    (project.folder / "asyncmig.toml").unlink()
    (project.folder / "migrations" / "asyncmig_env.py").unlink()
    shutil.rmtree(project.folder / "migrations" / "__pycache__", ignore_errors=True)
    project.alembic("upgrade", "head")
    assert set(_revisions(project.alembic("current"))) == {"bbbb2222 (head)"}
