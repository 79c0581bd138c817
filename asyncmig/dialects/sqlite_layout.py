"""What of a table's definition decides how its rows and keys are stored: equal layouts can share the stored rows."""

from __future__ import annotations

from dataclasses import dataclass

from asyncmig.dialects.sqlite_table_text import Clause, ColumnText, TableText

__all__ = ["Layout", "affinity", "layout"]


@dataclass(frozen=True, slots=True)
class Layout:
    """Columns in order, keys in order (SQLite numbers their indexes), and what the rowid is."""

    columns: tuple[tuple[str, str, str, str], ...]
    keys: tuple[tuple[str, str], ...]
    rowid_alias: str | None
    autoincrement: bool
    without_rowid: bool
    strict: bool


def layout(table: TableText) -> Layout:
    """NOT NULL, CHECK, DEFAULT, foreign keys and names of constraints are no part of it.

    DEFAULT has one catch: rows older than an ADD COLUMN do not hold the column and read its default.
    """
    return Layout(
        tuple(_column(table, column) for column in table.columns),
        tuple(_key(clause) for clause in table.clauses if clause.kind in ("primary key", "unique")),
        table.rowid_alias.lower() if table.rowid_alias else None,
        table.autoincrement,
        table.without_rowid,
        table.strict,
    )


def affinity(type: str) -> str:
    """SQLite's rules, "Determination Of Column Affinity", in their order."""
    name = type.upper()
    if "INT" in name:
        return "INTEGER"
    if any(word in name for word in ("CHAR", "CLOB", "TEXT")):
        return "TEXT"
    if not name or "BLOB" in name:
        return "BLOB"
    if any(word in name for word in ("REAL", "FLOA", "DOUB")):
        return "REAL"
    return "NUMERIC"


def _column(table: TableText, column: ColumnText) -> tuple[str, str, str, str]:
    collation = column.clause("collate")
    generated = column.clause("generated")
    return (
        column.name.lower(),
        column.type.upper() if table.strict else _storage(column.type),
        collation.tokens[-1].name.lower() if collation else "binary",
        generated.spelling if generated else "",
    )


def _storage(type: str) -> str:
    # INTEGER and NUMERIC differ in CAST only, and nothing of a row is a CAST to its column's type.
    kind = affinity(type)
    return "NUMERIC" if kind == "INTEGER" else kind


def _key(clause: Clause) -> tuple[str, str]:
    """The kind and the columns with their collations and directions; ON CONFLICT and the name are not stored."""
    words: list[str] = []
    for token in clause.tokens:
        word = token.upper
        if word == "ON":
            break
        words.append(token.name.lower() if token.kind in ("word", "quoted") else word)
    if words[:1] == ["constraint"]:
        words = words[2:]
    return f"{clause.kind} {' '.join(clause.columns).lower()}", " ".join(words)
