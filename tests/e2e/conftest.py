"""`shop`: a project with `account` and one row in it, at the first of two revisions."""

import shutil
from pathlib import Path

import pytest
from mistakes import FIRST, SECOND
from projects import Project
from servers import execute, sqlite_url


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = Project.create(tmp_path_factory.mktemp("made") / "shop")
    project.config(url="sqlite:///${here}/shop.db", lock_timeout=1)
    shutil.copy(
        Path(__file__).parents[2] / "templates" / "async" / "migrations" / "script.py.mako", project.versions.parent
    )
    project.env("from asyncmig import Environment\n\nenvironment = Environment()\n")
    project.revision(
        FIRST,
        message="create account",
        upgrade='op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))',
        downgrade='op.drop_table("account")',
    )
    project.revision(
        SECOND,
        FIRST,
        message="add email",
        upgrade='op.add_column("account", sa.Column("email", sa.String(200)))',
        downgrade='op.drop_column("account", "email")',
    )
    project.run("upgrade", FIRST).expect()
    execute(sqlite_url(project.folder / "shop.db"), "INSERT INTO account (id) VALUES (7)")
    return project.folder


@pytest.fixture
def shop(made: Path, tmp_path: Path) -> Project:
    shutil.copytree(made, tmp_path / "shop", ignore=shutil.ignore_patterns("__pycache__"))
    return Project(tmp_path / "shop")
