"""--events: a line of JSON an event while the command runs, the result as the last one."""

import json

import pytest
from projects import Finished, Project

TABLE = 'op.create_table("{0}", sa.Column("id", sa.Integer))'


@pytest.fixture
def shop(database_project: Project) -> Project:
    database_project.revision("a1", upgrade=TABLE.format("one"), downgrade='op.drop_table("one")', message="one table")
    return database_project.revision("b2", "a1", upgrade=TABLE.format("two"), downgrade='op.drop_table("two")')


def lines(done: Finished) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.subset
def test_an_upgrade_writes_its_events_and_then_its_report(shop: Project) -> None:
    *events, result = lines(shop.run("upgrade", "head", "--events").expect(0))
    assert [(event["event"], event.get("revision")) for event in events] == [
        ("step_started", "a1"),
        ("statement_started", "a1"),
        ("step_finished", "a1"),
        ("step_started", "b2"),
        ("statement_started", "b2"),
        ("step_finished", "b2"),
    ]
    assert all(event["version"] == 1 for event in (*events, result))
    assert events[0] == {
        "version": 1,
        "event": "step_started",
        "revision": "a1",
        "direction": "upgrade",
        "message": "one table",
        "index": 1,
        "total": 2,
    }
    assert str(events[1]["sql"]).startswith("CREATE TABLE one")
    assert "event" not in result
    assert result["after"] == ["b2"]


def test_a_downgrade_does_too(shop: Project) -> None:
    shop.run("upgrade").expect(0)
    *events, result = lines(shop.run("--events", "downgrade", "base", "--yes").expect(0))
    assert [event["revision"] for event in events if event["event"] == "step_finished"] == ["b2", "a1"]
    assert result["after"] == []


def test_a_failure_is_the_last_line(shop: Project) -> None:
    shop.revision("c3", "b2", upgrade='op.execute("SELECT * FROM nowhere")')
    done = shop.run("upgrade", "--events").expect(4)
    *events, result = lines(done)
    assert (events[-1]["event"], events[-1]["revision"]) == ("step_failed", "c3")
    assert "nowhere" in str(events[-1]["message"])
    error = result["error"]
    assert isinstance(error, dict) and error["exit_code"] == 4 and error["applied"] == ["a1", "b2"]
    assert "error: Upgrade of c3" in done.stderr


@pytest.mark.parametrize("arguments", [("upgrade", "--no-such-option", "--events"), ("--events", "nothing")])
def test_a_wrong_command_line_is_one_line(project: Project, arguments: tuple[str, ...]) -> None:
    (only,) = lines(project.run(*arguments).expect(2))
    assert isinstance(only["error"], dict) and only["error"]["type"] == "UsageError"


def test_nothing_to_do_is_only_the_report(project: Project, sqlite_url: str) -> None:
    project.config(url=sqlite_url).revision("a1").run("upgrade").expect(0)
    (only,) = lines(project.run("upgrade", "--events", "-q").expect(0))
    assert only["steps"] == []


def test_people_are_still_told_on_stderr(project: Project, sqlite_url: str) -> None:
    done = project.config(url=sqlite_url).revision("a1", message="first").run("upgrade", "--events").expect(0)
    assert "upgrade a1 first" in done.stderr


def test_a_password_in_an_event_is_hidden(project: Project, sqlite_url: str) -> None:
    secret = "op.execute(\"SELECT 'postgresql://me:hidden-word@host/db'\")"
    done = project.config(url=sqlite_url).revision("a1", upgrade=secret).run("upgrade", "--events").expect(0)
    assert "hidden-word" not in done.output
    assert "postgresql://me:***@host/db" in done.stdout
