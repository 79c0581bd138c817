"""SQLite's schema as statements that were written would leave it: by running them in memory."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from asyncmig.dialects.rehearsal import Known, Rehearsal
from asyncmig.dialects.sqlite_stored import StoredObject
from asyncmig.dialects.sqlite_twin import Twin
from asyncmig.operations.rows import BulkInsert
from asyncmig.schema.model import Ref, Schema

if TYPE_CHECKING:
    from asyncmig.dialects.statement import Statement
    from asyncmig.operations.base import Operation

__all__ = ["TwinRehearsal"]

_SHAPES = re.compile(
    r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*(?:CREATE|ALTER|DROP|PRAGMA\s+(?!foreign_keys))\b", re.I | re.S
)


class TwinRehearsal(Rehearsal):
    """Nothing is run until somebody asks; then only what shapes the schema, so that no row is needed."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._twin: Twin | None = None
        self._waiting: list[str] = []

    def before(self, refs: Collection[Ref]) -> Schema:
        """Attached files stay as they are known: what is written for them is not followed."""
        twin = self._made(refs)
        for sql in self._waiting:
            _run(twin, sql)
        self._waiting.clear()
        rows = tuple((o.type, o.name, o.table, o.sql) for o in twin.objects())
        attached = [ref for ref in refs if ref.schema not in (None, "main")]
        others = self._known(attached).stored if attached else {}
        return Schema(stored={**others, "main": rows})

    def wrote(self, operation: Operation, statements: Sequence[Statement]) -> None:
        if isinstance(operation, BulkInsert):
            return
        for statement in statements:
            texts = statement.procedure.steps if statement.procedure else (statement.sql,)
            shaping = statement.procedure is not None
            self._waiting.extend(sql for sql in texts if shaping or _SHAPES.match(sql))

    def _made(self, refs: Collection[Ref]) -> Twin:
        if self._twin is None:
            known = self._known(refs).stored.get("main", ())
            self._twin = Twin(StoredObject(*(str(value) for value in row)) for row in known if row[3])
        return self._twin


def _run(twin: Twin, sql: str) -> None:
    try:
        twin.query(sql)
    except sqlite3.Error:
        # What fails without the rows, or would fail in the run too: the run is the place to say so.
        return
