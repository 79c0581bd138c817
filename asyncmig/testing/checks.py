"""What should hold of every history: plain async functions, to be awaited in the loop of the caller.

    @pytest.mark.asyncio
    async def test_migrations(migrator):
        await checks.up_down_consistency(migrator)

Each takes a Migrator of an empty database that it may change at will, and raises CheckFailed with what is wrong;
a script that fails raises MigrationFailed as ever.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from asyncmig.errors import CheckFailed, UsageError

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from asyncmig.database.connection import Connection
    from asyncmig.database.site import Site
    from asyncmig.migrator import Migrator
    from asyncmig.operations.base import Operation
    from asyncmig.schema.model import Schema

__all__ = ["data_kept", "downgrade", "models_match", "single_head", "up_down_consistency", "upgrade"]

Fill = Callable[["AsyncConnection", str], Awaitable[None]]

_SHOWN = 10


async def single_head(migrator: Migrator) -> None:
    """The history has one head: `upgrade head` means something. The database is not asked."""
    heads = await migrator.heads(resolve_dependencies=True)
    if len(heads) > 1:
        names = ", ".join(entry.revision.id for entry in heads)
        raise CheckFailed(f"The history has {len(heads)} heads: {names}.", hint="`asyncmig merge heads` joins them.")


async def upgrade(migrator: Migrator) -> None:
    """Every revision can be applied, from nothing to the heads."""
    await _require_empty(migrator)
    await migrator.upgrade("heads")


async def downgrade(migrator: Migrator) -> None:
    """Every revision can be applied and taken back again."""
    await upgrade(migrator)
    await migrator.downgrade("base")


async def up_down_consistency(migrator: Migrator) -> None:
    """Each downgrade leaves the schema as it was before the upgrade, and the way up again ends where it did.

    The order of columns does not count: a column that was dropped and added again stands last.
    """
    await _require_empty(migrator)
    schemas = {frozenset[str](): await _schema(migrator)}
    before: dict[str, frozenset[str]] = {}
    at = frozenset[str]()
    for revision in migrator.graph():
        report = await migrator.upgrade(revision)
        if report.steps:
            before[revision], at = at, frozenset(report.after)
            schemas[at] = await _schema(migrator)
    top = at
    for revision in reversed(before):
        if revision not in at:
            continue  # went down together with another branch
        at = frozenset((await migrator.downgrade(_below(migrator, revision))).after)
        if at in schemas:
            _same(schemas[at], await _schema(migrator), f"After the downgrade of {revision}")
    await migrator.upgrade("heads")
    _same(schemas[top], await _schema(migrator), "After going all the way down and up again")


async def models_match(migrator: Migrator) -> None:
    """At the heads the database is what the models say: `revision --autogenerate` would write nothing."""
    from asyncmig.database.comparison import CompareOptions, compare

    await upgrade(migrator)
    async with _looking(migrator) as (site, connection):
        models = site.environment
        if not models.metadatas:
            raise UsageError(
                "There are no models to compare with: target_metadata is not given.",
                hint="Give it in env.py or in the configuration.",
            )
        options = CompareOptions(
            include_schemas=site.config.include_schemas,
            include_object=models.include_object,
            include_name=models.include_name,
            compare_type=models.compare_type,
            compare_server_default=models.compare_server_default,
            compare_objects=frozenset(models.compare_objects),
            skipped=_ours(site),
        )
        found = await compare(connection, models.metadatas, options)
    if found.operations:
        raise CheckFailed(
            f"The models and the migrations differ: {_told(found.operations)}.",
            found={"differences": [operation.describe() for operation in found.operations]},
            hint="`asyncmig revision --autogenerate` writes the missing revision.",
        )


async def data_kept(migrator: Migrator, fill: Fill | None = None) -> None:
    """No upgrade loses a row of a table, or a value of a column, that it keeps.

    After each revision every empty table gets a row, as far as simple samples fit its constraints; or `fill(connection,
    revision)` inserts what the application knows to be right. The connection is in autocommit mode.
    """
    from asyncmig.testing.rows import Counts, count_rows, fill_empty_tables, tables_of

    await _require_empty(migrator)
    before = Counts({}, {})
    for revision in migrator.graph():
        await migrator.upgrade(revision)
        async with _looking(migrator) as (site, connection):
            tables = await connection.run_sync(tables_of, _ours(site))
            after = await connection.run_sync(count_rows, tables)
            lost = list(before.lost(after))
            if lost:
                raise CheckFailed(f"The upgrade to {revision} loses {', '.join(lost)}.", found={"lost": lost})
            if fill is not None:
                await fill(connection.as_async(), revision)
                before = await connection.run_sync(count_rows, tables)
            else:
                before = await connection.run_sync(fill_empty_tables, tables, after)


def _below(migrator: Migrator, revision: str) -> str:
    """Where taking down `revision`, and nothing that it does not need, ends."""
    parents = migrator.graph()[revision].down_revisions
    return parents[0] if parents else "base"


def _same(wanted: Schema, found: Schema, when: str) -> None:
    from asyncmig.autogenerate.diff import diff

    missing = diff(found, wanted)
    if missing:
        raise CheckFailed(
            f"{when} the database is not as it was before. What is missing: {_told(missing)}.",
            found={"differences": [operation.describe() for operation in missing]},
        )


def _told(operations: list[Operation] | tuple[Operation, ...]) -> str:
    shown = [f"{operation.sign} {operation.describe()}" for operation in operations[:_SHOWN]]
    return "; ".join([*shown, *(["..."] if len(operations) > _SHOWN else [])])


@asynccontextmanager
async def _looking(migrator: Migrator) -> AsyncIterator[tuple[Site, Connection]]:
    site = await migrator.site()
    async with site.session() as session:
        yield site, session.connection


async def _schema(migrator: Migrator) -> Schema:
    from asyncmig.database.reading import read_schema
    from asyncmig.dialects.reading import Scope
    from asyncmig.schema.objects import OBJECT_KINDS

    async with _looking(migrator) as (site, connection):
        scope = Scope(all_schemas=site.config.include_schemas, skipped=_ours(site), objects=frozenset(OBJECT_KINDS))
        return await connection.run_sync(read_schema, scope)


async def _require_empty(migrator: Migrator) -> None:
    standing = await migrator.standing("heads")
    if standing.current:
        raise UsageError(
            f"{standing.database} is at {', '.join(standing.current)}, and the checks need an empty database.",
            hint="The fixture `migrator` has one for each test.",
        )


def _ours(site: Site) -> frozenset[str]:
    return site.ledger_sql.table_names
