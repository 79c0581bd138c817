"""SQLite's declared types and the SQLAlchemy types that they mean."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import ischema_names

from asyncmig.dialects.written_type import WrittenType
from asyncmig.schema.types import SqlType

__all__ = ["SqliteTypes", "affinity"]

_DECLARED = re.compile(r"([^()]*?)\s*(?:\(\s*([\d\s,]*?)\s*\))?\s*")


class SqliteTypes:
    """Each declared type is made once."""

    def __init__(self) -> None:
        self._types: dict[tuple[str, str | None], SqlType] = {}

    def read(self, declared: str, collation: str | None = None) -> SqlType:
        key = (declared, collation)
        found = self._types.get(key)
        if found is None:
            found = self._types[key] = SqlType(_engine(declared, collation))
        return found


def affinity(declared: str) -> str:
    """What SQLite makes of a declared type ("Datatypes In SQLite", 3.1)."""
    upper = declared.upper()
    if "INT" in upper:
        return "INTEGER"
    if any(word in upper for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if "BLOB" in upper or not upper:
        return "BLOB"
    if any(word in upper for word in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def _engine(declared: str, collation: str | None) -> sa.types.TypeEngine[Any]:
    if not declared:
        return sa.types.NULLTYPE
    match = _DECLARED.fullmatch(declared)
    kind: Any = ischema_names.get(" ".join(match[1].upper().split())) if match else None
    numbers = [int(number) for number in (match[2] or "").split(",") if number.strip()] if match else []
    if kind is None or (numbers and not _takes_numbers(kind)):
        return WrittenType(declared if collation is None else f'{declared} COLLATE "{collation}"')
    if collation is not None:
        if not issubclass(kind, sa.String):
            return WrittenType(f'{declared} COLLATE "{collation}"')
        return kind(*numbers, collation=collation)  # type: ignore[no-any-return]
    return kind(*numbers)  # type: ignore[no-any-return]


def _takes_numbers(kind: Any) -> bool:
    return issubclass(kind, sa.String | sa.Numeric | sa.LargeBinary)
