"""One spelling for each thing that a database spells in several ways: what schemas are compared by.

Two types, texts or indexes with the same normal form are the same to the database. Where the forms of two
expressions differ, nothing is known yet: then the database is asked (autogenerate/canonical.py).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import sqlalchemy as sa

from asyncmig.errors import UsageError
from asyncmig.schema.expressions import constant_key
from asyncmig.schema.model import Column, Exclude, ForeignKey, Index, PrimaryKey, Unique
from asyncmig.schema.options import option
from asyncmig.schema.types import SqlText, SqlType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from asyncmig.dialects.asking import Question
    from asyncmig.schema.model import Identity, Sequence

__all__ = ["Element", "IndexForm", "Normal", "normal_for"]


@dataclass(frozen=True, slots=True)
class Element:
    """One element of an index: a column's name or an expression, and how it is sorted. `text` is the body as written."""

    body: str
    is_column: bool
    collation: str | None = None
    operators: str | None = None
    descending: bool = False
    nulls_first: bool = False
    text: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class IndexForm:
    """What an index is besides its name and its storage parameters."""

    unique: bool
    method: str
    elements: tuple[Element, ...]
    include: tuple[str, ...]
    where: str | None
    nulls_not_distinct: bool
    where_text: str | None = field(default=None, compare=False)


class Normal(ABC):
    """`canonical`: expressions that were read from the database stand in its own spelling already."""

    name: ClassVar[str]
    canonical: ClassVar[bool]
    has_comments: ClassVar[bool]
    has_serial: ClassVar[bool]
    """Whether SQLAlchemy has a sequence of its own number a column, by SERIAL."""
    folds_names: ClassVar[bool]
    """Whether two names that differ in case alone are the same name."""
    default_schema: ClassVar[str]
    """The name of the connection's default schema where the connection does not tell another."""
    references_ahead: ClassVar[bool]
    """Whether a table may be created with a foreign key to one that is not there yet."""
    merges_keys: ClassVar[bool]
    """Whether CREATE TABLE makes one index of UNIQUE constraints, or a key, that are alike, and keeps one of them."""
    binds: ClassVar[bool]
    """Whether views, functions and triggers are bound to what they use: it cannot be dropped or retyped under them."""

    def __init__(self) -> None:
        self._types: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._plain: dict[Any, str] = {}

    @abstractmethod
    def of_type(self, spelling: str) -> str:
        """The normal form of a type in DDL."""

    @abstractmethod
    def of_text(self, sql: str) -> str:
        """The normal form of an expression."""

    @abstractmethod
    def element(self, element: str | SqlText, operators: Any) -> Element:
        """An element of an index taken apart; `operators` is the index's mapping by column name, or None."""

    def answers(self, questions: Iterable[Question]) -> Mapping[Question, str | None] | None:
        """What can be answered without the database behind the connection; None where it has to be asked."""
        return None

    def type(self, type_: SqlType, *, serial: bool = False) -> str:
        """`serial`: SQLAlchemy writes SERIAL in the type's place."""
        return self.form_of_type(self._serial(type_) if serial else type_.spelling(self.name))

    def form_of_type(self, spelling: str) -> str:
        """`of_type`, remembered."""
        found = self._types.get(spelling)
        if found is None:
            found = self._types[spelling] = self.of_type(spelling)
        return found

    def text(self, text: SqlText) -> str:
        return self.form(self.spell(text))

    def form(self, sql: str) -> str:
        """`of_text`, remembered."""
        found = self._texts.get(sql)
        if found is None:
            found = self._texts[sql] = self.of_text(sql)
        return found

    def spell(self, text: SqlText) -> str:
        """The expression in SQL; compiling costs much more than these usual cases, of which there are thousands."""
        if text.literal is not None:
            return "'" + text.literal.replace("'", "''") + "'"
        clause: Any = text.clause
        if type(clause) is sa.TextClause and not clause._bindparams:
            return str(clause.text).replace("\\:", ":")
        key = constant_key(clause)
        if key is None:
            return text.spelling(self.name)
        found = self._plain.get(key)
        if found is None:
            found = self._plain[key] = text.spelling(self.name)
        return found

    def index(self, index: Index) -> IndexForm:
        where = option(index.options, f"{self.name}_where")
        include = option(index.options, "postgresql_include") or ()
        operators = option(index.options, "postgresql_ops") if self.name == "postgresql" else None
        method = option(index.options, "postgresql_using") if self.name == "postgresql" else None
        predicate = None if where is None else self.spell(where) if isinstance(where, SqlText) else str(where)
        return IndexForm(
            index.unique,
            str(method or "btree").lower(),
            tuple(self.element(element, operators) for element in index.elements),
            tuple(str(name) for name in include) if self.name == "postgresql" else (),
            None if predicate is None else self.form(predicate),
            bool(option(index.options, "postgresql_nulls_not_distinct")) and self.name == "postgresql",
            predicate,
        )

    def constraint(self, constraint: PrimaryKey | Unique | ForeignKey) -> tuple[Any, ...]:
        """All that a constraint over columns says, but its name."""
        late = (bool(constraint.deferrable), (constraint.initially or "").upper() == "DEFERRED")
        match constraint:
            case PrimaryKey():
                return ("p", constraint.columns, *late)
            case Unique():
                if not constraint.options:
                    return ("u", constraint.columns, *late, False, ())
                include = option(constraint.options, "postgresql_include") or ()
                distinct = option(constraint.options, "postgresql_nulls_not_distinct")
                return ("u", constraint.columns, *late, bool(distinct), tuple(str(name) for name in include))
            case ForeignKey():
                return (
                    "f",
                    constraint.columns,
                    constraint.target,
                    constraint.target_columns,
                    _action(constraint.onupdate),
                    _action(constraint.ondelete),
                    *late,
                    None
                    if constraint.match is None or constraint.match.upper() == "SIMPLE"
                    else constraint.match.upper(),
                )

    def exclude(self, exclude: Exclude) -> tuple[Any, ...]:
        return (
            "x",
            exclude.using.lower(),
            tuple((self.element(part, exclude.ops and dict(exclude.ops)), how) for part, how in exclude.elements),
            None if exclude.where is None else self.text(exclude.where),
            bool(exclude.deferrable),
            (exclude.initially or "").upper() == "DEFERRED",
        )

    @abstractmethod
    def replaces(self, current: Column, wanted: Column) -> bool:
        """Whether only a new column in the old one's place can have what is wanted: no row's own value is lost."""

    @abstractmethod
    def rereads(self, current: SqlType, wanted: SqlType) -> bool:
        """Whether the change of type leaves expressions over the column in the words of the old one, here or on the way back."""

    @abstractmethod
    def compares(self, one: SqlType, other: SqlType) -> bool:
        """Whether a foreign key may have the types at its two ends."""

    @abstractmethod
    def numbers(self, value: Identity | Sequence, type_: SqlType | None) -> tuple[Any, ...]:
        """The options of a sequence with the database's defaults filled in."""

    def _serial(self, type_: SqlType) -> str:
        return type_.spelling(self.name)


def _action(action: str | None) -> str | None:
    if action is None:
        return None
    upper = " ".join(action.upper().replace("(", " (").split())
    return None if upper == "NO ACTION" else upper


def normal_for(name: str, server_version: tuple[int, ...] | None = None) -> Normal:
    """The normal forms of a database by its name; UsageError for one that asyncmig does not migrate."""
    if name == "postgresql":
        from asyncmig.dialects.postgresql_normal import PostgresqlNormal

        return PostgresqlNormal(server_version)
    if name == "sqlite":
        from asyncmig.dialects.sqlite_normal import SqliteNormal

        return SqliteNormal()
    raise UsageError(f"asyncmig migrates PostgreSQL and SQLite, not {name}.")
