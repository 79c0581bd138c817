"""Many databases: 200 SQLite files and 100 PostgreSQL schemas, 20 revisions each; Alembic one by one, the raw driver as many at once.

    python -m benchmarks.fleet [--files 200] [--schemas 100] [--revisions 20] [--concurrency 16] [--rounds 3] [--linear]

Each contender is a process of its own that measures its work, not its imports. Alembic runs in one process, one target
after the other, as its API allows. The raw driver (aiosqlite, asyncpg) works on as many targets at once as asyncmig, and knows its
statements beforehand: it makes the version table and then, a transaction a revision, sends BEGIN (on SQLite BEGIN IMMEDIATE),
CREATE TABLE, the change of the version row and COMMIT, one after the other, as programs do. "with journal" is the same driver that also makes
asyncmig's journal and writes its row in each transaction: all that asyncmig stores, and so the fair one. Neither locks, looks where
the database stands, or compares. Durability is the database's default for all: SQLite's rollback journal with synchronous = FULL,
here on the disk of the temporary folder; PostgreSQL without fsync, as in the tests, on connections that are kept.

--linear: 250 to 1,000 schemas and 125 to 500 files, asyncmig alone.
"""

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.driver import VERSIONS, steps
from benchmarks.journal import journal_row, journal_table
from benchmarks.shapes import line
from benchmarks.tools import both, machine

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
import servers

ROOT = Path(__file__).parents[1]
BODY = 'op.create_table("table{number}", sa.Column("id", sa.Integer, primary_key=True, autoincrement=False), sa.Column("name", sa.String(50)))'
GOAL = "at most 1.5 times the driver, a fourth of Alembic"
ALEMBIC_ENV = """
import asyncio
from alembic import context
from sqlalchemy import pool, text
from sqlalchemy.ext.asyncio import create_async_engine

url, schema = context.config.attributes["url"], context.config.attributes["schema"]


def run(connection):
    if schema:
        connection.execute(text(f'SET search_path TO "{schema}"'))
        connection.commit()
    context.configure(connection=connection, version_table_schema=schema, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


async def main():
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(run)
    await engine.dispose()


asyncio.run(main())
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--schemas", type=int, default=100)
    parser.add_argument("--revisions", type=int, default=20)
    parser.add_argument("--concurrency", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--linear", action="store_true")
    parser.add_argument("--work", nargs=2, metavar=("CONTENDER", "FOLDER"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        _work(*options.work)
        return
    print(f"{machine()}; {options.revisions} revisions, {options.concurrency} at once\n")
    with servers.running_server(settings={"max_connections": "100", "max_locks_per_transaction": "256"}) as server:
        for text in (_linear if options.linear else _compared)(options, server):
            print(text, flush=True)


# -- the tables -------------------------------------------------------------------------------------------------------


def _compared(options: argparse.Namespace, server: servers.PostgresServer) -> Iterator[str]:
    yield "| | Alembic | driver | with journal | asyncmig | to the driver | to that with journal | to Alembic | CPU driver | CPU with journal | CPU asyncmig | goal |"
    yield "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|"
    for kind, count in (("files", options.files), ("schemas", options.schemas)):
        costs: dict[str, list[dict[str, float]]] = {"alembic": [], "driver": [], "journal": [], "asyncmig": []}
        for _ in range(options.rounds if count else 0):
            for contender, found in costs.items():
                found.append(_measured(options, server, kind, count, contender))
        if count:
            wall = {name: statistics.median(one["wall"] for one in found) for name, found in costs.items()}
            cpu = {name: statistics.median(one["cpu"] for one in found) for name, found in costs.items()}
            yield (
                f"| {count} {kind} | {wall['alembic']:.1f} s | {wall['driver']:.1f} s | {wall['journal']:.1f} s "
                f"| {wall['asyncmig']:.1f} s | {wall['asyncmig'] / wall['driver']:.2f} "
                f"| {wall['asyncmig'] / wall['journal']:.2f} | 1/{wall['alembic'] / wall['asyncmig']:.1f} "
                f"| {cpu['driver']:.1f} s | {cpu['journal']:.1f} s | {cpu['asyncmig']:.1f} s | {GOAL} |"
            )


def _linear(options: argparse.Namespace, server: servers.PostgresServer) -> Iterator[str]:
    yield "| | targets | asyncmig | a target | CPU a target | MB |"
    yield "|---|---:|---:|---:|---:|---:|"
    for kind, most in (("files", options.files), ("schemas", options.schemas)):
        largest = most if most not in (200, 100) else {"files": 500, "schemas": 1_000}[kind]
        for count in (largest // 4, largest // 2, largest):
            cost = _measured(options, server, kind, count, "asyncmig")
            each, cpu = (cost[what] / count * 1000 for what in ("wall", "cpu"))
            yield f"| {kind} | {count:,} | {cost['wall']:.1f} s | {each:.1f} ms | {cpu:.1f} ms | {cost['memory']:.0f} |"


def _measured(
    options: argparse.Namespace, server: servers.PostgresServer, kind: str, count: int, contender: str
) -> dict[str, float]:
    """One run over fresh targets, checked afterwards."""
    with tempfile.TemporaryDirectory() as name, servers.fresh_postgres_database(server) as url:
        folder = Path(name)
        if kind == "files":
            targets = [[f"sqlite+aiosqlite:///{folder}/{number}.db", None] for number in range(count)]
        else:
            targets = [[url, f"tenant{number}"] for number in range(count)]
            servers.execute(url, *(f"CREATE SCHEMA {schema}" for _, schema in targets))
        theirs, ours = both(folder, line(options.revisions), url, body=BODY)
        (theirs.folder / "migrations" / "env.py").write_text(ALEMBIC_ENV)
        job = {
            "targets": targets,
            "revisions": options.revisions,
            "concurrency": options.concurrency,
            "folder": str(ours.folder if contender == "asyncmig" else theirs.folder),
        }
        (folder / "job.json").write_text(json.dumps(job))
        command = [sys.executable, "-m", "benchmarks.fleet", "--work", contender, str(folder)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SystemExit(f"{contender}: {done.stdout}{done.stderr}")
        for target, schema in (targets[0], targets[-1]):
            made = [table for table in servers.tables(target, schema or "public") if table.startswith("table")]
            if len(made) != options.revisions:
                raise SystemExit(f"{contender}: {len(made)} tables, expected {options.revisions}")
        cost: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
        return cost


# -- the contenders, each in a process of its own ---------------------------------------------------------------------


def _work(contender: str, folder: str) -> None:
    job = json.loads((Path(folder) / "job.json").read_text())
    make = {"alembic": _alembic, "driver": _driver, "journal": partial(_driver, journal=True), "asyncmig": _asyncmig}
    run = make[contender](job)
    wall, cpu = time.perf_counter(), time.process_time()
    run()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024 * 1024)
    print(json.dumps({"wall": wall, "cpu": cpu, "memory": memory}))


def _alembic(job: dict[str, object]) -> Callable[[], None]:
    from alembic import command
    from alembic.config import Config

    folder = Path(str(job["folder"]))
    os.chdir(folder)

    def run() -> None:
        for url, schema in job["targets"]:  # type: ignore[attr-defined]
            config = Config(str(folder / "alembic.ini"), attributes={"url": url, "schema": schema})
            command.upgrade(config, "head")

    return run


def _asyncmig(job: dict[str, object]) -> Callable[[], None]:
    from asyncmig import Migrator
    from asyncmig.database.loading import load_aside, load_basis, needed_for_work, needed_to_connect
    from asyncmig.fleet import Target
    from asyncmig.url import normalize_url

    url = normalize_url(job["targets"][0][0])  # type: ignore[index]
    asyncio.run(load_basis())
    asyncio.run(load_aside(*needed_to_connect(url), *needed_for_work(url.get_backend_name())))
    migrator = Migrator(Path(str(job["folder"])) / "asyncmig.toml")
    targets = [
        Target(None if schema else normalize_url(url), schema)
        for url, schema in job["targets"]  # type: ignore[attr-defined]
    ]
    return lambda: asyncio.run(migrator.fleet(targets, concurrency=job["concurrency"]).upgrade()) and None


def _driver(job: dict[str, object], *, journal: bool = False) -> Callable[[], None]:
    revisions, targets = int(str(job["revisions"])), list(job["targets"])  # type: ignore[call-overload]
    return lambda: asyncio.run(_as_many_at_once(targets, revisions, int(str(job["concurrency"])), journal))


async def _as_many_at_once(
    targets: list[tuple[str, str | None]], revisions: int, concurrency: int, journal: bool
) -> None:
    async def worker() -> None:
        while targets:
            url, schema = targets.pop(0)
            if schema is None:
                await _file(url, revisions, journal)
            else:
                await _schema(pool, schema, revisions, journal)

    async def workers() -> None:
        await asyncio.gather(*(worker() for _ in range(concurrency)))

    url, schema = targets[0]
    if schema is None:
        await workers()
        return
    import asyncpg

    async with asyncpg.create_pool(url.replace("+asyncpg", ""), min_size=1, max_size=concurrency) as pool:
        await workers()


async def _file(url: str, revisions: int, journal: bool) -> None:
    import aiosqlite

    async with aiosqlite.connect(url.partition(":///")[2], isolation_level=None) as connection:
        await connection.execute(VERSIONS)
        row = journal_row("sqlite") if journal else None
        if journal:
            await connection.execute(journal_table("sqlite"))
        await _steps(connection.execute, ("BEGIN IMMEDIATE", "COMMIT"), ("?", "?"), revisions, row, packed=True)


async def _schema(pool: object, schema: str, revisions: int, journal: bool) -> None:
    async with pool.acquire() as connection:  # type: ignore[attr-defined]
        await connection.execute(f'SET search_path TO "{schema}"')
        await connection.execute(VERSIONS)
        row = journal_row("postgresql") if journal else None
        if journal:
            await connection.execute(journal_table("postgresql"))
        await _steps(connection.execute, ("BEGIN", "COMMIT"), ("$1", "$2"), revisions, row, packed=False)


async def _steps(
    execute: Callable[..., Awaitable[object]],
    ends: tuple[str, str],
    marks: tuple[str, str],
    revisions: int,
    row: str | None,
    *,
    packed: bool,
) -> None:
    for statement, version, parameters in steps(revisions, *marks):
        await execute(ends[0])
        await execute(statement)
        await (execute(version, parameters) if packed else execute(version, *parameters))
        if row is not None:
            await execute(row)
        await execute(ends[1])


if __name__ == "__main__":
    main()
