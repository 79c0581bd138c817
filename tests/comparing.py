"""A database and models, compared: what the tests of reading share.

connected(url, *statements)    a connection to a database in which the statements were run
compared(connection, metadata) the comparison, with options as keywords
told(comparison)               its operations as sentences
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from asyncmig.database.comparison import CompareOptions, Comparison, compare
from asyncmig.database.connection import Connection


@asynccontextmanager
async def connected(url: str, *statements: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            for statement in statements:
                await connection.exec_driver_sql(statement)
            await connection.commit()
            yield connection
    finally:
        await engine.dispose()


async def compared(connection: AsyncConnection, metadata: sa.MetaData, **options: Any) -> Comparison:
    return await compare(Connection.given(connection), [metadata], CompareOptions(**options))


def told(comparison: Comparison) -> list[str]:
    return [operation.describe() for operation in comparison.operations]
