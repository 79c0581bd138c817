"""The questions of autogenerate on a terminal, and what a person's answers make of the script."""

import shutil
import sys
from pathlib import Path

import pexpect
import pytest
from projects import Project
from servers import execute, rows, sqlite_url

ROOT = Path(__file__).parents[2]
MODELS = """\
import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("account", metadata, sa.Column("id", sa.Integer, primary_key=True), {columns})
"""


@pytest.fixture
def filled(project: Project) -> Project:
    """A table account with a row in it; the models have another column name and a new column by now."""
    project.config(url="sqlite:///shop.db", target_metadata="shop_models:metadata")
    shutil.copy(ROOT / "templates" / "async" / "migrations" / "script.py.mako", project.folder / "migrations")
    project.revision(
        "433af9f41996",
        upgrade='op.create_table("account", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))',
        downgrade='op.drop_table("account")',
    )
    models(project, 'sa.Column("full_name", sa.Text), sa.Column("kind", sa.Text, nullable=False)')
    project.run("upgrade").expect()
    execute(sqlite_url(project.folder / "shop.db"), "INSERT INTO account (name) VALUES ('ann')")
    return project


def models(project: Project, columns: str) -> Project:
    return project.file("shop_models.py", MODELS.format(columns=columns))


def terminal(project: Project, *arguments: str) -> "pexpect.spawn[str]":
    env = {"PYTHONPATH": str(ROOT), "TERM": "dumb", "COLUMNS": "100", "PATH": "/usr/bin:/bin"}
    command = ["-m", "asyncmig", "revision", "--autogenerate", "-m", "kind", *arguments]
    return pexpect.spawn(sys.executable, command, cwd=str(project.folder), env=env, encoding="utf-8", timeout=30)


def ended(child: "pexpect.spawn[str]") -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def written(project: Project) -> str:
    return "".join(path.read_text() for path in project.versions.glob("*_kind.py"))


def test_a_person_says_what_was_renamed_and_which_value_rows_get(filled: Project) -> None:
    child = terminal(filled)
    child.expect(r"Was account\.name renamed to account\.full_name\? \[y/N\] ")
    child.sendline("y")
    child.expect("1 row of account would have no value")
    child.sendline("'new'")
    assert ended(child) == 0
    filled.run("upgrade").expect()
    assert rows(sqlite_url(filled.folder / "shop.db"), "SELECT full_name, kind FROM account") == [("ann", "new")]


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_a_person_who_says_no_to_the_rename_is_asked_about_the_loss(filled: Project, answer: str, code: int) -> None:
    child = terminal(filled)
    child.expect("Was account")
    child.sendline("n")
    child.expect(r"would drop column account\.name \(1 row\)\. Write it\? \[y/N\] ")
    child.sendline(answer)
    if answer == "y":
        child.expect("would have no value")
        child.sendline("")
    assert ended(child) == code
    assert ('drop_column("account", "name")' in written(filled)) is (answer == "y")


def test_no_input_asks_nobody(filled: Project) -> None:
    child = terminal(filled, "--no-input", "--allow-drops", "--default", "account.kind=x")
    assert ended(child) == 0
    assert "--rename account.name:full_name" in " ".join(written(filled).replace("#", " ").split())
