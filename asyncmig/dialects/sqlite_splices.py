"""Stretches of a stored CREATE TABLE text taken out and put in, every other byte left as it is."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from asyncmig.dialects.sqlite_table_text import Clause, ColumnText, TableText, parse_table
from asyncmig.dialects.sqlite_tokens import code_tokens, quote, tokenize

__all__ = ["appended", "bare", "closed", "gap", "removal", "spliced", "term", "without"]


def appended(table: TableText, text: str) -> tuple[int, int, str]:
    """A new last item, on a line of its own where the last one has that."""
    last = table.items[-1]
    return last.end, last.end, "," + gap(table, last.start) + closed(text)


def closed(text: str) -> str:
    """The text with the newline that a line comment at its end needs before anything follows."""
    text = text.strip()
    last = list(tokenize(text))[-1]
    return text + "\n" if last.kind == "comment" and last.text.startswith("--") else text


def gap(table: TableText, start: int) -> str:
    """The line break and indentation before an item, or one space."""
    before = table.sql[:start]
    gap = before[len(before.rstrip(" \t\r\n\f")) :]
    return gap if "\n" in gap else " "


def without(table: TableText, items: Iterable[ColumnText | Clause], clauses: Iterable[Clause]) -> TableText:
    """The table without some of its columns and constraints and some clauses inside columns that stay."""
    dropped = {item.start for item in items}
    splices = [removal(table.sql, clause.start, clause.end) for clause in clauses]
    splices += [removal(table.sql, item.start, item.end) for item in table.items if item.start in dropped]
    splices += [(at, at + 1, "") for at in _commas(table, dropped)]
    return spliced(table, splices)


def _commas(table: TableText, dropped: set[int]) -> list[int]:
    """The commas that go with items: of those between two that stay, the first is kept."""
    places = _item_commas(table)
    result: list[int] = []
    kept_before = False
    pending: list[int] = []
    for item in table.items:
        comma = places.get(item.start)
        pending += [comma] if comma is not None else []
        if item.start in dropped:
            continue
        result += pending[1:] if kept_before else pending
        kept_before, pending = True, []
    return result + pending


def _item_commas(table: TableText) -> dict[int, int]:
    """Where the comma before an item stands, by the item's start; table constraints may have none."""
    ends = [item.end for item in table.items]
    starts = [item.start for item in table.items]
    found: dict[int, int] = {}
    for token in code_tokens(table.sql):
        if token.text != ",":
            continue
        for end, start in zip(ends[:-1], starts[1:], strict=True):
            if end <= token.start < start:
                found[start] = token.start
    return found


def removal(sql: str, start: int, end: int) -> tuple[int, int, str]:
    """Cut a stretch with the spaces before it; never a comment, to which the newline at its end belongs."""
    for token in tokenize(sql):
        if token.kind == "space" and token.end == start:
            return token.start, end, ""
        if token.start >= start:
            break
    return start, end, ""


def spliced(table: TableText, splices: Iterable[tuple[int, int, str]]) -> TableText:
    sql = table.sql
    for start, end, text in sorted(splices, reverse=True):
        left, right = sql[:start], sql[end:]
        # A line comment must not swallow what follows it, nor two words become one.
        if not text and _would_join(left[-1:], right[:1]):
            text = " "
        sql = left + text + right
    return parse_table(sql)


def _would_join(left: str, right: str) -> bool:
    return bool(left) and bool(right) and left not in " \t\r\n\f(,)" and right not in " \t\r\n\f(,)"


_LITERAL = re.compile(
    r"""(?ix) [+-]? \s* (?: \d[\d_]*(?:\.\d*)?(?:e[+-]?\d+)? | \.\d+(?:e[+-]?\d+)? | 0x[0-9a-f]+ )
      | x?'(?:[^']|'')*' | NULL | TRUE | FALSE | CURRENT_(?:TIME|DATE|TIMESTAMP)"""
)


def term(sql: str) -> str:
    """What may stand behind DEFAULT: a literal as it is, anything else in parentheses."""
    sql = sql.strip()
    tokens = code_tokens(sql)
    if _LITERAL.fullmatch(sql) or _is_enclosed([token.upper for token in tokens]):
        return sql
    return f"({sql})"


def _is_enclosed(words: Sequence[str]) -> bool:
    """Whether one pair of parentheses is around all of it."""
    depth = 0
    for index, word in enumerate(words):
        depth += {"(": 1, ")": -1}.get(word, 0)
        if depth == 0:
            return index == len(words) - 1 and word == ")"
    return False


def bare(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z_]\w*", name) else quote(name)
