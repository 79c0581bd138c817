"""Sample rows for whatever tables a migration made, and the counts that tell whether they were kept."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import uuid
import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

__all__ = ["Counts", "count_rows", "fill_empty_tables", "tables_of"]

_SAMPLES: Mapping[type, Any] = {
    bool: True,
    int: 1,
    float: 1.5,
    str: "sample",
    bytes: b"sample",
    decimal.Decimal: decimal.Decimal(1),
    dt.datetime: dt.datetime(2024, 2, 29, 12, 30),  # noqa: DTZ001 - for columns without time zone
    dt.date: dt.date(2024, 2, 29),
    dt.time: dt.time(12, 30),
    dt.timedelta: dt.timedelta(hours=1),
    uuid.UUID: uuid.UUID(int=1),
    list: [],
}


@dataclass(frozen=True, slots=True)
class Counts:
    """`rows` by table, `values` (that are not NULL) by table and column."""

    rows: Mapping[str, int]
    values: Mapping[tuple[str, str], int]

    def lost(self, after: Counts) -> Iterator[str]:
        """What is fewer afterwards, in words; a table or column that is gone was dropped on purpose."""
        for table, count in self.rows.items():
            left = after.rows.get(table, count)
            if left < count:
                yield f"{count - left} of {count} rows of {table}"
        for (table, column), count in self.values.items():
            left = after.values.get((table, column), count)
            if left < count and after.rows[table] >= self.rows[table]:
                yield f"{count - left} of {count} values of {table}.{column}"


def tables_of(connection: sa.Connection, skipped: Collection[str]) -> list[sa.Table]:
    """The tables as they are now, parents first."""
    metadata = sa.MetaData()
    with warnings.catch_warnings():
        # Types and indexes that SQLAlchemy does not know, tables that refer to each other: no matter here.
        warnings.simplefilter("ignore", sa.exc.SAWarning)
        metadata.reflect(connection)
        return [table for table in metadata.sorted_tables if table.name not in skipped]


def count_rows(connection: sa.Connection, tables: Iterable[sa.Table]) -> Counts:
    rows: dict[str, int] = {}
    values: dict[tuple[str, str], int] = {}
    for table in tables:
        counts = [sa.func.count(column) for column in table.columns]
        total, *each = connection.execute(sa.select(sa.func.count(), *counts).select_from(table)).one()
        rows[table.name] = total
        values |= {(table.name, column.name): count for column, count in zip(table.columns, each, strict=True)}
    return Counts(rows, values)


def fill_empty_tables(connection: sa.Connection, tables: Sequence[sa.Table], counted: Counts) -> Counts:
    """Insert a row into each table that `counted` found empty; gives the counts afterwards.

    `tables` are parents first, the connection is in autocommit mode. A table with a CHECK or a trigger that the samples
    do not satisfy stays empty.
    """
    empty = [table for table in tables if not counted.rows[table.name]]
    for table in empty:
        with contextlib.suppress(sa.exc.SQLAlchemyError, _Unfillable):
            connection.execute(sa.insert(table).values(_row(connection, table)))
    filled = count_rows(connection, empty)
    return Counts({**counted.rows, **filled.rows}, {**counted.values, **filled.values})


class _Unfillable(Exception):
    """A column that needs a value and for which there is no sample."""


def _row(connection: sa.Connection, table: sa.Table) -> dict[str, Any]:
    return {
        column.name: value
        for column in table.columns
        if not _fills_itself(column) and (value := _value(connection, column)) is not None
    }


def _fills_itself(column: sa.Column[Any]) -> bool:
    generated = column.server_default is not None or column.identity is not None or column.computed is not None
    return generated or column is column.table.autoincrement_column


def _value(connection: sa.Connection, column: sa.Column[Any]) -> Any:
    """A sample; None where NULL has to do."""
    for key in column.foreign_keys:
        return connection.execute(sa.select(key.column).limit(1)).scalar()
    if isinstance(column.type, sa.Enum):
        return column.type.enums[0]
    if isinstance(column.type, sa.JSON):
        return {}
    try:
        sample = _SAMPLES.get(column.type.python_type)
    except NotImplementedError:
        sample = None
    if sample is None and not column.nullable:
        raise _Unfillable(column.name)
    if isinstance(sample, dt.datetime) and getattr(column.type, "timezone", False):
        return sample.replace(tzinfo=dt.UTC)
    return sample[: column.type.length] if isinstance(sample, str) and isinstance(column.type, sa.String) else sample
