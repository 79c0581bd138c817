"""A `:memory:` database with the schema of another one and without its rows: changes are tried there first."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from asyncmig.dialects.sqlite_stored import StoredObject
from asyncmig.dialects.sqlite_tokens import quote

__all__ = ["FOREIGN_KEY", "Twin"]

FOREIGN_KEY = "foreign key of table"
"""The kind under which `broken` has a table whose foreign keys point at what is no key."""

_ORDER = ("table", "index", "view", "trigger")
_UNKNOWN = re.compile(r"no such (function|collation sequence): (.+)\Z", re.DOTALL)


class Twin:
    """Also a database for offline work: whoever replays recorded SQL into it can ask it what the schema became.

    Functions and collations that the application registers get stand-ins as they turn up. Virtual tables
    whose module is not here are left out.
    """

    def __init__(self, objects: Iterable[StoredObject] = ()) -> None:
        # No cached statements: SQLite crashes (seen in 3.40 and 3.51) when it prepares an EXPLAIN with triggers anew.
        self._connection = sqlite3.connect(
            ":memory:", isolation_level=None, cached_statements=0, check_same_thread=False
        )
        self.query("PRAGMA foreign_keys = OFF")
        for stored in sorted(objects, key=lambda o: _ORDER.index(o.type)):
            self._create(stored)

    def close(self) -> None:
        self._connection.close()

    def __del__(self) -> None:
        # A rehearsal keeps its twin as long as it lives, wherever it is collected; Python 3.13 warns of what is left open.
        self._connection.close()

    def query(self, sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of one statement; sqlite3.Error where SQLite refuses it."""
        seen: set[str] = set()
        while True:
            try:
                return self._connection.execute(sql, tuple(parameters)).fetchall()
            except sqlite3.OperationalError as error:
                unknown = _UNKNOWN.match(str(error))
                if unknown is None or unknown[2] in seen:
                    raise
                seen.add(unknown[2])
                self._stand_in(unknown[1], unknown[2])

    @contextmanager
    def trial(self) -> Iterator[None]:
        """What happens inside did not happen."""
        self.query("SAVEPOINT trial")
        try:
            yield
        finally:
            self.query("ROLLBACK TO trial")
            self.query("RELEASE trial")

    def objects(self) -> tuple[StoredObject, ...]:
        rows = self.query("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
        return tuple(StoredObject(*row) for row in rows)

    def broken(self) -> Mapping[tuple[str, str], str]:
        """The views, triggers and foreign keys that do not work, by (kind, name), with SQLite's words for it."""
        found: dict[tuple[str, str], str] = {}
        objects = self.objects()
        for stored in objects:
            if stored.type == "view" and (error := self._error(f"SELECT * FROM {quote(stored.name)} LIMIT 0")):
                found["view", stored.name] = error
            if stored.type == "table" and (error := self._error(f"PRAGMA foreign_key_check({quote(stored.name)})")):
                found[FOREIGN_KEY, stored.name] = error
        for target in {o.table for o in objects if o.type == "trigger"}:
            triggers = [o.name for o in objects if o.type == "trigger" and o.table == target]
            found |= {("trigger", name): error for name, error in self._broken_triggers(target, triggers)}
        return found

    def _broken_triggers(self, target: str, triggers: list[str]) -> Iterator[tuple[str, str]]:
        """SQLite compiles triggers with the statement that fires them; which one it is shows when it is alone."""
        statements = list(self._firing(target))
        if not any(self._error(sql) for sql in statements):
            return
        for name in triggers:
            with self.trial():
                for other in triggers:
                    if other != name:
                        self.query(f"DROP TRIGGER {quote(other)}")
                errors = [error for sql in statements if (error := self._error(sql))]
            if errors:
                yield name, errors[0]

    def _firing(self, target: str) -> Iterator[str]:
        name = quote(target)
        is_view = bool(self.query("SELECT 1 FROM sqlite_schema WHERE type = 'view' AND name = ?", (target,)))
        yield f"EXPLAIN DELETE FROM {name}"
        yield f"EXPLAIN INSERT INTO {name} " + (f"SELECT * FROM {name}" if is_view else "DEFAULT VALUES")
        try:
            rows = self.query("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0", (target,))
        except sqlite3.Error:
            return  # a view that is broken itself
        if rows:
            columns = ", ".join(f"{quote(column)} = {quote(column)}" for (column,) in rows)
            yield f"EXPLAIN UPDATE {name} SET {columns}"

    def _error(self, sql: str) -> str | None:
        try:
            self.query(sql)
        except sqlite3.Error as error:
            # What only says that a view has no trigger for this statement, is no fault of a trigger.
            return None if "because it is a view" in str(error) else str(error)
        return None

    def _create(self, stored: StoredObject) -> None:
        if stored.name.lower().startswith("sqlite_"):
            return
        try:
            self.query(stored.sql)
        except sqlite3.OperationalError:
            # A shadow table that its virtual table has made already, or one whose module or table is missing here.
            return

    def _stand_in(self, kind: str, name: str) -> None:
        if kind == "function":
            self._connection.create_function(name, -1, lambda *_: None, deterministic=True)
        else:
            self._connection.create_collation(name, lambda left, right: (left > right) - (left < right))
