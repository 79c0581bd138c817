"""Every table of the cases, created by metadata.create_all, shows no difference to its models."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import servers
import sqlalchemy as sa
from schema_cases import CASES, NEW, Case
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from asyncmig.database.comparison import CompareOptions, compare
from asyncmig.database.connection import Connection

SCHEMAS = ("other", "elsewhere")
# Through asyncpg, SQLAlchemy 2.0.36 writes SERIAL for a SmallInteger key: the database really holds another type.
OF_OLD_SQLALCHEMY = () if NEW else ("Alter column small.a: type SmallInteger()",)

pytestmark = pytest.mark.filterwarnings("ignore:Computed column", "ignore:Skipped unsupported reflection")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def postgres(postgres_server: servers.PostgresServer) -> AsyncIterator[AsyncConnection]:
    with servers.fresh_postgres_database(postgres_server) as url:
        engine = create_async_engine(url)
        async with engine.connect() as connection:
            for schema in SCHEMAS:
                await connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
            await connection.exec_driver_sql("CREATE TYPE there_kind AS ENUM ('a')")
            await connection.commit()
            yield connection
        await engine.dispose()


async def differences(connection: AsyncConnection, metadata: sa.MetaData) -> tuple[list[str], tuple[str, ...]]:
    found = await compare(Connection.given(connection), [metadata], CompareOptions())
    return [operation.describe() for operation in found.operations], found.uncertain


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", [case for case in CASES if "postgresql" in case.runs_on], ids=lambda case: case.name)
async def test_postgresql_shows_no_difference_to_create_all(case: Case, postgres: AsyncConnection) -> None:
    transaction = await postgres.begin()
    try:
        await postgres.run_sync(case.metadata().create_all)
        told, uncertain = await differences(postgres, case.metadata())
        assert [text for text in told if "there_kind" not in text and text not in OF_OLD_SQLALCHEMY] == []
        assert uncertain == ()
    finally:
        await transaction.rollback()


@pytest.mark.parametrize("case", [case for case in CASES if "sqlite" in case.runs_on], ids=lambda case: case.name)
async def test_sqlite_shows_no_difference_to_create_all(case: Case, tmp_path: Path) -> None:
    engine = create_async_engine(servers.sqlite_url(tmp_path / "main.db"))
    try:
        async with engine.connect() as connection:
            for schema in SCHEMAS:
                await connection.exec_driver_sql(f"ATTACH '{tmp_path / schema}.db' AS {schema}")
            await connection.run_sync(case.metadata().create_all)
            assert await differences(connection, case.metadata()) == ([], ())
    finally:
        await engine.dispose()
