"""PostgreSQL: a column numbered by a sequence's default becomes an identity column, and the way back; both count on."""

from __future__ import annotations

import re
from collections.abc import Iterator

import sqlalchemy as sa

from asyncmig.dialects.ddl import CompilingDialect
from asyncmig.dialects.literals import quoted
from asyncmig.operations.alter_column import AlterColumn
from asyncmig.schema.model import Identity
from asyncmig.schema.serial import serial_sequence
from asyncmig.schema.types import SqlText

__all__ = ["PostgresqlNumbering", "sequence_name", "sequence_of"]

_NEXT = re.compile(r"nextval\(\s*'((?:[^']|'')+)'(?:\s*::\s*regclass)?\s*\)", re.IGNORECASE)
_NAME = re.compile(r'(?:.*\.)?("(?:[^"]|"")+"|[^".]+)', re.DOTALL)
_OUT_OF_THE_WAY = "_serial"
_NAME_LIMIT = 63


def sequence_of(default: object) -> str | None:
    """The sequence whose next value the default is, as SQL spells it; None for any other default."""
    return _sequence(default.spelling("postgresql")) if isinstance(default, SqlText) else None


def sequence_name(default: str) -> str | None:
    """The bare name, without schema and quotes, out of the SQL of a default; None for any other default."""
    found = _sequence(default)
    return None if found is None else _NAME.sub(lambda part: _unquoted(part[1]), found)


def _sequence(default: str) -> str | None:
    found = _NEXT.fullmatch(default.strip())
    return found[1].replace("''", "'") if found else None


class PostgresqlNumbering(CompilingDialect):
    """Part of PostgreSQL."""

    def _identity_from(self, sequence: str, added: str, operation: AlterColumn) -> Iterator[str]:
        """`added` between what hands the count over. A SERIAL's own sequence goes, another stays.

        Its name is free before the identity column makes its own sequence, which so gets the name of a new table's.
        """
        yield f"ALTER SEQUENCE {sequence} OWNED BY NONE"
        held = sequence
        if self._is_serial(sequence, operation):
            schema, _, name = sequence.rpartition(".")
            aside = self.quote(_unquoted(name)[: _NAME_LIMIT - len(_OUT_OF_THE_WAY)] + _OUT_OF_THE_WAY)
            held = f"{schema}.{aside}" if schema else aside
            yield f"ALTER SEQUENCE {sequence} RENAME TO {aside}"
        yield added
        if not isinstance(operation.default, Identity) or operation.default.start in (None, 1):
            own = f"pg_get_serial_sequence({quoted(self.qualify(operation.ref))}, {quoted(operation.name)})"
            yield f"SELECT setval({own}, last_value, is_called) FROM {held}"
        if held != sequence:
            yield f"DROP SEQUENCE {held}"

    def _sequence_again(self, sequence: str, operation: AlterColumn) -> Iterator[str]:
        """What SERIAL would have made, behind the numbers that the rows have: the identity's own is gone by now."""
        if self._is_serial(sequence, operation):
            table, column = self.qualify(operation.ref), self.quote(operation.name)
            yield f"CREATE SEQUENCE IF NOT EXISTS {sequence}{self._as(operation)} OWNED BY {table}.{column}"
            yield f"SELECT setval({quoted(sequence)}, coalesce(max({column}), 0) + 1, false) FROM {table}"

    def _is_serial(self, sequence: str, operation: AlterColumn) -> bool:
        """Whether it has the name that SERIAL gives."""
        return _unquoted(sequence.rpartition(".")[2]) == serial_sequence(operation.ref.name, operation.name)

    def _as(self, operation: AlterColumn) -> str:
        """The sequence of a SERIAL has the column's type; bigint is the default."""
        type_ = operation.known_type
        if type_ is None or not isinstance(type_.engine, sa.Integer) or isinstance(type_.engine, sa.BigInteger):
            return ""
        return f" AS {type_.spelling(self.name)}"


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name
