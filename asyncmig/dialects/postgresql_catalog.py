"""What a live operation asks of PostgreSQL's catalogs before it is spelled: which types and sequences exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asyncmig.schema.model import EnumType, Ref, Schema
from asyncmig.schema.model import Sequence as SequenceObject

if TYPE_CHECKING:
    from asyncmig.dialects.base import CatalogQuery

__all__ = ["catalog_queries"]

# An address without a schema means what the search path finds ("System Information Functions").
_TYPES = """
SELECT t.typname, n.nspname, pg_catalog.pg_type_is_visible(t.oid),
  ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder)
FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd') AND t.typname IN ({names})
"""
_SEQUENCES = """
SELECT c.relname, n.nspname, pg_catalog.pg_table_is_visible(c.oid)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relname IN ({names})
"""

Rows = Sequence[tuple[Any, ...]]


def catalog_queries(refs: Collection[Ref]) -> Iterator[CatalogQuery]:
    """One query a kind."""
    types = [ref for ref in refs if ref.kind == "enum"]
    if types:
        yield _TYPES.format(names=_names(types)), lambda schema, rows: _with_types(schema, rows, types)
    sequences = [ref for ref in refs if ref.kind == "sequence"]
    if sequences:
        yield _SEQUENCES.format(names=_names(sequences)), lambda schema, rows: _with_sequences(schema, rows, sequences)


def _names(refs: Collection[Ref]) -> str:
    return ", ".join("'" + ref.name.replace("'", "''") + "'" for ref in sorted(refs))


def _means(ref: Ref, name: str, schema: str, visible: bool) -> bool:
    return ref.name == name and (visible if ref.schema is None else ref.schema == schema)


def _with_types(schema: Schema, rows: Rows, refs: Collection[Ref]) -> Schema:
    found = {
        ref: EnumType(ref.name, tuple(labels), ref.schema)
        for ref in refs
        for name, namespace, visible, labels in rows
        if _means(ref, name, namespace, visible)
    }
    return replace(schema, enums={**schema.enums, **found})


def _with_sequences(schema: Schema, rows: Rows, refs: Collection[Ref]) -> Schema:
    found = {
        ref: SequenceObject(ref.name, ref.schema)
        for ref in refs
        for name, namespace, visible in rows
        if _means(ref, name, namespace, visible)
    }
    return replace(schema, sequences={**schema.sequences, **found})
