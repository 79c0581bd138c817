"""Which columns number themselves by a sequence of their own, as a replay of the history goes on.

A reading tells a SERIAL by the sequence that its column owns. Operations make and unmake one in steps: a sequence, a
default, an owner; a key that comes later or goes; and what numbers the rows is none of these alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from asyncmig.operations.alter_column import AlterColumn
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn
from asyncmig.operations.renaming import RenameColumn
from asyncmig.operations.sequences import AlterSequence, CreateSequence
from asyncmig.operations.tables import CreateTable, RenameTable
from asyncmig.schema.model import Column, Ref, Schema, Table
from asyncmig.schema.serial import serial_column, serial_sequence
from asyncmig.schema.types import SqlText

__all__ = ["Numbering"]

_NEXTVAL = "nextval("


@dataclass(slots=True)
class Numbering:
    """The sequences that belong to a column: (table, column) by the sequence's address."""

    owners: dict[Ref, tuple[Ref, str]] = field(default_factory=dict)

    def after(self, operation: Operation, before: Schema, schema: Schema) -> Schema:
        """`schema`, which the operation made of `before`, with columns that say whether they number themselves."""
        match operation:
            case CreateSequence(sequence=sequence, owned_by=(table, column)):
                self.owners[sequence.ref] = (table, column)
            case AlterSequence(ref=ref, owned_by=(table, column)):
                self.owners[ref] = (table, column)
            case RenameTable(ref=ref):
                self.owners = {s: (operation.new_ref if t == ref else t, c) for s, (t, c) in self.owners.items()}
            case RenameColumn(ref=ref, old=old, new=new):
                self.owners = {s: (t, new if (t, c) == (ref, old) else c) for s, (t, c) in self.owners.items()}
            case CreateTable() | AddColumn():
                pass  # what is made says itself whether it is numbered
            case _:
                return self._changed(operation, before, schema)
        return schema

    def settled(self, schema: Schema) -> Schema:
        """As a reading tells it: owned sequences belong to their columns, and went with those."""
        for sequence, (ref, column) in self.owners.items():
            table = schema.tables.get(ref)
            schema = schema if table is None else schema.with_table(_folded(table, column, sequence.name))
        return replace(schema, sequences={ref: s for ref, s in schema.sequences.items() if ref not in self.owners})

    def _changed(self, operation: Operation, before: Schema, schema: Schema) -> Schema:
        for ref in operation.touches():
            old, new = before.tables.get(ref), schema.tables.get(ref)
            if old is None or new is None or old is new:
                continue
            was, now = serial_column(old), serial_column(new)
            if now is not None and ((now != was and not _counts(new, now)) or _stops(operation, now)):
                schema = schema.with_table(_saying(new, now, numbers=False))
            elif was is not None and now is None:
                schema = schema.with_table(_saying(new, was, numbers=True))
        return schema


def _counts(table: Table, name: str) -> bool:
    """Whether the column went on to number itself without the key that it had."""
    return any(column.name == name and column.autoincrement is True for column in table.columns)


def _stops(operation: Operation, column: str) -> bool:
    """Whether the default goes that a SERIAL has without saying it."""
    if not isinstance(operation, AlterColumn) or operation.name != column or operation.default is not None:
        return False
    return _next_value(operation.existing.default)


def _next_value(default: object) -> bool:
    return isinstance(default, SqlText) and default.spelling("postgresql").lower().startswith(_NEXTVAL)


def _saying(table: Table, name: str, *, numbers: bool) -> Table:
    def said(column: Column) -> Column:
        plain = column.default is None and column.identity is None
        return replace(column, autoincrement=numbers) if column.name == name and plain else column

    return replace(table, columns=tuple(said(column) for column in table.columns))


def _folded(table: Table, name: str, sequence: str) -> Table:
    column = next((one for one in table.columns if one.name == name), None)
    if column is None or column.default is None or not _next_value(column.default):
        return table
    if sequence not in column.default.spelling("postgresql"):
        return table
    counter = None if sequence == serial_sequence(table.name, name) else sequence
    numbered = replace(column, default=None, autoincrement="auto", counter=counter)
    folded = replace(table, columns=tuple(numbered if one is column else one for one in table.columns))
    return folded if serial_column(folded) == name else _saying(folded, name, numbers=True)
