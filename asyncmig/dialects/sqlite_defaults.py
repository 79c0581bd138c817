"""Rows that are older than a column: they do not hold it, and read its DEFAULT as it is written now.

ALTER TABLE ... ADD COLUMN leaves the rows as they are, so a DEFAULT may be edited in the stored text only where
every row holds the column. SQL cannot look at a record's length, but it can tell: with a default that no row has.
"""

from __future__ import annotations

from asyncmig.dialects.sqlite_default_value import PLAIN, default_value, spelled
from asyncmig.dialects.sqlite_edits import SetDefault, edited
from asyncmig.dialects.sqlite_rebuild import replace_text
from asyncmig.dialects.sqlite_stored import Query, StoredTable
from asyncmig.dialects.sqlite_table_text import ColumnText, parse_table
from asyncmig.dialects.sqlite_tokens import quote

__all__ = ["changed_defaults", "rows_read_default"]

_SENTINEL = "'asyncmig: this row does not hold the column'"


def changed_defaults(old: str, new: str) -> tuple[str, ...]:
    """The columns of both texts whose defaults differ, by their names in lower case, in the order of the rows."""
    before, after = parse_table(old), parse_table(new)
    pairs = [(column, after.find(column.name)) for column in before.columns]
    return tuple(
        column.name.lower() for column, other in pairs if other is not None and spelled(column) != spelled(other)
    )


def rows_read_default(query: Query, stored: StoredTable, column: str) -> bool:
    """Whether some row does not hold the column, and so would change with its default.

    A row that lacks a column lacks all after it: asking for the last of several is enough. Needs `stored.writable`.
    """
    table = stored.text
    source = f"{quote(stored.schema)}.{quote(stored.name)}"
    place = table.column(column)
    if not query(f"SELECT EXISTS(SELECT 1 FROM {source} WHERE {_may_be_default(place)})")[0][0]:
        return False
    sentinel = edited(table, SetDefault(column, _SENTINEL)).sql
    query("SAVEPOINT asyncmig_probe")
    try:
        for sql in replace_text(stored.schema, stored.name, stored.sql, sentinel, stored.schema_version + 1):
            query(sql)
        # Not through an index, which holds the old default; the plus keeps the column's affinity off the text.
        probe = f"SELECT EXISTS(SELECT 1 FROM {source} NOT INDEXED WHERE +{quote(place.name)} = {_SENTINEL})"
        return bool(query(probe)[0][0])
    finally:
        query("ROLLBACK TO asyncmig_probe")
        query("RELEASE asyncmig_probe")
        query("PRAGMA writable_schema = RESET")


def _may_be_default(column: ColumnText) -> str:
    """True for every row that may be reading the default, for others perhaps too."""
    name, value = quote(column.name), default_value(column)
    # Old rows read NULL where the default is no literal.
    return f"{name} IS {value}" if PLAIN.fullmatch(value) else f"{name} IS NULL OR {name} IS {value}"
