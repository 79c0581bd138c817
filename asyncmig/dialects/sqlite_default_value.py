"""The DEFAULT of a column as it is in a query."""

from __future__ import annotations

import re

from asyncmig.dialects.sqlite_layout import affinity
from asyncmig.dialects.sqlite_table_text import ColumnText
from asyncmig.dialects.sqlite_tokens import text_literal

__all__ = ["PLAIN", "default_value", "held_default", "spelled"]

PLAIN = re.compile(r"(?i)[+-]?\s*(?:\d[\d.]*(?:e[+-]?\d+)?|0x[0-9a-f]+)|x?'(?:[^']|'')*'|null|true|false")
_NUMBERS = ("INTEGER", "REAL", "NUMERIC")
_QUOTED_NUMBER = re.compile(r"'\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\s*'")


def spelled(column: ColumnText) -> str:
    clause = column.clause("default")
    return "" if clause is None else " ".join(token.text for token in clause.value_tokens)


def default_value(column: ColumnText) -> str:
    """The default as it is in a query: DEFAULT alone takes a bare or double-quoted word for a string."""
    clause, text = column.clause("default"), spelled(column)
    if clause is None:
        return "NULL"
    first = clause.value_tokens[0]
    is_word = first.kind in ("word", "quoted") and not first.upper.startswith("CURRENT_")
    return text_literal(first.name) if is_word and not PLAIN.fullmatch(text) else text


def held_default(column: ColumnText) -> str:
    """The default as a row holds it: text that is a number is one in a column of numbers, and the other way round."""
    value, kind = default_value(column), affinity(column.type)
    if kind == "TEXT" and value != "NULL":
        return f"CAST({value} AS TEXT)"
    return value[1:-1].strip() if kind in _NUMBERS and _QUOTED_NUMBER.fullmatch(value) else value
