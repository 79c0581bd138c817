"""What a live operation asks of SQLite before it is spelled: the columns of a table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from asyncmig.schema.model import Column, Ref, Schema, Table
from asyncmig.schema.types import sql_type

if TYPE_CHECKING:
    from asyncmig.dialects.base import CatalogQuery

__all__ = ["catalog_queries"]


def catalog_queries(refs: Collection[Ref]) -> Iterator[CatalogQuery]:
    """One query a table ("PRAGMA functions"); generated columns are among the answers, hidden ones are not."""
    for ref in sorted(refs):
        yield _columns_of(ref), partial(_with_table, ref)


def _columns_of(ref: Ref) -> str:
    table = ref.name.replace("'", "''")
    schema = (ref.schema or "main").replace("'", "''")
    return f"SELECT name FROM pragma_table_xinfo('{table}', '{schema}') WHERE hidden <> 1"


def _with_table(ref: Ref, schema: Schema, rows: Sequence[tuple[Any, ...]]) -> Schema:
    if not rows:
        return schema
    # The types are not asked for: who needs more than the names reads the whole table.
    unknown = sql_type(sa.types.NullType())
    return schema.with_table(Table(ref.name, tuple(Column(str(name), unknown) for (name,) in rows), ref.schema))
