"""Views and triggers out of the texts that SQLite stores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from asyncmig.dialects.reading import Rows, Scope
from asyncmig.dialects.sqlite_tokens import Token, code_tokens
from asyncmig.schema.model import Ref, Trigger, View

__all__ = ["read_triggers", "read_views", "trigger_of", "view_of"]


def read_views(rows: Rows, schema: str | None, scope: Scope) -> Iterator[View]:
    """Those among the rows (type, name, table, SQL) of a file that are wanted."""
    for kind, name, _, sql in rows:
        if kind == "view" and scope.has_object(name, "view", schema):
            yield view_of(name, sql, schema)


def read_triggers(rows: Rows, schema: str | None, scope: Scope) -> Iterator[Trigger]:
    for kind, name, table, sql in rows:
        if kind == "trigger" and scope.has_object(name, "trigger", schema, table):
            yield trigger_of(name, sql, Ref(table, schema))


def view_of(name: str, sql: str, schema: str | None = None) -> View:
    """CREATE VIEW name (columns) AS query ("CREATE VIEW")."""
    tokens = code_tokens(sql)
    place = _behind_name(tokens, "VIEW")
    columns: list[str] = []
    if tokens[place].upper == "(":
        closing = next(n for n in range(place, len(tokens)) if tokens[n].upper == ")")
        columns = [token.name for token in tokens[place + 1 : closing] if token.upper != ","]
        place = closing + 1
    return View(name, sql[tokens[place].end :].strip(), schema, tuple(columns))


def trigger_of(name: str, sql: str, table: Ref) -> Trigger:
    """CREATE TRIGGER name event ON table action ("CREATE TRIGGER")."""
    tokens = code_tokens(sql)
    place = _behind_name(tokens, "TRIGGER")
    on = next(n for n in range(place, len(tokens)) if tokens[n].upper == "ON")
    event = sql[tokens[place].start : tokens[on].start].strip()
    return Trigger(name, table, event, sql[tokens[on + 1].end :].strip())


def _behind_name(tokens: Sequence[Token], kind: str) -> int:
    """The place after CREATE kind IF NOT EXISTS schema.name."""
    place = next(n for n, token in enumerate(tokens) if token.upper == kind) + 1
    if [token.upper for token in tokens[place : place + 3]] == ["IF", "NOT", "EXISTS"]:
        place += 3
    return place + (3 if tokens[place + 1].upper == "." else 1)
