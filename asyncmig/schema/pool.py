"""The values met so far while a whole schema is made: what is equal and plain is one value, made and compared once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncmig.schema.expressions import constant_key
from asyncmig.schema.model import Column
from asyncmig.schema.types import SqlText, SqlType, sql_literal, sql_text

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["THROW_AWAY", "Pool"]

THROW_AWAY = "asyncmig_throw_away"
"""The key in `MetaData.info` that marks one made for a single directive: what it holds belongs to nobody."""


class Pool:
    """Types by what they say, defaults by their text, columns by all that they are.

    Thousands of tables have the same `id` and `created`: each is one object then, and a comparison that has met two
    columns once need not look at them again.
    """

    def __init__(self) -> None:
        self._types: dict[Any, SqlType] = {}
        self._literals: dict[str, SqlText] = {}
        self._constants: dict[Any, SqlText] = {}
        self._columns: dict[Any, Column] = {}

    def type(self, engine: sa.types.TypeEngine[Any], metadata: sa.MetaData | None = None) -> SqlType:
        """`metadata` is the one that the column belongs to."""
        try:
            key = (type(engine), *engine.__dict__.items())
            found = self._types.get(key)
        except TypeError:  # an unhashable attribute: a type of its own
            return SqlType(engine, apart=_is_apart(engine, metadata))
        if found is None:
            found = self._types[key] = SqlType(engine, apart=_is_apart(engine, metadata))
        return found

    def literal(self, value: str) -> SqlText:
        found = self._literals.get(value)
        if found is None:
            found = self._literals[value] = sql_literal(value)
        return found

    def text(self, clause: Any) -> SqlText:
        key = constant_key(clause)
        if key is None:
            return sql_text(clause)
        found = self._constants.get(key)
        if found is None:
            found = self._constants[key] = sql_text(clause)
        return found

    def column(
        self,
        name: str,
        type_: SqlType,
        nullable: bool,
        default: SqlText | None,
        autoincrement: Any,
        comment: str | None,
    ) -> Column:
        """A column with nothing else to say."""
        quote = getattr(name, "quote", None)  # of a quoted_name, which is equal to a str that is quoted otherwise
        if quote is not None:
            return Column(name, type_, nullable, default, autoincrement=autoincrement, comment=comment)
        # By identity, which costs nothing: a value that is not shared is kept alive by the column that has it.
        key = (name, id(type_), nullable, id(default), autoincrement, comment)
        found = self._columns.get(key)
        if found is None:
            found = Column(str(name), type_, nullable, default, autoincrement=autoincrement, comment=comment)
            self._columns[key] = found
        return found


def _is_apart(engine: sa.types.TypeEngine[Any], metadata: sa.MetaData | None) -> bool:
    """Whether an enum was given a `metadata=` other than its table's, so that it is created and dropped there.

    SQLAlchemy 2.1 gives a type the metadata of the first table it meets; those that we make are throw-away ones.
    """
    own = getattr(engine, "metadata", None)
    return own is not None and own is not metadata and not own.info.get(THROW_AWAY)
