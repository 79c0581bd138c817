"""The difference between two states of the sequences that belong to no column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from asyncmig.autogenerate.likeness import Likeness
from asyncmig.operations.base import Operation
from asyncmig.operations.sequences import AlterSequence, CreateSequence, DropSequence
from asyncmig.schema.model import Column, Ref, Schema, Sequence

__all__ = ["SequenceDiff", "diff_sequences"]

_FIELDS = ("type", "start", "increment", "minvalue", "maxvalue", "cache", "cycle")


@dataclass(slots=True)
class SequenceDiff:
    """What comes before tables change and what comes after."""

    first: list[Operation] = field(default_factory=list)
    last: list[Operation] = field(default_factory=list)


def diff_sequences(current: Schema, wanted: Schema, likeness: Likeness) -> SequenceDiff:
    """A sequence that a new table or column brings along needs no operation of its own."""
    result = SequenceDiff()
    if not current.sequences and not wanted.sequences:
        return result
    brought = {column.sequence.ref for column in _new_columns(current, wanted) if column.sequence is not None}
    for ref, sequence in wanted.sequences.items():
        known = current.sequences.get(ref)
        if known is None:
            if ref not in brought:
                result.first.append(CreateSequence(sequence))
        elif not likeness.sequence(known, sequence):
            result.first.append(_altered(ref, likeness.said(known), likeness.said(sequence)))
    gone = (sequence for ref, sequence in current.sequences.items() if ref not in wanted.sequences)
    result.last.extend(DropSequence(sequence.ref, sequence=sequence) for sequence in gone)
    return result


def _altered(ref: Ref, current: Sequence, wanted: Sequence) -> AlterSequence:
    """ALTER SEQUENCE leaves alone what it does not name: going back to a default is said."""
    changes = tuple(
        (name, getattr(wanted, name)) for name in _FIELDS if getattr(current, name) != getattr(wanted, name)
    )
    return AlterSequence(ref, changes)


def _new_columns(current: Schema, wanted: Schema) -> Iterator[Column]:
    for ref, table in wanted.tables.items():
        known = current.tables.get(ref)
        names = {column.name for column in known.columns} if known is not None else set()
        yield from (column for column in table.columns if column.sequence is not None and column.name not in names)
