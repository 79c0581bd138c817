"""What an operation does to a database is what its `apply` says: two databases, told by SQLAlchemy's inspector.

One is made by the tables before and the operation, the other by the tables that `apply` computed.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import servers
import sqlalchemy as sa
from both_tools import carry_out, recorded, reflected, sqlite_database
from directive_cases import COMMON, POSTGRESQL, SETUP, SQLITE
from projects import Project

from asyncmig.dialects.registry import dialect_for
from asyncmig.operations.recorder import replay
from asyncmig.operations.schemas import CreateSchema
from asyncmig.operations.tables import CreateTable
from asyncmig.schema.model import Schema

# What free SQL and rows do to a schema is not known; CONCURRENTLY is not for a transaction that is rolled back.
OUTSIDE = ("op.execute(", "op.get_bind(", "op.bulk_insert(", "concurrently", "TEMPORARY", "postgresql_partition_by")
# Only in CREATE TABLE is an integer key a SERIAL; a converted default keeps its old cast; NOT VALID is ALTER TABLE's.
POSTGRESQL_OUTSIDE = (
    "'s'",
    "s.o",
    "primary_key=True)",
    "create_primary_key",
    "t_pkey",
    "'a', type_=sa.Text",
    "not_valid",
)
# What the inspector cannot read: names and options inside a column's definition, one of two equal foreign keys,
# the expressions of an index. A key of ADD COLUMN counts on SQLite only.
SQLITE_OUTSIDE = (
    "text('now()')",
    "sa.ForeignKey('o.id', ",
    "fk_n",
    "primary_key=True))",
    "['b'], ['id']",
    "lower(a",
    "func.lower(sa.column",
)


def cases(codes: list[str], outside: tuple[str, ...]) -> list[str]:
    return [code for code in codes if not any(word in code for word in (*OUTSIDE, *outside))]


def one_line(value: object) -> str:
    return " ".join(str(value).split())


@pytest.fixture(scope="module")
def postgres_engine(postgres_server: servers.PostgresServer) -> Iterator[sa.Engine]:
    with servers.fresh_postgres_database(postgres_server) as url:
        engine = sa.create_engine(url.replace("+asyncpg", "+psycopg"))
        yield engine
        engine.dispose()


def done(connection: sa.Connection, code: str) -> dict[str, Any] | str:
    """The database after SETUP and the call; the error, where the database does not accept it."""
    dialect = dialect_for(connection.dialect.name)
    for item in recorded(SETUP, dialect):
        carry_out(connection, item.operation)
    try:
        for item in recorded(code, dialect):
            carry_out(connection, item.operation)
    except Exception as error:
        return f"error: {error}"
    return reflected(connection)


def computed(connection: sa.Connection, code: str) -> dict[str, Any]:
    """A database of the tables that the operations' `apply` computed."""
    dialect = dialect_for(connection.dialect.name)
    operations = [item.operation for text in (SETUP, code) for item in recorded(text, dialect)]
    schema: Schema = replay(operations)
    for name in sorted(schema.schemas):
        carry_out(connection, CreateSchema(name))
    for table in schema.tables.values():
        carry_out(connection, CreateTable(table))
    return reflected(connection)


def unordered(found: dict[str, Any]) -> dict[str, Any]:
    return {name: {**parts, "columns": sorted(parts["columns"])} for name, parts in found.items()}


@pytest.mark.parametrize("code", cases([*COMMON, *POSTGRESQL], POSTGRESQL_OUTSIDE), ids=one_line)
def test_postgresql_is_what_apply_computed(postgres_engine: sa.Engine, code: str) -> None:
    with postgres_engine.connect() as connection:
        transaction = connection.begin()
        ran = done(connection, code)
        transaction.rollback()
        if isinstance(ran, str):
            return
        transaction = connection.begin()
        wanted = computed(connection, code)
        transaction.rollback()
    assert unordered(ran) == unordered(wanted)


@pytest.mark.parametrize("code", cases([*COMMON, *SQLITE], SQLITE_OUTSIDE), ids=one_line)
def test_sqlite_is_what_apply_computed(code: str) -> None:
    with sqlite_database() as connection:
        ran = done(connection, code)
    if isinstance(ran, str):
        return
    with sqlite_database() as connection:
        assert ran == computed(connection, code)


SCRIPTS = [
    'op.add_column("t", sa.Column("n", sa.Integer, sa.ForeignKey("o.id"), index=True))',
    'op.alter_column("t", "a", type_=sa.Text(), nullable=False, new_column_name="z")',
    'with op.batch_alter_table("t") as b:\n    b.drop_constraint("fk_b")\n    b.drop_column("b")',
    'op.drop_column("t", "Mixed")\nop.create_unique_constraint("uq_a", "t", ["a"])\nop.rename_table("bare", "naked")',
]


@pytest.mark.subset
@pytest.mark.parametrize("code", SCRIPTS)
async def test_executing_a_recording_is_running_the_script(
    project: Project, databases: Any, database_kind: str, code: str
) -> None:
    """Live, an operation after the other; recorded, all at once and spelled afterwards."""
    live, later = databases(), databases()
    body = f"{SETUP}\n{code}"
    project.config(url=live).revision("a1", upgrade=body)
    await project.migrator().upgrade("head")
    dialect = dialect_for(database_kind)
    engine = sa.create_engine(_sync(later))
    with engine.begin() as connection:
        for item in recorded(body, dialect):
            carry_out(connection, item.operation)
    assert _read(engine) == _read(sa.create_engine(_sync(live)))


def _sync(url: str) -> str:
    return url.replace("+asyncpg", "+psycopg").replace("+aiosqlite", "")


def _read(engine: sa.Engine) -> dict[str, Any]:
    with engine.connect() as connection:
        found = {name: parts for name, parts in reflected(connection).items() if "asyncmig" not in name}
    engine.dispose()
    return found
