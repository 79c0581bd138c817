"""The raw driver doing what `upgrade` does: a table a transaction, and the version row with it.

python -m benchmarks.driver URL_FILE SIZE
"""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

VERSIONS = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)"


async def on_postgres(url: str, size: int) -> None:
    import asyncpg

    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute(VERSIONS)
    for statement, version, parameters in steps(size, "$1", "$2"):
        async with connection.transaction():
            await connection.execute(statement)
            await connection.execute(version, *parameters)
    await connection.close()


async def on_sqlite(url: str, size: int) -> None:
    import aiosqlite

    async with aiosqlite.connect(url.partition(":///")[2], isolation_level=None) as connection:
        await connection.execute(VERSIONS)
        for statement, version, parameters in steps(size, "?", "?"):
            await connection.execute("BEGIN IMMEDIATE")
            await connection.execute(statement)
            await connection.execute(version, parameters)
            await connection.execute("COMMIT")


def steps(size: int, first: str, second: str) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """The statement of each revision, that of its version row, and the parameters of the latter."""
    for number in range(size):
        table = f"CREATE TABLE table{number} (id INTEGER NOT NULL, name VARCHAR(50), PRIMARY KEY (id))"
        if number == 0:
            yield table, f"INSERT INTO alembic_version VALUES ({first})", ("0",)
        else:
            update = f"UPDATE alembic_version SET version_num = {first} WHERE version_num = {second}"
            yield table, update, (str(number), str(number - 1))


if __name__ == "__main__":
    target, count = Path(sys.argv[1]).read_text(), int(sys.argv[2])
    asyncio.run((on_postgres if target.startswith("postgres") else on_sqlite)(target, count))
