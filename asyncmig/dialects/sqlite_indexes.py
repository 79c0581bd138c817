"""A stored CREATE INDEX text under another name."""

from __future__ import annotations

from asyncmig.dialects.sqlite_tokens import Token, code_tokens

__all__ = ["renamed_index_sql"]


def renamed_index_sql(sql: str, new: str) -> str:
    """The text with the index's name, and a schema before it, replaced by `new`, which is SQL; the rest stays."""
    first, last = _name(code_tokens(sql))
    return sql[: first.start] + new + sql[last.end :]


def _name(tokens: tuple[Token, ...]) -> tuple[Token, Token]:
    """From where to where the name stands: CREATE [UNIQUE] INDEX [IF NOT EXISTS] [schema.]name ON ..."""
    start = next(place for place, token in enumerate(tokens) if token.upper == "INDEX") + 1
    if tokens[start].upper == "IF" and tokens[start + 1].upper == "NOT":
        start += 3
    qualified = tokens[start + 1].upper == "."
    return tokens[start], tokens[start + 2 if qualified else start]
