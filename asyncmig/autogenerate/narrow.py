"""Laying aside the tables that do not differ, so that only the others are looked at again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from asyncmig.autogenerate.diff import DiffOptions
from asyncmig.autogenerate.table_diff import diff_table
from asyncmig.schema.enums import brought_types
from asyncmig.schema.model import ForeignKey, Ref, Schema, Table

__all__ = ["narrowed", "relocated"]


def narrowed(current: Schema, wanted: Schema, options: DiffOptions) -> Schema:
    """`current` with the very table of `wanted` wherever nothing differs."""
    tables = dict(current.tables)
    enums = {ref for ref, enum in wanted.enums.items() if ref in current.enums and current.enums[ref] != enum}
    for ref, table in wanted.tables.items():
        known = tables.get(ref)
        if enums and any(enum.ref in enums for enum in brought_types(table.columns)):
            continue  # the columns are alike, but their types list other values
        if (
            known is not None
            and known is not table
            and diff_table(known, table, options.likeness, options.filters) is None
        ):
            tables[ref] = table
    return replace(current, tables=tables)


def relocated(schema: Schema, default: str | None) -> Schema:
    """The schema with None for the name of the connection's default schema, as it is read."""
    if default is None or not any(
        ref.schema == default for kind in (schema.tables, schema.enums, schema.sequences) for ref in kind
    ):
        return schema
    tables = (_moved(table, default) for table in schema.tables.values())
    enums = (replace(e, schema=_at(e.schema, default)) for e in schema.enums.values())
    sequences = (replace(s, schema=_at(s.schema, default)) for s in schema.sequences.values())
    return replace(
        schema,
        tables={table.ref: table for table in tables},
        enums={enum.ref: enum for enum in enums},
        sequences={sequence.ref: sequence for sequence in sequences},
    )


def _moved(table: Table, default: str) -> Table:
    target: Callable[[Ref], Ref] = lambda ref: replace(ref, schema=_at(ref.schema, default))  # noqa: E731
    constraints = tuple(
        replace(c, target=target(c.target)) if isinstance(c, ForeignKey) and c.target.schema == default else c
        for c in table.constraints
    )
    return replace(table, schema=_at(table.schema, default), constraints=constraints)


def _at(schema: str | None, default: str) -> str | None:
    return None if schema == default else schema
