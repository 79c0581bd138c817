"""Fixtures of every test: servers, fresh databases, project folders.

    postgres_server      session: a running PostgreSQL (see tests/servers.py: host, port, user, url(), superuser_url(), version)
    postgres_databases   a function that makes one more empty database and returns its URL
    postgres_url         a fresh empty PostgreSQL database
    sqlite_url           a SQLite file of this test (not yet there)
    database_kind        "sqlite" and "postgresql": the test runs once on each
    database_url         a fresh empty database of each kind: write the test once
    databases            a function that makes one more database of the same kind and returns its URL
    run_sql              a function (url, text): runs a script through psql or the sqlite3 shell
    project              an empty project folder, see tests/projects.py: file() config() env() revision() run() migrator()
    database_project     the same with `url` set to database_url
    driver_url           a fresh empty database, once for every driver that the runner knows
    tally                a function that counts what a round of a kill or a cut came upon, see tests/tally.py
    at_driver            a project whose `url` is driver_url; at_postgres and at_sqlite: postgres_url, sqlite_url

To look into a database: `from servers import rows, tables, columns, execute` (url, ...), which use psycopg and sqlite3.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest
import servers
from projects import Project, end_started
from tally import lines_of, tally

__all__ = ["tally"]

hypothesis.settings.register_profile("here", deadline=None)
# The same examples in every run: a law that fails in CI must fail for whoever looks into it.
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "here")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    lines = lines_of(report for reports in terminalreporter.stats.values() for report in reports)
    if lines and "not soak" not in terminalreporter.config.option.markexpr:
        terminalreporter.section("kills, cuts and restarts")
        for line in lines:
            terminalreporter.line(line)


@pytest.fixture(autouse=True)
def no_command_outlives_its_test() -> Iterator[None]:
    yield
    end_started()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[servers.PostgresServer]:
    with servers.running_server() as server:
        yield server


@pytest.fixture
def postgres_databases(postgres_server: servers.PostgresServer) -> Iterator[Callable[[], str]]:
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(servers.fresh_postgres_database(postgres_server))


@pytest.fixture
def postgres_url(postgres_databases: Callable[[], str]) -> str:
    return postgres_databases()


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return servers.sqlite_url(tmp_path / "test.db")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def databases(request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> Callable[[], str]:
    if database_kind == "postgresql":
        make: Callable[[], str] = request.getfixturevalue("postgres_databases")
        return make
    numbers = iter(range(1, 1_000))
    return lambda: servers.sqlite_url(tmp_path / f"test{next(numbers)}.db")


@pytest.fixture
def database_url(databases: Callable[[], str]) -> str:
    return databases()


@pytest.fixture
def run_sql(request: pytest.FixtureRequest) -> Callable[[str, str], str]:
    def run(url: str, text: str) -> str:
        server = request.getfixturevalue("postgres_server") if url.startswith("postgres") else None
        return servers.run_script(server, url, text)

    return run


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "project")


@pytest.fixture
def database_project(project: Project, database_url: str) -> Project:
    return project.config(url=database_url)


@pytest.fixture(params=["aiosqlite", "asyncpg", "psycopg"])
def driver_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "aiosqlite":
        return servers.sqlite_url(tmp_path / "driver.db")
    make: Callable[[], str] = request.getfixturevalue("postgres_databases")
    return make().replace("+asyncpg", f"+{request.param}")


@pytest.fixture
def at_driver(project: Project, driver_url: str) -> Project:
    return project.config(url=driver_url)


@pytest.fixture
def at_postgres(project: Project, postgres_url: str) -> Project:
    return project.config(url=postgres_url)


@pytest.fixture
def at_sqlite(project: Project, sqlite_url: str) -> Project:
    return project.config(url=sqlite_url)


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the developer's shell sets must not decide a test."""
    for name in list(os.environ):
        if name == "DATABASE_URL" or (name.startswith("ASYNCMIG_") and not name.startswith("ASYNCMIG_TEST_")):
            monkeypatch.delenv(name)
    for name in ("NO_COLOR", "FORCE_COLOR", "EDITOR", "VISUAL"):
        monkeypatch.delenv(name, raising=False)
