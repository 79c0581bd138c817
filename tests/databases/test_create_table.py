"""Every table of the cases, created by our statements, is the table that metadata.create_all makes."""

import sqlite3
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import servers
import sqlalchemy as sa
from schema_cases import CASES, Case

from asyncmig.dialects.registry import dialect_for
from asyncmig.operations.tables import CreateTable
from asyncmig.schema.enums import brought_types
from asyncmig.schema.metadata import from_sqlalchemy, sequence_from_sqlalchemy
from asyncmig.schema.model import Schema

SCHEMAS = ("other", "elsewhere")

PG_SNAPSHOT = """
SELECT 'column', c.relname, a.attnum::text, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
       pg_get_expr(d.adbin, d.adrelid), a.attidentity::text || a.attgenerated::text, col_description(c.oid, a.attnum)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace JOIN pg_attribute a ON attrelid = c.oid AND attnum > 0
  LEFT JOIN pg_attrdef d ON adrelid = c.oid AND adnum = attnum
 WHERE nspname !~ '^pg_(toast|catalog)|information_schema' AND relkind IN ('r', 'p')
UNION ALL
SELECT 'table', nspname, relname, relkind::text, relpersistence::text, reloptions::text, obj_description(c.oid, 'pg_class'),
       pg_get_partkeydef(c.oid), (SELECT string_agg(inhparent::regclass::text, ',') FROM pg_inherits WHERE inhrelid = c.oid)
  FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
 WHERE nspname !~ '^pg_(toast|catalog)|information_schema' AND relkind IN ('r', 'p', 'S')
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(k.oid), obj_description(k.oid, 'pg_constraint'),
       NULL, NULL, NULL, NULL
  FROM pg_constraint k JOIN pg_namespace n ON n.oid = connamespace WHERE nspname !~ '^pg_|information_schema'
UNION ALL
SELECT 'index', schemaname, tablename, indexname, indexdef, NULL, NULL, NULL, NULL FROM pg_indexes WHERE schemaname !~ '^pg_'
UNION ALL
SELECT 'sequence', schemaname, sequencename, start_value::text, increment_by::text, max_value::text, cycle::text,
       cache_size::text, data_type::text FROM pg_sequences
UNION ALL
SELECT 'enum', n.nspname, typname, string_agg(enumlabel, ',' ORDER BY enumsortorder), NULL, NULL, NULL, NULL, NULL
  FROM pg_enum JOIN pg_type t ON t.oid = enumtypid JOIN pg_namespace n ON n.oid = typnamespace GROUP BY 2, 3
ORDER BY 1, 2, 3, 4, 5
"""


def statements(name: str, metadata: sa.MetaData) -> list[str]:
    """Our DDL for all tables, each operation seeing what those before it made."""
    dialect = dialect_for(name)
    before = Schema(sequences={s.ref: s for s in map(sequence_from_sqlalchemy, _apart(metadata))})
    texts: list[str] = []
    late: list[str] = []
    for table in metadata.sorted_tables:
        value = from_sqlalchemy(table)
        for statement in dialect.statements(CreateTable(value), before):
            (late if statement.sql.startswith("ALTER TABLE") else texts).append(statement.sql)
        enums = {enum.ref: enum for enum in brought_types(value.columns)}
        before = Schema(
            tables={**before.tables, value.ref: value}, enums={**before.enums, **enums}, sequences=before.sequences
        )
    return texts + late


def _apart(metadata: sa.MetaData) -> list[sa.Sequence]:
    return [sequence for sequence in metadata._sequences.values() if sequence.column is None]


@pytest.fixture(scope="module")
def postgres(postgres_server: servers.PostgresServer) -> Iterator[tuple[Any, sa.Engine]]:
    with servers.fresh_postgres_database(postgres_server) as url:
        sync = url.replace("+asyncpg", "+psycopg")
        engine = sa.create_engine(sync)
        with engine.connect() as connection:
            for schema in SCHEMAS:
                connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
            connection.exec_driver_sql("CREATE TYPE there_kind AS ENUM ('a')")
            connection.commit()
            yield connection
        engine.dispose()


@pytest.mark.filterwarnings("ignore:Computed column")
@pytest.mark.parametrize("case", [case for case in CASES if "postgresql" in case.runs_on], ids=lambda case: case.name)
def test_postgresql_makes_the_table_of_create_all(case: Case, postgres: sa.Connection) -> None:
    def ours() -> None:
        for sequence in _apart(case.metadata()):
            postgres.execute(sa.schema.CreateSequence(sequence))
        for sql in statements("postgresql", case.metadata()):
            raw: psycopg.Connection[Any] = postgres.connection.driver_connection  # type: ignore[assignment]
            raw.execute(sql)  # type: ignore[call-overload]

    assert snapshot(postgres, ours) == snapshot(
        postgres, lambda: case.metadata().create_all(postgres, checkfirst=False)
    )


def snapshot(connection: sa.Connection, change: Callable[[], None]) -> list[tuple[Any, ...]]:
    with connection.begin() as transaction:
        change()
        found = [tuple(row) for row in connection.exec_driver_sql(PG_SNAPSHOT)]
        transaction.rollback()
    return found


@pytest.mark.parametrize("case", [case for case in CASES if "sqlite" in case.runs_on], ids=lambda case: case.name)
def test_sqlite_makes_the_table_of_create_all(case: Case) -> None:
    with memory() as ours:
        for sql in statements("sqlite", case.metadata()):
            ours.execute(sql)
        assert stored(ours) == expected(case)


def expected(case: Case) -> list[Any]:
    """What SQLAlchemy's own create_all leaves, its statements run by hand for the attached schemas' sake."""
    texts: list[str] = []
    engine = sa.create_mock_engine(
        "sqlite://", lambda sql, *_, **__: texts.append(str(sql.compile(dialect=engine.dialect)))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        case.metadata().create_all(engine, checkfirst=False)
    with memory() as theirs:
        for text in texts:
            theirs.execute(text)
        return stored(theirs)


class memory:
    def __enter__(self) -> sqlite3.Connection:
        self.connection = sqlite3.connect(":memory:")
        for schema in SCHEMAS:
            self.connection.execute(f"ATTACH ':memory:' AS {schema}")
        return self.connection

    def __exit__(self, *_: object) -> None:
        self.connection.close()


def stored(connection: sqlite3.Connection) -> list[Any]:
    names = ("sqlite_schema", "sqlite_temp_schema", *(f"{schema}.sqlite_schema" for schema in SCHEMAS))
    return [
        (n, *row)
        for n in names
        for row in sorted(connection.execute(f"SELECT name, trim(coalesce(sql, ''), char(10)) FROM {n}"))
    ]
