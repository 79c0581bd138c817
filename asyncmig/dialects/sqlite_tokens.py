"""The tokens of SQLite's SQL, with their places: what edits a stored text without touching the rest of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

__all__ = ["Token", "code_tokens", "mentions", "pieces", "quote", "text_literal", "tokenize", "unquote"]

TokenKind = Literal["space", "comment", "word", "quoted", "string", "number", "other"]

# A line comment takes its newline along: code that is put behind it must never become part of it.
_TOKEN = re.compile(
    r"""
      (?P<space> [ \t\r\n\f]+ )
    | (?P<comment> --[^\n]*+(?:\n|\Z) | /\*(?s:.*?)(?:\*/|\Z) )
    | (?P<string> x?'[^']*+(?:''[^']*+)*+(?:'|\Z) )
    | (?P<quoted> "[^"]*+(?:""[^"]*+)*+(?:"|\Z) | `[^`]*+(?:``[^`]*+)*+(?:`|\Z) | \[[^\]]*+(?:\]|\Z) )
    | (?P<number> 0x[0-9a-f]++ | (?:\d[\d_]*+\.?[\d_]*+|\.\d[\d_]*+)(?:e[+-]?\d++)? )
    | (?P<word> (?:[^\W\d]|[^\x00-\x7f])(?:[\w$]|[^\x00-\x7f])*+ )
    | (?P<other> \|\| | ->>? | << | >> | <= | >= | == | != | <> | . )
    """,
    re.VERBOSE | re.IGNORECASE | re.DOTALL,
)
_SAFE = re.compile(r"[a-z_][a-z0-9_]*\Z")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a text: `text == sql[start:end]`."""

    kind: TokenKind
    start: int
    end: int
    text: str

    @property
    def upper(self) -> str:
        """A bare word in capitals or a sign as it is; "" for whatever is quoted, so that "NOT" is no NOT."""
        return self.text.upper() if self.kind in ("word", "other") else ""

    @property
    def name(self) -> str:
        """What it says where a name is expected."""
        return unquote(self.text)


def tokenize(sql: str) -> Iterator[Token]:
    """Everything in the text, spaces and comments included; joined, the tokens are the text."""
    for match in _TOKEN.finditer(sql):
        yield Token(match.lastgroup, match.start(), match.end(), match[0])  # type: ignore[arg-type]


def code_tokens(sql: str) -> tuple[Token, ...]:
    """The tokens that SQLite's parser sees."""
    return tuple(token for token in tokenize(sql) if token.kind not in ("space", "comment"))


def unquote(text: str) -> str:
    """The name in any of SQLite's four quotes, or without."""
    opening = text[:1]
    if opening == "[":
        return text[1:-1]
    if opening and opening in "\"`'":
        return text[1:-1].replace(opening * 2, opening)
    return text


def quote(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def text_literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def mentions(tokens: Sequence[Token], name: str) -> bool:
    """Whether an expression names a column: not where the word is a function, a collation or the type of a CAST.

    "x" in double quotes counts, though SQLite may take it for a string: who drops a column must not guess.
    """
    wanted = name.lower()
    for index, token in enumerate(tokens):
        if token.kind not in ("word", "quoted") or token.name.lower() != wanted:
            continue
        before = tokens[index - 1].upper if index else ""
        after = tokens[index + 1].upper if index + 1 < len(tokens) else ""
        if after not in ("(", ".") and before not in ("COLLATE", "AS"):
            return True
    return False


def pieces(sql: str) -> list[str]:
    """Everything but the spaces between: comments count, which ALTER TABLE can lose."""
    return [token.text.strip() for token in tokenize(sql) if token.kind != "space"]
