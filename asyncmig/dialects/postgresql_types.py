"""PostgreSQL's spelling of a type, as format_type() gives it, and the SQLAlchemy type that it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BIT, INTERVAL, TIME, TIMESTAMP
from sqlalchemy.dialects.postgresql.base import ischema_names

from asyncmig.dialects.written_type import WrittenType
from asyncmig.schema.types import SqlType

__all__ = ["TypeReader"]

_ARGUMENTS = re.compile(r"\(([^()]*)\)")
_ARRAY = re.compile(r"(?:\[\])+$")
_SIMPLE: Mapping[str, Any] = {
    "integer": sa.INTEGER, "bigint": sa.BIGINT, "smallint": sa.SMALLINT, "boolean": sa.BOOLEAN, "text": sa.TEXT,
    "date": sa.DATE, "uuid": sa.UUID, "real": sa.REAL, "double precision": sa.DOUBLE_PRECISION,
}  # fmt: skip


class TypeReader:
    """`named` are the enums and domains by their spelling in format_type(); each type is made once."""

    def __init__(self, named: Mapping[str, sa.types.TypeEngine[Any]]) -> None:
        self._named = named
        self._types: dict[tuple[str, str | None], SqlType] = {}

    def read(self, spelling: str, collation: str | None = None) -> SqlType:
        key = (spelling, collation)
        found = self._types.get(key)
        if found is None:
            found = self._types[key] = SqlType(self._engine(spelling, collation))
        return found

    def _engine(self, spelling: str, collation: str | None) -> sa.types.TypeEngine[Any]:
        item = _ARRAY.sub("", spelling)
        if item != spelling:
            # PostgreSQL does not remember how many dimensions were declared.
            return ARRAY(self._engine(item, collation))
        if spelling in self._named:
            return self._named[spelling]
        arguments = _ARGUMENTS.search(spelling)
        numbers = [part.strip() for part in arguments[1].split(",")] if arguments else []
        bare = _ARGUMENTS.sub("", spelling)
        if not all(re.fullmatch(r"-?\d+", number) for number in numbers):
            return WrittenType(spelling)
        return _built(bare, [int(number) for number in numbers], spelling, collation)


def _built(bare: str, numbers: list[int], spelling: str, collation: str | None) -> sa.types.TypeEngine[Any]:
    precision = numbers[0] if numbers else None
    if bare in ("timestamp with time zone", "timestamp without time zone"):
        return TIMESTAMP(timezone=" with " in bare, precision=precision)
    if bare in ("time with time zone", "time without time zone"):
        return TIME(timezone=" with " in bare, precision=precision)
    if bare.split(" ", maxsplit=1)[0] == "interval":
        return INTERVAL(fields=bare[len("interval ") :].upper() or None, precision=precision)
    if bare in ("bit", "bit varying"):
        return BIT(precision, varying=bare == "bit varying")
    kind: Any = _SIMPLE.get(bare) or ischema_names.get(bare)
    # SQLAlchemy takes "name" for a string, which it would write as VARCHAR.
    if kind is None or kind is sa.Enum or bare == "name" or '"' in bare or (numbers and bare not in _WITH_NUMBERS):
        return WrittenType(spelling if collation is None else f'{spelling} COLLATE "{collation}"')
    return kind(*numbers, collation=collation) if collation else kind(*numbers)  # type: ignore[no-any-return]


_WITH_NUMBERS = frozenset({"numeric", "character", "character varying"})
