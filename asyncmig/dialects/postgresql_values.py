"""Python values as PostgreSQL literals without a type of their own, so that the server gives them the one that fits."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

__all__ = ["numbered", "with_values"]

_TOKEN = re.compile(
    r"""(?P<parameter> (?<![\w$]) \$\d+ )
      | (?<!\w) [eE] ' (?: [^'\\] | \\. | '' )* '
      | ' (?: [^'] | '' )* '
      | " (?: [^"] | "" )* "
      | (?<![\w$]) \$ (?P<tag> (?:[A-Za-z_]\w*)? ) \$ .*? \$ (?P=tag) \$
      | -- [^\n]*
      | /\* .*? \*/""",
    re.VERBOSE | re.DOTALL,
)


_PYFORMAT = re.compile(r"%(?:(?P<percent>%)|s|\((?P<name>[^)]*)\)s)")


def numbered(sql: str, parameters: Sequence[object] | Mapping[str, object]) -> tuple[str, Sequence[object]]:
    """What psycopg2 takes for `%s` and `%(name)s` as `$1` and so on; as it is, where it has none of them or `$1` itself."""
    marks = [found for found in _PYFORMAT.finditer(sql) if found["percent"] is None]
    if not marks or re.search(r"\$\d", sql):
        return sql, parameters if isinstance(parameters, Sequence) else ()
    values = [parameters[found["name"] or ""] for found in marks] if isinstance(parameters, Mapping) else [*parameters]
    numbers = itertools.count(1)
    return _PYFORMAT.sub(lambda found: "%" if found["percent"] else f"${next(numbers)}", sql), values


def with_values(sql: str, parameters: Sequence[object]) -> tuple[str, tuple[object, ...]]:
    """The statement with its values in the place of `$1` and so on, and the parameters that are left.

    A value that has no literal here (a range, a type of the driver's) stays a parameter, numbered anew.
    """
    left: list[object] = []
    spelled: dict[int, str] = {}

    def replace(found: re.Match[str]) -> str:
        if found["parameter"] is None:
            return found[0]
        at = int(found["parameter"][1:]) - 1
        if at not in spelled:
            literal = _literal(parameters[at])
            if literal is None:
                left.append(parameters[at])
                literal = f"${len(left)}"
            spelled[at] = literal
        return spelled[at]

    return _TOKEN.sub(replace, sql), tuple(left)


def _literal(value: object) -> str | None:
    match value:
        case None:
            return "NULL"
        case bool():
            return "true" if value else "false"
        case int():
            # The space keeps a minus sign from making a comment of the one before it.
            return f" {int(value)}" if value < 0 else str(int(value))
        case float() | Decimal():
            return _number(value)
        case str():
            return _text(value)
        case bytes() | bytearray() | memoryview():
            return f"'\\x{bytes(value).hex()}'::bytea"
        case datetime():
            return f"'{value.isoformat()}'::timestamp{'tz' if value.tzinfo else ''}"
        case date():
            return f"'{value.isoformat()}'::date"
        case time():
            return f"'{value.isoformat()}'::time{'tz' if value.tzinfo else ''}"
        case timedelta():
            return f"'{value.days} days {value.seconds}.{value.microseconds:06} seconds'::interval"
        case UUID():
            return f"'{value}'::uuid"
        case list() | tuple():
            return _array(value)
        case _:
            return None


def _number(value: float | Decimal) -> str:
    if not math.isfinite(value):
        return f"'{value}'::{'numeric' if isinstance(value, Decimal) else 'float8'}"
    text = str(value)
    return f" {text}" if text.startswith("-") else text


def _text(value: str) -> str:
    quoted = value.replace("'", "''")
    # Written so that standard_conforming_strings does not matter.
    return "E'" + quoted.replace("\\", "\\\\") + "'" if "\\" in quoted else f"'{quoted}'"


def _array(value: Sequence[object]) -> str | None:
    parts = [_literal(item) for item in value]
    if any(part is None for part in parts) or isinstance(value, tuple):
        return None
    return f"ARRAY[{','.join(part for part in parts if part)}]" if parts else "'{}'"
