"""A person at a terminal: questions, the bar, Ctrl-C; and readers that go away."""

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pexpect
import pytest
from projects import Project
from servers import rows

ROOT = Path(__file__).parents[2]


def terminal(project: Project, *arguments: str) -> "pexpect.spawn[str]":
    env = {"PYTHONPATH": str(ROOT), "TERM": "xterm-256color", "COLUMNS": "100", "PATH": "/usr/bin:/bin"}
    return pexpect.spawn(
        sys.executable, ["-m", "asyncmig", *arguments], cwd=str(project.folder), env=env, encoding="utf-8", timeout=30
    )


@pytest.mark.parametrize(("answer", "code", "left"), [("n", 1, True), ("y", 0, False)])
def test_downgrade_asks_a_person(cli: Any, shop: Project, answer: str, code: int, left: bool) -> None:
    cli("upgrade").expect(0)
    child = terminal(shop, "downgrade", "base")
    child.expect(r"table account \(0 rows\)")
    child.expect(r"\[y/N\] ")
    child.sendline(answer)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == code
    assert bool(cli("current").expect(0).stdout) is left


def test_interrupted_question_ends_at_once_and_changes_nothing(cli: Any, shop: Project) -> None:
    cli("upgrade").expect(0)
    child = terminal(shop, "downgrade", "base", "-q")
    child.expect(r"table account \(0 rows\)")
    child.expect(r"\[y/N\] ")
    child.sendintr()
    child.expect("Interrupted")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 130
    assert cli("current").expect(0).stdout == "9c1d2e3f4a5b (head)\n"


def test_terminal_sees_a_bar_and_colour_and_no_color_has_none(cli: Any, shop: Project) -> None:
    child = terminal(shop, "upgrade")
    child.expect(pexpect.EOF)
    child.close()
    shown = child.before or ""
    assert child.exitstatus == 0
    assert "2/2" in shown
    assert "upgrade 9c1d2e3f4a5b add email (" in shown
    plain = terminal(shop, "history", "--no-color")
    plain.expect(pexpect.EOF)
    assert "\x1b" not in (plain.before or "")
    coloured = terminal(shop, "history")
    coloured.expect(pexpect.EOF)
    assert "\x1b[33m9c1d2e3f4a5b\x1b[0m" in (coloured.before or "")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_step_is_rolled_back(cli: Any, shop: Project, number: signal.Signals) -> None:
    shop.revision(
        "ffff00001111",
        "9c1d2e3f4a5b",
        message="slow",
        upgrade="""
            async def upgrade():
                import asyncio
                op.create_table("half", sa.Column("id", sa.Integer))
                open("running", "w").close()
                await asyncio.sleep(30)
        """,
    )
    process = subprocess.Popen(
        [sys.executable, "-m", "asyncmig", "upgrade"],
        cwd=shop.folder,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 20
    while not (shop.folder / "running").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=20)
    assert (process.returncode, stdout) == (130, "")
    assert stderr.splitlines()[-1].startswith("error: Interrupted")
    assert "Traceback" not in stderr
    with closing(sqlite3.connect(shop.folder / "shop.db")) as connection:
        assert connection.execute("select count(*) from sqlite_master where name = 'half'").fetchone() == (0,)
    assert cli("current").expect(0).stdout == "9c1d2e3f4a5b\n"


def test_interrupted_statement_does_not_run_on_in_the_server(shop: Project, postgres_url: str) -> None:
    shop.revision("ffff00001111", "9c1d2e3f4a5b", message="slow", upgrade='op.execute("select pg_sleep(60)")')
    sleeping = "select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()"
    process = subprocess.Popen(
        [sys.executable, "-m", "asyncmig", "upgrade", "--url", postgres_url],
        cwd=shop.folder,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 20
    while rows(postgres_url, sleeping) == [(0,)] and time.monotonic() < deadline:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=20)
    assert process.returncode == 130, stderr
    assert [line.partition(" ")[0] for line in stderr.splitlines()] == ["Database", "upgrade", "upgrade", "error:"], (
        stderr
    )
    assert rows(postgres_url, sleeping) == [(0,)]
    assert rows(postgres_url, "select version_num from asyncmig_version") == [("9c1d2e3f4a5b",)]


def test_reader_that_goes_away_is_no_error(shop: Project) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "asyncmig", "history"],
        cwd=shop.folder,
        env={"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    stderr = process.stderr.read()
    process.stderr.close()
    assert (process.wait(timeout=20), stderr) == (0, "")
