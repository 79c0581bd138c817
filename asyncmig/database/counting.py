"""Rows counted before autogenerate asks: those of what would be dropped, and those without a value."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from asyncmig.autogenerate.filling import Gap
from asyncmig.autogenerate.questions import Lost
from asyncmig.database.losses import dropped_rows
from asyncmig.operations.base import Operation

if TYPE_CHECKING:
    from asyncmig.database.driver import Driver
    from asyncmig.dialects.base import Dialect

__all__ = ["gap_rows", "lost_rows"]


def lost_rows(operations: Iterable[Operation], driver: Driver, dialect: Dialect) -> tuple[Lost, ...]:
    """The tables and columns that the operations drop, with their rows."""
    found = dropped_rows(operations, dialect, driver)
    return tuple(Lost(one.kind, one.name, one.rows, one.estimated) for one in found)


def gap_rows(gaps: Iterable[Gap], driver: Driver, dialect: Dialect) -> dict[Gap, int]:
    """How many rows have no value; one is as good as all where a table is too large to count."""
    return {gap: _rows(gap, driver, dialect) for gap in gaps}


def _rows(gap: Gap, driver: Driver, dialect: Dialect) -> int:
    table = dialect.qualify(gap.home or gap.table)
    where = f" WHERE {dialect.quote(gap.counted)} IS NULL" if gap.counted else ""
    counted = driver.fetch(f"SELECT count(*) FROM (SELECT 1 FROM {table}{where} LIMIT 1000000) AS counted")
    return int(counted[0][0])
