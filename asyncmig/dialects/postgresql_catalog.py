"""What a live operation asks of PostgreSQL's catalogs before it is spelled: which types and sequences exist."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from asyncmig.dialects.postgresql_indexes import INVALID
from asyncmig.schema.model import EnumType, Index, Ref, Schema, Table, View
from asyncmig.schema.model import Sequence as SequenceObject
from asyncmig.schema.types import sql_text

if TYPE_CHECKING:
    from asyncmig.dialects.base import CatalogQuery

__all__ = ["catalog_queries", "unused_enums"]

# Whatever depends on the type or its array type: columns, functions, domains, casts, views ("pg_depend"). The
# array type itself depends on it internally, and a domain's own constraints go with it.
TYPE_IN_USE = """EXISTS (SELECT 1 FROM pg_catalog.pg_depend AS d
    WHERE d.refclassid = 'pg_catalog.pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray)
      AND d.deptype NOT IN ('i', 'I', 'P', 'S')
      AND NOT (d.deptype = 'a' AND d.classid = 'pg_catalog.pg_constraint'::regclass))"""
_UNUSED_ENUMS = f"""
SELECT t.typname, n.nspname, pg_catalog.pg_type_is_visible(t.oid)
FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd') AND pg_catalog.pg_has_role(t.typowner, 'USAGE') AND NOT {TYPE_IN_USE}
"""

# An address without a schema means what the search path finds ("System Information Functions").
_TYPES = """
SELECT t.typname, n.nspname, pg_catalog.pg_type_is_visible(t.oid),
  ARRAY(SELECT e.enumlabel::text FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder),
  {used}
FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace
WHERE t.typtype IN ('e', 'd') AND t.typname IN ({names})
"""
_SEQUENCES = """
SELECT c.relname, n.nspname, pg_catalog.pg_table_is_visible(c.oid)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'S' AND c.relname IN ({names})
"""

_VIEWS = """
SELECT c.relname, n.nspname, pg_catalog.pg_table_is_visible(c.oid)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('v', 'm') AND c.relname IN ({names})
"""
# An element that is an expression has no column behind it and is NULL.
_INDEXES = """
SELECT c.relname, n.nspname, pg_catalog.pg_table_is_visible(c.oid), t.relname, i.indisvalid, i.indisunique,
  ARRAY(SELECT a.attname::text FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, place)
    LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number AND k.number > 0
    WHERE k.place <= i.indnkeyatts ORDER BY k.place)
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_class AS t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname IN ({names})
"""

Rows = Sequence[tuple[Any, ...]]


def catalog_queries(refs: Collection[Ref]) -> Iterator[CatalogQuery]:
    """One query a kind."""
    types = [ref for ref in refs if ref.kind == "enum"]
    if types:
        yield (
            _TYPES.format(names=_names(types), used=TYPE_IN_USE),
            lambda schema, rows: _with_types(schema, rows, types),
        )
    sequences = [ref for ref in refs if ref.kind == "sequence"]
    if sequences:
        yield _SEQUENCES.format(names=_names(sequences)), lambda schema, rows: _with_sequences(schema, rows, sequences)
    views = [ref for ref in refs if ref.kind == "view"]
    if views:
        yield _VIEWS.format(names=_names(views)), lambda schema, rows: _with_views(schema, rows, views)
    indexes = [ref for ref in refs if ref.kind == "index"]
    if indexes:
        yield _INDEXES.format(names=_names(indexes)), lambda schema, rows: _with_indexes(schema, rows, indexes)


def unused_enums() -> CatalogQuery:
    """Every enum and domain that nothing uses and that we may drop, by each address that means it."""

    def read(schema: Schema, rows: Rows) -> Schema:
        enums = [EnumType(name, (), namespace) for name, namespace, _ in rows]
        enums += [EnumType(name, ()) for name, _, visible in rows if visible]
        return replace(schema, enums={**schema.enums, **{enum.ref: enum for enum in enums}})

    return _UNUSED_ENUMS, read


def _names(refs: Collection[Ref]) -> str:
    return ", ".join("'" + ref.name.replace("'", "''") + "'" for ref in sorted(refs))


def _means(ref: Ref, name: str, schema: str, visible: bool) -> bool:
    return ref.name == name and (visible if ref.schema is None else ref.schema == schema)


def _with_types(schema: Schema, rows: Rows, refs: Collection[Ref]) -> Schema:
    found = {
        ref: EnumType(ref.name, tuple(labels), ref.schema, in_use=bool(used))
        for ref in refs
        for name, namespace, visible, labels, used in rows
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


def _with_views(schema: Schema, rows: Rows, refs: Collection[Ref]) -> Schema:
    found = {
        ref: View(ref.name, "", ref.schema)
        for ref in refs
        for name, namespace, visible in rows
        if _means(ref, name, namespace, visible)
    }
    return replace(schema, views={**schema.views, **found})


def _with_indexes(schema: Schema, rows: Rows, refs: Collection[Ref]) -> Schema:
    """Each on its table; nothing else of the table is known."""
    for ref in refs:
        for name, namespace, visible, table, valid, unique, columns in rows:
            if _means(ref, name, namespace, visible):
                elements = tuple(sql_text("expression") if column is None else str(column) for column in columns)
                index = Index(ref.name, elements, bool(unique), ((INVALID, not valid),))
                known = schema.tables.get(Ref(table, ref.schema), Table(table, (), ref.schema))
                schema = schema.with_table(replace(known, indexes=(*known.indexes, index)))
    return schema
