"""What columns bring into a schema besides themselves: enum types and sequences of their own."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from asyncmig.schema.enums import brought_types, created_types
from asyncmig.schema.model import Column, Ref, Schema

__all__ = ["brought_refs", "with_brought"]


def with_brought(schema: Schema, columns: Iterable[Column]) -> Schema:
    """The schema with the columns' types and sequences, unless it has them: they are created with the columns.

    They outlive the columns: the type goes at the end of the step, when the last column that uses it is gone.
    """
    columns = tuple(columns)
    enums = {enum.ref: enum for enum in created_types(columns)}
    sequences = {c.sequence.ref: c.sequence for c in columns if c.sequence is not None and not c.sequence.optional}
    if not enums and not sequences:
        return schema
    return replace(schema, enums={**enums, **schema.enums}, sequences={**sequences, **schema.sequences})


def brought_refs(columns: Iterable[Column]) -> frozenset[Ref]:
    """The addresses of the columns' types and sequences."""
    columns = tuple(columns)
    sequences = (column.sequence.ref for column in columns if column.sequence is not None)
    return frozenset((*(enum.ref for enum in brought_types(columns)), *sequences))
