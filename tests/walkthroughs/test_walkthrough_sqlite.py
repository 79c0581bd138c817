"""From an empty folder to a SQLite database and back: the tour of the first day."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import Finished, Project
from servers import columns, execute, rows, sqlite_url, tables

CREATE = """\
def upgrade() -> None:
    op.create_table(
        "account",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(50), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("account")
"""
ADD = """\
def upgrade() -> None:
    op.add_column("account", sa.Column("email", sa.String(200)))


def downgrade() -> None:
    op.drop_column("account", "email")
"""
NAME = re.compile(r"migrations/versions/([0-9a-f]{12})_(\w+)\.py\n")


def written(place: Project, done: Finished, body: str) -> str:
    """Fill in the script that `revision` wrote, as its reader would; its id."""
    found = NAME.fullmatch(done.expect().stdout)
    assert found, done.stdout
    path = place.folder / done.stdout.strip()
    head, _, _ = path.read_text().partition("def upgrade()")
    path.write_text(head.replace("  # noqa: F401", "") + body)
    return found[1]


@pytest.mark.subset
def test_the_tour(empty: Project) -> None:
    laid_out = empty.run("init", "-t", "async", "migrations").expect()
    assert laid_out.stdout.splitlines() == [
        "asyncmig.toml",
        "migrations/README",
        "migrations/env.py",
        "migrations/script.py.mako",
        "migrations/versions/.gitkeep",
    ]
    first = written(empty, empty.run("revision", "-m", "create account"), CREATE)
    url = sqlite_url(empty.folder / "app.db")
    up = empty.run("upgrade", "head").expect()
    assert up.stdout == ""
    assert f"upgrade {first} create account" in up.stderr
    assert empty.run("current").expect().stdout == f"{first} (head)\n"
    assert empty.run("history").expect().stdout == f"<base> -> {first} (head), create account\n"
    assert columns(url, "account") == ["id", "name"]

    execute(url, "INSERT INTO account (name) VALUES ('ann')")
    second = written(empty, empty.run("revision", "-m", "add email"), ADD)
    empty.run("upgrade").expect()
    assert rows(url, "SELECT * FROM account") == [(1, "ann", None)]
    assert rows(url, "SELECT version_num FROM asyncmig_version") == [(second,)]
    execute(url, "UPDATE account SET email = 'ann@example.org'")

    back = empty.run("downgrade", "-1", "--yes").expect()
    assert "column account.email (1 row)" in back.stderr
    assert rows(url, "SELECT * FROM account") == [(1, "ann")]
    assert empty.run("current").expect().stdout == f"{first}\n"

    empty.run("downgrade", "base", "--yes").expect()
    assert "account" not in tables(url)
    assert rows(url, "SELECT version_num FROM asyncmig_version") == []
    empty.run("upgrade", "head").expect()
    assert columns(url, "account") == ["id", "name", "email"]
    assert len(empty.run("log").expect().stdout.splitlines()) == 6
    assert empty.run("history").expect().stdout.splitlines() == [
        f"{first} -> {second} (head), add email",
        f"<base> -> {first}, create account",
    ]


def test_the_sql_of_the_tour_runs_in_the_shell(empty: Project, run_sql: Callable[[str, str], str]) -> None:
    empty.run("init", "migrations").expect()
    written(empty, empty.run("revision", "-m", "create account"), CREATE)
    text = empty.run("upgrade", "head", "--sql").expect().stdout
    assert not (empty.folder / "app.db").exists()
    run_sql(sqlite_url(empty.folder / "app.db"), text)
    again = empty.run("upgrade", "head").expect()
    assert "Nothing to do" in again.stderr


def test_a_command_below_the_project_finds_its_configuration(empty: Project) -> None:
    empty.run("init", "migrations").expect()
    first = written(empty, empty.run("revision", "-m", "create account"), CREATE)
    below = empty.folder / "migrations" / "versions"
    assert empty.run("heads", folder=below).expect().stdout == f"{first} (head)\n"
    empty.run("upgrade", "head", folder=below).expect()
    assert (empty.folder / "app.db").is_file()
    assert not list(below.glob("*.db"))


def test_a_pyproject_of_the_application_gets_the_configuration(empty: Project) -> None:
    before = '[project]\nname = "shop"\nversion = "1"\n'
    empty.file("pyproject.toml", before)
    empty.run("init", "-t", "pyproject", "db").expect()
    assert (empty.folder / "pyproject.toml").read_text().startswith(before)
    empty.run("revision", "-m", "create account").expect()
    empty.run("upgrade", "head").expect()
    assert empty.run("check").expect().stdout == ""
    again = empty.run("init", "-t", "pyproject", "other").expect(2)
    assert "pyproject.toml has a [tool.asyncmig] already" in again.stderr
    assert not (empty.folder / "other").exists()


def test_two_databases_of_one_project_have_a_history_each(empty: Project) -> None:
    empty.run("init", "-t", "multidb", "migrations").expect()
    for name in ("primary", "audit"):
        done = empty.run("-n", name, "revision", "-m", f"create {name}").expect()
        assert Path(done.stdout).parent == Path("migrations/versions") / name
        empty.run("-n", name, "upgrade", "head").expect()
        assert tables(sqlite_url(empty.folder / f"{name}.db")) == ["asyncmig_version", "asyncmig_version_journal"]
    assert [line.split()[0] for line in empty.run("current").expect().stdout.splitlines()] == ["primary", "audit"]
