"""SQLite's many spellings of the same thing, as one. SQLite itself keeps every text as it was written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from asyncmig.dialects import sqlite_asking
from asyncmig.dialects.asking import Question
from asyncmig.dialects.normal import Element, Normal
from asyncmig.dialects.sqlite_tokens import Token, code_tokens
from asyncmig.schema.model import Column, Identity, Sequence
from asyncmig.schema.types import SqlText, SqlType

__all__ = ["SqliteNormal"]

_ALIASES = {
    "INT": "INTEGER", "BOOL": "BOOLEAN", "DECIMAL": "NUMERIC", "DOUBLE PRECISION": "DOUBLE", "CHARACTER": "CHAR",
    "CHARACTER VARYING": "VARCHAR", "CHARACTER LARGE OBJECT": "CLOB",
}  # fmt: skip


class SqliteNormal(Normal):
    name = "sqlite"
    canonical = False
    has_comments = False
    binds = False
    has_serial = False
    folds_names = True
    default_schema = "main"
    references_ahead = True
    merges_keys = False

    def of_type(self, spelling: str) -> str:
        if spelling in ("NULL", ""):
            return ""  # SQLAlchemy's NullType: no type at all
        body, collate, collation = spelling.partition(" COLLATE ")
        name, bracket, rest = " ".join(body.upper().split()).partition("(")
        name = name.strip()
        arguments = f"({', '.join(part.strip() for part in rest[:-1].split(','))})" if bracket else ""
        # Without COLLATE is BINARY ("Datatypes In SQLite", 7).
        named = collation.strip('"').upper()
        return f"{_ALIASES.get(name, name)}{arguments}" + (f"{collate}{named}" if named not in ("", "BINARY") else "")

    def of_text(self, sql: str) -> str:
        """The tokens without spacing, the case of words, needless quotes and parentheses around it all."""
        tokens = _unwrapped(code_tokens(sql))
        return " ".join(_said(token) for token in tokens)

    def element(self, element: str | SqlText, operators: Any) -> Element:
        if isinstance(element, str):
            return Element(element.lower(), True)
        tokens = list(code_tokens(self.spell(element)))
        descending = bool(tokens) and tokens[-1].upper == "DESC"
        if tokens and tokens[-1].upper in ("ASC", "DESC"):
            tokens.pop()
        collation = None
        if len(tokens) > 2 and tokens[-2].upper == "COLLATE":
            collation = tokens[-1].name.upper()
            del tokens[-2:]
        if len(tokens) == 1 and tokens[0].kind in ("word", "quoted"):
            return Element(tokens[0].name.lower(), True, collation, descending=descending)
        body = " ".join(_said(token) for token in _unwrapped(tuple(tokens)))
        # Spaces between tokens change nothing, and the body alone is what may be asked about.
        text = " ".join(token.text for token in tokens)
        return Element(body, False, collation, descending=descending, text=text)

    def answers(self, questions: Iterable[Question]) -> Mapping[Question, str | None]:
        """Any SQLite will do, one in memory."""
        return sqlite_asking.answers(questions)

    def replaces(self, current: Column, wanted: Column) -> bool:
        return False

    def rereads(self, current: SqlType, wanted: SqlType) -> bool:
        """Never: the text of the table stays as it is."""
        return False

    def compares(self, one: SqlType, other: SqlType) -> bool:
        """Always: a key compares values, whatever their types."""
        return True

    def numbers(self, value: Identity | Sequence, type_: SqlType | None) -> tuple[Any, ...]:
        """Nothing: there are no sequences, and SQLAlchemy leaves IDENTITY out."""
        return ()


def _said(token: Token) -> str:
    if token.kind == "word":
        return token.text.lower()
    # Names are alike whatever their case; one in quotes may hold a space, so it keeps them then.
    return token.name.lower() if token.kind == "quoted" and token.name.isidentifier() else token.text


def _unwrapped(tokens: tuple[Token, ...]) -> tuple[Token, ...]:
    while len(tokens) > 2 and tokens[0].upper == "(" and _closing(tokens) == len(tokens) - 1:
        tokens = tokens[1:-1]
    return tokens


def _closing(tokens: tuple[Token, ...]) -> int:
    depth = 0
    for place, token in enumerate(tokens):
        depth += {"(": 1, ")": -1}.get(token.upper, 0)
        if depth == 0:
            return place
    return -1
