"""Declared views, plain and materialized."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from asyncmig.declared.attaching import attach, checked
from asyncmig.errors import UsageError
from asyncmig.schema import objects
from asyncmig.schema.declared import Declared
from asyncmig.schema.spelling import spelled_query

__all__ = ["MaterializedView", "View"]

Query = str | sa.ClauseElement


class View(Declared):
    """A view that belongs to the models.

        View("active_account", sa.select(account.c.id).where(account.c.active), metadata=Base.metadata)
        View("active_account", "SELECT id FROM account WHERE active", metadata=Base.metadata)

    The query is a select(), whose values are written into it, or text. `options` are those of PostgreSQL's WITH (...).
    `dialect` limits the declaration to one database ("postgresql", "sqlite"), where the texts differ.
    """

    materialized = False

    def __init__(
        self,
        name: str,
        definition: Query,
        *,
        metadata: sa.MetaData,
        schema: str | None = None,
        columns: Sequence[str] = (),
        options: Mapping[str, object] | None = None,
        dialect: str | None = None,
    ) -> None:
        kind = type(self).__name__
        self.name = checked(kind, "name", name)
        self.definition = definition if isinstance(definition, sa.ClauseElement) else _query(kind, definition)
        self.schema = schema or metadata.schema
        self.columns = tuple(columns)
        self.options = objects.view_options(options)
        self.dialect = dialect
        attach(self, metadata)

    def value(self, dialect: str) -> objects.View:
        query = self.definition
        definition = query if isinstance(query, str) else _spelled(query, dialect)
        options = self.options if dialect == "postgresql" else ()
        return objects.View(
            self.name, definition, self.schema, self.columns, materialized=self.materialized, options=options
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, View) and (self.name, self.schema) == (other.name, other.schema)

    def __hash__(self) -> int:
        return hash((self.name, self.schema))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"


class MaterializedView(View):
    """A view whose rows are stored, on PostgreSQL; on SQLite, which has none, it is left out.

    When its rows are renewed is not its definition's business: REFRESH MATERIALIZED VIEW is yours to call.
    """

    materialized = True


def _query(kind: str, definition: str) -> str:
    text = checked(kind, "definition", definition)
    if text.upper().startswith("CREATE "):
        raise UsageError(f"{kind} wants the query alone, without CREATE VIEW ... AS.")
    return text


def _spelled(query: sa.ClauseElement, dialect: str) -> str:
    return query.text.strip() if isinstance(query, sa.TextClause) else spelled_query(query, dialect)
