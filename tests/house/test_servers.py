"""The tests' own ground: a real server, databases that do not see each other, nothing left behind."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import psycopg
import pytest
import servers
from servers import columns, execute, rows, tables


@pytest.mark.subset
def test_a_fresh_database_is_empty_and_takes_a_table(database_url: str) -> None:
    if database_url.startswith("sqlite"):
        servers.sqlite_path(database_url).touch()
    assert tables(database_url) == []
    execute(
        database_url, "CREATE TABLE account (id integer PRIMARY KEY, email text)", "INSERT INTO account VALUES (1, 'a')"
    )
    assert tables(database_url) == ["account"]
    assert columns(database_url, "account") == ["id", "email"]
    assert rows(database_url, "SELECT id, email FROM account") == [(1, "a")]


def test_two_databases_of_a_test_are_apart(databases: Callable[[], str], run_sql: Callable[[str, str], str]) -> None:
    first, second = databases(), databases()
    run_sql(first, "CREATE TABLE one (id integer);\nINSERT INTO one VALUES (1);\n")
    run_sql(second, "CREATE TABLE two (id integer);\n")
    assert (tables(first), tables(second)) == (["one"], ["two"])


def test_a_wrong_password_is_refused(postgres_server: servers.PostgresServer) -> None:
    wrong = servers.with_password(postgres_server, "wrong")
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        rows(wrong.url("postgres"), "SELECT 1")


def test_the_user_of_the_tests_is_no_superuser(postgres_url: str, postgres_server: servers.PostgresServer) -> None:
    if postgres_server.user == postgres_server.superuser:
        pytest.skip("the server was given by URL, with one role for all")
    assert rows(postgres_url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") == [(False,)]


def test_a_killed_test_run_leaves_no_server(tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(
        "import sys, time\n"
        f"sys.path.insert(0, {str(Path(servers.__file__).parent)!r})\n"
        "import servers\n"
        "with servers.running_server(settings={}) as server:\n"
        "    print(server.port, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        port = int(parent.stdout.readline())
        postmasters = [child for child in psutil.Process(parent.pid).children() if child.name() == "postgres"]
        assert len(postmasters) == 1
        folder = Path(postmasters[0].cmdline()[2]).parent
        parent.kill()
    gone, alive = psutil.wait_procs(postmasters, timeout=10)
    servers.shutil.rmtree(folder)
    assert (len(gone), alive) == (1, [])
    deadline = time.monotonic() + 5
    while servers.port_is_open(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not servers.port_is_open(port)
