"""The column of a table that numbers itself without saying so: SERIAL on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import sqlalchemy as sa

from asyncmig.schema.default_names import default_name
from asyncmig.schema.model import Column, ForeignKey, Table, Unique

__all__ = ["counting_sequence", "serial_column", "serial_sequence", "with_counter"]


def serial_column(table: Table) -> str | None:
    """The column that SQLAlchemy would make SERIAL: its own rule, on values (`Table._autoincrement_column`)."""
    key = table.primary_key
    if key is None:
        return None
    wanted = [column for column in table.columns if column.name in key.columns]
    if len(wanted) != 1:
        wanted = [column for column in wanted if column.autoincrement is True]
    if not wanted:
        return None
    column = wanted[0]
    if column.identity is not None or column.autoincrement is False or not _counts(column):
        return None
    if column.sequence is not None and not column.sequence.optional:
        return None  # numbered by that one, on the client's side
    if column.autoincrement is True:
        return column.name
    if column.default is not None:
        return None
    if column.autoincrement != "ignore_fk" and _is_foreign(table, column.name):
        return None
    return column.name


def serial_sequence(table: str, column: str) -> str:
    """What PostgreSQL calls the sequence of a SERIAL column ("Serial Types")."""
    return default_name(Unique((column,)), table, ()).removesuffix("_key") + "_seq"


def counting_sequence(table: str, column: Column) -> str:
    """The sequence that a SERIAL column counts by."""
    return column.counter or serial_sequence(table, column.name)


def with_counter(table: Table) -> Table:
    """The table, whose sequence keeps its name when table or column get another."""
    serial = serial_column(table)
    if serial is None:
        return table
    columns = (replace(c, counter=counting_sequence(table.name, c)) if c.name == serial else c for c in table.columns)
    return replace(table, columns=tuple(columns))


def _counts(column: Column) -> bool:
    kind = column.type.engine._type_affinity
    if kind is None:
        return False
    decimal = column.autoincrement is True or _decimals_count()
    return issubclass(kind, sa.Integer) or (decimal and issubclass(kind, sa.Numeric))


@cache
def _decimals_count() -> bool:
    """SQLAlchemy 2.0 numbers a key of NUMERIC by itself, 2.1 only where it is told to."""
    table = sa.Table("t", sa.MetaData(), sa.Column("a", sa.Numeric(5, 0), primary_key=True))
    return table._autoincrement_column is not None


def _is_foreign(table: Table, name: str) -> bool:
    return any(type(c) is ForeignKey and name in c.columns for c in table.constraints)
