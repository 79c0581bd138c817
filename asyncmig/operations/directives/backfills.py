"""`op.batches`: a table worked through in batches."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from asyncmig.errors import OperationError
from asyncmig.operations.backfills import Backfill
from asyncmig.operations.directives.base import Directives, check_name
from asyncmig.operations.sink import origin_in
from asyncmig.schema.model import Ref

if TYPE_CHECKING:
    from asyncmig.operations.backfills import Batch

__all__ = ["BackfillDirectives"]


class BackfillDirectives(Directives):
    __slots__ = ()

    def batches(
        self,
        table: str | sa.TableClause,
        *,
        key: str | Sequence[str],
        size: int = 1000,
        columns: Sequence[str] = (),
        where: str | sa.ColumnElement[Any] | None = None,
        schema: str | None = None,
    ) -> AsyncIterator[Batch]:
        """`async for batch in op.batches("account", key="id"):` gives the rows of a table, `size` at a time.

        What the step did before is committed first; each batch is a transaction, committed when the next one is asked
        for together with how far it came, so that an interrupted run goes on behind the last one. `key` are columns
        that together are unique and never NULL, best the primary key; `columns` are read along with them.
        """
        ref, clause = _table(table, schema)
        keys = (key,) if isinstance(key, str) else tuple(key)
        if not keys or not all(keys):
            raise OperationError(f"batches of {ref} wants the key as one or several column names.")
        if size < 1:
            raise OperationError(f"batches of {ref} wants a size of at least 1, not {size!r}.")
        if isinstance(columns, str):
            raise OperationError(f"batches of {ref} wants a list of columns, not one string.")
        sink = self._step()
        operation = Backfill(ref, keys, size, tuple(columns), where, clause)
        return sink.batches(operation, origin_in(sink.script))


def _table(table: object, schema: str | None) -> tuple[Ref, sa.TableClause | None]:
    if not isinstance(table, sa.TableClause):
        return Ref(check_name("batches", "table name", table), schema), None
    own = getattr(table, "schema", None)
    return Ref(str(table.name), schema or (str(own) if own else None)), table
