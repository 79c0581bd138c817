"""Each command on a real SQLite project: stdout, stderr, exit code."""

import json
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from projects import Project
from servers import sqlite_url

FIRST, SECOND = "433af9f41996", "9c1d2e3f4a5b"


def tables(project: Project) -> set[str]:
    with closing(sqlite3.connect(project.folder / "shop.db")) as connection:
        rows = connection.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
        return {name for (name,) in rows if not name.startswith("asyncmig_")}


def fill(project: Project, rows: int) -> None:
    with closing(sqlite3.connect(project.folder / "shop.db")) as connection, connection:
        connection.executemany("insert into account (id) values (?)", [(number,) for number in range(rows)])


def parsed(text: str) -> dict[str, Any]:
    value = json.loads(text)
    assert value["version"] == 1
    return dict(value)


def test_the_first_day(cli: Any, shop: Project) -> None:
    done = cli("upgrade", "head").expect(0)
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0] == "Database sqlite+aiosqlite:///shop.db (from asyncmig.toml)"
    assert [line.partition(" (")[0] for line in lines[1:3]] == [
        f"upgrade {FIRST} create account",
        f"upgrade {SECOND} add email",
    ]
    assert lines[3].startswith(f"The database is at {SECOND} after 2 steps in ")
    assert len(lines) == 4
    assert tables(shop) == {"account"}

    assert cli("current").expect(0).stdout == f"{SECOND} (head)\n"
    again = cli("upgrade").expect(0)
    assert again.stderr.splitlines()[-1] == f"Nothing to do: the database is at {SECOND}."

    back = cli("downgrade", "-1", "--yes").expect(0)
    assert f"downgrade {SECOND} add email" in back.stderr
    assert cli("current").expect(0).stdout == f"{FIRST}\n"
    assert cli("upgrade", "+1", "-q").expect(0).stderr == ""
    cli("downgrade", "--yes", "--", "-2").expect(0)
    assert tables(shop) == set()
    empty = cli("current").expect(0)
    assert (empty.stdout, empty.stderr) == ("", "No revision is applied to the database.\n")

    entries = parsed(cli("log", "--json").expect(0).stdout)["entries"]
    assert [entry["revision"] for entry in entries] == [FIRST, SECOND, SECOND, SECOND, SECOND, FIRST]
    assert len(cli("log", "--limit", "2").expect(0).stdout.splitlines()) == 2


def test_history_commands_keep_alembics_layout(cli: Any, shop: Project) -> None:
    shop.revision("aaaabbbbcccc", FIRST, message="other way", labels="side")
    assert cli("heads").expect(0).stdout.splitlines() == [f"{SECOND} (head)", "aaaabbbbcccc (side) (head)"]
    lines = cli("history").expect(0).stdout.splitlines()
    assert sorted(lines[:2]) == [
        f"{FIRST} -> {SECOND} (head), add email",
        f"{FIRST} -> aaaabbbbcccc (side) (head), other way",
    ]
    assert lines[2] == f"<base> -> {FIRST} (branchpoint), create account"
    assert cli("branches").expect(0).stdout.splitlines() == [
        f"<base> -> {FIRST} (branchpoint), create account",
        f"       -> {SECOND}, add email",
        "       -> aaaabbbbcccc (side), other way",
    ]
    block = cli("branches", "-v").expect(0).stdout.splitlines()
    assert block[:3] == [
        f"Rev: {FIRST} (branchpoint)",
        "Parent: <base>",
        f"Branches into: {SECOND}, aaaabbbbcccc",
    ]
    assert block[-2:] == [f"             -> {SECOND}, add email", "             -> aaaabbbbcccc (side), other way"]
    assert cli("history", "-r-1:side@head").expect(0).stdout.splitlines()
    shown = cli("show", "side@head").expect(0).stdout.splitlines()
    assert shown[:2] == ["Rev: aaaabbbbcccc (side) (head)", f"Parent: {FIRST}"]
    data = parsed(cli("show", FIRST, "--json").expect(0).stdout)["revisions"][0]
    assert (data["revision"], data["is_branch_point"], data["children"]) == (FIRST, True, [SECOND, "aaaabbbbcccc"])
    two = cli("upgrade", "head").expect(2)
    assert two.stdout == ""
    assert two.stderr.splitlines()[-1].startswith("error: ")


def test_merge_revision_and_edit_write_and_open_files(cli: Any, shop: Project, tmp_path: Path) -> None:
    shop.revision("aaaabbbbcccc", FIRST, message="other way")
    merged = cli("merge", "heads", "-m", "join", "--rev-id", "dddd11112222").expect(0)
    assert merged.stdout == "migrations/versions/dddd11112222_join.py\n"
    assert cli("heads").expect(0).stdout == "dddd11112222 (head)\n"
    mark = tmp_path / "opened"
    editor = f"{sys.executable} -c \"import sys; open({str(mark)!r}, 'w').write(sys.argv[1])\""
    written = parsed(cli("revision", "-m", 'say "hi"', "--json").expect(0).stdout)["files"]
    assert Path(written[0]).is_file()
    cli("edit", "head", env={"VISUAL": editor}).expect(0)
    assert mark.read_text() == written[0]
    assert "No closing quotation" in cli("edit", "head", env={"EDITOR": "vim '"}).expect(2).stderr
    (blank,) = parsed(cli("revision", "-m", " \t", "--json").expect(0).stdout)["files"]
    assert Path(blank).read_text(encoding="utf-8").startswith('"""empty message\n')
    unset = cli("edit", "head", env={"VISUAL": "", "EDITOR": ""}).expect(2)
    assert unset.stderr == "error: Neither $VISUAL nor $EDITOR is set. Set one, for example: export EDITOR=vim.\n"


def test_downgrade_names_what_is_lost_and_asks_nobody_without_a_terminal(cli: Any, shop: Project) -> None:
    cli("upgrade", "head").expect(0)
    fill(shop, 3)
    declined = cli("downgrade", "base", stdin="y\n").expect(1)
    assert "- table account (3 rows)" in declined.stderr
    assert "--yes" in declined.stderr.splitlines()[-1]
    assert tables(shop) == {"account"}
    cli("-y", "downgrade", "base").expect(0)
    assert tables(shop) == set()


def test_plan_status_and_check_look_and_change_nothing(cli: Any, shop: Project) -> None:
    planned = cli("plan").expect(0)
    assert f"upgrade {FIRST} create account\n  + " in planned.stdout
    assert "CREATE TABLE account" in planned.stdout
    refused = cli("check", "--json").expect(1)
    assert parsed(refused.stdout)["error"]["pending"] == [FIRST, SECOND]
    assert refused.stderr.startswith("error: ")
    status = parsed(cli("status", "--json").expect(0).stdout)
    assert (status["pending"], status["clean"]) == ([FIRST, SECOND], False)
    assert cli("status").expect(0).stdout.endswith("\n2 revisions to apply\n")
    assert not (shop.folder / "shop.db").exists() or tables(shop) == set()
    cli("upgrade").expect(0)
    cli("check").expect(0)
    assert cli("plan").expect(0).stdout == f"Nothing to do: the database is at {SECOND}.\n"
    assert cli("current", "--check-heads").expect(0).stdout == f"{SECOND} (head)\n"
    cli("downgrade", "-1", "-y").expect(0)
    assert cli("current", "--check-heads").expect(1).stdout == f"{FIRST}\n"
    assert cli("plan", "--downgrade").expect(2).stdout == ""


def test_sql_goes_to_stdout_and_runs_in_sqlite3(cli: Any, shop: Project, run_sql: Callable[[str, str], str]) -> None:
    done = cli("upgrade", "head", "--sql").expect(0)
    assert not (shop.folder / "shop.db").exists()
    run_sql(sqlite_url(shop.folder / "shop.db"), done.stdout)
    assert tables(shop) == {"account"}
    assert cli("current").expect(0).stdout == f"{SECOND} (head)\n"
    between = cli("downgrade", f"{SECOND}:{FIRST}", "--sql").expect(0)
    assert "DROP COLUMN" in between.stdout
    assert "stamp" not in cli("stamp", "head", "--sql").expect(0).stderr


def test_stamp_and_ensure_version(cli: Any, shop: Project) -> None:
    cli("ensure-version").expect(0)
    assert cli("current").expect(0).stdout == ""
    cli("stamp", "head").expect(0)
    assert cli("current").expect(0).stdout == f"{SECOND} (head)\n"
    assert tables(shop) == set()
    assert parsed(cli("stamp", "base", "--purge", "--json").expect(0).stdout)["after"] == []


def test_json_of_a_failure_is_one_object_on_stdout(cli: Any, shop: Project) -> None:
    failed = cli("upgrade", "nosuchrevision", "--json").expect(2)
    error = parsed(failed.stdout)["error"]
    assert (error["type"], error["exit_code"], error["expected"]) == ("RevisionNotFound", 2, True)
    assert error["identifier"] == "nosuchrevision"
    assert failed.stderr.splitlines()[-1].startswith("error: ")


def test_several_databases_need_a_name_to_be_changed(cli: Any, shop: Project) -> None:
    shop.config(databases={"audit": {"url": "sqlite:///audit.db"}, "shop": {"url": "sqlite:///shop.db"}})
    refused = cli("upgrade").expect(2)
    assert refused.stderr == (
        "error: The configuration has 2 databases (audit, shop) and none was chosen. Choose one: -n audit. "
        "`asyncmig fleet upgrade --databases` upgrades all of them.\n"
    )
    cli("upgrade", "-n", "audit").expect(0)
    assert cli("current").expect(0).stdout == f"audit  {SECOND} (head)\nshop   <base>\n"
    assert set(parsed(cli("current", "--json").expect(0).stdout)["databases"]) == {"audit", "shop"}
    assert cli("heads").expect(0).stdout == f"{SECOND} (head)\n"


def test_env_file_sets_what_the_configuration_asks_for(cli: Any, shop: Project) -> None:
    shop.config(url="sqlite:///${SHOP_FILE}.db").file("my.env", "SHOP_FILE=shop\n")
    missing = cli("upgrade").expect(2)
    assert "SHOP_FILE" in missing.stderr
    cli("upgrade", "--env-file", "my.env").expect(0)
    assert tables(shop) == {"account"}


def test_wait_tries_again_until_its_time_is_over(cli: Any, shop: Project) -> None:
    url = "postgresql://ann:s3cret@127.0.0.1:1/x"
    begun = time.monotonic()
    done = cli("current", "--url", url, "--wait", "1").expect(5)
    assert time.monotonic() - begun > 1
    assert "127.0.0.1:1" in done.stderr
    assert "s3cret" not in done.stderr


def test_traceback_shows_where_an_error_came_from(cli: Any, shop: Project) -> None:
    done = cli("upgrade", "nosuchrevision", "--traceback").expect(2)
    assert "Traceback (most recent call last)" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ")


def test_failing_script_says_which_and_leaves_the_step_before(cli: Any, shop: Project) -> None:
    shop.revision("eeee00001111", SECOND, message="breaks", upgrade='op.execute("insert into nowhere values (1)")')
    done = cli("upgrade").expect(4)
    assert "eeee00001111" in done.stderr
    assert "Traceback" not in done.stderr
    assert cli("current").expect(0).stdout == f"{SECOND}\n"
    assert cli("upgrade").expect(3).stdout == ""


def test_database_that_cannot_answer_does_not_hide_the_others(cli: Any, shop: Project) -> None:
    away = "postgresql://ann:s3cret@127.0.0.1:1/x"
    shop.config(databases={"away": {"url": away}, "shop": {"url": "sqlite:///shop.db"}})
    cli("upgrade", "-n", "shop").expect(0)
    done = cli("current").expect(5)
    assert done.stdout == f"shop  {SECOND} (head)\n"
    assert done.stderr.startswith("error: away: ")
    data = parsed(cli("status", "--json").expect(5).stdout)["databases"]
    assert data["shop"]["clean"] is True
    assert data["away"]["error"]["type"] == "ConnectionFailed"


def test_json_stays_one_object_where_the_command_line_or_a_check_fails(cli: Any, shop: Project) -> None:
    assert parsed(cli("upgrade", "--nope", "--json").expect(2).stdout)["error"]["type"] == "UsageError"
    assert parsed(cli("current", "--check-heads", "--json").expect(1).stdout)["at_every_head"] is False


@pytest.mark.parametrize("arguments", [["upgrade"], ["upgrade", "--sql"], ["plan"], ["status"], ["stamp", "head"]])
def test_env_is_run_once_a_command(cli: Any, shop: Project, arguments: list[str]) -> None:
    shop.env(
        """
        import sys
        from asyncmig import Environment
        print("env.py runs", file=sys.stderr)
        environment = Environment()
        """
    )
    assert cli(*arguments).expect(0).stderr.count("env.py runs") == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["upgrade", "-c", "nowhere.toml"], 2, "nowhere.toml"),
        (["upgrade", "--wait", "soon"], 2, "--wait soon"),
        (["log", "--limit", "few"], 2, "--limit few"),
        (["upgrade", "--nope"], 2, "--nope"),
        (["downgrade"], 2, "REV"),
        (["hed"], 2, "heads"),
        (["show", "ffff"], 2, "ffff"),
        (["upgrade", "a b"], 2, "a b"),
        (["upgrade", "--url", "postgresql+psycopg2://ann:s3cret@h/x"], 2, "postgresql+asyncpg"),
    ],
)
def test_mistakes_are_one_paragraph_without_a_traceback(
    cli: Any, shop: Project, arguments: list[str], code: int, words: str
) -> None:
    done = cli(*arguments).expect(code)
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith("error: ")
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert "s3cret" not in done.stderr
    assert not (shop.folder / "shop.db").exists()


def test_scripts_are_loaded_only_to_be_run(cli: Any, shop: Project) -> None:
    """Reading the history imports none of them, and at head no upgrade does."""
    cli("upgrade").expect(0)
    for path in shop.versions.glob("*.py"):
        path.write_text(path.read_text(encoding="utf-8") + "\nraise RuntimeError('loaded')\n", encoding="utf-8")
    for command in (["heads"], ["history"], ["current"], ["show", "head"], ["upgrade"], ["revision", "-m", "more"]):
        cli(*command).expect(0)
    assert "loaded" in cli("downgrade", "-1").expect(2).stderr
