"""What has to be known of SQLite before a change is spelled for later: how everything is stored."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from asyncmig.dialects.sqlite_tokens import quote
from asyncmig.schema.model import Ref, Schema

if TYPE_CHECKING:
    from asyncmig.dialects.base import CatalogQuery

__all__ = ["catalog_queries"]


def catalog_queries(refs: Collection[Ref]) -> Iterator[CatalogQuery]:
    """One query a database file ("The Schema Table"): views and triggers anywhere may mention the tables."""
    for schema in sorted({ref.schema or "main" for ref in refs}):
        sql = f"SELECT type, name, tbl_name, sql FROM {quote(schema)}.sqlite_schema WHERE sql IS NOT NULL"
        yield sql, partial(_with_stored, schema)


def _with_stored(name: str, schema: Schema, rows: Sequence[tuple[Any, ...]]) -> Schema:
    stored = tuple((str(row[0]), str(row[1]), str(row[2]), str(row[3])) for row in rows)
    return replace(schema, stored={**schema.stored, name: stored})
