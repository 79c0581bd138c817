"""What differs between models and database, or models and history, with renames settled. Nothing is changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from asyncmig.autogenerate.questions import NobodyAnswers, Questioner, RenameQuestion, Wishes
from asyncmig.autogenerate.renaming import Renamed, declared_renames, settle_renames
from asyncmig.database.comparison import CompareOptions, Comparison, compare, compare_offline, compare_schemas
from asyncmig.database.differences import Difference
from asyncmig.database.replaying import history_schema
from asyncmig.database.request import placed
from asyncmig.dialects.normal import normal_for
from asyncmig.errors import NotAtHead, UsageError
from asyncmig.operations.base import Operation
from asyncmig.revisions.plan import pending
from asyncmig.schema.declared import has_declared
from asyncmig.schema.model import Schema

if TYPE_CHECKING:
    import sqlalchemy as sa

    from asyncmig.database.session import Session
    from asyncmig.database.site import Site
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["Found", "differences_of", "find"]


@dataclass(frozen=True, slots=True)
class Found:
    """What differs. `renames` stand among `comparison.operations` and lead to its `current` from `before`."""

    comparison: Comparison
    before: Schema
    renames: tuple[Operation, ...] = ()
    open: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def operations(self) -> tuple[Operation, ...]:
        return (*self.renames, *self.comparison.operations)


async def find(
    site: Site,
    session: Session | None,
    graph: RevisionGraph,
    *,
    wishes: Wishes | None = None,
    questioner: Questioner | None = None,
    offline: bool = False,
    anywhere: bool = False,
) -> Found:
    """The differences between models and database, or with `offline` between models and history.

    `session` None: no database file yet, or `offline`. NotAtHead unless the database is at every head, or `anywhere`;
    UsageError where there are no models to compare.
    """
    search = _Search(site, session, wishes or Wishes(), questioner or NobodyAnswers())
    search.check_models()
    if offline:
        return await search.against_history(graph)
    if not anywhere:
        await _check_place(site, session, graph)
    return await search.against_database()


async def _check_place(site: Site, session: Session | None, graph: RevisionGraph) -> None:
    if session is None:
        missing = tuple(graph)
    else:
        placement = await placed(session, graph)
        placement.refuse_foreign()
        missing = pending(graph, placement.effective)
    if missing:
        revisions = "1 revision" if len(missing) == 1 else f"{len(missing)} revisions"
        raise NotAtHead(
            f"{site.name} is not at head: it lacks {revisions}, and what those do would be written again.",
            pending=missing,
            hint="Run `asyncmig upgrade head` first, or compare with the scripts alone: --offline.",
        )


@dataclass(slots=True)
class _Search:
    site: Site
    session: Session | None
    wishes: Wishes
    questioner: Questioner

    @property
    def metadatas(self) -> tuple[sa.MetaData, ...]:
        return self.site.environment.metadatas

    def check_models(self) -> None:
        if not self.metadatas:
            raise UsageError(
                "There are no models to compare: target_metadata is not set.",
                hint='Set it in env.py (target_metadata=Base.metadata) or in the configuration ("shop.models:Base.metadata").',
            )
        if not any(metadata.tables or metadata._sequences or has_declared(metadata) for metadata in self.metadatas):
            raise UsageError(
                "target_metadata holds no tables, so everything in the database would be dropped.",
                hint="Import the modules that define your models before env.py hands over their metadata.",
            )

    @property
    def options(self) -> CompareOptions:
        environment, config = self.site.environment, self.site.config
        return CompareOptions(
            include_schemas=config.include_schemas,
            include_object=environment.include_object,
            include_name=environment.include_name,
            compare_type=environment.compare_type,
            compare_server_default=environment.compare_server_default,
            compare_objects=frozenset(environment.compare_objects),
            skipped=self.site.ledger_sql.table_names | ({"alembic_version"} - self._named),
        )

    @property
    def _named(self) -> frozenset[str]:
        return frozenset(table.name for metadata in self.metadatas for table in metadata.tables.values())

    async def against_database(self) -> Found:
        if self.session is None:
            found = compare_offline(Schema(), self.metadatas, self.site.offline_dialect().sqlalchemy, self.options)
            return Found(found, Schema())
        connection = self.session.connection
        first = await compare(connection, self.metadatas, self.options)
        renamed = self._renamed(first)
        if not renamed.operations:
            return self._found(first, first.current, renamed)
        again = await compare_schemas(
            connection, renamed.current, first.wanted, self.metadatas, self.options, read=first.current
        )
        return self._found(again, first.current, renamed)

    async def against_history(self, graph: RevisionGraph) -> Found:
        dialect = self.site.offline_dialect()
        current, warnings = history_schema(self.site, graph, dialect)
        first = compare_offline(current, self.metadatas, dialect.sqlalchemy, self.options)
        renamed = self._renamed(first)
        if renamed.operations:
            first = compare_offline(renamed.current, self.metadatas, dialect.sqlalchemy, self.options)
        return replace(self._found(first, current, renamed), warnings=warnings)

    def _renamed(self, found: Comparison) -> Renamed:
        normal = normal_for(self.site.offline_dialect().name)
        declared = declared_renames(self.metadatas)
        return settle_renames(found.current, found.wanted, normal, self.wishes.renames, declared, self.questioner)

    def _found(self, comparison: Comparison, before: Schema, renamed: Renamed) -> Found:
        questions = tuple(RenameQuestion(one).warning for one in renamed.open)
        return Found(comparison, before, renamed.operations, questions)


def differences_of(operations: Iterable[Operation]) -> tuple[Difference, ...]:
    """The operations as sentences and data."""
    return tuple(
        Difference(
            one.sign,
            one.describe(),
            "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in type(one).__name__)[1:],
            tuple(sorted(str(ref) for ref in one.touches())),
        )
        for one in operations
    )
