"""SQLAlchemy's SQLite dialect as we compile with it: literals for every value."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
import math
import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler, SQLiteDialect

from asyncmig.dialects.literals import LiteralCompiler, quoted

__all__ = ["compiling_dialect"]


class _Blob(sa.LargeBinary):
    """SQLAlchemy writes bytes as text, which SQLite would store as text."""

    def literal_processor(self, dialect: Any) -> Any:
        return _bytes


class _Binary(sa.BINARY):
    def literal_processor(self, dialect: Any) -> Any:
        return _bytes


class _Varbinary(sa.VARBINARY):
    def literal_processor(self, dialect: Any) -> Any:
        return _bytes


class _Compiler(LiteralCompiler, SQLiteCompiler):
    def special_literal(self, value: Any) -> str | None:
        if not isinstance(value, float) or math.isfinite(value):
            return None
        # SQLite keeps no NaN; an overflowing constant is its spelling of infinity.
        return "NULL" if math.isnan(value) else "9e999" if value > 0 else "-9e999"

    def value_literal(self, value: Any) -> str | None:
        return _literal(value)


class _Dialect(SQLiteDialect):
    supports_statement_cache = True
    statement_compiler = _Compiler
    colspecs = {  # noqa: RUF012 - SQLAlchemy's own attribute
        **SQLiteDialect.colspecs,
        sa.LargeBinary: _Blob,
        sa.BINARY: _Binary,
        sa.VARBINARY: _Varbinary,
    }


def compiling_dialect() -> SQLiteDialect:
    return _Dialect(paramstyle="named")


def _bytes(value: Any) -> str:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(f"{type(value).__name__} is not bytes")
    return f"X'{bytes(value).hex()}'"


def _literal(value: Any) -> str | None:
    """By Python type: what a column without a known type gets, as the sqlite3 module stores it."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "1" if value else "0"
        case enum.Enum():
            return quoted(value.name)
        case int():
            return str(value)
        case float():
            return repr(value)
        case str():
            return quoted(value)
        case bytes() | bytearray() | memoryview():
            return _bytes(value)
        case dt.datetime():
            return quoted(value.isoformat(" "))
        case dt.date() | dt.time():
            return quoted(value.isoformat())
        case decimal.Decimal():
            return str(value)
        case uuid.UUID():
            return quoted(value.hex)
        case Mapping() | list() | tuple():
            return quoted(json.dumps(value if isinstance(value, list | tuple) else dict(value)))
        case _:
            return None
