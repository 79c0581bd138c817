"""Fixtures of the runner's tests.

driver_url    a fresh empty database, once for every driver that the runner knows
at_driver     the same as a project whose `url` is set
"""

from collections.abc import Callable
from pathlib import Path

import pytest
import servers
from projects import Project


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
