"""How a dialect spells a type or an expression, found out with SQLAlchemy's compilers."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from asyncmig.errors import UsageError

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["spell_text", "spell_type", "spelled_query", "spelling_dialect"]

_LINE_END = re.compile(r"""(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*")|[ \t]+(?=\n)""")

# What a compiler or a third-party type raises for something that a dialect does not have.
_UNCOMPILABLE = (NotImplementedError, AttributeError, TypeError, ValueError, LookupError)


@cache
def spelling_dialect(name: str) -> sa.engine.Dialect:
    """A SQLAlchemy dialect that no connection has touched; `named` keeps percent signs single."""
    if name == "postgresql":
        from sqlalchemy.dialects.postgresql.base import PGDialect

        return PGDialect(paramstyle="named")  # type: ignore[no-untyped-call]
    from sqlalchemy.dialects.sqlite.base import SQLiteDialect

    return SQLiteDialect(paramstyle="named")


def spell_type(engine: sa.types.TypeEngine[Any], dialect: str) -> str:
    """The type as DDL, or a marker that no DDL can equal."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return str(spelling_dialect(dialect).type_compiler_instance.process(engine))
    except (SQLAlchemyError, *_UNCOMPILABLE):
        return _marker(engine)


def spell_text(clause: sa.ClauseElement, dialect: str) -> str:
    """The expression as DDL has it: no table names, values inline."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        kwargs = {"literal_binds": True, "include_table": False}
        return str(clause.compile(dialect=spelling_dialect(dialect), compile_kwargs=kwargs))
    except (SQLAlchemyError, *_UNCOMPILABLE):
        return _marker(clause)


def spelled_query(query: sa.ClauseElement, dialect: str) -> str:
    """A whole query, values inline, without the spaces that SQLAlchemy leaves at the ends of lines.

    UsageError where the dialect has no such SQL, or a value no literal.
    """
    from sqlalchemy.exc import SQLAlchemyError

    try:
        text = str(query.compile(dialect=spelling_dialect(dialect), compile_kwargs={"literal_binds": True}))
    except (SQLAlchemyError, *_UNCOMPILABLE) as error:
        raise UsageError(
            f"A declared query cannot be written for {dialect}: {error}",
            hint='Declare it for one database alone: dialect="postgresql", and another one for SQLite.',
        ) from error
    return _LINE_END.sub(lambda match: match["quoted"] or "", text)


def _marker(thing: object) -> str:
    return f"<{type(thing).__module__}.{type(thing).__qualname__}>"
