"""Rows that both sides of a pair of models can hold: at most two in each table, row n holding n in every column.

What no script could carry over is left out: a value that has no counterpart among the other side's type is NULL, a table
whose rows would lose what a foreign key points to, or would all get one value where they must differ, has fewer rows.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

import servers
from drawn_models import KINDS, TABLES, Col, Part, Tab
from model_pairs import Pair

NEAR = {"text": ("integer",), "integer": ("text",)}


@dataclass
class Rows:
    """How many each table of the first side gets, and which of their columns are NULL."""

    pair: Pair
    counts: dict[str, int] = field(default_factory=dict)
    nulls: set[tuple[str, str]] = field(default_factory=set)

    @classmethod
    def of(cls, pair: Pair) -> Rows:
        found = cls(pair, {table.name: 0 if pair.renames else 2 for table in pair.before.tables})
        while found._settle():
            pass
        return found

    def _settle(self) -> bool:
        before = (dict(self.counts), len(self.nulls))
        for table in self.pair.before.tables:
            for side in (self.pair.before, self.pair.after):
                found = side.table(table.name)
                if found is not None and found.schema == table.schema:
                    self._look(found)
        return before != (self.counts, len(self.nulls))

    def _look(self, table: Tab) -> None:
        other = self.other(table)
        for column in table.columns:
            if (
                other is not None
                and other.column(column.name) is not None
                and not self.is_kept(table.name, column.name)
            ):
                self._must_be_null(table.name, column.name)
        for part in table.of("key", "unique", "exclude", "index"):
            if part.sort == "index" and not part.get("unique"):
                continue
            if not all(self._differs(table, name) for name in part.columns):
                self._limit(table.name, 1)
        for part in table.of("foreign"):
            self._look_at_key(table, part)

    def other(self, table: Tab) -> Tab | None:
        """The table on the other side, where it is in the same schema."""
        side = self.pair.after if self.pair.before.table(table.name) is table else self.pair.before
        found = side.table(table.name)
        return found if found is not None and found.schema == table.schema else None

    def is_kept(self, table: str, column: str) -> bool:
        """Whether the column is on both sides, and its values survive what it becomes."""
        found = [self._column(side.table(table), column) for side in (self.pair.before, self.pair.after)]
        old, new = found
        if old is None or new is None or old.special in GENERATED or new.special in GENERATED:
            return old is not None and new is not None and old.special == new.special
        families = KINDS[old.kind].family, KINDS[new.kind].family
        return families[0] == families[1] or families[1] in NEAR.get(families[0], ())

    def is_same(self, table: str, column: str) -> bool:
        """Whether its values look the same on both sides."""
        found = [self._column(side.table(table), column) for side in (self.pair.before, self.pair.after)]
        old, new = found
        return old is not None and new is not None and old.kind == new.kind and not old.source and not new.source

    def _column(self, table: Tab | None, name: str) -> Col | None:
        return None if table is None else table.column(name)

    def _differs(self, table: Tab, name: str) -> bool:
        """Whether two rows surely have different values."""
        if self.other(table) is None:
            return (table.name, name) not in self.nulls
        return self.is_kept(table.name, name) and (table.name, name) not in self.nulls

    def _must_be_null(self, table: str, column: str) -> None:
        """Or the table has no rows, where it cannot be."""
        for side in (self.pair.before, self.pair.after):
            found = side.table(table)
            own = self._column(found, column)
            key = found is not None and any(column in part.columns for part in found.of("key"))
            if own is not None and (not own.nullable or key or own.special in GENERATED):
                self._limit(table, 0)
        self.nulls.add((table, column))

    def _limit(self, table: str, number: int) -> None:
        if table in self.counts:
            self.counts[table] = min(self.counts[table], number)

    def _look_at_key(self, table: Tab, part: Part) -> None:
        assert part.target is not None
        target, names = TABLES[part.target[0]], part.target[1]
        homes = [side.table(target) for side in (self.pair.before, self.pair.after)]
        stays = homes[0] is not None and homes[1] is not None and homes[0].schema == homes[1].schema
        whole = stays and all(
            self.is_kept(home, name) and (home, name) not in self.nulls
            for home, name in [*((target, n) for n in names), *((table.name, n) for n in part.columns)]
        )
        whole = whole and self.other(table) is not None
        if whole:
            self._limit(table.name, self.counts.get(target, 0))
            return
        for name in part.columns:
            if table.column(name) is not None:
                self._must_be_null(table.name, name)

    def put(self, url: str) -> None:
        """Into a database of the first side."""
        postgresql = url.startswith("postgres")
        with servers.connected(url) as connection:
            if postgresql:
                connection.execute("SET session_replication_role = replica")  # in whatever order keys want them
            for table in self.pair.before.tables:
                for number in range(1, self.counts[table.name] + 1):
                    columns = [c for c in table.columns if c.special not in GENERATED]
                    values = [
                        None if (table.name, c.name) in self.nulls else _value(c, number, postgresql) for c in columns
                    ]
                    names = ", ".join(f'"{column.name}"' for column in columns)
                    overriding = "OVERRIDING SYSTEM VALUE " if postgresql else ""
                    marks = ", ".join(["%s" if postgresql else "?"] * len(columns))
                    connection.execute(f"INSERT INTO {address(table)} ({names}) {overriding}VALUES ({marks})", values)

    def held(self, url: str, *, same: bool) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of each table that both sides have: with `same` of the columns whose type stays, else of all that are kept."""
        found: dict[str, list[tuple[Any, ...]]] = {}
        for table in self.pair.before.tables:
            if self.other(table) is None:
                continue
            keeps = self.is_same if same else self.is_kept
            names = [c.name for c in table.columns if keeps(table.name, c.name)]
            listed = ", ".join(f'"{name}"' for name in names) or "1"
            rows = servers.rows(url, f"SELECT {listed} FROM {address(table)}")
            found[table.name] = sorted(rows, key=repr)
        return found


GENERATED = ("computed", "virtual")


def address(table: Tab) -> str:
    return f'"{table.schema}"."{table.name}"' if table.schema else f'"{table.name}"'


def _value(column: Col, number: int, postgresql: bool) -> Any:
    day = dt.date(2020, 1, number)
    match KINDS[column.kind].family:
        case "integer" | "decimal":
            return number
        case "text":
            return str(number)
        case "boolean":
            return number == 1
        case "moment" if postgresql or column.kind == "date":
            return day.isoformat()
        case "moment":
            return f"{day.isoformat()} 00:00:00.000000"
        case "interval":
            return f"{number} days" if postgresql else f"1970-01-0{number} 00:00:00.000000"
        case "uuid":
            return str(uuid.UUID(int=number)) if postgresql else uuid.UUID(int=number).hex
        case "bytes":
            return bytes([number])
        case "json":
            return json.dumps({"n": number})
        case "integers" | "texts":
            return f"{{{number}}}"
    raise AssertionError(column.kind)
