"""The oldest databases that asyncmig works on, and the error for an older one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from asyncmig.errors import DatabaseError

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["OLDEST_SQLITE", "refuse_old"]

OLDEST_SQLITE: Final = (3, 34)
"""What the tests were run on: 3.34, 3.37 and 3.39 besides today's. 3.31 knows no sqlite_schema."""


def refuse_old(connected: sa.engine.Dialect) -> None:
    """DatabaseError when the database that `connected` has found is too old."""
    found = tuple(getattr(connected, "server_version_info", None) or ())
    if connected.name == "sqlite" and found and found < OLDEST_SQLITE:
        raise DatabaseError(
            f"This is SQLite {_told(found)}, and asyncmig needs {_told(OLDEST_SQLITE)} or newer.",
            hint="It is the library that Python's sqlite3 module was built with: a newer Python, or a newer system, brings one.",
        )


def _told(version: tuple[int, ...]) -> str:
    return ".".join(str(part) for part in version)
