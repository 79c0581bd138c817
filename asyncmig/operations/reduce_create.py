"""A change to a table folded into its creation: the table made as it is afterwards, where that really is the same."""

from __future__ import annotations

from dataclasses import replace

from asyncmig.operations.base import Operation
from asyncmig.operations.brought import with_brought
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.constraints import AddConstraint
from asyncmig.operations.indexes import CreateIndex
from asyncmig.operations.policies import SetRowSecurity
from asyncmig.operations.renaming import RenameColumn, ValidateConstraint
from asyncmig.operations.tables import CreateTable, RenameTable
from asyncmig.schema.default_names import default_names
from asyncmig.schema.model import PrimaryKey, Schema, Table, Unique
from asyncmig.schema.options import option
from asyncmig.schema.serial import serial_column

__all__ = ["folded"]


def folded(create: CreateTable, change: Operation) -> CreateTable | None:
    """The creation with `change`, an operation on that table, in it; None where the two are to stay two.

    They are not the same where the database would call something otherwise that has no name of its own, number a
    column that it does not number, or keep a type or a sequence that the table no longer mentions. A new table has no
    rows, so how a change treats those does not matter.
    """
    if isinstance(change, SetRowSecurity | ValidateConstraint) or _is_special(change):
        return None
    table = create.table
    before = with_brought(Schema(tables={table.ref: table}), table.columns)
    after = change.apply(before)
    ref = change.new_ref if isinstance(change, RenameTable) else table.ref
    result = after.tables.get(ref)
    if result is None or len(after.tables) != 1 or result == table:
        return None
    again = with_brought(Schema(), result.columns)
    same_objects = (again.enums, again.sequences) == (after.enums, after.sequences)
    if not same_objects or _own_numbers(table, change) != _own_numbers(result, change) or _has_key_twice(result):
        return None
    return CreateTable(replace(result, stored_sql=None)) if _names_stay(table, result, change) else None


def _is_special(change: Operation) -> bool:
    if isinstance(change, AddColumn):
        return change.primary_key
    if isinstance(change, CreateIndex):
        return change.if_not_exists or bool(option(change.index.options, "postgresql_concurrently"))
    return isinstance(change, AddConstraint) and bool(option(change.constraint.options, "postgresql_not_valid"))


def _own_numbers(table: Table, change: Operation) -> object:
    """What has a sequence of its own, which keeps the name and the type that it was made with."""
    serial = serial_column(table)
    own = [(c.name, c.type, c.identity) for c in table.columns if c.name == serial or c.identity is not None]
    if isinstance(change, AddColumn | DropColumn):
        name = change.column.name if isinstance(change, AddColumn) else change.name
        own = [item for item in own if item[0] != name]
    return (own, table.name if own else None)


def _has_key_twice(table: Table) -> bool:
    """Two keys over the same columns: CREATE TABLE leaves out the second on PostgreSQL, ADD CONSTRAINT does not."""
    keys = [c.columns for c in table.constraints if isinstance(c, PrimaryKey | Unique)]
    return len(set(keys)) < len(keys)


def _names_stay(table: Table, result: Table, change: Operation) -> bool:
    """Whether what a rename leaves with the name that the database gave it would be given that name again."""
    renames = isinstance(change, RenameColumn | RenameTable) or getattr(change, "new_name", None) is not None
    if not renames:
        return True
    unnamed = any(index.name is None for index in table.indexes)
    return not unnamed and sorted(default_names(table).values()) == sorted(default_names(result).values())
