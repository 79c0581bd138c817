"""What of a schema belongs to a table that changes: its indexes and triggers, the tables that foreign keys tie to it."""

from __future__ import annotations

from asyncmig.dialects.sqlite_index_text import indexed
from asyncmig.dialects.sqlite_stored import StoredObject
from asyncmig.dialects.sqlite_table_text import is_table, parse_table
from asyncmig.dialects.sqlite_tokens import code_tokens, mentions
from asyncmig.dialects.sqlite_twin import Twin
from asyncmig.errors import UnsupportedOperation

__all__ = ["belongings", "indexes_using", "refuse_event", "stored_sql", "tied_tables"]


def belongings(twin: Twin, table: str, *types: str) -> list[StoredObject]:
    """Its indexes and triggers, or those of these types."""
    wanted = types or ("index", "trigger")
    return [o for o in twin.objects() if o.type in wanted and o.table.lower() == table.lower()]


def indexes_using(twin: Twin, table: str, column: str) -> list[StoredObject]:
    return [index for index in belongings(twin, table, "index") if mentions(indexed(index), column)]


def refuse_event(twin: Twin, table: str, column: str, sentence: str) -> None:
    """UPDATE OF a column that is gone is no error to SQLite: the trigger would just never fire again."""
    for trigger in belongings(twin, table, "trigger"):
        tokens = code_tokens(trigger.sql)
        words = [token.upper for token in tokens]
        if "OF" in words and mentions(tokens[words.index("OF") : words.index("ON", words.index("OF"))], column):
            raise UnsupportedOperation(
                f"{sentence}: the trigger {trigger.name} is fired by changes of it.",
                hint=f"Drop the trigger {trigger.name} first.",
            )


def tied_tables(twin: Twin, table: str) -> list[str]:
    """The tables with foreign keys that are its own or point at it."""
    tables = [parse_table(o.sql) for o in twin.objects() if o.type == "table" and is_table(o.sql)]
    wanted = table.lower()
    return [
        one.name
        for one in tables
        if any(c.reference and wanted in (one.name.lower(), c.reference.table.lower()) for c in one.clauses)
    ]


def stored_sql(twin: Twin, table: str) -> str:
    rows = twin.query("SELECT sql FROM sqlite_schema WHERE type = 'table' AND lower(name) = lower(?)", (table,))
    return str(rows[0][0])
