"""The same call through Alembic and through asyncmig leaves databases that SQLAlchemy's inspector calls equal."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import servers
import sqlalchemy as sa
from both_tools import reflected, set_up, sqlite_database, through_alembic, through_asyncmig
from directive_cases import COMMON, CONVENTION, CONVENTIONAL, POSTGRESQL, SQLITE

pytest.importorskip("alembic")

Reflected = dict[str, Any]

OUTSIDE = ("concurrently",)  # not in a transaction, which these tests roll back
ERROR = "error"

MENDED = {
    "postgresql": [
        "op.bulk_insert(*inline_literal*",  # a literal among parameters
        "op.create_unique_constraint(*postgresql_include=*",
        "op.create_unique_constraint(*comment='said')",  # the comment is kept
        "op.add_column(*name='fk_n')), inline_references=True)",  # the name is kept
        "op.alter_column(*sa.Identity(), existing_server_default=sa.text(*nextval*",  # a SERIAL becomes an identity
    ],
    "sqlite": [
        "op.add_column('t', sa.Column('n', sa.*create_constraint=True*",  # the CHECK is kept
        "op.add_column('bare', sa.Column('n', sa.Integer, primary_key=True))",  # a key, not only NOT NULL
        "with op.batch_alter_table('t', recreate='always')*index=True*",  # one index, not two
        "with op.batch_alter_table('bare'*create_primary_key*",  # the columns of a key become NOT NULL
        "op.add_column(*text('now()')*",  # refused: SQLite has no such function, and would fail at the first row
    ],
}
"""Calls that fail with Alembic and not here, or end otherwise on purpose: docs/coming-from-alembic.md says why."""


def one_line(value: object) -> str:
    return " ".join(str(value).split())


def is_mended(database: str, code: str) -> bool:
    return any(re.fullmatch(re.escape(mended).replace(r"\*", ".*"), one_line(code)) for mended in MENDED[database])


def compare(database: str, code: str, theirs: Reflected | str, ours: Reflected | str) -> None:
    if is_mended(database, code):
        assert ours != theirs
    elif isinstance(theirs, str):
        assert isinstance(ours, str), f"Alembic: {theirs}"
    else:
        assert ours == theirs


@pytest.fixture(scope="module")
def postgres_engine(postgres_server: servers.PostgresServer) -> Iterator[sa.Engine]:
    with servers.fresh_postgres_database(postgres_server) as url:
        engine = sa.create_engine(url.replace("+asyncpg", "+psycopg"))
        with engine.begin() as connection:
            set_up(connection)
        yield engine
        engine.dispose()


def on_postgresql(engine: sa.Engine, run: Any, code: str, convention: Any) -> Reflected | str:
    with engine.connect() as connection:
        transaction = connection.begin()  # else Alembic's batch mode begins and commits one of its own
        try:
            run(connection, code, convention)
            return reflected(connection)
        except Exception as error:
            return f"{ERROR}: {error}"
        finally:
            transaction.rollback()


def on_sqlite(run: Any, code: str, convention: Any) -> Reflected | str:
    with sqlite_database() as connection:
        set_up(connection)
        try:
            run(connection, code, convention)
            return reflected(connection)
        except Exception as error:
            return f"{ERROR}: {error}"


@pytest.mark.parametrize("code", [c for c in [*COMMON, *POSTGRESQL] if not any(o in c for o in OUTSIDE)], ids=one_line)
def test_postgresql_ends_the_same(postgres_engine: sa.Engine, code: str) -> None:
    theirs = on_postgresql(postgres_engine, through_alembic, code, None)
    ours = on_postgresql(postgres_engine, through_asyncmig, code, None)
    compare("postgresql", code, theirs, ours)


@pytest.mark.parametrize("code", CONVENTIONAL, ids=one_line)
def test_postgresql_ends_the_same_with_a_convention(postgres_engine: sa.Engine, code: str) -> None:
    theirs = on_postgresql(postgres_engine, through_alembic, code, CONVENTION)
    ours = on_postgresql(postgres_engine, through_asyncmig, code, CONVENTION)
    compare("postgresql", code, theirs, ours)


@pytest.mark.parametrize("code", [*COMMON, *SQLITE], ids=one_line)
def test_sqlite_ends_the_same(code: str) -> None:
    theirs, ours = on_sqlite(through_alembic, code, None), on_sqlite(through_asyncmig, code, None)
    if not isinstance(theirs, str):  # most of what SQLite's ALTER TABLE lacks
        compare("sqlite", code, theirs, ours)
