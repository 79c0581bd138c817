"""PRAGMAs of a SQLite connection that a step changes and owes it back: no rollback undoes them.

foreign_keys is switched off around a step in which a table is made again: the PRAGMA does nothing inside a
transaction, and a table that is dropped while it is on takes the rows of other tables along (ON DELETE CASCADE).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncmig.database.driver import Driver

__all__ = [
    "ForeignKeysInTheWay",
    "are_foreign_keys_owed",
    "foreign_keys_off",
    "foreign_keys_on",
    "forgive",
    "owe",
    "pay_back",
    "switch_foreign_keys_off",
]

_OWED = "asyncmig_owed"
_ON = "PRAGMA foreign_keys = ON"


class ForeignKeysInTheWay(BaseException):
    """Starts the step again with foreign_keys off. Not an Exception: a script's `except` must not keep it."""


def foreign_keys_on(driver: Driver) -> bool:
    """False on a database that has no such PRAGMA."""
    rows = driver.fetch("PRAGMA foreign_keys")
    return bool(rows and rows[0][0])


def are_foreign_keys_owed(driver: Driver) -> bool:
    """Whether foreign_keys was on and is off for the step: the keys of this connection do nothing meanwhile."""
    return _ON in driver.connection.info.get(_OWED, ())


@contextmanager
def foreign_keys_off(driver: Driver) -> Iterator[None]:
    """Off inside, on again afterwards; after a cancellation by whoever ends the transaction."""
    switch_foreign_keys_off(driver)
    try:
        yield
    finally:
        if not driver.in_transaction:
            pay_back(driver)


def switch_foreign_keys_off(driver: Driver) -> None:
    """Until `pay_back`."""
    driver.run("PRAGMA foreign_keys = OFF")
    owe(driver, (_ON,))


def owe(driver: Driver, statements: Sequence[str]) -> None:
    """Remember, with the driver's connection, what has to be executed on it after a rollback."""
    driver.connection.info.setdefault(_OWED, []).extend(statements)


def forgive(driver: Driver) -> None:
    """Outside of a transaction that was committed: nothing is owed but foreign_keys."""
    owed: list[str] = driver.connection.info.get(_OWED, [])
    owed[:] = [sql for sql in owed if sql == _ON]


def pay_back(driver: Driver) -> None:
    """Outside of a transaction: execute what is owed, the last first."""
    owed: list[str] = driver.connection.info.pop(_OWED, [])
    while owed:
        driver.run(owed.pop())
