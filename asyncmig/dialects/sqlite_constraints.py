"""The constraints in a stored CREATE TABLE text as values.

Most texts are those that SQLAlchemy writes: every constraint a line of its own, nothing else. They are read with one
pattern, thirty times faster than they are parsed; a count of the words that start constraints shows
that the pattern has seen them all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from asyncmig.dialects.sqlite_table_text import Clause, ColumnText, TableText, parse_table
from asyncmig.dialects.sqlite_tokens import Token, unquote
from asyncmig.schema.expressions import verbatim
from asyncmig.schema.model import Check, Constraint, ForeignKey, PrimaryKey, Ref, Unique
from asyncmig.schema.options import freeze_options
from asyncmig.schema.types import SqlText

__all__ = ["StoredConstraints", "constraint_of", "read_constraints"]

_NAME = r'(?:"(?:[^"]|"")*"|\w+)'
_LIST = rf"\(\s*({_NAME}(?:\s*,\s*{_NAME})*)\s*\)"
_ITEM = re.compile(
    rf"""(?:\bCONSTRAINT\s+({_NAME})\s+)?\b(?:
        PRIMARY\s+KEY\s*{_LIST} | UNIQUE\s*{_LIST}
      | FOREIGN\s+KEY\s*{_LIST}\s*REFERENCES\s+({_NAME})\s*(?:{_LIST})?
        ((?:\s+ON\s+(?:DELETE|UPDATE)\s+(?:SET\s+NULL|SET\s+DEFAULT|CASCADE|RESTRICT|NO\s+ACTION)\b)*))""",
    re.VERBOSE | re.IGNORECASE,
)
_WORDS = ("CONSTRAINT", "PRIMARY", "UNIQUE", "FOREIGN", "REFERENCES")
_STARTS = re.compile(r"\b(?:CONSTRAINT|PRIMARY|UNIQUE|FOREIGN|REFERENCES)\b", re.IGNORECASE)
_HARD_WORDS = (
    "--", "/*", "`", "[", '""', "CHECK", "COLLATE", "GENERATED", " AS", "CONFLICT", "AUTOINCREMENT", "DEFERRABLE", "MATCH",
    "WITHOUT", "STRICT",
)  # fmt: skip
_HARD = re.compile(
    r"--|/\*|[`\[]|\"\"|\b(?:CHECK|COLLATE|GENERATED|AS|CONFLICT|AUTOINCREMENT|DEFERRABLE|MATCH|WITHOUT|STRICT)\b",
    re.IGNORECASE,
)
_STRING = re.compile(r"'(?:[^']|'')*'")
_EACH = re.compile(_NAME)
_ACTION = re.compile(r"ON\s+(DELETE|UPDATE)\s+(SET\s+NULL|SET\s+DEFAULT|CASCADE|RESTRICT|NO\s+ACTION)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StoredConstraints:
    """`text` is the table taken apart, None where there was no need to."""

    constraints: tuple[Constraint, ...]
    text: TableText | None = None
    options: dict[str, Any] = field(default_factory=dict)


def read_constraints(sql: str, schema: str | None) -> StoredConstraints:
    """UnsupportedOperation for what is no ordinary table. A key that names no target columns has none here."""
    simple = _simple(sql, schema)
    if simple is not None:
        return StoredConstraints(simple)
    text = parse_table(sql)
    found = (constraint_of(clause, text, schema) for clause in text.clauses)
    return StoredConstraints(tuple(value for value in found if value is not None), text)


def constraint_of(clause: Clause, text: TableText, schema: str | None) -> Constraint | None:
    """A clause of the text as a value; None for what is no constraint, a default say."""
    inside = next((column for column in text.columns if column.start <= clause.start < column.end), None)
    return _constraint(clause, inside, schema, text.sql)


def _simple(sql: str, schema: str | None) -> tuple[Constraint, ...] | None:
    plain = _STRING.sub("''", sql) if "'" in sql else sql
    upper = plain.upper()
    # Plain searches are ten times faster than the patterns, which have the last word.
    if any(word in upper for word in _HARD_WORDS) and _HARD.search(plain):
        return None
    found: list[Constraint] = []
    words = 0
    start = min((place for word in _WORDS if (place := upper.find(word)) >= 0), default=len(plain))
    for name, key, unique, foreign, target, targets, actions in _ITEM.findall(plain, start):
        words += 2 if name else 1
        called = unquote(name) if name else None
        if key:
            found.append(PrimaryKey(_names(key), called))
        elif unique:
            found.append(Unique(_names(unique), called))
        else:
            words += 1
            found.append(_simple_key(called, foreign, Ref(unquote(target), schema), targets, actions))
    seen = sum(upper.count(word) for word in _WORDS)
    return tuple(found) if seen == words or len(_STARTS.findall(plain)) == words else None


def _simple_key(name: str | None, columns: str, target: Ref, targets: str, actions: str) -> ForeignKey:
    on = {kind.upper(): _action(action) for kind, action in _ACTION.findall(actions)} if actions else {}
    there = _names(targets) if targets else ()
    return ForeignKey(_names(columns), target, there, name, on.get("UPDATE"), on.get("DELETE"))


@cache
def _names(text: str) -> tuple[str, ...]:
    return tuple([unquote(name) for name in _EACH.findall(text)])


def _action(text: str) -> str | None:
    action = " ".join(text.upper().split())
    return None if action == "NO ACTION" else action


def _constraint(clause: Clause, column: ColumnText | None, schema: str | None, sql: str) -> Constraint | None:
    options = _conflict(clause)
    match clause.kind:
        case "primary key":
            own = {} if column is not None else options
            return PrimaryKey(clause.columns, clause.name, options=freeze_options(own))
        case "unique":
            return Unique(clause.columns, clause.name, options=freeze_options({} if column is not None else options))
        case "check":
            assert clause.value is not None
            start, end = clause.value
            text = SqlText(verbatim(sql[start + 1 : end - 1].strip()))
            return Check(text, clause.name, options=freeze_options(options), column=column.name if column else None)
        case "foreign key":
            return _foreign_key(clause, schema)
        case _:
            return None


def _foreign_key(clause: Clause, schema: str | None) -> ForeignKey:
    assert clause.reference is not None
    words = [token.upper for token in clause.tokens]
    tail = " ".join(words)
    on = {kind: _action(action) for kind, action in _ACTION.findall(tail)}
    deferrable = "DEFERRABLE" in words and "NOT DEFERRABLE" not in tail
    return ForeignKey(
        clause.columns,
        Ref(clause.reference.table, schema),
        clause.reference.columns,
        clause.name,
        on.get("UPDATE"),
        on.get("DELETE"),
        deferrable or None,
        "DEFERRED" if deferrable and "INITIALLY DEFERRED" in tail else None,
        _following(clause.tokens, "MATCH"),
    )


def _conflict(clause: Clause) -> dict[str, Any]:
    action = _following(clause.tokens, "CONFLICT")
    return {"sqlite_on_conflict": action} if action else {}


def _following(tokens: tuple[Token, ...], word: str) -> str | None:
    """The word after `word` in a clause, in capitals."""
    places: Iterator[int] = (place for place, token in enumerate(tokens[:-1]) if token.upper == word)
    return next((tokens[place + 1].name.upper() for place in places), None)
