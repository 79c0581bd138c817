"""How a dialect spells a type or an expression, found out with SQLAlchemy's compilers."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["spell_text", "spell_type", "spelling_dialect"]

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


def _marker(thing: object) -> str:
    return f"<{type(thing).__module__}.{type(thing).__qualname__}>"
