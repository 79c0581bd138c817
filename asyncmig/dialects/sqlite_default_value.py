"""The DEFAULT of a column as it is in a query."""

from __future__ import annotations

import re

from asyncmig.dialects.sqlite_table_text import ColumnText
from asyncmig.dialects.sqlite_tokens import text_literal

__all__ = ["PLAIN", "default_value", "spelled"]

PLAIN = re.compile(r"(?i)[+-]?\s*(?:\d[\d.]*(?:e[+-]?\d+)?|0x[0-9a-f]+)|x?'(?:[^']|'')*'|null|true|false")


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
