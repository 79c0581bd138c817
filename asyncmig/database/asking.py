"""Putting questions about expressions to a database: nothing of it stays, whoever is refused is answered None."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from asyncmig.database.driver import driver_of
from asyncmig.dialects import postgresql_asking, sqlite_asking

if TYPE_CHECKING:
    from asyncmig.database.driver import Driver
    from asyncmig.dialects.asking import Question

__all__ = ["ask"]

_SAVEPOINT = "asyncmig_asking"


def ask(connection: sa.Connection, questions: Collection[Question]) -> Mapping[Question, str | None]:
    """The database's own spelling of each expression, inside the greenlet of `Connection.run_sync`."""
    if connection.dialect.name == "sqlite":
        return sqlite_asking.answers(questions)
    return _ask_postgresql(driver_of(connection), list(questions))


def _ask_postgresql(driver: Driver, questions: Sequence[Question]) -> Mapping[Question, str | None]:
    """Inside a transaction that was there already, or one of our own; rolled back either way."""
    begins = not driver.in_transaction
    if begins:
        driver.run("BEGIN")
    try:
        found: dict[Question, str | None] = {}
        for start in range(0, len(questions), postgresql_asking.BATCH):
            found.update(_ask_batch(driver, questions[start : start + postgresql_asking.BATCH]))
        return found
    finally:
        if begins:
            driver.run("ROLLBACK")


def _ask_batch(driver: Driver, questions: Sequence[Question]) -> Mapping[Question, str | None]:
    """Four messages. Where one question is refused the others of the batch are asked again, in halves."""
    driver.run(f"SAVEPOINT {_SAVEPOINT}")
    try:
        driver.run(postgresql_asking.scratch(questions))
        found = postgresql_asking.answers(driver.fetch(postgresql_asking.READ_BACK), questions)
    except sa.exc.DBAPIError as error:
        driver.run(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        if len(questions) == 1 or _is_forbidden(error):
            return dict.fromkeys(questions)
        middle = len(questions) // 2
        return {**_ask_batch(driver, questions[:middle]), **_ask_batch(driver, questions[middle:])}
    driver.run(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
    return found


def _is_forbidden(error: sa.exc.DBAPIError) -> bool:
    """No TEMP right on the database, a read-only transaction, a standby: no question will do better."""
    code = getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
    text = str(error.orig)
    return code == "25006" or (code == "42501" and "temporary tables" in text)
