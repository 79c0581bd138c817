"""A stored CREATE INDEX text taken apart: its elements and its predicate.

SQLite stores "CREATE INDEX " or "CREATE UNIQUE INDEX " and then what was typed from the name on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from asyncmig.dialects.sqlite_stored import StoredObject
from asyncmig.dialects.sqlite_tokens import Token, code_tokens, unquote
from asyncmig.schema.expressions import verbatim
from asyncmig.schema.model import Column
from asyncmig.schema.types import SqlText

__all__ = ["index_parts", "indexed", "is_unique"]

_NAME = r'(?:"[^"]*"|\w+)'
_SIMPLE = re.compile(rf"CREATE (?:UNIQUE )?INDEX {_NAME} ON {_NAME} \(({_NAME}(?:, {_NAME})*)\)")


def is_unique(sql: str) -> bool:
    return sql[:14].upper() == "CREATE UNIQUE "


def index_parts(sql: str, columns: Mapping[str, Column]) -> tuple[tuple[str | SqlText, ...], str | None]:
    """Names where an element is nothing but a column, sorted as it is anyway; the WHERE as written, None without.

    `columns` are the table's, by name.
    """
    simple = _SIMPLE.fullmatch(sql)  # as SQLAlchemy writes nearly all of them
    if simple is not None:
        names = tuple([unquote(name) for name in simple[1].split(", ")])
        if all(name in columns for name in names):
            return names, None
    tokens = code_tokens(sql)
    spelled = {name.lower(): name for name in columns}
    opening = next(place for place, token in enumerate(tokens) if token.upper == "(")
    elements: list[str | SqlText] = []
    closing = opening
    for first, last in _stretches(tokens, opening + 1):
        piece = tokens[first:last]
        name = _column(piece, spelled, columns)
        elements.append(name if name is not None else SqlText(verbatim(sql[piece[0].start : piece[-1].end])))
        closing = last
    where = next((token for token in tokens[closing + 1 :] if token.upper == "WHERE"), None)
    return tuple(elements), sql[where.end :].strip() if where is not None else None


def _column(piece: Sequence[Token], spelled: Mapping[str, str], columns: Mapping[str, Column]) -> str | None:
    """The column that is all there is to an element; a string is a name here, where the table has such a column."""
    head, rest = piece[0], [token.upper or token.name.upper() for token in piece[1:]]
    name = spelled.get(head.name.lower()) if head.kind in ("word", "quoted", "string") else None
    if name is None:
        return head.name if not rest and head.kind in ("word", "quoted") else None
    if rest[-1:] == ["ASC"]:
        rest.pop()
    return name if not rest or rest == ["COLLATE", _collation(columns[name])] else None


def _collation(column: Column) -> str:
    """BINARY where nothing else is said ("Datatypes In SQLite", 7)."""
    return column.type.spelling("sqlite").partition(" COLLATE ")[2].strip('"').upper() or "BINARY"


def _stretches(tokens: tuple[Token, ...], start: int) -> Iterator[tuple[int, int]]:
    """From and to of each element, up to the parenthesis that closes the list."""
    depth, first = 1, start
    for place in range(start, len(tokens)):
        sign = tokens[place].upper
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth == 0 or (sign == "," and depth == 1):
            yield first, place
            first = place + 1
        if depth == 0:
            return


def indexed(index: StoredObject) -> Sequence[Token]:
    """What an index is about: from its opening parenthesis on."""
    tokens = code_tokens(index.sql)
    return tokens[next(at for at, token in enumerate(tokens) if token.upper == "(") :]
