"""Indexes on PostgreSQL that are made or dropped outside a transaction, and what an interrupted try leaves of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from asyncmig.dialects.ddl import CompilingDialect
from asyncmig.dialects.statement import Statement
from asyncmig.operations.base import Operation
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.schema.model import Index, Options, Ref, Schema
from asyncmig.schema.options import option

__all__ = ["INVALID", "PostgresqlIndexes"]

INVALID = "postgresql_invalid"
"""The option of an index read from the catalog whose build was never finished (pg_index.indisvalid)."""


class PostgresqlIndexes(CompilingDialect):
    """Part of PostgreSQL."""

    def left_by_failures(self, operation: Operation) -> frozenset[Ref]:
        """The index, where one left by a failed try would be in the way, or would be taken for a good one."""
        if isinstance(operation, CreateIndex) and operation.index.name is not None:
            if operation.if_not_exists or self.is_concurrent(operation.index.options):
                return frozenset({self._index_ref(operation.index.name, operation.ref.schema)})
        elif isinstance(operation, DropIndex) and self.is_concurrent(operation.options):
            schema = operation.schema or (operation.ref.schema if operation.ref else None)
            return frozenset({self._index_ref(operation.name, schema)})
        return super().left_by_failures(operation)

    def create_index(self, operation: CreateIndex, before: Schema) -> Sequence[Statement]:
        """An INVALID index of that name is dropped first: IF NOT EXISTS would take it for a good one."""
        created = super().create_index(operation, before)
        found = self._found(operation, before)
        if found is None or not option(found[1].options, INVALID):
            return created
        concurrently = self.is_concurrent(operation.index.options)
        words = "DROP INDEX CONCURRENTLY IF EXISTS" if concurrently else "DROP INDEX IF EXISTS"
        name = self.qualify(self._index_ref(str(operation.index.name), operation.ref.schema))
        return (Statement(f"{words} {name}", transactional=not concurrently, operation=operation), *created)

    def already_done(self, operation: Operation, before: Schema) -> bool:
        """An index that is there and valid, on the same columns; or one that is gone."""
        if isinstance(operation, DropIndex):
            return not any(index.name == operation.name for table in before.tables.values() for index in table.indexes)
        if isinstance(operation, CreateIndex):
            found = self._found(operation, before)
            return found is not None and not option(found[1].options, INVALID) and _same(operation, *found)
        return super().already_done(operation, before)

    def is_concurrent(self, index: sa.Index | Options) -> bool:
        if isinstance(index, sa.Index):
            return bool(index.dialect_options["postgresql"]["concurrently"])
        return bool(option(index, "postgresql_concurrently"))

    def _index_ref(self, name: str, schema: str | None) -> Ref:
        """By the name that CREATE INDEX writes: one made by a convention was shortened to what the database takes."""
        rendered: Any = self.sqlalchemy.identifier_preparer.unformat_identifiers(self.index_name(name))
        return Ref(str(rendered[0]), schema, "index")

    def _found(self, operation: CreateIndex, before: Schema) -> tuple[Ref, Index] | None:
        if operation.index.name is None:
            return None
        name = self._index_ref(operation.index.name, operation.ref.schema).name
        for ref, table in before.tables.items():
            for index in table.indexes:
                if index.name == name and option(index.options, INVALID) is not None:
                    return ref, index
        return None


def _same(operation: CreateIndex, ref: Ref, found: Index) -> bool:
    """As far as the catalog says it without expressions: table, uniqueness, number and names of the columns."""
    wanted = operation.index
    if ref.name != operation.ref.name or found.unique != wanted.unique or len(found.elements) != len(wanted.elements):
        return False
    pairs = zip(found.elements, wanted.elements, strict=True)
    return all(not isinstance(want, str) or got == want for got, want in pairs)
