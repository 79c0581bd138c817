"""Random stories in real databases: what is there afterwards is what `apply` computed, however the story was told.

Read back by asyncmig's own reader and compared as autogenerate compares, so the database itself says which texts are the
same.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from types import ModuleType
from typing import Any

import pytest
import servers
import sqlalchemy as sa
from both_tools import carry_out
from hypothesis import HealthCheck, given, note, settings
from projects import Project
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from stories import Story, stories

from asyncmig.database.comparison import compare_schemas
from asyncmig.database.connection import Connection
from asyncmig.database.reading import read_schema
from asyncmig.dialects.holding import held
from asyncmig.dialects.reading import Scope
from asyncmig.errors import UnsupportedOperation
from asyncmig.operations.base import Operation
from asyncmig.operations.recorder import replay
from asyncmig.operations.reduce import reduced
from asyncmig.operations.sink import running_sink
from asyncmig.schema.model import Schema

ALL = Scope(
    skipped=frozenset({"asyncmig_version", "asyncmig_version_journal"}),
    objects=frozenset({"view", "trigger", "policy", "function", "extension"}),
)


def soak(rounds: int) -> Any:
    return pytest.param(rounds, marks=pytest.mark.soak)


class Databases:
    """One connection of each kind, on a loop of its own; whatever a story does is rolled back."""

    def __init__(self, postgres_url: str) -> None:
        self.runner = asyncio.Runner()
        self.engines = {
            "postgresql": create_async_engine(postgres_url),
            "sqlite": create_async_engine("sqlite+aiosqlite://", poolclass=sa.pool.StaticPool),
        }

        @sa.event.listens_for(self.engines["sqlite"].sync_engine, "connect")
        def no_implicit_transactions(connection: Any, record: object) -> None:
            connection.isolation_level = None

    def close(self) -> None:
        for engine in self.engines.values():
            self.runner.run(engine.dispose())
        self.runner.close()

    def told(self, kind: str, operations: Sequence[Operation]) -> tuple[list[Operation], Schema, list[Operation]]:
        """The operations that the database accepted, what is there then, and what that lacks of what `apply` says."""
        return self.runner.run(_told(self.engines[kind], operations))

    def left(self, kind: str, operations: Sequence[Operation], wanted: Schema) -> list[Operation]:
        """What is still to do to get from what the operations have made to `wanted`."""
        return self.runner.run(_left(self.engines[kind], operations, wanted))


async def _told(
    engine: AsyncEngine, operations: Sequence[Operation]
) -> tuple[list[Operation], Schema, list[Operation]]:
    async with _rolled_back(engine) as connection:
        done = await connection.run_sync(_carried_out, operations)
        found = await connection.run_sync(read_schema, ALL)
        return done, found, await _missing(connection, found, held(replay(done), engine.dialect.name))


async def _left(engine: AsyncEngine, operations: Sequence[Operation], wanted: Schema) -> list[Operation]:
    async with _rolled_back(engine) as connection:
        for operation in operations:
            await connection.run_sync(carry_out, operation)
        return await _missing(connection, await connection.run_sync(read_schema, ALL), wanted)


class _rolled_back:
    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine

    async def __aenter__(self) -> AsyncConnection:
        self.connection = await self.engine.connect()
        if self.engine.dialect.name == "sqlite":
            await self.connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            await self.connection.begin()
        return self.connection

    async def __aexit__(self, *_: object) -> None:
        if self.engine.dialect.name == "sqlite":
            await self.connection.exec_driver_sql("ROLLBACK")
        await self.connection.close()


def _carried_out(connection: sa.Connection, operations: Sequence[Operation]) -> list[Operation]:
    """Those that the database has: SQLite has no sequences, say. It accepts all of them."""
    done = []
    for operation in operations:
        connection.exec_driver_sql("SAVEPOINT one")
        try:
            carry_out(connection, operation)
            done.append(operation)
        except UnsupportedOperation as error:
            assert " has no " in str(error)
            connection.exec_driver_sql("ROLLBACK TO SAVEPOINT one")
        connection.exec_driver_sql("RELEASE SAVEPOINT one")
    return done


async def _missing(connection: AsyncConnection, current: Schema, wanted: Schema) -> list[Operation]:
    comparison = await compare_schemas(Connection.given(connection), current, wanted)
    assert comparison.uncertain == ()
    return list(comparison.operations)


@pytest.fixture(scope="module")
def both(postgres_server: servers.PostgresServer) -> Iterator[Databases]:
    with servers.fresh_postgres_database(postgres_server) as url:
        found = Databases(url)
        yield found
        found.close()


@pytest.mark.parametrize("rounds", [15, soak(300)])
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_database_is_what_apply_computed(both: Databases, kind: str, rounds: int) -> None:
    @settings(max_examples=rounds, suppress_health_check=list(HealthCheck))
    @given(stories(whole=True, kind=kind))
    def law(story: Story) -> None:
        note("\n".join(operation.describe() for operation in story.operations))
        done, found, missing = both.told(kind, story.operations)
        assert missing == []
        short = reduced(done)
        note("in short:\n" + "\n".join(operation.describe() for operation in short))
        assert both.left(kind, short, found) == []

    law()


SCRIPT = """
import told

revision = "a1"
down_revision = None


def upgrade():
    for operation in told.OPERATIONS:
        told.emit(operation)
"""


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module from which a script takes its operations."""
    module: Any = ModuleType("told")
    module.emit = lambda operation: running_sink().emit(operation, None)
    monkeypatch.setitem(sys.modules, "told", module)
    return module


@pytest.mark.parametrize("rounds", [3, soak(40)])
def test_executing_a_recording_is_running_it_live(
    both: Databases,
    told: Any,
    database_kind: str,
    databases: Callable[[], str],
    run_sql: Callable[[str, str], str],
    project: Project,
    rounds: int,
) -> None:
    """Live by the runner, an operation after the other; recorded, written down whole by --sql and run as that text."""
    (project.versions / "a1_told.py").write_text(SCRIPT, encoding="utf-8")

    async def ran(live: str) -> tuple[Schema, str]:
        project.config(url=live)
        async with project.migrator() as migrator:
            await migrator.upgrade("head")
            text = (await migrator.upgrade("a1", sql=True)).sql or ""
        return await _read(live), text

    @settings(max_examples=rounds, suppress_health_check=list(HealthCheck))
    @given(stories(whole=True, kind=database_kind))
    def law(story: Story) -> None:
        told.OPERATIONS = both.told(database_kind, story.operations)[0]
        note("\n".join(operation.describe() for operation in told.OPERATIONS))
        live, text = both.runner.run(ran(databases()))
        later = databases()
        run_sql(later, text)
        assert both.runner.run(_read_and_compared(later, live)) == []

    law()


async def _read(url: str) -> Schema:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = await connection.run_sync(read_schema, ALL)
    await engine.dispose()
    return found


async def _read_and_compared(url: str, wanted: Schema) -> list[Operation]:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        missing = await _missing(connection, await connection.run_sync(read_schema, ALL), wanted)
    await engine.dispose()
    return missing
