"""What hangs on a table and goes where it goes: its triggers, its policies, its row level security."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from asyncmig.schema.model import Policy, Ref, Schema, Trigger

__all__ = ["moved_along", "without_attached"]

T = TypeVar("T", bound=Trigger | Policy)


def without_attached(schema: Schema, table: Ref) -> Schema:
    """The schema after the table was dropped, as far as what hangs on it goes."""
    if not (schema.triggers or schema.policies or schema.secured or schema.forced):
        return schema
    return replace(
        schema,
        triggers={ref: one for ref, one in schema.triggers.items() if one.table != table},
        policies={ref: one for ref, one in schema.policies.items() if one.table != table},
        secured=schema.secured - {table},
        forced=schema.forced - {table},
    )


def moved_along(schema: Schema, old: Ref, new: Ref) -> Schema:
    """The schema after the table got another address."""
    if not (schema.triggers or schema.policies or schema.secured or schema.forced):
        return schema
    return replace(
        schema,
        triggers=_moved(schema.triggers.values(), old, new),
        policies=_moved(schema.policies.values(), old, new),
        secured=frozenset(new if ref == old else ref for ref in schema.secured),
        forced=frozenset(new if ref == old else ref for ref in schema.forced),
    )


def _moved(values: Iterable[T], old: Ref, new: Ref) -> Mapping[Ref, T]:
    found = [replace(one, table=new) if one.table == old else one for one in values]
    return {one.ref: one for one in found}
