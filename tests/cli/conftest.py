"""The real command in a project of this test, as a user's shell runs it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from projects import Finished, Project

ROOT = Path(__file__).parents[2]
Cli = Callable[..., Finished]


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The process's own variables without those that would configure asyncmig."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASYNCMIG_", "DATABASE_URL"))}
    return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "100", **(extra or {})}


@pytest.fixture
def cli(project: Project) -> Cli:
    """`cli("upgrade", "head", env={}, stdin="")` runs `python -m asyncmig` in the project's folder, without a terminal."""

    def run(*arguments: str, env: Mapping[str, str] | None = None, stdin: str = "", timeout: float = 60) -> Finished:
        done = subprocess.run(
            [sys.executable, "-m", "asyncmig", *arguments],
            cwd=project.folder,
            env=environment(env),
            input=stdin,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=timeout,
        )
        return Finished(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def shop(project: Project) -> Project:
    """Two revisions on a SQLite file: account, then its column email."""
    project.config(url="sqlite:///shop.db")
    shutil.copy(ROOT / "templates" / "async" / "migrations" / "script.py.mako", project.folder / "migrations")
    project.revision(
        "433af9f41996",
        message="create account",
        upgrade='op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))',
        downgrade='op.drop_table("account")',
    )
    project.revision(
        "9c1d2e3f4a5b",
        "433af9f41996",
        message="add email",
        upgrade='op.add_column("account", sa.Column("email", sa.String(200)))',
        downgrade='op.drop_column("account", "email")',
    )
    return project
