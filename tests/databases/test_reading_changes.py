"""The fixpoint on real databases: from A to B and nothing is left to do, and back again.

The operations run as a revision of a project, through the runner.
"""

import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
import sqlalchemy as sa
from change_cases import CHANGES, Change
from projects import Project
from schema_cases import wherever
from sqlalchemy.ext.asyncio import create_async_engine

from asyncmig.database.comparison import CompareOptions, Comparison, compare
from asyncmig.database.connection import Connection

SCRIPT = '''
"""what was found"""
import found_operations
from asyncmig.operations.sink import running_sink

revision = "aaaaaaaaaaaa"
down_revision = None


def upgrade():
    for operation in found_operations.UP:
        running_sink().emit(operation, None)


def downgrade():
    for operation in found_operations.DOWN:
        running_sink().emit(operation, None)
'''
SKIPPED = CompareOptions(skipped=frozenset({"asyncmig_version", "asyncmig_version_journal"}))


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    module: Any = ModuleType("found_operations")
    monkeypatch.setitem(sys.modules, "found_operations", module)
    yield module


async def create(url: str, metadata: sa.MetaData) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(metadata.create_all)
    await engine.dispose()


async def compared(url: str, metadata: sa.MetaData) -> Comparison:
    engine = create_async_engine(url)
    try:
        async with engine.connect() as connection:
            return await compare(Connection.given(connection), [metadata], SKIPPED)
    finally:
        await engine.dispose()


def sentences(comparison: Comparison) -> list[str]:
    return [operation.describe() for operation in comparison.operations]


@pytest.mark.parametrize(("database_kind", "change"), wherever(CHANGES))
async def test_a_change_is_seen_made_and_undone(
    change: Change, database_url: str, project: Project, found: Any
) -> None:
    before, after = change.metadata(change.before), change.metadata(change.after)
    await create(database_url, before)
    comparison = await compared(database_url, after)
    told = sentences(comparison)
    for text in change.told:
        assert any(text in sentence for sentence in told), told
    assert comparison.uncertain == ()

    found.UP = comparison.operations
    found.DOWN = comparison.back
    project.config(url=database_url).file("migrations/versions/aaaaaaaaaaaa_found.py", SCRIPT)
    async with project.migrator() as migrator:
        await migrator.upgrade("head")
        assert sentences(await compared(database_url, after)) == []
        await migrator.downgrade("base")
        assert sentences(await compared(database_url, before)) == []
        await migrator.upgrade("head")
        assert sentences(await compared(database_url, after)) == []
