"""PostgreSQL, its URL made of environment variables or given by the application's settings; branches and a merge."""

import asyncio
from collections.abc import Callable
from urllib.parse import urlsplit

import asyncpg
import pytest
from projects import Project
from servers import columns, libpq_url, rows, tables

FIRST, SECOND, SIDE = "433af9f41996", "9c1d2e3f4a5b", "aaaabbbbcccc"


def variables(url: str) -> dict[str, str]:
    parts = urlsplit(url)
    host = f"{parts.hostname}:{parts.port or 5432}"
    return {
        "DB_USER": parts.username or "postgres",
        "DB_PASS": parts.password or "unused",
        "DB_HOST": host,
        "DB_NAME": parts.path[1:],
    }


def asked(url: str, sql: str) -> list[tuple[object, ...]]:
    """The answer as an application on asyncpg gets it."""

    async def ask() -> list[tuple[object, ...]]:
        connection = await asyncpg.connect(libpq_url(url))
        try:
            return [tuple(row) for row in await connection.fetch(sql)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def with_account(place: Project) -> Project:
    """Two revisions, as the reader wrote them."""
    place.revision(
        FIRST,
        message="create account",
        upgrade="""
            op.create_table(
                "account",
                sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
                sa.Column("name", sa.String(50), nullable=False),
                sa.Column("settings", sa.JSON, server_default="{}"),
            )
            op.execute("INSERT INTO account (name) VALUES ('ann'); INSERT INTO account (name) VALUES ('bo')")
        """,
        downgrade='op.drop_table("account")',
    )
    return place.revision(
        SECOND,
        FIRST,
        message="add email",
        upgrade='op.add_column("account", sa.Column("email", sa.String(200)))',
        downgrade='op.drop_column("account", "email")',
    )


@pytest.mark.subset
def test_the_url_is_made_of_variables(
    empty: Project, postgres_databases: Callable[[], str], run_sql: Callable[[str, str], str]
) -> None:
    empty.run("init", "migrations").expect()
    text = empty.config_file.read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("url = ")]
    empty.config_file.write_text(text.replace(line, 'url = "postgresql://${DB_USER}:${DB_PASS}@${DB_HOST}/${DB_NAME}"'))
    with_account(empty)
    url, other = postgres_databases(), postgres_databases()
    env = variables(url)

    missing = empty.run("upgrade", "head", env={name: value for name, value in env.items() if name != "DB_PASS"})
    assert missing.expect(2).stdout == ""
    assert missing.stderr.count("\n") == 1
    assert all(word in missing.stderr for word in ("url", "DB_PASS", "asyncmig.toml"))
    assert tables(url) == []

    empty.run("upgrade", "head", env=env).expect()
    assert asked(url, "SELECT id, name, settings, email FROM account ORDER BY id") == [
        (1, "ann", "{}", None),
        (2, "bo", "{}", None),
    ]
    back = empty.run("downgrade", "-1", "--yes", env=env).expect()
    assert env["DB_PASS"] not in back.stderr.replace(env["DB_USER"], "")
    assert columns(url, "account") == ["id", "name", "settings"]

    script = empty.run("upgrade", "head", "--sql", env=env).expect().stdout
    run_sql(other, script)
    empty.run("upgrade", "head", env=env).expect()
    everything = "SELECT * FROM account ORDER BY id"
    assert asked(other, everything) == asked(url, everything)
    assert asked(other, "SELECT version_num FROM asyncmig_version") == [(SECOND,)]
    assert empty.run("current", env=variables(other)).expect().stdout == f"{SECOND} (head)\n"


def test_the_url_comes_from_the_settings_of_the_application(empty: Project, postgres_url: str) -> None:
    empty.run("init", "migrations").expect()
    empty.file("shop/__init__.py", "")
    empty.file(
        "shop/settings.py",
        """
        import os
        from functools import cache

        class Settings:
            def __init__(self) -> None:
                self.database_url = os.environ["SHOP_DATABASE"]

        @cache
        def get_settings() -> Settings:
            return Settings()
        """,
    )
    empty.env(
        """
        from asyncmig import Environment
        from shop.settings import get_settings

        environment = Environment(url=get_settings().database_url)
        """
    )
    with_account(empty)
    env = {"SHOP_DATABASE": postgres_url}

    partly = empty.run("upgrade", FIRST[:4], env=env).expect()
    assert "(from migrations/env.py)" in partly.stderr
    assert rows(postgres_url, "SELECT version_num FROM asyncmig_version") == [(FIRST,)]
    assert columns(postgres_url, "account") == ["id", "name", "settings"]

    side = 'op.create_table("side", sa.Column("id", sa.Integer, primary_key=True))'
    empty.revision(SIDE, FIRST, message="side table", upgrade=side, downgrade='op.drop_table("side")')
    assert sorted(empty.run("heads").expect().stdout.splitlines()) == [f"{SECOND} (head)", f"{SIDE} (head)"]
    shown = empty.run("show", SIDE).expect().stdout
    assert (f"Parent: {FIRST}" in shown, "side table" in shown) == (True, True)

    refused = empty.run("upgrade", "head", env=env).expect(2)
    assert all(word in refused.stderr for word in (SECOND, SIDE, "heads"))
    assert rows(postgres_url, "SELECT version_num FROM asyncmig_version") == [(FIRST,)]

    merged = empty.run("merge", "heads", "-m", "join side").expect().stdout
    join = merged.split("/")[-1].split("_")[0]
    assert empty.run("heads").expect().stdout == f"{join} (head)\n"
    empty.run("upgrade", "head", env=env).expect()
    assert rows(postgres_url, "SELECT version_num FROM asyncmig_version") == [(join,)]
    assert {"account", "side"} <= set(tables(postgres_url))

    empty.run("stamp", SECOND, "--purge", env=env).expect()
    assert rows(postgres_url, "SELECT version_num FROM asyncmig_version") == [(SECOND,)]
    assert {"account", "side"} <= set(tables(postgres_url))
    empty.run("stamp", "head", env=env).expect()
    assert empty.run("current", env=env).expect().stdout == f"{join} (head)\n"
    assert rows(postgres_url, "SELECT version_num FROM asyncmig_version") == [(join,)]
