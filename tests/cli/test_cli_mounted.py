"""The same commands in an application's own command line, in real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from projects import Finished, Project

ROOT = Path(__file__).parents[2]

CONFIGURED = """
from asyncmig import Migrator
migrator = Migrator("asyncmig.toml")
"""
WITH_ENGINE = """
from sqlalchemy.ext.asyncio import create_async_engine
from asyncmig import Migrator
engine = create_async_engine("sqlite+aiosqlite:///shop.db")
migrator = Migrator(engine=engine, script_location="migrations")
"""
WITHOUT = "migrator = None"

MANAGE = """
import typer
from asyncmig.cli import create_app

app = typer.Typer()

@app.command()
def serve() -> None:
    print("serving")

app.add_typer(create_app(migrator), name="db")

if __name__ == "__main__":
    app()
"""


def manage(project: Project, *arguments: str) -> Finished:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=project.folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"},
        capture_output=True,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=60,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("migrator", [CONFIGURED, WITH_ENGINE, WITHOUT], ids=["configured", "engine", "without"])
def test_mounted_commands_work_on_the_applications_migrator(shop: Project, migrator: str) -> None:
    shop.file("manage.py", migrator + MANAGE)
    done = manage(shop, "db", "upgrade", "head").expect(0)
    assert done.stdout == ""
    assert "upgrade 9c1d2e3f4a5b add email (" in done.stderr
    assert manage(shop, "db", "current").expect(0).stdout == "9c1d2e3f4a5b (head)\n"
    assert manage(shop, "db", "downgrade", "-1").expect(1).stderr.splitlines()[-1].endswith("Answer with --yes.")
    manage(shop, "db", "-y", "downgrade", "-1").expect(0)
    assert manage(shop, "serve").expect(0).stdout == "serving\n"


def test_mounted_migrator_keeps_its_configuration(shop: Project) -> None:
    shop.file("manage.py", CONFIGURED + MANAGE)
    refused = manage(shop, "db", "upgrade", "--url", "sqlite:///other.db").expect(2)
    assert refused.stderr.startswith("error: --url has no place here")
    assert not (shop.folder / "other.db").exists()


def test_mounted_help_lists_the_commands(shop: Project) -> None:
    shop.file("manage.py", CONFIGURED + MANAGE)
    assert "Change the database:" in manage(shop, "db", "--help").expect(0).stdout
    assert "manage.py db upgrade" in manage(shop, "db", "upgrade", "--help").expect(0).stdout


def test_mounted_engine_with_pooled_connections_ends_quietly(shop: Project, postgres_url: str) -> None:
    shop.file(
        "manage.py",
        WITH_ENGINE.replace("sqlite+aiosqlite:///shop.db", postgres_url.replace("postgresql:", "postgresql+asyncpg:"))
        + MANAGE,
    )
    done = manage(shop, "db", "upgrade").expect(0)
    assert done.stderr.splitlines()[-1].startswith("The database is at 9c1d2e3f4a5b after 2 steps")
    assert manage(shop, "db", "current").expect(0).stderr == ""
    manage(shop, "db", "downgrade", "base", "-y").expect(0)
