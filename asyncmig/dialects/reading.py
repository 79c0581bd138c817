"""Reading a whole database: what is wanted of it, and the talk between who knows the queries and who runs them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from asyncmig.errors import UsageError
from asyncmig.operations.mentions import constraint_uses, index_uses
from asyncmig.schema.model import Constraint, ForeignKey, Kind, Schema, Table, Unique

__all__ = ["IncludeName", "Reader", "Reading", "Rows", "Scope", "reader_for"]

Rows = Sequence[tuple[Any, ...]]
Reading = Generator[str, Rows, Schema]
"""Yields a query, is sent its rows, returns the schema. The number of queries does not depend on the number of tables."""

IncludeName = Callable[[str | None, str, Mapping[str, str | None]], bool]
"""Alembic's include_name(name, type_, parent_names): False leaves an object of the database unread."""

_ASKED: Mapping[type[Constraint], str] = {Unique: "unique_constraint", ForeignKey: "foreign_key_constraint"}


@dataclass(frozen=True, slots=True)
class Scope:
    """What is read. `skipped` are table names of the runner's own, left out in every schema.

    `objects` are the kinds beside tables that are read: most projects declare none, and what they have is theirs.

    Besides the default schema, either every schema, or of `schemas` the tables that `named` lists: what the models
    speak of is then found without anything else there being taken for a table that somebody dropped.
    """

    all_schemas: bool = False
    schemas: frozenset[str] = frozenset()
    named: frozenset[tuple[str, str]] = frozenset()
    skipped: frozenset[str] = frozenset()
    objects: frozenset[Kind] = frozenset()
    include_name: IncludeName | None = None

    def has_schema(self, schema: str | None) -> bool:
        """Whether objects of `schema` (None: the default one) are wanted."""
        if schema is not None and not self.all_schemas and schema not in self.schemas:
            return False
        return self.include_name is None or bool(self.include_name(schema, "schema", {}))

    def has_table(self, name: str, schema: str | None) -> bool:
        """Whether a table in a schema that is wanted is wanted itself."""
        if name in self.skipped:
            return False
        if schema is not None and not self.all_schemas and (schema, name) not in self.named:
            return False
        if self.include_name is None:
            return True
        parents = {"schema_name": schema, "schema_qualified_table_name": f"{schema}.{name}" if schema else name}
        return bool(self.include_name(name, "table", parents))

    def has_object(self, name: str, kind: Kind, schema: str | None, table: str | None = None) -> bool:
        """Whether a view, function, trigger, policy or extension is wanted; `table` is the one that it hangs on."""
        if table in self.skipped:
            return False
        outside = schema is not None and not self.all_schemas and kind != "extension"
        if outside and (schema, table or name) not in self.named:
            return False
        if table is not None:
            return self.has_part(name, kind, table, schema)
        return self.include_name is None or bool(self.include_name(name, kind, {"schema_name": schema}))

    def included(self, table: Table) -> Table:
        """The table without the columns, indexes and constraints that are not wanted; what uses a column goes with it.

        Of constraints UNIQUE and foreign keys are asked about, as Alembic does.
        """
        if self.include_name is None:
            return table
        has, name, schema = self.has_part, table.name, table.schema
        columns = tuple(c for c in table.columns if has(c.name, "column", name, schema))
        hidden = [c.name for c in table.columns if c not in columns]
        indexes = (i for i in table.indexes if has(i.name, "index", name, schema))
        constraints = (
            c for c in table.constraints if type(c) not in _ASKED or has(c.name, _ASKED[type(c)], name, schema)
        )
        return replace(
            table,
            columns=columns,
            indexes=tuple(i for i in indexes if not any(index_uses(i, column) for column in hidden)),
            constraints=tuple(c for c in constraints if not any(constraint_uses(c, column) for column in hidden)),
        )

    def has_part(self, name: str | None, kind: str, table: str, schema: str | None) -> bool:
        """Whether a column, index or constraint of a table is wanted; `kind` is Alembic's word for it."""
        if self.include_name is None:
            return True
        qualified = f"{schema}.{table}" if schema else table
        parents = {"schema_name": schema, "table_name": table, "schema_qualified_table_name": qualified}
        return bool(self.include_name(name, kind, parents))


class Reader(ABC):
    """The queries of one database and what their rows mean."""

    @abstractmethod
    def read(self, scope: Scope) -> Reading:
        """The schema as the database holds it; expressions in its own spelling."""


def reader_for(name: str, server_version: tuple[int, ...] | None = None) -> Reader:
    """The reader of a database by its name; UsageError for one that asyncmig does not migrate."""
    if name == "postgresql":
        from asyncmig.dialects.postgresql_reading import PostgresqlReader

        return PostgresqlReader(server_version)
    if name == "sqlite":
        from asyncmig.dialects.sqlite_reading import SqliteReader

        return SqliteReader()
    raise UsageError(f"asyncmig migrates PostgreSQL and SQLite, not {name}.")
