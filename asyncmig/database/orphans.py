"""Rows that lose their parent while SQLite's foreign_keys is off, which no key guards and no ON DELETE follows."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from asyncmig.dialects.sqlite_stored import tables_with_keys
from asyncmig.dialects.sqlite_tokens import quote
from asyncmig.errors import OperationError

if TYPE_CHECKING:
    from asyncmig.database.driver import Driver

__all__ = ["Orphans"]


class Orphans:
    """Those that were there before a script changed rows, and are no news."""

    __slots__ = ("_before",)

    def __init__(self, driver: Driver) -> None:
        self._before = _orphans(driver)

    def refuse_more(self, driver: Driver) -> None:
        """OperationError when a row has lost its parent since: with foreign_keys on it would be gone, or kept it."""
        new = _orphans(driver) - self._before
        for table, _, parent in new:
            raise OperationError(
                f"{new.total():,} rows of {table} have no row in {parent} any more. This step runs with SQLite's "
                "foreign_keys off, because it makes a table again or drops one that others point at: so ON DELETE and "
                "ON UPDATE did nothing.",
                hint="Change the rows in a revision of its own, or those of both tables.",
            )


def _orphans(driver: Driver) -> Counter[tuple[Any, ...]]:
    """The rows (table, rowid, parent table) that have no parent. Keys that point at no key of theirs are left out."""
    found: Counter[tuple[Any, ...]] = Counter()
    for (table,) in driver.fetch(tables_with_keys()):
        with suppress(sa.exc.OperationalError):  # "foreign key mismatch"
            rows = driver.fetch(f"PRAGMA main.foreign_key_check({quote(table)})")
            found.update((row[0], row[1], row[2]) for row in rows)
    return found
