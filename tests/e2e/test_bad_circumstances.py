"""Failures that take a server, a file that cannot be written, or a script that raises: said in a paragraph, nothing left."""

import ctypes
import json
import os
import resource
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing, suppress
from urllib.parse import urlsplit, urlunsplit

import pytest
from mistakes import FIRST, SECOND, SECRET, THIRD, check_words, files
from projects import COMMAND, Finished, Project
from servers import rows, sqlite_url, tables


def config(project: Project, url: str) -> None:
    project.file("asyncmig.toml", f'[asyncmig]\nscript_location = "migrations"\nurl = "{url}"\n')


# --- the server ------------------------------------------------------------------------------------------------------


def with_parts(
    url: str, *, driver: str = "postgresql+asyncpg", password: str = "", path: str = "", port: int = 0
) -> str:
    parts = urlsplit(url)
    netloc = f"{parts.username}:{password or parts.password}@{parts.hostname}:{port or parts.port}"
    return urlunsplit((driver, netloc, path or parts.path, "", ""))


@pytest.mark.parametrize("driver", ["postgresql+asyncpg", "postgresql+psycopg"])
@pytest.mark.parametrize("how", ["file", "environment", "option"])
def test_a_wrong_password_is_said_and_never_shown(shop: Project, postgres_url: str, driver: str, how: str) -> None:
    url = with_parts(postgres_url, driver=driver, password=SECRET)
    given: tuple[str, ...] = ("--url", url) if how == "option" else ()
    env = {"ASYNCMIG_URL": url} if how == "environment" else {}
    if how == "file":
        config(shop, url)
    before = files(shop)
    done = shop.run("upgrade", "head", *given, env=env).expect(3)
    check_words(done, ("refused the user name or password", str(urlsplit(url).username)))
    assert (files(shop), tables(postgres_url)) == (before, [])


@pytest.mark.parametrize("driver", ["postgresql+asyncpg", "postgresql+psycopg"])
def test_no_traceback_and_no_json_shows_a_password(shop: Project, postgres_url: str, driver: str) -> None:
    url = with_parts(postgres_url, driver=driver, password=SECRET)
    shown = shop.run("upgrade", "head", "--traceback", "--json", "-v", "--url", url).expect(3)
    assert "Traceback (most recent call last)" in shown.stderr
    assert SECRET not in shown.output


@pytest.mark.parametrize("driver", ["postgresql+asyncpg", "postgresql+psycopg"])
def test_a_database_that_is_not_there_is_named_and_not_created(shop: Project, postgres_url: str, driver: str) -> None:
    url = with_parts(postgres_url, driver=driver, path="/no_such_shop")
    check_words(shop.run("upgrade", "head", "--url", url).expect(3), ("no_such_shop", "does not exist", "Create"))
    assert rows(postgres_url, "SELECT 1 FROM pg_database WHERE datname = 'no_such_shop'") == []


def test_wait_retries_until_the_time_is_over(shop: Project) -> None:
    start = time.monotonic()
    done = shop.run("upgrade", "head", "--wait", "1.5", "--url", f"postgresql://ann:{SECRET}@127.0.0.1:1/shop").expect(
        5
    )
    assert time.monotonic() - start >= 1.5
    check_words(done, ("127.0.0.1:1", "does not answer"))


def test_wait_goes_on_when_the_server_comes_up(shop: Project, postgres_url: str) -> None:
    """The server's port opens a second after the command has started."""
    real = urlsplit(postgres_url)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    ended = threading.Event()
    opened = threading.Timer(1.2, forward, (port, (str(real.hostname), real.port or 5432), ended))
    opened.start()
    try:
        done = shop.run("upgrade", FIRST, "--wait", "20", "--url", with_parts(postgres_url, port=port)).expect(0)
    finally:
        ended.set()
        opened.join()
    assert f"upgrade {FIRST}" in done.stderr
    assert rows(postgres_url, "SELECT version_num FROM asyncmig_version") == [(FIRST,)]


def forward(port: int, target: tuple[str, int], ended: threading.Event) -> None:
    """Passes the bytes of one connection after the other on."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(0.1)
        while not ended.is_set():
            with suppress(TimeoutError):
                near, _ = listener.accept()
                with near, socket.create_connection(target) as far:
                    near.settimeout(15)
                    back = threading.Thread(target=pump, args=(far, near))
                    back.start()
                    pump(near, far)
                    back.join()


def pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


# --- files that cannot be written -----------------------------------------------------------------------------------


def start(shop: Project, *arguments: str, before: Callable[[], None]) -> Finished:
    """The command in a process whose limits `before` has set."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [str(COMMAND), *arguments], cwd=shop.folder, env=environment, capture_output=True, text=True, preexec_fn=before
    )
    return Finished(done.returncode, done.stdout, done.stderr)


def as_nobody_special() -> None:
    """Root may write what it may not: give that right up."""
    if os.geteuid() == 0 and sys.platform == "linux":
        drop_from_bounding_set, override, read_search = 24, 1, 2
        for capability in (override, read_search):
            ctypes.CDLL(None).prctl(drop_from_bounding_set, capability)


def no_file_may_grow() -> None:
    """Every write to a file fails, as on a full disk; pipes go on."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def test_a_read_only_database_file_is_left_as_it_is(shop: Project) -> None:
    path = shop.folder / "shop.db"
    path.chmod(0o444)
    before = files(shop)
    done = start(shop, "upgrade", "head", before=as_nobody_special).expect(3)
    check_words(done, ("readonly", "read-only"))
    assert files(shop) == before


def test_a_read_only_folder_takes_no_revision(shop: Project) -> None:
    shop.versions.chmod(0o555)
    before = files(shop)
    done = start(shop, "revision", "-m", "more", before=as_nobody_special).expect(3)
    shop.versions.chmod(0o755)
    check_words(done, ("migrations/versions", "Permission denied"))
    assert files(shop) == before


@pytest.mark.parametrize(
    "arguments", [("revision", "-m", "more"), ("init", "-t", "quickstart", "other")], ids=["revision", "init"]
)
def test_a_full_disk_leaves_no_half_written_file(shop: Project, arguments: tuple[str, ...]) -> None:
    before, folders = files(shop), sorted(path for path in shop.folder.rglob("*") if path.is_dir())
    done = start(shop, *arguments, before=no_file_may_grow).expect(3)
    check_words(done, ("cannot be written", "File too large"))
    assert files(shop) == before
    assert sorted(path for path in shop.folder.rglob("*") if path.is_dir() and path.name != "__pycache__") == folders


def test_a_full_disk_leaves_the_database_as_it_was(shop: Project) -> None:
    database = sqlite_url(shop.folder / "shop.db")
    done = start(shop, "upgrade", "head", before=no_file_may_grow).expect(3)
    check_words(done, ("disk I/O error",))
    assert rows(database, "SELECT * FROM account") == [(7,)]
    assert rows(database, "SELECT version_num FROM asyncmig_version") == [(FIRST,)]


@pytest.mark.parametrize(
    "arguments", [("upgrade", "--json"), ("history",), ("history", "--json"), ("upgrade", "nope", "--json")]
)
def test_a_result_that_cannot_be_written_is_said(shop: Project, arguments: tuple[str, ...]) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123  # a device of Linux: every write to it fails
        done = subprocess.run(
            [str(COMMAND), *arguments], cwd=shop.folder, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode in (2, 3)
    assert "Traceback" not in done.stderr and "Exception ignored" not in done.stderr
    assert (
        "error: The result cannot be written to stdout: No space left on device." in done.stderr
        or "nope" in done.stderr
    )


def test_what_stdout_cannot_say_is_escaped_and_never_in_sql(project: Project) -> None:
    config(project, "sqlite:///shop.db")
    project.revision("a1", message="größe 表 😀", upgrade="op.execute(\"SELECT 'ä'\")")
    ascii_only = {"PYTHONIOENCODING": "ascii"}
    assert r"gr\xf6\xdfe \u8868 \U0001f600" in project.run("history", env=ascii_only).expect(0).stdout
    told = json.loads(project.run("history", "--json", env=ascii_only).expect(0).stdout)
    assert told["revisions"][0]["message"] == "größe 表 😀"
    refused = project.run("upgrade", "head", "--sql", env=ascii_only).expect(3)
    check_words(refused, ("not all of it can be said in ascii", "PYTHONIOENCODING=utf-8"))
    assert refused.stdout == ""
    events = project.run("upgrade", "head", "--events", env=ascii_only).expect(0).stdout.splitlines()
    assert json.loads(events[-1])["steps"][0]["message"] == "größe 表 😀"


def test_a_locked_database_file_is_waited_for_and_then_named(shop: Project) -> None:
    before = files(shop)  # to read the file later, in this process, would give its lock up
    with closing(sqlite3.connect(shop.folder / "shop.db", isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        began = time.monotonic()
        done = shop.run("upgrade", "head").expect(5)
        other.execute("ROLLBACK")
    assert time.monotonic() - began >= 1
    waiting = "waiting for another migration to end (held by another process that has the database file open)\n"
    assert waiting in done.stderr
    check_words(Finished(5, done.stdout, done.stderr.replace(waiting, "")), ("shop.db", "locked"))
    assert files(shop) == before


# --- a script that raises --------------------------------------------------------------------------------------------


def with_mistake(project: Project) -> str:
    """A third revision that creates a table, changes rows, and raises."""
    project.revision(
        THIRD,
        SECOND,
        message="half done",
        upgrade="""
            op.create_table("half", sa.Column("id", sa.Integer))
            op.execute("INSERT INTO half (id) VALUES (1)")
            raise ValueError("out of ideas")
        """,
        downgrade="op.drop_table('half')",
    )
    return f"{THIRD}_half_done.py:"


def test_a_script_that_raises_leaves_nothing_of_itself(database_project: Project, database_url: str) -> None:
    where = with_mistake(database_project)
    create = 'op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))'
    database_project.revision(SECOND, message="create account", upgrade=create, downgrade='op.drop_table("account")')
    partly = database_project.run("upgrade", "head").expect(4)
    check_words(partly, (THIRD, where, "ValueError: out of ideas.", "rolled back", "step before"))
    assert "half" not in tables(database_url)
    assert rows(database_url, "SELECT version_num FROM asyncmig_version") == [(SECOND,)]
    nothing = database_project.run("upgrade", "head").expect(3)
    check_words(nothing, (THIRD, where, "ValueError: out of ideas.", "rolled back"))
    assert "half" not in tables(database_url)
    told = rows(database_url, "SELECT revision, outcome FROM asyncmig_version_journal ORDER BY started_at")
    assert told == [(SECOND, "applied"), (THIRD, "failed"), (THIRD, "failed")]


def test_a_statement_that_the_database_refuses_is_named_with_its_line(
    database_project: Project, database_url: str
) -> None:
    database_project.revision(FIRST, upgrade='op.execute("CREATE TABLE first (id INTEGER)")\nop.execute("SELEC 1")')
    failed = database_project.run("upgrade", "head").expect(3)
    check_words(failed, (f"{FIRST}_revision.py:", "syntax error", "SELEC"))
    assert "first" not in tables(database_url)
