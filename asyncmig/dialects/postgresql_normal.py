"""PostgreSQL's many spellings of the same thing, as one."""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa

from asyncmig.dialects.normal import Element, Normal
from asyncmig.schema.model import Column, Identity, Sequence
from asyncmig.schema.types import SqlText, SqlType

__all__ = ["PostgresqlNormal"]

_TYPE = r'(?:"[^"]+"|[a-z_][\w$]*)(?:\.(?:"[^"]+"|[a-z_][\w$]*))?'
_CAST = re.compile(
    rf"('(?:[^']|'')*')::{_TYPE}(?:\s(?:varying|precision|with(?:out)?\stime\szone))*"
    r"(?:\(\d+(?:,\s*-?\d+)?\))?(?:\[\])*",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|\s+|[^\s'"]+""")
_LOWER = re.compile(r'"[a-z_][a-z0-9_]*"')
_COLLATE = re.compile(r' COLLATE ("(?:[^"]|"")+"|[\w.]+)\s*$', re.IGNORECASE)
_NULLS = re.compile(r"\s+NULLS\s+(FIRST|LAST)\s*$", re.IGNORECASE)
_SORT = re.compile(r"\s+(ASC|DESC)\s*$", re.IGNORECASE)
_OPERATORS = re.compile(r"\s+([a-z]\w*_ops)\s*$")
_NAME = re.compile(r'"(?:[^"]|"")+"|[a-z_][\w$]*', re.IGNORECASE)
_ALIASES = {
    "INT": "INTEGER",
    "INT4": "INTEGER",
    "INT8": "BIGINT",
    "INT2": "SMALLINT",
    "BOOL": "BOOLEAN",
    "FLOAT": "DOUBLE PRECISION",
    "FLOAT8": "DOUBLE PRECISION",
    "FLOAT4": "REAL",
    "DOUBLE PRECISION(53)": "DOUBLE PRECISION",
    "DECIMAL": "NUMERIC",
    "CHAR": "CHAR(1)",
    "CHARACTER": "CHAR(1)",
    "NCHAR": "CHAR(1)",
    "BIT": "BIT(1)",
    "TIMESTAMP": "TIMESTAMP WITHOUT TIME ZONE",
    "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE",
    "TIME": "TIME WITHOUT TIME ZONE",
}
_PATTERNS = (
    (re.compile(r"^(?:DECIMAL|NUMERIC)\((\d+)(?:, *(-?\d+))?\)"), lambda m: f"NUMERIC({m[1]}, {m[2] or 0})"),
    (re.compile(r"^FLOAT\((\d+)\)"), lambda m: "REAL" if int(m[1]) <= 24 else "DOUBLE PRECISION"),
    (re.compile(r"^(?:CHARACTER VARYING|NVARCHAR)\b"), lambda m: "VARCHAR"),
    (re.compile(r"^(?:CHARACTER|NCHAR)\b(?! VARYING)"), lambda m: "CHAR"),
    (re.compile(r"^VARBIT\b"), lambda m: "BIT VARYING"),
    (re.compile(r"\((\d+)\) ?(\[\])*\[\]$"), lambda m: f"({m[1]})[]"),
    (re.compile(r"(?:\[\d*\])+$"), lambda m: "[]"),
    (re.compile(r"^(TIMESTAMP|TIME)(\(\d\))?$"), lambda m: f"{m[1]}{m[2] or ''} WITHOUT TIME ZONE"),
)
_SIZE = re.compile(r"\([^)]*\)")
_TEXTS = {"VARCHAR": "TEXT", "VARCHAR[]": "TEXT[]"}
_FAMILIES = {
    **dict.fromkeys(("SMALLINT", "INTEGER", "BIGINT", "NUMERIC", "REAL", "DOUBLE PRECISION"), "number"),
    **dict.fromkeys(("VARCHAR", "TEXT", "CHAR"), "text"),
    **dict.fromkeys(("DATE", "TIMESTAMP WITHOUT TIME ZONE", "TIMESTAMP WITH TIME ZONE"), "moment"),
}
_LIMITS = {"SMALLINT": 2**15, "INTEGER": 2**31, "BIGINT": 2**63}
_DEFAULT_OPERATORS = frozenset(
    f"{name}_ops"
    for name in (
        "array", "bit", "bool", "bpchar", "bytea", "char", "date", "enum", "float4", "float8", "int2", "int4", "int8",
        "interval", "jsonb", "macaddr", "money", "multirange", "name", "numeric", "oid", "range", "text", "time",
        "timestamp", "timestamptz", "timetz", "tsquery", "tsvector", "uuid", "varbit", "varchar",
    )
)  # fmt: skip


class PostgresqlNormal(Normal):
    name = "postgresql"
    canonical = True
    has_comments = True
    binds = True
    has_serial = True
    folds_names = False
    default_schema = "public"
    references_ahead = False
    merges_keys = True

    def __init__(self, server_version: tuple[int, ...] | None = None) -> None:
        super().__init__()
        self._version = server_version or (18,)

    def of_type(self, spelling: str) -> str:
        body, collate, collation = spelling.partition(" COLLATE ")
        if '"' in body:
            return spelling
        upper = " ".join(body.upper().split())
        item = upper.rstrip("[]") if upper.endswith("[]") else upper
        for pattern, replacement in _PATTERNS:
            upper = pattern.sub(replacement, upper)
        upper = _ALIASES.get(upper, upper)
        if item != upper and upper.endswith("[]"):
            upper = _ALIASES.get(upper[:-2], upper[:-2]) + "[]"
        return f"{upper}{collate}{collation}"

    def of_text(self, sql: str) -> str:
        """Without casts of literals, spacing, the case of words and parentheses around it all."""
        text = _CAST.sub(r"\1", sql)
        parts: list[str] = []
        for match in _TOKEN.finditer(text):
            part = match[0]
            if part.isspace():
                parts.append(" ")
            elif part[0] == "'":
                parts.append(part)
            elif part[0] == '"':
                parts.append(part[1:-1] if _LOWER.fullmatch(part) else part)
            else:
                parts.append(part.lower())
        return unwrapped("".join(parts).strip())

    def element(self, element: str | SqlText, operators: Any) -> Element:
        given = operators or {}
        if isinstance(element, str):
            return Element(element, True, operators=_operators(given.get(element)))
        key = getattr(element.clause, "key", None) or getattr(element.clause, "name", None)
        rest = self.spell(element).strip()
        nulls, sort = _NULLS.search(rest), None
        rest = rest[: nulls.start()] if nulls else rest
        sort = _SORT.search(rest)
        rest = rest[: sort.start()] if sort else rest
        operator = _OPERATORS.search(rest)
        rest = rest[: operator.start()] if operator else rest
        collate = _COLLATE.search(rest)
        rest = rest[: collate.start()] if collate else rest
        descending = bool(sort) and sort[1].upper() == "DESC" if sort else False
        first = nulls[1].upper() == "FIRST" if nulls else descending
        is_column = _NAME.fullmatch(rest) is not None
        body = _unquoted(rest) if is_column else self.form(rest)
        return Element(
            body,
            is_column,
            _unquoted(collate[1]) if collate else None,
            _operators(operator[1] if operator else given.get(key) or given.get(body)),
            descending,
            first,
            rest,
        )

    def replaces(self, current: Column, wanted: Column) -> bool:
        """A column becomes generated; or another expression, before PostgreSQL 17, which can change it."""
        if wanted.computed is None:
            return False
        return current.computed is None or self._version < (17,)

    def rereads(self, current: SqlType, wanted: SqlType) -> bool:
        """An expression is read again from its text, casts and all: `a > 3` of a number comes back as `a::numeric > 3::numeric`.

        Texts are compared as text whatever their type.
        """
        old, new = (_SIZE.sub("", self.type(type_)).partition(" COLLATE ")[0] for type_ in (current, wanted))
        return _TEXTS.get(old, old) != _TEXTS.get(new, new)

    def compares(self, one: SqlType, other: SqlType) -> bool:
        """Within an operator family of its indexes, and from whole numbers to others ("Operator Classes and Operator Families")."""
        ends = (_SIZE.sub("", self.type(type_)).partition(" COLLATE ")[0] for type_ in (one, other))
        first, second = (_FAMILIES.get(end, end) for end in ends)
        return first == second

    def numbers(self, value: Identity | Sequence, type_: SqlType | None) -> tuple[Any, ...]:
        limit = _LIMITS.get(self.type(type_), 2**63) if type_ is not None else 2**63
        step = value.increment or 1
        low, high = (1, limit - 1) if step > 0 else (-limit, -1)
        low = value.minvalue if value.minvalue is not None else low
        high = value.maxvalue if value.maxvalue is not None else high
        start = value.start if value.start is not None else (low if step > 0 else high)
        kind = bool(value.always) if isinstance(value, Identity) else None
        return (kind, start, step, low, high, value.cache or 1, bool(value.cycle))

    def _serial(self, type_: SqlType) -> str:
        """BIGSERIAL, SMALLSERIAL and SERIAL are these types (`PGDDLCompiler.get_column_specification`)."""
        impl: Any = type_.engine
        while isinstance(impl, sa.types.TypeDecorator):
            impl = impl.impl_instance
        if isinstance(impl, sa.BigInteger):
            return "BIGINT"
        return "SMALLINT" if isinstance(impl, sa.SmallInteger) else "INTEGER"


def _operators(name: str | None) -> str | None:
    """None for a class that a type has anyway: it is read back as if it had not been named."""
    return None if name in _DEFAULT_OPERATORS else name


def unwrapped(text: str) -> str:
    """The text without parentheses around all of it."""
    while text[:1] == "(" and text[-1:] == ")" and _closes_at_end(text):
        text = text[1:-1].strip()
    return text


def _closes_at_end(text: str) -> bool:
    depth, place = 0, 0
    for match in _PIECE.finditer(text):
        piece = match[0]
        depth += {"(": 1, ")": -1}.get(piece, 0)
        place = match.end()
        if depth == 0:
            return place == len(text)
    return False


_PIECE = re.compile(r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|.""", re.DOTALL)


def _unquoted(name: str) -> str:
    return name[1:-1].replace('""', '"') if name[:1] == '"' else name.lower()
