"""What SQLite stores about a table and about all that mentions it, read with two queries."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from asyncmig.dialects.sqlite_neighbours import neighbours
from asyncmig.dialects.sqlite_table_text import TableText, parse_table
from asyncmig.dialects.sqlite_tokens import quote, text_literal
from asyncmig.errors import UnsupportedOperation

__all__ = ["Query", "StoredObject", "StoredTable", "has_children", "read_stored", "stored_from", "tables_with_keys"]

Query = Callable[..., Sequence[Sequence[Any]]]
"""`query(sql)` or `query(sql, parameters)` with positional parameters (?): all rows, [] for a statement without."""


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A row of sqlite_schema; automatic indexes, which have no SQL, are not among them."""

    type: str
    name: str
    table: str
    sql: str


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table and its surroundings: `objects` is all that its schema holds.

    `writable` says whether PRAGMA writable_schema works on this connection.
    """

    name: str
    schema: str
    objects: tuple[StoredObject, ...]
    schema_version: int = 0
    legacy_alter_table: bool = False
    writable: bool = False

    @property
    def sql(self) -> str:
        return next(o.sql for o in self.objects if o.type == "table" and o.name == self.name)

    @property
    def text(self) -> TableText:
        return parse_table(self.sql)

    def own(self, type: str) -> tuple[StoredObject, ...]:
        """The indexes or triggers of the table, in the order in which they were made."""
        return tuple(o for o in self.objects if o.type == type and o.table.lower() == self.name.lower())

    def free_name(self, name: str) -> str:
        """A name like `name` that nothing has yet."""
        number = 0
        taken = {o.name.lower() for o in self.objects}
        while (found := f"{name}_{number}" if number else name).lower() in taken:
            number += 1
        return found

    def involved(self, texts: Iterable[str] = ()) -> tuple[StoredObject, ...]:
        """The objects that a change of the table can touch, and those that these, or `texts`, need to make sense."""
        return neighbours(self.name, self.objects, texts)


def read_stored(query: Query, table: str, schema: str | None = None) -> StoredTable:
    """What the connection behind `query` knows; UnsupportedOperation when there is no such table."""
    schema = schema or "main"
    rows = query(f"SELECT type, name, tbl_name, sql FROM {quote(schema)}.sqlite_schema")
    stored = stored_from((tuple(row) for row in rows), table, schema)
    return StoredTable(
        stored.name,
        schema,
        stored.objects,
        schema_version=int(query(f"PRAGMA {quote(schema)}.schema_version")[0][0]),
        legacy_alter_table=bool(query("PRAGMA legacy_alter_table")[0][0]),
        writable=_is_writable(query),
    )


def stored_from(rows: Iterable[Sequence[Any]], table: str, schema: str = "main") -> StoredTable:
    """The same from rows (type, name, tbl_name, sql) of sqlite_schema that are at hand, without a connection."""
    everything = [StoredObject(*(str(value) for value in row)) for row in rows if row[3] is not None]
    own = next((o for o in everything if o.type == "table" and o.name.lower() == table.lower()), None)
    if own is None:
        raise UnsupportedOperation(f"There is no table {table} to change.")
    return StoredTable(own.name, schema, tuple(everything))


def _is_writable(query: Query) -> bool:
    """Whether the connection lets us: in defensive mode the PRAGMA is ignored without a word."""
    if query("PRAGMA writable_schema")[0][0]:
        return True
    query("PRAGMA writable_schema = ON")
    try:
        return bool(query("PRAGMA writable_schema")[0][0])
    finally:
        query("PRAGMA writable_schema = OFF")


def tables_with_keys(schema: str | None = None) -> str:
    """A query for the names of the tables `t` that have foreign keys `k`; more conditions may follow.

    The word in the text is looked for first: to ask for the keys of a table takes many times as long.
    """
    space = schema or "main"
    return (
        f"SELECT DISTINCT t.name FROM {quote(space)}.sqlite_schema AS t, "
        f"pragma_foreign_key_list(t.name, {text_literal(space)}) AS k "
        "WHERE t.type = 'table' AND instr(lower(t.sql), 'references') > 0"
    )


def has_children(query: Query, name: str, schema: str | None) -> bool:
    """Whether another table with rows has a foreign key to this one."""
    space = quote(schema or "main")
    to_it = f'lower(k."table") = {text_literal(name.lower())} AND lower(t.name) <> lower(k."table")'
    tables = query(f"{tables_with_keys(schema)} AND {to_it}")
    return any(query(f"SELECT EXISTS (SELECT 1 FROM {space}.{quote(str(table))})")[0][0] for (table,) in tables)
