"""The commands inside the application's own command line, and as `python -m asyncmig`."""

import os
import subprocess
import sys

import pytest
from projects import Finished, Project
from servers import columns, rows, tables

FIRST, SECOND = "433af9f41996", "9c1d2e3f4a5b"

MANAGE = """
    import os

    import typer
    from asyncmig import Migrator
    from asyncmig.cli import create_app

    app = typer.Typer()

    @app.command()
    def hello() -> None:
        print("hello from the shop")

    app.add_typer(create_app(Migrator("asyncmig.toml", url=os.environ["SHOP_DATABASE"])), name="db")

    if __name__ == "__main__":
        app()
"""


def python(place: Project, *arguments: str, **variables: str) -> Finished:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=place.folder,
        env={**os.environ, "COLUMNS": "100", **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def with_account(place: Project) -> Project:
    place.revision(
        FIRST,
        message="create account",
        upgrade='op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))',
        downgrade='op.drop_table("account")',
    )
    return place.revision(
        SECOND,
        FIRST,
        message="add email",
        upgrade='op.add_column("account", sa.Column("email", sa.String(200)))',
        downgrade='op.drop_column("account", "email")',
    )


@pytest.mark.subset
def test_manage_db_does_what_asyncmig_does(project: Project, database_url: str) -> None:
    with_account(project).file("manage.py", MANAGE)

    def manage(*arguments: str) -> Finished:
        return python(project, "manage.py", *arguments, SHOP_DATABASE=database_url)

    assert manage("hello").expect().stdout == "hello from the shop\n"
    manage("db", "upgrade", "head").expect()
    assert columns(database_url, "account") == ["id", "email"]
    assert manage("db", "current").expect().stdout == f"{SECOND} (head)\n"
    manage("db", "downgrade", "-1", "--yes").expect()
    assert columns(database_url, "account") == ["id"]
    assert rows(database_url, "SELECT version_num FROM asyncmig_version") == [(FIRST,)]
    declined = manage("db", "downgrade", "base").expect(1)
    assert "--yes" in declined.stderr
    assert "account" in tables(database_url)
    unknown = manage("db", "upgrade", "deadbeef").expect(2)
    assert unknown.stderr.splitlines()[-1].startswith("error: There is no revision")
    assert "upgrade" in manage("db", "--help").expect().stdout


def test_the_module_is_the_command(project: Project, sqlite_url: str) -> None:
    with_account(project).config(url=sqlite_url)
    assert python(project, "-m", "asyncmig", "heads").expect().stdout == f"{SECOND} (head)\n"
    python(project, "-m", "asyncmig", "upgrade", "head").expect()
    assert columns(sqlite_url, "account") == ["id", "email"]
    assert python(project, "-m", "asyncmig", "-h").stdout == project.run("--help").stdout
