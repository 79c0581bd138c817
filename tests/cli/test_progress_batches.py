"""A backfill on a terminal and without one: how far it is, without a line a batch."""

import io

import servers
from projects import Project

from asyncmig.cli.output import Console
from asyncmig.cli.progress import Lines
from asyncmig.database.events import BatchFinished
from asyncmig.scripts.templates import templates_root


def test_a_line_every_few_seconds_says_how_far_a_backfill_is() -> None:
    times = iter([0.0, 1.0, 6.0, 7.0, 13.0])
    err = io.StringIO()
    lines = Lines(Console(out=io.StringIO(), err=err), clock=lambda: next(times))
    for number, total in enumerate((10_000, 10_000, None, None), 1):
        lines(BatchFinished("b2", "account", number, number * 1000, total))
    assert err.getvalue().splitlines() == ["b2: account, 2,000 rows of about 10,000", "b2: account, 4,000 rows"]


def test_the_data_skeleton_runs_once_its_names_are_filled_in(database_project: Project, database_url: str) -> None:
    database_project.revision(
        "a1",
        upgrade="""
        op.execute("CREATE TABLE account (id integer PRIMARY KEY, email varchar(50), email_lower varchar(50))")
        op.execute("INSERT INTO account VALUES (1, 'A@B', NULL), (2, 'C@D', 'kept')")
        """,
    )
    template = templates_root() / "async" / "migrations" / "script.py.mako"
    database_project.file("migrations/script.py.mako", template.read_text())
    database_project.run("revision", "--data", "-m", "fill in").expect(0)
    (script,) = database_project.versions.glob("*fill_in.py")
    text = script.read_text()
    for placeholder, name in (("table_name", "account"), ("new_column", "email_lower"), ("old_column", "email")):
        assert placeholder in text
        text = text.replace(placeholder, name)
    script.write_text(text)
    database_project.run("upgrade", "head").expect(0)
    assert servers.rows(database_url, "SELECT email_lower FROM account ORDER BY id") == [("a@b",), ("kept",)]
