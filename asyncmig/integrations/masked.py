"""SQL without its literals, for those who may see what is done and not with which values."""

from __future__ import annotations

import re
from collections.abc import Iterator

__all__ = ["masked"]

# Words first and whole: the E of `name'...'` opens nothing, the digits of t1 are no number, $1 is a placeholder.
_TOKEN = re.compile(
    r"""
    (?P<keep> "(?:[^"]|"")*(?:"|\Z) | `[^`]*(?:`|\Z) | \$\d+ | [:%@][^\W\d]\w* | %\(\w+\)s )
  | (?P<line> --[^\n]* )
  | (?P<block> /\* )
  | (?P<dollar> (?<!\w)(?P<tag> \$(?:[^\W\d]\w*)?\$ )(?s:.*?)(?:(?P=tag)|\Z) )
  | (?P<escaped> (?<![\w$])[eE]'(?:[^'\\]|\\(?s:.)|'')*(?:'|\Z) )
  | (?P<quoted> (?:(?<![\w$])(?:[bBxXnN]|[uU]&))?'(?:[^']|'')*(?:'|\Z) )
  | (?P<word> [^\W\d][\w$]* )
  | (?P<number> \d\w*(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+ )
    """,
    re.VERBOSE,
)
_NESTING = re.compile(r"/\*|\*/")


def masked(sql: str) -> str:
    """`sql` with `?` for each string and number and without comments; names and placeholders stay.

    Comments nest, as on PostgreSQL: on SQLite more may be left out, never less.
    """
    return "".join(_parts(sql)).strip()


def _parts(sql: str) -> Iterator[str]:
    position = 0
    while match := _TOKEN.search(sql, position):
        yield sql[position : match.start()]
        position = match.end()
        match match.lastgroup:
            case "keep" | "word":
                yield match[0]
            case "line":
                pass
            case "block":
                position = _comment_end(sql, position)
            case _:
                yield "?"
    yield sql[position:]


def _comment_end(sql: str, position: int) -> int:
    depth = 1
    for found in _NESTING.finditer(sql, position):
        depth += 1 if found[0] == "/*" else -1
        if depth == 0:
            return found.end()
    return len(sql)
