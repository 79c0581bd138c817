"""What comparing models with a database costs: 100, 1,000 and 3,000 tables, no change and 10 changes.

    python -m benchmarks.autogenerate [--sizes 100,1000,3000] [--rounds 3]

A table has 10 columns, 2 indexes, a foreign key and a unique constraint, four columns have server defaults. Each
contender is a process of its own that imports the models, connects and compares. Importing the models and connecting is
measured as a third process, and taken off both: what is left is the tools' own work. asyncmig compares server defaults; Alembic
does as it does unless it is told to.
"""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.measure import Command, Cost, medians
from benchmarks.table import Row, table
from benchmarks.tools import machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

ROOT = Path(__file__).parents[1]
GOALS = {"sqlite": "CPU 1/25, MB 0.60", "postgresql": "CPU 1/10, MB 0.60"}


def models(size: int, changes: int = 0) -> Any:
    """The metadata; the first `changes` tables have a column of another type."""
    import sqlalchemy as sa

    metadata = sa.MetaData()
    for number in range(size):
        changed = number < changes
        made = sa.Table(
            f"table{number}",
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("parent_id", sa.ForeignKey(f"table{max(number - 1, 0)}.id")),
            sa.Column(f"name{number}", sa.String(50), nullable=False),
            sa.Column("code", sa.String(20), server_default="x"),
            sa.Column(f"amount{number}", sa.Numeric(10, 2)),
            sa.Column("created", sa.DateTime(timezone=True), server_default=sa.func.now()),
            sa.Column("active", sa.Boolean, nullable=False, server_default=sa.true()),
            sa.Column("note", sa.String(70) if changed else sa.Text),
            sa.Column("rank", sa.BigInteger, server_default="0"),
            sa.Column(f"kind{number}", sa.Integer),
            sa.UniqueConstraint("code", "rank", name=f"uq_{number}_code"),
        )
        sa.Index(f"ix_{number}_name", made.c[f"name{number}"])
        sa.Index(f"ix_{number}_rank", made.c.rank, made.c[f"kind{number}"])
    return metadata


async def _create(url: str, size: int) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url)
    async with engine.connect() as connection:
        # A transaction each on PostgreSQL: locks on thousands of tables do not fit into one.
        if connection.dialect.name == "postgresql":
            await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.run_sync(models(size).create_all)
        await connection.commit()
    await engine.dispose()


def _work(contender: str, url: str, size: int, changes: int) -> None:
    """The measured process; or the one before, whose memory must not be this one's: a child begins with its parent's peak."""
    if contender == "create":
        asyncio.run(_create(url, size))
        return
    metadata = models(size, changes)
    if contender == "models":
        asyncio.run(_connect(url))
        return
    found = asyncio.run((_alembic if contender == "alembic" else _asyncmig)(url, metadata))
    if found != changes:
        raise SystemExit(f"{contender} found {found} differences, not {changes}")


async def _connect(url: str) -> None:
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url)
    async with engine.connect():
        pass
    await engine.dispose()


async def _asyncmig(url: str, metadata: Any) -> int:
    from sqlalchemy.ext.asyncio import create_async_engine

    from asyncmig.database.comparison import compare
    from asyncmig.database.connection import Connection

    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = await compare(Connection.given(connection), [metadata])
    await engine.dispose()
    return len(found.operations)


async def _alembic(url: str, metadata: Any) -> int:
    from alembic.autogenerate import compare_metadata
    from alembic.runtime.migration import MigrationContext
    from sqlalchemy.ext.asyncio import create_async_engine

    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(lambda c: compare_metadata(MigrationContext.configure(c), metadata))
    await engine.dispose()
    return len(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="100,1000,3000")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        contender, url, size, changes = options.work
        _work(contender, url, int(size), int(changes))
        return
    sizes = [int(size) for size in options.sizes.split(",")]
    print(
        f"{machine()}; median of {options.rounds} rounds, less the cost of importing the models; MB are the whole process\n"
    )
    print(table(_rows(sizes, options.rounds), memory=True))


def _rows(sizes: list[int], rounds: int) -> Iterator[Row]:
    import servers

    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            yield from _cases("SQLite", f"sqlite+aiosqlite:///{folder}/test.db", size, rounds)
    with servers.running_server() as server:
        for size in sizes:
            with servers.fresh_postgres_database(server) as url:
                yield from _cases(f"PostgreSQL {server.version}", url, size, rounds)


def _cases(title: str, url: str, size: int, rounds: int) -> Iterator[Row]:
    def work(name: str, changes: int) -> Command:
        arguments = ["-m", "benchmarks.autogenerate", "--work", name, url, str(size), str(changes)]
        return Command([sys.executable, *arguments], ROOT)

    work("create", 0).cost()
    for changes in (0, 10):
        contenders = {name: work(name, changes) for name in ("models", "alembic", "asyncmig")}
        costs = medians(contenders, rounds=rounds, budget=120)
        own = {name: _less(costs[name], costs["models"]) for name in ("alembic", "asyncmig")}
        yield Row(f"{title}, {size:,} tables, {changes or 'no'} changes", own, GOALS[url.partition("+")[0]])


def _less(cost: Cost, models_alone: Cost) -> Cost:
    return replace(cost, cpu=cost.cpu - models_alone.cpu, wall=cost.wall - models_alone.wall)


if __name__ == "__main__":
    main()
