"""Laying aside the tables that do not differ, so that only the others are looked at again."""

from __future__ import annotations

from dataclasses import replace

from asyncmig.autogenerate.diff import DiffOptions
from asyncmig.autogenerate.domain_diff import diff_domains
from asyncmig.autogenerate.object_matching import with_same_objects
from asyncmig.autogenerate.table_diff import diff_table
from asyncmig.schema.enums import brought_types
from asyncmig.schema.model import ForeignKey, Ref, Schema, Table

__all__ = ["narrowed", "relocated"]


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


def relocated(schema: Schema, default: str | None) -> Schema:
    """The schema with None for the name of the connection's default schema, as it is read."""
    kinds = (schema.tables, schema.enums, schema.sequences, schema.views, schema.functions)
    attached = (schema.triggers, schema.policies)
    if default is None or not (
        any(ref.schema == default for kind in (*kinds, *attached) for ref in kind)
        or any(one.schema == default for one in schema.extensions.values())
    ):
        return schema
    views = (replace(view, schema=_at(view.schema, default)) for view in schema.views.values())
    functions = (replace(one, schema=_at(one.schema, default)) for one in schema.functions.values())
    triggers = (replace(one, table=_moved_ref(one.table, default)) for one in schema.triggers.values())
    policies = (replace(one, table=_moved_ref(one.table, default)) for one in schema.policies.values())
    extensions = (replace(one, schema=_at(one.schema, default)) for one in schema.extensions.values())
    tables = (_moved(table, default) for table in schema.tables.values())
    enums = (replace(e, schema=_at(e.schema, default)) for e in schema.enums.values())
    sequences = (replace(s, schema=_at(s.schema, default)) for s in schema.sequences.values())
    return replace(
        schema,
        tables={table.ref: table for table in tables},
        enums={enum.ref: enum for enum in enums},
        sequences={sequence.ref: sequence for sequence in sequences},
        views={one.ref: one for one in views},
        functions={one.ref: one for one in functions},
        triggers={one.ref: one for one in triggers},
        policies={one.ref: one for one in policies},
        extensions={one.ref: one for one in extensions},
        secured=frozenset(_moved_ref(ref, default) for ref in schema.secured),
    )


def _moved(table: Table, default: str) -> Table:
    constraints = tuple(
        replace(c, target=_moved_ref(c.target, default))
        if isinstance(c, ForeignKey) and c.target.schema == default
        else c
        for c in table.constraints
    )
    return replace(table, schema=_at(table.schema, default), constraints=constraints)


def _moved_ref(ref: Ref, default: str) -> Ref:
    return replace(ref, schema=_at(ref.schema, default))


def _at(schema: str | None, default: str) -> str | None:
    return None if schema == default else schema
