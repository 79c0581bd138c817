"""Putting questions about expressions to a database: nothing of it stays, whoever is refused is answered None."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from asyncmig.database.driver import driver_of
from asyncmig.dialects import postgresql_asking, postgresql_object_asking
from asyncmig.dialects.asking import OBJECTS, REFUSED

if TYPE_CHECKING:
    from asyncmig.database.driver import Driver
    from asyncmig.dialects.asking import Question
    from asyncmig.dialects.normal import Normal
    from asyncmig.schema.model import EnumType

__all__ = ["ask"]

_SAVEPOINT = "asyncmig_asking"


def ask(
    connection: sa.Connection, normal: Normal, questions: Collection[Question], enums: Sequence[EnumType] = ()
) -> Mapping[Question, str | None]:
    """The database's own spelling of each expression, inside the greenlet of `Connection.run_sync`.

    `enums` are those whose values in the database are not yet what the questions take them to be.
    """
    known = normal.answers(questions)
    return _ask_postgresql(driver_of(connection), list(questions), enums) if known is None else known


def _ask_postgresql(
    driver: Driver, questions: Sequence[Question], enums: Sequence[EnumType]
) -> Mapping[Question, str | None]:
    """Inside a transaction that was there already, or one of our own; rolled back either way."""
    begins = not driver.in_transaction
    if begins:
        driver.run("BEGIN")
    try:
        found: dict[Question, str | None] = dict.fromkeys(questions)
        for batch in _batches(questions):
            found.update(_ask_batch(driver, batch, enums))
        return found
    finally:
        if begins:
            driver.run("ROLLBACK")


def _batches(questions: Sequence[Question]) -> Iterator[Sequence[Question]]:
    """Expressions, objects and policies apart, in numbers that the lock table holds."""
    objects = [one for one in questions if one.kind in OBJECTS and postgresql_object_asking.may_be_put(one)]
    kinds = (
        [question for question in questions if question.kind not in OBJECTS],
        [question for question in objects if question.kind != "policy"],
        [question for question in objects if question.kind == "policy"],
    )
    for kind in kinds:
        for start in range(0, len(kind), postgresql_asking.BATCH):
            yield kind[start : start + postgresql_asking.BATCH]


def _ask_batch(
    driver: Driver, questions: Sequence[Question], enums: Sequence[EnumType]
) -> Mapping[Question, str | None]:
    """Four messages. Where one question is refused the others of the batch are asked again, in halves."""
    about_objects = questions[0].kind in OBJECTS
    asking: Any = postgresql_object_asking if about_objects else postgresql_asking
    driver.run(f"SAVEPOINT {_SAVEPOINT}")
    try:
        driver.run(asking.scratch(questions) if about_objects else asking.scratch(questions, enums))
        found: Mapping[Question, str | None] = asking.answers(driver.fetch(asking.READ_BACK), questions)
    except sa.exc.DBAPIError as error:
        driver.run(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
        if _is_forbidden(error):
            return dict.fromkeys(questions)
        if len(questions) == 1:
            return dict.fromkeys(questions, REFUSED if about_objects and _is_missing(error) else None)
        middle = len(questions) // 2
        return {**_ask_batch(driver, questions[:middle], enums), **_ask_batch(driver, questions[middle:], enums)}
    driver.run(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}")
    return found


def _is_forbidden(error: sa.exc.DBAPIError) -> bool:
    """No TEMP right on the database, a read-only transaction, a standby: no question will do better."""
    code, text = _code(error), str(error.orig)
    return code == "25006" or (code == "42501" and "temporary tables" in text)


def _is_missing(error: sa.exc.DBAPIError) -> bool:
    """A table, column, function, type or schema that is not there ("PostgreSQL Error Codes", class 42 and 3F)."""
    return _code(error) in ("42P01", "42703", "42883", "42704", "3F000")


def _code(error: sa.exc.DBAPIError) -> str | None:
    return getattr(error.orig, "sqlstate", None) or getattr(error.orig, "pgcode", None)
