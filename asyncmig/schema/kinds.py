"""The objects beside the tables of a schema, by kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from asyncmig.schema.model import Kind, Ref, Schema
from asyncmig.schema.objects import ObjectValue

__all__ = ["ATTACHED", "of_kind", "with_attached", "with_kinds_alone"]

ATTACHED: frozenset[Kind] = frozenset({"trigger", "policy"})
"""The kinds that hang on a table, and go with it."""


def of_kind(schema: Schema, kind: Kind) -> Mapping[Ref, ObjectValue]:
    """Those of one of OBJECT_KINDS, by address."""
    found: dict[Kind, Mapping[Ref, ObjectValue]] = {
        "view": schema.views,
        "function": schema.functions,
        "trigger": schema.triggers,
        "policy": schema.policies,
        "extension": schema.extensions,
    }
    return found[kind]


def with_attached(schema: Schema, other: Schema, tables: Collection[Ref]) -> Schema:
    """The schema with what hangs on some of its tables in `other`."""
    triggers = {ref: one for ref, one in other.triggers.items() if one.table in tables}
    policies = {ref: one for ref, one in other.policies.items() if one.table in tables}
    secured, forced = other.secured.intersection(tables), other.forced.intersection(tables)
    if not (triggers or policies or secured or forced):
        return schema
    return replace(
        schema,
        triggers={**schema.triggers, **triggers},
        policies={**schema.policies, **policies},
        secured=schema.secured | secured,
        forced=schema.forced | forced,
    )


def with_kinds_alone(schema: Schema, kinds: Collection[Kind]) -> Schema:
    """The schema without the other kinds; row level security goes with policies."""
    return replace(
        schema,
        views=schema.views if "view" in kinds else {},
        functions=schema.functions if "function" in kinds else {},
        triggers=schema.triggers if "trigger" in kinds else {},
        policies=schema.policies if "policy" in kinds else {},
        secured=schema.secured if "policy" in kinds else frozenset(),
        forced=schema.forced if "policy" in kinds else frozenset(),
        extensions=schema.extensions if "extension" in kinds else {},
    )
