"""Laying aside the tables that do not differ, so that only the others are looked at again."""

from __future__ import annotations

from dataclasses import replace

from asyncmig.autogenerate.diff import DiffOptions
from asyncmig.autogenerate.domain_diff import diff_domains
from asyncmig.autogenerate.object_matching import with_same_objects
from asyncmig.autogenerate.table_diff import diff_table
from asyncmig.schema.enums import brought_types
from asyncmig.schema.model import Schema

__all__ = ["narrowed"]


def narrowed(current: Schema, wanted: Schema, options: DiffOptions) -> Schema:
    """`current` with the very table of `wanted` wherever nothing differs."""
    tables = dict(current.tables)
    enums = {ref for ref, enum in wanted.enums.items() if ref in current.enums and current.enums[ref] != enum}
    if diff_domains(current, wanted, options.likeness):
        enums |= {ref for ref, enum in current.enums.items() if not enum.values}
    for ref, table in wanted.tables.items():
        known = tables.get(ref)
        if known is None or known is table:
            continue
        differs = diff_table(known, table, options.likeness, options.filters) is not None
        # Where the columns are alike their types may still list other values, or be domains with other parts.
        if not differs and not (enums and any(enum.ref in enums for enum in brought_types(table.columns))):
            tables[ref] = table
    left = replace(current, tables=tables)
    return with_same_objects(left, wanted, options.objects) if options.managed else left
