"""An empty folder to type into, as a tutorial's reader has it."""

import os
from pathlib import Path

import pytest
from projects import Project


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """`empty.run("init", "migrations")` types into the installed command; nothing in the environment configures it."""
    for name in [name for name in os.environ if name.startswith(("ASYNCMIG_", "DATABASE_URL", "DB_"))]:
        if not name.startswith("ASYNCMIG_TEST_"):
            monkeypatch.delenv(name)
    folder = tmp_path / "shop"
    folder.mkdir()
    return Project(folder)
