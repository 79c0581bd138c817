"""The pytest plugin: `pytest --test-migrations`, and the fixtures `migrator` and `migrated_engine`.

It is loaded by every pytest run of an environment that has asyncmig, so that nothing is imported here but pytest.
The fixtures are synchronous and use no event loop of the tests: what they give is awaited in the test, whichever
plugin runs it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from asyncmig.config import Config
    from asyncmig.migrator import Migrator
    from asyncmig.testing.scratch import Scratch


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("asyncmig", "migrations (asyncmig)")
    group.addoption("--test-migrations", action="store_true", help="Also test the project's migrations.")
    group.addoption(
        "--asyncmig-config", metavar="FILE", help="The project's configuration; else found from the rootdir."
    )
    group.addoption("--asyncmig-name", metavar="NAME", help="One of its [databases].")
    group.addoption(
        "--asyncmig-url", metavar="URL", help="A database that is left alone: those of the tests are made beside it."
    )
    parser.addini("asyncmig_config", "As --asyncmig-config, from the rootdir.")
    parser.addini("asyncmig_name", "As --asyncmig-name.")
    parser.addini("asyncmig_url", "As --asyncmig-url.")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    # First, so that -k, -m and other plugins see the items too.
    if session.config.getoption("--test-migrations"):
        from asyncmig.testing.collecting import migration_tests

        items.extend(migration_tests(session, items))


def _given(config: pytest.Config, name: str) -> str | None:
    return config.getoption(f"--asyncmig-{name}") or config.getini(f"asyncmig_{name}") or None


@pytest.fixture(scope="session")
def asyncmig_config(pytestconfig: pytest.Config) -> Config:
    """The project's configuration. Override it where there is no file: Config.from_values(script_location=...)."""
    from asyncmig.config import Config

    return Config.load(_given(pytestconfig, "config"), name=_given(pytestconfig, "name"), cwd=pytestconfig.rootpath)


@pytest.fixture(scope="session")
def asyncmig_url(asyncmig_config: Config, pytestconfig: pytest.Config) -> str:
    """A database that is never changed: the databases of the tests are made beside it. The project's own, if none is given.

    Override it to name a server that the tests start.
    """
    given = _given(pytestconfig, "url")
    if given is not None:
        return given
    from asyncmig.migrator import Migrator
    from asyncmig.testing.background import awaited

    site = awaited(Migrator(asyncmig_config).site)
    return site.url.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def asyncmig_databases(asyncmig_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scratch]:
    """Makes databases and copies of them; all are dropped when the session ends."""
    from asyncmig.testing.background import awaited
    from asyncmig.testing.scratch import Scratch

    scratch = Scratch.beside(asyncmig_url, Path(tmp_path_factory.mktemp("asyncmig")))
    yield scratch
    awaited(scratch.drop_all)


@pytest.fixture(scope="session")
def asyncmig_template(asyncmig_config: Config, asyncmig_databases: Scratch) -> str:
    """The URL of a database at the heads, migrated once a session; `migrated_engine` copies it, so leave it alone."""
    from asyncmig.testing.background import awaited
    from asyncmig.testing.migrators import migrator_of

    url = awaited(asyncmig_databases.fresh)
    awaited(migrator_of(asyncmig_config, url).upgrade, "heads")
    return url


@pytest.fixture
def migrator(asyncmig_config: Config, asyncmig_databases: Scratch) -> Iterator[Migrator]:
    """A Migrator of the project on an empty database of this test."""
    from asyncmig.testing.background import awaited
    from asyncmig.testing.migrators import migrator_of

    url = awaited(asyncmig_databases.fresh)
    yield migrator_of(asyncmig_config, url)
    awaited(asyncmig_databases.drop, url)


@pytest.fixture
def migrated_engine(asyncmig_databases: Scratch, asyncmig_template: str) -> Iterator[AsyncEngine]:
    """An AsyncEngine on a database of this test that is at the heads: a copy of one that was migrated once."""
    from sqlalchemy.ext.asyncio import create_async_engine
    from sqlalchemy.pool import NullPool

    from asyncmig.testing.background import awaited

    url = awaited(asyncmig_databases.copy, asyncmig_template)
    # Without a pool nothing of it outlives the loop of the test, which is closed before this fixture goes on.
    yield create_async_engine(url, poolclass=NullPool)
    awaited(asyncmig_databases.drop, url)
