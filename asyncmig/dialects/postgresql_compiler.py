"""SQLAlchemy's PostgreSQL dialect as we compile with it: single percent signs, literals for every value."""

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
from sqlalchemy.dialects.postgresql.base import PGCompiler, PGDialect

from asyncmig.dialects.literals import LiteralCompiler, quoted

__all__ = ["compiling_dialect"]

_ASSUMED_VERSION = (18,)


class _Bytea(sa.LargeBinary):
    """SQLAlchemy writes bytes as if they were text."""

    def literal_processor(self, dialect: Any) -> Any:
        return _bytes


class _Compiler(LiteralCompiler, PGCompiler):
    def render_literal_value(self, value: Any, type_: Any, **keywords: Any) -> str:
        text = super().render_literal_value(value, type_, **keywords)
        item = getattr(type_.dialect_impl(self.dialect), "item_type", None)
        if item is None or value is None or (value and _says_its_type(item)):
            return text
        return f"{text}::{type_.compile(dialect=self.dialect)}"

    def special_literal(self, value: Any) -> str | None:
        if isinstance(value, float) and not math.isfinite(value):
            return quoted(str(value)) + "::float8"
        return None

    def value_literal(self, value: Any) -> str | None:
        return _literal(value)


class _Dialect(PGDialect):
    supports_statement_cache = True
    statement_compiler = _Compiler
    colspecs = {**PGDialect.colspecs, sa.LargeBinary: _Bytea}  # noqa: RUF012 - SQLAlchemy's own attribute
    _backslash_escapes = False


def compiling_dialect(server_version: tuple[int, ...] | None) -> PGDialect:
    """A dialect that knows what its server can do without having met it; None is the newest."""
    version = server_version or _ASSUMED_VERSION
    dialect = _Dialect(paramstyle="named")  # type: ignore[no-untyped-call]
    # What PGDialect.initialize() finds out from a connection.
    dialect.server_version_info = version
    dialect.supports_identity_columns = version >= (10,)
    dialect.supports_virtual_generated_columns = version >= (18,)
    return dialect


def _says_its_type(item: Any) -> bool:
    """Whether ARRAY[...] of such literals goes into an array of that type without a cast."""
    return isinstance(item, sa.String | sa.Integer | sa.Numeric | sa.Boolean) and not isinstance(item, sa.Enum)


def _bytes(value: Any) -> str:
    if not isinstance(value, bytes | bytearray | memoryview):
        raise TypeError(f"{type(value).__name__} is not bytes")
    return f"'\\x{bytes(value).hex()}'::bytea"


def _array(value: Any) -> str | None:
    items = [_literal(item) for item in value]
    return None if None in items else "ARRAY[" + ", ".join(item for item in items if item is not None) + "]"


def _literal(value: Any) -> str | None:
    """By Python type: what a column without a known type gets."""
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case enum.Enum():
            return quoted(value.name)
        case int() | decimal.Decimal():
            return str(value)
        case float():
            return repr(value)
        case str():
            return quoted(value)
        case bytes() | bytearray() | memoryview():
            return _bytes(value)
        case dt.datetime():
            return quoted(value.isoformat(" ")) + ("::timestamptz" if value.tzinfo else "::timestamp")
        case dt.date():
            return quoted(value.isoformat()) + "::date"
        case dt.time():
            return quoted(value.isoformat()) + ("::timetz" if value.tzinfo else "::time")
        case dt.timedelta():
            return quoted(f"{value.days} days {value.seconds}.{value.microseconds:06d} seconds") + "::interval"
        case uuid.UUID():
            return quoted(str(value)) + "::uuid"
        case Mapping():
            return quoted(json.dumps(dict(value)))
        case list() | tuple():
            return _array(value)
        case _:
            return None
