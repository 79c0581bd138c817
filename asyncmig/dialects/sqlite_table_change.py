"""The planned change of a SQLite table as a value: what to execute, and what must hold afterwards."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

from asyncmig.dialects.sqlite_stored import Query, StoredObject
from asyncmig.dialects.sqlite_tokens import quote
from asyncmig.dialects.sqlite_twin import FOREIGN_KEY, Twin
from asyncmig.errors import OperationError, UnsupportedOperation

__all__ = ["AFTER_FAILED_PLAN", "Procedure", "TableChange", "in_use", "violations"]

Procedure = Literal["add", "drop", "rename", "text", "rebuild"]

AFTER_FAILED_PLAN = ("PRAGMA writable_schema = RESET",)
"""What puts the connection back when planning itself failed; a plan that exists has its own `after_failure`."""


@dataclass(frozen=True, slots=True)
class TableChange:
    """What to execute, in order, in one transaction. No statements: there is nothing to change.

    `needs_foreign_keys_off`: PRAGMA foreign_keys must be off before the transaction begins, else rows of other tables
    are deleted. `after_failure` puts the connection back after the rollback, PRAGMAs being no part of a transaction.
    `unmatched` are tables whose foreign keys point at no key after the change: what follows in the step may mend
    that, and `settle` has to be asked at its end. `sql` is the table's text afterwards; `rewrites` whether its rows are written anew, `scans` whether all are read.
    """

    table: str
    schema: str
    statements: tuple[str, ...]
    procedures: tuple[Procedure, ...]
    sql: str
    scans: bool
    after_failure: tuple[str, ...]
    objects: tuple[StoredObject, ...] = field(repr=False)
    checked: tuple[str, ...] = ()
    unmatched: tuple[str, ...] = ()
    violations: tuple[tuple[object, ...], ...] = field(default=(), repr=False)

    @property
    def needs_foreign_keys_off(self) -> bool:
        return "rebuild" in self.procedures

    @property
    def rewrites(self) -> bool:
        return "rebuild" in self.procedures or "drop" in self.procedures

    def verify(self, query: Query) -> None:
        """OperationError unless the schema is now what was planned and no foreign key lost its parent row."""
        rows = query(f"SELECT type, name, tbl_name, sql FROM {quote(self.schema)}.sqlite_schema WHERE sql IS NOT NULL")
        found = {(str(row[0]), str(row[1])): str(row[3]) for row in rows}
        wrong = [o.name for o in self.objects if found.get((o.type, o.name)) != o.sql]
        if wrong:
            raise OperationError(f"Table {self.table} was not changed as planned: {', '.join(wrong)} differs.")
        self.refuse_orphans(query)

    def refuse_orphans(self, query: Query) -> None:
        """OperationError when a row of a table in `checked` has no parent row, and had one before the change."""
        new = Counter(violations(query, self.schema, self.checked)) - Counter(self.violations)
        if new:
            table, _, parent = next(iter(new))
            raise OperationError(
                f"Table {self.table} cannot be changed: {new.total():,} rows of {table} have no row in {parent} any more."
            )

    def settle(self, query: Query) -> None:
        """UnsupportedOperation while one of `unmatched` is that still, OperationError when rows of it lost their parent."""
        rows = query(f"SELECT type, name, tbl_name, sql FROM {quote(self.schema)}.sqlite_schema WHERE sql IS NOT NULL")
        objects = [StoredObject(*(str(value) for value in row)) for row in rows]
        left = [o.name for o in objects if o.type == "table" and o.name in self.unmatched]
        twin = Twin(objects)
        try:
            broken = twin.broken()
        finally:
            twin.close()
        for name in left:
            if (FOREIGN_KEY, name) in broken:
                raise in_use(f"Table {self.table} cannot be changed", FOREIGN_KEY, name, broken[FOREIGN_KEY, name])
        replace(self, checked=tuple(left)).refuse_orphans(query)

    def carry_out(self, query: Query) -> None:
        """Execute and verify; what failed has to be rolled back by the caller, then `after_failure` executed."""
        for sql in self.statements:
            query(sql)
        if self.statements:
            self.verify(query)
        if self.unmatched:
            self.settle(query)


def in_use(sentence: str, kind: str, name: str, error: str) -> UnsupportedOperation:
    return UnsupportedOperation(
        f"{sentence}: the {kind} {name} uses it ({error}).", hint=f"Drop the {kind} {name} first, or change it."
    )


def violations(query: Query, schema: str, tables: Iterable[str]) -> Iterator[tuple[object, ...]]:
    """Rows without their parent, without the number of the foreign key: that may be another afterwards."""
    for table in tables:
        rows = query(f"PRAGMA {quote(schema)}.foreign_key_check({quote(table)})")
        yield from ((row[0], row[1], row[2]) for row in rows)
