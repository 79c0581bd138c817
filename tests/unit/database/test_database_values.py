"""What the runner decides without a database: what an error means, where a database stands, which lock is meant."""

import sqlite3

import pytest
import sqlalchemy as sa

from asyncmig.database.coroutine import drive
from asyncmig.database.failures import (
    is_access_denied,
    is_busy,
    is_retryable,
    is_undefined_table,
    is_unique_violation,
    message_of,
    sqlstate_of,
)
from asyncmig.database.lock import lock_key


class WithState(Exception):
    def __init__(self, text: str, sqlstate: str) -> None:
        super().__init__(text)
        self.sqlstate = sqlstate


def wrapped(error: Exception) -> sa.exc.DBAPIError:
    return sa.exc.DBAPIError("SELECT 1", None, error)


@pytest.mark.parametrize(
    ("error", "question"),
    [
        (wrapped(WithState("canceling statement due to lock timeout", "55P03")), is_retryable),
        (wrapped(WithState("deadlock detected", "40P01")), is_retryable),
        (wrapped(WithState("relation does not exist", "42P01")), is_undefined_table),
        (wrapped(sqlite3.OperationalError("no such table: t")), is_undefined_table),
        (wrapped(sqlite3.OperationalError("unknown database other")), is_undefined_table),
        (wrapped(sqlite3.OperationalError("database is locked")), is_busy),
        (wrapped(sqlite3.OperationalError("database is locked (5)")), is_busy),
        (wrapped(sqlite3.OperationalError("attempt to write a readonly database")), is_access_denied),
        (wrapped(WithState("permission denied for schema public", "42501")), is_access_denied),
        (wrapped(sqlite3.IntegrityError("UNIQUE constraint failed: t.i")), is_unique_violation),
        (wrapped(WithState("duplicate key", "23505")), is_unique_violation),
    ],
)
def test_an_error_is_told_by_its_code_or_text(error: Exception, question) -> None:
    questions = (is_retryable, is_undefined_table, is_busy, is_access_denied, is_unique_violation)
    assert [ask for ask in questions if ask(error)] == [question]


@pytest.mark.parametrize("code", ["40001", "57014", "23505", "XX000"])
def test_nothing_else_is_retried(code: str) -> None:
    error = wrapped(WithState("could not serialize", code))
    assert sqlstate_of(error) == code
    assert not is_retryable(error)


def test_the_databases_own_sentence_is_what_is_said() -> None:
    inner = WithState('relation "t" does not exist', "42P01")
    outer = Exception("<class 'asyncpg.UndefinedTableError'>: relation")
    outer.__cause__ = inner
    assert message_of(wrapped(outer)) == 'relation "t" does not exist'


def test_another_error_speaks_for_itself() -> None:
    error = ValueError("in words of my own\nand more of them")
    error.__cause__ = wrapped(sqlite3.OperationalError("no such table: t"))
    assert message_of(error) == "in words of my own"
    assert message_of(RuntimeError()) == "RuntimeError"


def test_a_password_is_taken_out() -> None:
    assert "s3cret" not in message_of(OSError("cannot reach postgresql://user:s3cret@host/db"))


def test_a_lock_key_is_the_tables_own_and_fits_a_bigint() -> None:
    pairs = [("public", "asyncmig_version"), ("public", "other"), ("tenant", "asyncmig_version"), ("public\0x", "y")]
    keys = {lock_key(*pair) for pair in pairs}
    assert len(keys) == len(pairs)
    assert all(-(2**63) <= key < 2**63 for key in keys)
    # Fixed for ever: two releases that disagree would run at once.
    assert lock_key("public", "asyncmig_version") == 2748760403623097213


async def test_a_driven_coroutine_sees_results_errors_and_its_return() -> None:
    import asyncio

    from sqlalchemy.util import greenlet_spawn

    async def fails() -> None:
        await asyncio.sleep(0)
        raise KeyError("from below")

    async def script() -> list[object]:
        seen: list[object] = [await asyncio.sleep(0, "slept")]
        try:
            await fails()
        except KeyError as error:
            seen.append(error.args[0])
        try:
            async with asyncio.timeout(0.01):
                await asyncio.sleep(10)
        except TimeoutError:
            seen.append("timed out")
        return seen

    assert await greenlet_spawn(drive, script()) == ["slept", "from below", "timed out"]
