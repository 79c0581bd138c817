"""`async for batch in op.batches(...)`, live: a table walked along its key, a transaction a batch.

The place reached is kept in the journal row of the revision, written in the transaction of the batch itself: what is
committed and what the journal says of it cannot differ, whenever the process dies.
"""

from __future__ import annotations

import datetime as dt
import decimal
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from asyncmig.database.events import BatchFinished, announce
from asyncmig.dialects.statement import Statement
from asyncmig.errors import OperationError
from asyncmig.schema.expressions import verbatim

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from asyncmig.database.live import LiveStep
    from asyncmig.operations.backfills import Backfill, Batch
    from asyncmig.operations.base import Origin

__all__ = ["Cursor", "Walk"]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The place reached: `key` of the last committed row, after so many batches and rows; `digest` of the backfill."""

    digest: str
    key: tuple[Any, ...] | None = None
    number: int = 0
    rows: int = 0

    def text(self) -> str:
        key = None if self.key is None else [_plain(value) for value in self.key]
        return json.dumps({"digest": self.digest, "key": key, "number": self.number, "rows": self.rows})

    @classmethod
    def read(cls, text: str) -> Cursor:
        found = json.loads(text)
        key = None if found["key"] is None else tuple(_value(value) for value in found["key"])
        return cls(found["digest"], key, found["number"], found["rows"])


@dataclass(frozen=True, slots=True)
class LiveBatch:
    """A Batch (see operations/backfills.py)."""

    number: int
    rows: Sequence[sa.Row[Any]]
    table: sa.TableClause
    where: sa.ColumnElement[bool]
    connection: AsyncConnection

    async def execute(
        self,
        statement: str | sa.Executable,
        parameters: Mapping[str, Any] | Sequence[Mapping[str, Any]] | None = None,
    ) -> sa.CursorResult[Any]:
        clause = sa.text(statement) if isinstance(statement, str) else statement
        return await self.connection.execute(clause, parameters)


class Walk(AsyncIterator["Batch"]):
    """Asking for the next batch commits the one before. Runs in the step's greenlet, so nothing here awaits."""

    def __init__(self, step: LiveStep, operation: Backfill, origin: Origin | None) -> None:
        self._step = step
        self._operation = operation
        self._statement = Statement(_identity(operation), operation=operation, origin=origin)
        self._cursor: Cursor | None = None
        self._reached: Cursor | None = None
        self._source: _Source | None = None
        self._over = False
        self._total: int | None = None

    def __aiter__(self) -> Walk:
        return self

    async def __anext__(self) -> Batch:
        self._step.guard()
        batch = None if self._over else self._next()
        if batch is None:
            self._over = True
            raise StopAsyncIteration
        return batch

    def _next(self) -> LiveBatch | None:
        if self._cursor is None:
            if not self._step.start_backfill(self._statement):
                return None
            self._cursor = self._start()
            self._total = self._estimate()
        elif self._reached is not None:
            read = self._reached.rows - self._cursor.rows
            self._cursor = self._commit(self._reached)
            if read < self._operation.size:
                self._step.end_backfill()
                return None
        return self._read(self._cursor)

    def _start(self) -> Cursor:
        left = self._step.cursor
        cursor = Cursor(self._statement.digest) if left is None else Cursor.read(left)
        if cursor.digest != self._statement.digest:
            raise OperationError(
                f"{self._operation.describe()} ({self._statement.origin}): it is not the backfill that was under way "
                f"when the revision was left incomplete.",
                hint="Put its table, key, size and filter back as they were.",
            )
        return cursor

    def _commit(self, reached: Cursor) -> Cursor:
        self._step.commit_batch(reached.text())
        announce(
            self._step.settings.observer,
            BatchFinished(self._step.revision, str(self._operation.ref), reached.number, reached.rows, self._total),
        )
        return reached

    def _read(self, cursor: Cursor) -> LiveBatch | None:
        connection = self._step.start_batch()
        source = self._source = self._source or _Source.of(self._operation, connection)
        rows = connection.execute(source.select(cursor.key, self._operation)).all()
        if not rows:
            self._step.end_backfill()
            return None
        last = tuple(rows[-1][: len(source.key)])
        if None in last:
            raise OperationError(f"{self._operation.describe()}: the key is NULL in a row, so it leads past rows.")
        where = source.between(cursor.key, last, self._operation)
        number = cursor.number + 1
        self._reached = Cursor(cursor.digest, last, number, cursor.rows + len(rows))
        self._reached.text()  # a key that cannot be kept fails before anything is done with the batch
        return LiveBatch(number, rows, source.table, where, self._step.as_async())

    def _estimate(self) -> int | None:
        """About how many rows the table has; the filter is not asked for, which could take as long as the walk."""
        dialect = self._step.settings.dialect
        if self._step.settings.observer is None:
            return None
        ref = self._operation.ref
        query = dialect.row_estimate(ref) or f"SELECT count(*) FROM {dialect.qualify(ref)}"
        rows = self._step.driver.fetch(query)
        found = int(rows[0][0]) if rows and rows[0][0] is not None else -1
        return found if found >= 0 else None


@dataclass(frozen=True, slots=True)
class _Source:
    """The table and its key columns, with their types: a driver wants to know them."""

    table: sa.TableClause
    key: tuple[sa.ColumnElement[Any], ...]
    columns: tuple[sa.ColumnElement[Any], ...]

    @classmethod
    def of(cls, operation: Backfill, connection: sa.Connection) -> _Source:
        table = operation.table if operation.table is not None else _reflected(operation, connection)

        def column(name: str) -> sa.ColumnElement[Any]:
            if name not in table.c:
                raise OperationError(f"{operation.describe()}: {operation.ref} has no column {name}.")
            return table.c[name]

        key = tuple(column(name) for name in operation.key)
        return cls(table, key, tuple(column(name) for name in operation.columns if name not in operation.key))

    def select(self, after: tuple[Any, ...] | None, operation: Backfill) -> sa.Select[Any]:
        query = sa.select(*self.key, *self.columns).select_from(self.table).order_by(*self.key).limit(operation.size)
        conditions = [*self._filter(operation), *([self._place() > self._value(after)] if after else [])]
        return query.where(*conditions)

    def between(
        self, after: tuple[Any, ...] | None, last: tuple[Any, ...], operation: Backfill
    ) -> sa.ColumnElement[bool]:
        """Behind `after`, up to and with `last`."""
        lower = [self._place() > self._value(after)] if after else []
        return sa.and_(*lower, self._place() <= self._value(last), *self._filter(operation))

    def _filter(self, operation: Backfill) -> list[Any]:
        where = operation.where
        return [] if where is None else [verbatim(where) if isinstance(where, str) else where]

    def _place(self) -> Any:
        return self.key[0] if len(self.key) == 1 else sa.tuple_(*self.key)

    def _value(self, key: tuple[Any, ...]) -> Any:
        parts = [sa.literal(value, column.type) for value, column in zip(key, self.key, strict=True)]
        return parts[0] if len(parts) == 1 else sa.tuple_(*parts)


def _reflected(operation: Backfill, connection: sa.Connection) -> sa.TableClause:
    ref = operation.ref
    try:
        columns = sa.inspect(connection).get_columns(ref.name, schema=ref.schema)
    except sa.exc.NoSuchTableError as error:
        raise OperationError(f"{operation.describe()}: there is no table {ref}.") from error
    return sa.table(ref.name, *(sa.column(c["name"], c["type"]) for c in columns), schema=ref.schema)


def _identity(operation: Backfill) -> str:
    """What a resumed run compares: another key or size would lead through other rows."""
    where = "" if operation.where is None else f" where {operation.where}"
    return f"{operation.describe()} by {', '.join(operation.key)}{where}"


_WRITERS: dict[type, tuple[str, Callable[[Any], str]]] = {
    uuid.UUID: ("uuid", str),
    dt.datetime: ("datetime", dt.datetime.isoformat),
    dt.date: ("date", dt.date.isoformat),
    dt.time: ("time", dt.time.isoformat),
    decimal.Decimal: ("decimal", str),
    bytes: ("bytes", bytes.hex),
}
_READERS: dict[str, Callable[[str], Any]] = {
    "uuid": uuid.UUID,
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "decimal": decimal.Decimal,
    "bytes": bytes.fromhex,
}


def _plain(value: Any) -> Any:
    """A key's value as JSON has it: most as they are, the others by a name and their text."""
    if isinstance(value, bool | int | float | str):
        return value
    for kind, (name, write) in _WRITERS.items():
        if isinstance(value, kind):
            return {name: write(value)}
    raise OperationError(f"op.batches cannot keep a key of type {type(value).__name__} in the journal.")


def _value(plain: Any) -> Any:
    if not isinstance(plain, dict):
        return plain
    ((name, text),) = plain.items()
    return _READERS[name](text)
