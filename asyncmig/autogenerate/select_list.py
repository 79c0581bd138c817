"""The columns that a query gives, read from its text as far as that tells: their names, and stars in their place."""

from __future__ import annotations

import re
from itertools import pairwise

__all__ = ["gives_all_of_one", "has_star", "output_names"]

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<string>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")*"|[^\W\d][\w$]*)|(?P<other>.)""",
    re.DOTALL,
)


_ALL_OF_ONE = re.compile(
    r"\s*SELECT\s+\*\s+FROM\s+(?:ONLY\s+)?[\w.\"]+\s*(?:\Z|WHERE\b|ORDER\b|LIMIT\b)", re.IGNORECASE
)
_BEFORE_STAR = frozenset({"SELECT", "DISTINCT", "ALL", ",", "."})


def has_star(query: str) -> bool:
    """Whether all columns of something are meant, which are those that it has when the view is made."""
    if "*" not in query:
        return False
    texts = [m[0].upper() for m in _TOKEN.finditer(query) if m.lastgroup != "space"]
    return any(one == "*" and before in _BEFORE_STAR for before, one in pairwise(texts))


def gives_all_of_one(query: str) -> bool:
    """Whether it is a plain `SELECT * FROM t`: a new column of t comes at the end."""
    return _ALL_OF_ONE.match(query) is not None


def output_names(query: str) -> list[str] | None:
    """None where the text alone does not tell: a star, an expression without a name, a WITH in front."""
    tokens = [(m.lastgroup, m[0]) for m in _TOKEN.finditer(query) if m.lastgroup != "space"]
    if not tokens or tokens[0][1].upper() != "SELECT":
        return None
    items: list[list[tuple[str | None, str]]] = [[]]
    depth = 0
    for kind, text in tokens[1:]:
        depth += (text in "([" and kind == "other") - (text in ")]" and kind == "other")
        if depth == 0 and kind == "name" and text.upper() == "FROM":
            break
        if depth == 0 and text == ",":
            items.append([])
        else:
            items[-1].append((kind, text))
    names = [_name(item) for item in items]
    return None if None in names else [name for name in names if name is not None]


def _name(item: list[tuple[str | None, str]]) -> str | None:
    """Its alias, or the column that it is."""
    if not item or item[-1][0] != "name" or (len(item) > 1 and item[0][1].upper() in ("DISTINCT", "ALL")):
        return None
    named = len(item) > 1 and (item[-2][1].upper() == "AS" or (item[-2][1] == "." and len(item) in (3, 5)))
    if len(item) > 1 and not named:
        return None
    text = item[-1][1]
    return text[1:-1].replace('""', '"') if text[:1] == '"' else text.lower()
