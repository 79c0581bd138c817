"""What SQLite's own ADD COLUMN does, whatever rows the table has."""

from __future__ import annotations

from asyncmig.dialects.sqlite_edits import AddColumn
from asyncmig.dialects.sqlite_table_text import ColumnText, TableText, parse_column

__all__ = ["natively_added"]


def natively_added(edit: AddColumn, old: TableText, new: TableText) -> bool:
    """Whether ADD COLUMN takes it with rows in the table; it checks NOT NULL and CHECK itself."""
    column = parse_column(edit.text)
    last = old.columns[-1].name.lower()
    if edit.before is not None or (edit.after or last).lower() != last:
        return False
    kinds = {clause.kind for clause in column.clauses}
    if kinds & {"primary key", "unique"} or (column.generated and column.stored):
        return False
    default = _plain_default(column)
    if default is None or (column.not_null and default == "NULL" and not column.generated):
        return False
    return "foreign key" not in kinds or default == "NULL"


def _plain_default(column: ColumnText) -> str | None:
    """The literal that a new column starts with, NULL without any; None for an expression or the time."""
    clause = column.clause("default")
    if clause is None:
        return "NULL"
    tokens = clause.value_tokens
    if tokens[0].text == "(" or tokens[-1].upper.startswith("CURRENT_"):
        return None
    return " ".join(token.upper or token.text for token in tokens)
