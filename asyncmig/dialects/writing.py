"""What a script for one database has to say that one for another has not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy.sql.sqltypes import _AbstractInterval

from asyncmig.errors import UsageError
from asyncmig.schema.spelling import spelling_dialect
from asyncmig.schema.types import SqlType

__all__ = ["Writing", "writing_for"]


@dataclass(frozen=True, slots=True)
class Writing(ABC):
    """`enum_types`: enums are types of their own. `batches`: a change may make a table again, so several are grouped.

    `rights`: what is dropped and made again has lost what was granted on it. `row_number` is SQL that gives each row of a
    table a number of its own, where a new column that is to number the rows starts empty.
    """

    name: ClassVar[str]
    enum_types: ClassVar[bool]
    batches: ClassVar[bool]
    rights: ClassVar[bool]
    row_number: ClassVar[str | None]

    @abstractmethod
    def using(self, column: str, old: SqlType, new: SqlType) -> str | None:
        """The SQL that makes the values of another type, where the database does not know by itself."""

    @abstractmethod
    def loses(self, old: SqlType, new: SqlType) -> str | None:
        """What values of the new type no longer say, though the change of type succeeds."""


@dataclass(frozen=True, slots=True)
class SqliteWriting(Writing):
    name = "sqlite"
    enum_types = False
    batches = True
    rights = False
    row_number = "rowid"

    def using(self, column: str, old: SqlType, new: SqlType) -> str | None:
        """Never: any value fits any column."""
        return None

    def loses(self, old: SqlType, new: SqlType) -> str | None:
        """Nothing: a value that does not fit an affinity stays as it is."""
        return None


@dataclass(frozen=True, slots=True)
class PostgresqlWriting(Writing):
    """Which casts are made in an assignment is pg_cast's castcontext, of PostgreSQL 18 as of 12."""

    name = "postgresql"
    enum_types = True
    batches = False
    rights = True
    row_number = None  # SERIAL and identity columns number the rows that are there

    def using(self, column: str, old: SqlType, new: SqlType) -> str | None:
        quoted, type_ = spelling_dialect(self.name).identifier_preparer.quote(column), new.spelling(self.name)
        source, target = _family(old), _family(new)
        if (source, target) == ("enum", "enum"):
            return f"{quoted}::text::{type_}"
        if (source, target) == ("array", "array"):
            item = self.using(column, *map(_element, (old, new)))
            text = "::text[]" if item is not None and "::text::" in item else ""
            return f"{quoted}{text}::{type_}" if item else None
        if target == "text" or target in _FREE.get(source, frozenset((source,))):
            return None
        if target == "array":
            item = self.using(column, old, _element(new)) or quoted
            return f"CASE WHEN {quoted} IS NOT NULL THEN ARRAY[{item}]::{type_} END"
        if source == "array":  # the one item that was made an array of; several of them fit nothing but text
            return f"array_to_string({quoted}, ',')::{type_}"
        if (source, target) == ("number", "boolean") and not _is_integer(old):
            return f"{quoted} <> 0"
        if (source, target) == ("boolean", "number") and not _is_integer(new):
            return f"{quoted}::INTEGER::{type_}"
        if source == "text" or (source, target) in _EXPLICIT:
            return f"{quoted}::{type_}"
        return f"{quoted}::text::{type_}"

    def loses(self, old: SqlType, new: SqlType) -> str | None:
        """Casts that PostgreSQL makes in an assignment, and so in ALTER TYPE, without a word."""
        change = (_family(old), _family(new))
        if change == ("number", "number"):
            return "digits behind the point" if _scale(new) < _scale(old) else None
        return {("timestamp", "date"): "the time of day", ("timestamp", "time"): "the day"}.get(change)


_EXPLICIT = {("number", "boolean"), ("boolean", "number"), ("jsonb", "number"), ("jsonb", "boolean")}

# By family of types, the families that a value of it becomes without being asked.
_FREE: dict[str, frozenset[str]] = {
    "number": frozenset({"number"}),
    "date": frozenset({"date", "timestamp"}),
    "timestamp": frozenset({"date", "timestamp", "time"}),
    "time": frozenset({"time", "interval"}),
    "interval": frozenset({"interval", "time"}),
    "json": frozenset({"json", "jsonb"}),
    "jsonb": frozenset({"json", "jsonb"}),
    "text": frozenset({"text"}),
}


def _element(array: SqlType) -> SqlType:
    engine: Any = _plain(array)
    return SqlType(engine.item_type)


def _plain(type_: SqlType) -> Any:
    """The type as PostgreSQL has it, and below a domain."""
    engine: Any = type_.engine.dialect_impl(spelling_dialect("postgresql"))
    while isinstance(engine, sa.types.TypeDecorator) or engine.__visit_name__ == "DOMAIN":
        engine = engine.impl_instance if isinstance(engine, sa.types.TypeDecorator) else engine.data_type
    return engine


def _is_integer(type_: SqlType) -> bool:
    """Whether it is int4, the only number that is cast to boolean and back."""
    return type_.spelling("postgresql") == "INTEGER"


def _scale(type_: SqlType) -> float:
    engine = _plain(type_)
    if isinstance(engine, sa.Integer):
        return 0
    exact = isinstance(engine, sa.Numeric) and not isinstance(engine, sa.Float) and engine.precision is not None
    return (engine.scale or 0) if exact else float("inf")


def _family(type_: SqlType) -> str:
    engine = _plain(type_)
    if isinstance(engine, sa.Enum) and not engine.native_enum:
        return "text"
    if isinstance(engine, sa.JSON):
        return "jsonb" if type_.spelling("postgresql") == "JSONB" else "json"
    for kind, name in _FAMILIES:
        if isinstance(engine, kind):
            return name
    return type_.spelling("postgresql")


_FAMILIES: tuple[tuple[type[Any], str], ...] = (
    (sa.Enum, "enum"),
    (sa.ARRAY, "array"),
    (sa.String, "text"),
    (sa.Boolean, "boolean"),
    (sa.Integer, "number"),
    (sa.Numeric, "number"),
    (sa.Float, "number"),
    (sa.DateTime, "timestamp"),
    (sa.Date, "date"),
    (sa.Time, "time"),
    (_AbstractInterval, "interval"),
    (sa.LargeBinary, "bytes"),
)


def writing_for(dialect: str) -> Writing:
    """UsageError for a database that asyncmig does not know."""
    for kind in (SqliteWriting, PostgresqlWriting):
        if kind.name == dialect:
            return kind()
    raise UsageError(f"asyncmig knows PostgreSQL and SQLite, not {dialect}.")
