"""What a database's error means to the runner, told by SQLSTATE on PostgreSQL and by text on SQLite."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from asyncmig.errors import AccessDenied, AsyncmigError, ConnectionFailed, DatabaseError, LockTimeout
from asyncmig.url import redact

__all__ = [
    "connection_failure",
    "detail_of",
    "in_words",
    "is_access_denied",
    "is_busy",
    "is_connection_lost",
    "is_filled_otherwise",
    "is_fresh_enum_value",
    "is_lost_swap",
    "is_refused_in_transaction",
    "is_retryable",
    "is_undefined_object",
    "is_undefined_table",
    "is_unique_violation",
    "message_of",
    "sqlstate_of",
    "way_to_write",
]

# SQLSTATE classes and codes: PostgreSQL manual, appendix "PostgreSQL Error Codes".
_LOCK_NOT_AVAILABLE = "55P03"
_DEADLOCK = "40P01"
_UNDEFINED_TABLE = "42P01"
_UNDEFINED_COLUMN = "42703"
_ACTIVE_TRANSACTION = "25001"
_UNSAFE_NEW_ENUM_VALUE = "55P04"
_DIVISION_BY_ZERO = "22012"
_UNIQUE_VIOLATION = "23505"
_INSUFFICIENT_PRIVILEGE = "42501"
_READ_ONLY_TRANSACTION = "25006"
_AUTHENTICATION = ("28000", "28P01")
_NO_SUCH_DATABASE = "3D000"
_CANNOT_CONNECT_NOW = "57P03"
_NO_SUCH_SCHEMA = "3F000"
_NOT_THIS_COLUMN = ("42601", "55000")  # syntax_error, object_not_in_prerequisite_state

_CHECK_RIGHTS = "Check the rights of the user, and whether the database or its file is read-only."
_READ_ONLY_SESSION = "Connect to the primary, not to a standby; where it is one, look at default_transaction_read_only."

_ERRNO = re.compile(r"\[Errno -?\d+\] ")


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what it wraps: SQLAlchemy's `orig`, then causes."""
    found: list[BaseException] = []
    queue: list[BaseException | None] = [error]
    while queue:
        current = queue.pop(0)
        if current is not None and current not in found:
            found.append(current)
            queue += [getattr(current, "orig", None), current.__cause__]
    return found


def sqlstate_of(error: BaseException) -> str | None:
    """The five characters that PostgreSQL gives an error, None elsewhere."""
    for link in _chain(error):
        code = getattr(link, "sqlstate", None) or getattr(link, "pgcode", None)
        if code:
            return str(code)
    return None


def detail_of(error: BaseException) -> str | None:
    """The DETAIL of a PostgreSQL error: asyncpg has it on the error, psycopg in its `diag`."""
    for link in _chain(error):
        detail = getattr(link, "detail", None) or getattr(getattr(link, "diag", None), "message_detail", None)
        if isinstance(detail, str) and detail:
            return detail
    return None


def message_of(error: BaseException) -> str:
    """The database's own sentence, in one line, without SQLAlchemy's frame around it.

    Another error speaks for itself: what a script wraps in its own words was wrapped on purpose. Goes into the
    journal, so a URL in it loses its password.
    """
    wrapped = _chain(error) if isinstance(error, sa.exc.DBAPIError) else [error]
    links = [link for link in wrapped if not isinstance(link, sa.exc.DBAPIError)]
    text = str(links[-1]) if links else str(error)
    first, *_ = [line for line in text.splitlines() if line.strip()] or [type(error).__name__]
    return redact(_ERRNO.sub("", first.strip()))


def _sqlite_text(error: BaseException) -> str:
    return next((str(link) for link in _chain(error) if isinstance(link, sqlite3.Error)), "")


def is_undefined_table(error: BaseException) -> bool:
    text = _sqlite_text(error)
    return sqlstate_of(error) == _UNDEFINED_TABLE or text.startswith(("no such table", "unknown database"))


def is_undefined_object(error: BaseException) -> bool:
    """A table or a column that is not there."""
    missing_column = _sqlite_text(error).startswith("no such column")
    return is_undefined_table(error) or sqlstate_of(error) == _UNDEFINED_COLUMN or missing_column


def is_lost_swap(error: BaseException) -> bool:
    """What a change of version rows answers when they are not as they were: see LedgerSql.record."""
    return sqlstate_of(error) == _DIVISION_BY_ZERO or is_unique_violation(error)


def is_unique_violation(error: BaseException) -> bool:
    return sqlstate_of(error) == _UNIQUE_VIOLATION or _sqlite_text(error).startswith("UNIQUE constraint failed")


def is_busy(error: BaseException) -> bool:
    """SQLite's SQLITE_BUSY: another connection holds the file ("Result and Error Codes")."""
    return _sqlite_text(error).startswith("database is locked")


def is_retryable(error: BaseException) -> bool:
    """A step that failed so may simply be run again: lock not available, or chosen as a deadlock's victim."""
    return sqlstate_of(error) in (_LOCK_NOT_AVAILABLE, _DEADLOCK)


def is_fresh_enum_value(error: BaseException) -> bool:
    """An enum value was used in the transaction that added it."""
    return sqlstate_of(error) == _UNSAFE_NEW_ENUM_VALUE


def is_filled_otherwise(error: BaseException) -> bool:
    """The column has an identity, an expression or a default that ALTER COLUMN was not told of."""
    said = ("is an identity column", "is a generated column", "already has a default value")
    return sqlstate_of(error) in _NOT_THIS_COLUMN and message_of(error).endswith(said)


def is_refused_in_transaction(error: BaseException) -> bool:
    """PostgreSQL runs the statement outside a transaction block only; SET TRANSACTION too late has the same code."""
    return sqlstate_of(error) == _ACTIVE_TRANSACTION and "transaction block" in message_of(error)


def is_access_denied(error: BaseException) -> bool:
    return sqlstate_of(error) in (_INSUFFICIENT_PRIVILEGE, _READ_ONLY_TRANSACTION) or _sqlite_text(error).startswith(
        ("attempt to write a readonly database", "access denied", "authorization denied")
    )


def way_to_write(error: BaseException, rights: str = _CHECK_RIGHTS) -> str:
    """What to do where access was denied; `rights` unless it is the whole session that takes no writes."""
    return _READ_ONLY_SESSION if sqlstate_of(error) == _READ_ONLY_TRANSACTION else rights


def is_connection_lost(error: BaseException) -> bool:
    code = sqlstate_of(error) or ""
    if code.startswith(("08", "57P0")):
        return True
    return any(
        isinstance(link, ConnectionError)
        or getattr(link, "connection_invalidated", False)
        or "connection is closed" in str(link)
        or "connection was closed" in str(link)
        or "server closed the connection" in str(link)
        for link in _chain(error)
    )


def connection_failure(error: BaseException, where: str) -> AsyncmigError | None:
    """The error to raise for a connection that could not be made; None when `error` is something else.

    `where` is the URL without its password.
    """
    code = sqlstate_of(error) or ""
    text = message_of(error)
    if code in _AUTHENTICATION or "authentication failed" in text:
        return AccessDenied(f"{where}: the server refused the user name or password.", hint="Check the url's user.")
    if code == _NO_SUCH_DATABASE or ("database" in text and "does not exist" in text):
        return DatabaseError(f"{where}: {text}.", hint="Create the database first; asyncmig never does.")
    if code == _CANNOT_CONNECT_NOW or code.startswith(("08", "53")):
        return ConnectionFailed(f"{where}: the server does not accept connections now: {text}.", hint=_WAIT)
    if _sqlite_text(error).startswith("unable to open database file"):
        return DatabaseError(
            f"{where}: the database file cannot be opened.", hint="Is its folder there, and may you write into it?"
        )
    if any(isinstance(link, OSError | TimeoutError | asyncio.TimeoutError) for link in _chain(error)):
        return ConnectionFailed(f"{where}: the server does not answer: {text or 'timed out'}.", hint=_WAIT)
    if "connection" in text and ("failed" in text or "refused" in text or "timeout" in text):
        return ConnectionFailed(f"{where}: the server does not answer: {text}.", hint=_WAIT)
    return None


@contextmanager
def in_words(where: str) -> Iterator[None]:
    """Turn what a driver raises into an error of ours; `where` is the URL without its password."""
    try:
        yield
    except (sa.exc.DBAPIError, OSError) as error:
        if isinstance(error, OSError) and not isinstance(error, ConnectionError | TimeoutError):
            raise  # a file of the project's, not the database
        if is_busy(error):
            raise LockTimeout(
                f"{where}: the file is locked by another process.", hint="Let it finish, then try again."
            ) from error
        if is_access_denied(error):
            raise AccessDenied(f"{where}: {message_of(error)}.", hint=way_to_write(error)) from error
        if is_connection_lost(error):
            raise ConnectionFailed(f"{where}: the connection was lost: {message_of(error)}.") from error
        raise DatabaseError(f"{where}: {message_of(error)}.", hint=_way_out(error)) from error


def _way_out(error: BaseException) -> str | None:
    if sqlstate_of(error) == _NO_SUCH_SCHEMA:
        return "Create it, or correct version_table_schema."
    if "version_num" in message_of(error) and is_undefined_object(error):
        return "The table that version_table names is none of ours and none of Alembic's: correct version_table."
    return None


_WAIT = "Is it running? --wait SECONDS retries until it answers."
