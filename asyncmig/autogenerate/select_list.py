"""The names of the columns that a query gives, read from its text as far as that tells."""

from __future__ import annotations

import re

__all__ = ["output_names"]

_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*|/\*.*?\*/)|(?P<string>'(?:[^']|'')*')|(?P<name>"(?:[^"]|"")*"|[^\W\d][\w$]*)|(?P<other>.)""",
    re.DOTALL,
)


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
