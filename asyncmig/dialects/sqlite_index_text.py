"""A stored CREATE INDEX text taken apart: its elements and its predicate."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asyncmig.dialects.sqlite_stored import StoredObject
from asyncmig.dialects.sqlite_tokens import Token, code_tokens
from asyncmig.schema.expressions import verbatim
from asyncmig.schema.types import SqlText

__all__ = ["index_parts", "indexed"]


def index_parts(sql: str) -> tuple[tuple[str | SqlText, ...], str | None]:
    """Names where an element is nothing but a column; the WHERE as written, None without."""
    tokens = code_tokens(sql)
    opening = next(place for place, token in enumerate(tokens) if token.upper == "(")
    elements: list[str | SqlText] = []
    closing = opening
    for first, last in _stretches(tokens, opening + 1):
        piece = tokens[first:last]
        bare = len(piece) == 1 and piece[0].kind in ("word", "quoted")
        elements.append(piece[0].name if bare else SqlText(verbatim(sql[piece[0].start : piece[-1].end])))
        closing = last
    where = next((token for token in tokens[closing + 1 :] if token.upper == "WHERE"), None)
    return tuple(elements), sql[where.end :].strip() if where is not None else None


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
