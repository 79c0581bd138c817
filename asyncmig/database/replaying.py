"""The schema that the history makes, from the scripts alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncmig.alembic_names import project_imports
from asyncmig.database.attempt import Work
from asyncmig.database.recording import record_step
from asyncmig.dialects.holding import held
from asyncmig.dialects.normal import normal_for
from asyncmig.errors import DynamicScript
from asyncmig.operations.numbering import Numbering
from asyncmig.operations.sql import Execute
from asyncmig.schema.model import Schema
from asyncmig.scripts.loader import load_script

if TYPE_CHECKING:
    from asyncmig.database.site import Site
    from asyncmig.dialects.base import Dialect
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["history_schema"]


def history_schema(site: Site, graph: RevisionGraph, dialect: Dialect) -> tuple[Schema, tuple[str, ...]]:
    """The schema at the heads, as the database would hold it, and warnings of what cannot be seen without one.

    DynamicScript, with the revision, for a script that only a database could tell.
    """
    schema = Schema()
    blind: list[str] = []
    numbering, counts = Numbering(), normal_for(dialect.name).has_serial
    settings = site.settings(dialect)
    with project_imports(site.context):
        for name in graph.ordered(graph.ancestors(frozenset(graph.heads))):
            script = load_script(graph[name])
            try:
                recorded = record_step(Work(script.upgrade, script.path), settings)
            except DynamicScript as error:
                raise DynamicScript(
                    f"The history cannot be replayed: {error.message}", hint="Compare with a database instead."
                ) from error
            for item in recorded:
                operation = dialect.meant(item.operation)
                after = operation.apply(schema)
                schema = numbering.after(operation, schema, after) if counts else after
                if isinstance(item.operation, Execute):
                    blind.append(
                        f"{item.operation.describe()} ({item.origin or name}): what SQL does is not seen offline."
                    )
    return held(numbering.settled(schema), dialect.name), tuple(blind)
