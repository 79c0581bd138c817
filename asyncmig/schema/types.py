"""Types and SQL expressions as values: equal when every dialect spells them the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from asyncmig.schema.spelling import spell_text, spell_type

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["DIALECTS", "SqlText", "SqlType", "sql_literal", "sql_text", "sql_type"]

DIALECTS = ("postgresql", "sqlite")


@dataclass(frozen=True, slots=True, eq=False)
class SqlType:
    """A column type: the SQLAlchemy type, compared by its compiled spelling on each dialect.

    Making one costs nothing; it is compiled when it is first compared, hashed or asked for its spelling.
    `apart` marks an enum or domain that is created and dropped by itself, never with a column: it was given a
    `metadata=` of its own. `as_found` takes an enum that is there already with the values it has, also where it lacks
    some of these: a script written for Alembic means that. Both are outside equality, as `create_type=False` is.
    """

    engine: sa.types.TypeEngine[Any]
    _memo: dict[str, str] = field(default_factory=dict, repr=False)
    apart: bool = False
    as_found: bool = False

    def spelling(self, dialect: str) -> str:
        """The type in the DDL of `dialect`; a marker naming the class where it has none there."""
        text = self._memo.get(dialect)
        if text is None:
            text = self._memo[dialect] = spell_type(self.engine, dialect)
        return text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SqlType):
            return NotImplemented
        return self.engine is other.engine or all(self.spelling(name) == other.spelling(name) for name in DIALECTS)

    def __hash__(self) -> int:
        return hash(tuple(self.spelling(name) for name in DIALECTS))


@dataclass(frozen=True, slots=True, eq=False)
class SqlText:
    """A SQL expression, compared by its compiled spelling on each dialect, literals written inline.

    Columns in `clause` belong to no table: the value outlives the models that it was read from.
    `literal` is the string where the expression is nothing but a string constant given as one.
    """

    clause: sa.ClauseElement
    literal: str | None = None
    _memo: dict[str, str] = field(default_factory=dict, repr=False)

    def spelling(self, dialect: str) -> str:
        """The expression in the SQL of `dialect`; a marker naming the class where it has none there."""
        text = self._memo.get(dialect)
        if text is None:
            text = self._memo[dialect] = spell_text(self.clause, dialect)
        return text

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SqlText):
            return NotImplemented
        return self.clause is other.clause or all(self.spelling(name) == other.spelling(name) for name in DIALECTS)

    def __hash__(self) -> int:
        return hash(tuple(self.spelling(name) for name in DIALECTS))


def sql_type(engine: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]]) -> SqlType:
    """The value of a type, given as an instance or, as SQLAlchemy allows, as a class."""
    return SqlType(engine() if isinstance(engine, type) else engine)


def sql_text(sql: str | sa.ClauseElement) -> SqlText:
    """The value of an expression; a string is SQL as it stands, colons and percent signs included."""
    from asyncmig.schema.expressions import detach, verbatim

    return SqlText(verbatim(sql) if isinstance(sql, str) else detach(sql))


def sql_literal(value: str) -> SqlText:
    """The value of a string constant, as `server_default="x"` means it: rendered in quotes."""
    import sqlalchemy as sa

    return SqlText(sa.literal(value, sa.String()), value)
