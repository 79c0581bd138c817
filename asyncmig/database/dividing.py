"""A step in several transactions, where it cannot be one: what came before is committed with a journal row that says so.

That row calls the revision incomplete after so many statements; a later run skips exactly those, told by position and digest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import sqlalchemy as sa

from asyncmig.database.pragmas import are_foreign_keys_owed, forgive, pay_back
from asyncmig.database.sending import Sending
from asyncmig.database.tally import Tally
from asyncmig.dialects.splitter import transaction_control
from asyncmig.errors import OperationError
from asyncmig.operations.enum_uses import FreshValues

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from asyncmig.database.connection import Connection
    from asyncmig.database.driver import Driver
    from asyncmig.database.ledger import Incomplete
    from asyncmig.database.orphans import Orphans
    from asyncmig.database.transaction import StepTransaction
    from asyncmig.dialects.statement import Statement
    from asyncmig.operations.base import Operation, Origin

__all__ = ["Dividing"]


class Dividing(Sending):
    """Part of LiveStep. `checkpoint` writes the digests so far into the journal, inside the running transaction.

    `left` is what an earlier, incomplete run has committed: its statements are skipped.
    """

    def __init__(
        self,
        revision: str,
        connection: Connection,
        driver: Driver,
        transaction: StepTransaction,
        checkpoint: Callable[[Sequence[str], str | None], None],
        left: Incomplete | None,
        *,
        together: bool,
    ) -> None:
        super().__init__(revision, connection, driver, transaction, together=together and left is None)
        self.divided = left is not None
        self.failing: Statement | None = None
        self._checkpoint = checkpoint
        self._tally = Tally(revision, left)
        self._fresh = FreshValues()
        self._orphans: Orphans | None = None
        # What changed the schema in the running transaction, and what did so in those that the script rolled back.
        self._uncommitted: list[tuple[Operation, Origin | None]] = []
        self._undone: list[tuple[Operation, Origin | None]] = []

    @property
    def digests(self) -> tuple[str, ...]:
        """Those of every finished statement, skipped ones included."""
        return self._tally.digests

    @property
    def count(self) -> int:
        return self._tally.count

    def _settle(self, *, ran: bool = True) -> None:
        """The statement that was taken last is through."""
        if self._in_batch:
            if not self._driver.in_transaction:
                raise self._batch_ended()
            return
        self._tally.finish()
        if self._autocommit:
            self._checkpoint(self.digests, self._tally.cursor)
        elif ran and not self._driver.in_transaction:
            self._notice_end()

    def _divide(self, origin: Origin | None) -> None:
        """Commit what was done so far, with a journal row that says how far that is."""
        if not self._transaction.divisible:
            raise self._transaction.indivisible("A COMMIT", origin)
        if self._autocommit:
            return  # every statement of the block is committed and journaled already
        if self._in_batch:
            raise self._batch_ended()
        self._begin()
        self._refuse_orphans()
        self._checkpoint(self.digests, self._tally.cursor)
        self._transaction.commit()
        forgive(self._driver)
        pay_back(self._driver)
        self._committed()

    def _notice_end(self) -> None:
        """A statement ended the transaction on its own (a COMMIT inside a DO block, say): journal it now."""
        if not self._transaction.divisible:
            raise self._transaction.indivisible("A statement that ends the transaction", self._tally.newest.origin)
        if self._in_batch:
            raise self._batch_ended()
        self._transaction.begin()
        self._checkpoint(self.digests, self._tally.cursor)
        self._transaction.commit()
        self._committed()

    def _committed(self) -> None:
        self._fresh.committed()
        self._uncommitted.clear()
        self.divided = True

    @contextmanager
    def _changing(self, operation: Operation, origin: Origin | None) -> Iterator[None]:
        """The running transaction changes the schema by this operation, unless that fails."""
        entry = (operation, origin)
        self._uncommitted.append(entry)
        try:
            yield
        except BaseException:
            if self._uncommitted[-1:] == [entry]:
                self._uncommitted.pop()
            raise

    def _undo(self, origin: Origin | None) -> None:
        """The script rolls the running transaction back; the next statement begins another."""
        if not self._transaction.divisible:
            raise self._transaction.indivisible("A rollback", origin)
        self._send_waiting()
        self._transaction.rollback()
        self._rolled_back()

    def _rolled_back(self) -> None:
        self._undone += self._uncommitted
        self._uncommitted.clear()

    def _refuse_undone(self) -> None:
        """Rows that a script takes back are its own affair; what it said to `op` would be missing from then on."""
        for operation, origin in self._undone:
            where = f" ({origin})" if origin else ""
            raise OperationError(
                f"the script rolled back the transaction of its step, and with it: {operation.describe()}{where}.",
                hint="Let it roll back to a savepoint (`with bind.begin_nested():`), or before it changes the schema.",
            )

    @contextmanager
    def _autocommit_block(self) -> Iterator[None]:
        # In a resumed step what stands in the block may be done already: then there is nothing to commit yet.
        if not self._tally.skipping:
            self._divide(None)
        self._autocommit = True
        try:
            yield
        finally:
            self._autocommit = False

    # SQLAlchemy's own idea of transactions, when a script uses its connection

    def on_begin(self) -> None:
        if not self._closing:
            self._begin()

    def on_commit(self) -> None:
        """`bind.commit()`: the script ends the transaction, so the journal has to know."""
        if not self._closing:
            self._divide(None)

    def on_rollback(self) -> None:
        if not self._closing:
            self._undo(None)

    def on_executed(self, sql: str) -> None:
        """`bind.execute("COMMIT")` ends the transaction too; a statement of ours is looked at where it is sent."""
        if self._closing or self._autocommit or self.failing or self._driver.in_transaction:
            return
        if transaction_control(sql) == "rollback" and self._transaction.divisible and not self._in_batch:
            self._rolled_back()
        else:
            self._notice_end()

    # Rows while foreign_keys is off

    def _remember_orphans(self) -> None:
        """Before the script changes rows."""
        if self._orphans is None and not self._tally.skipping and are_foreign_keys_owed(self._driver):
            from asyncmig.database.orphans import Orphans

            self._ensure_begun()
            self._orphans = Orphans(self._driver)

    def _refuse_orphans(self) -> None:
        before, self._orphans = self._orphans, None
        if before is not None:
            before.refuse_more(self._driver)

    # Backfills: what database/backfill.py asks of the step

    def start_backfill(self, statement: Statement) -> bool:
        """Commit what was done so far; False where an earlier run has done the whole backfill."""
        if not self._transaction.divisible:
            raise self._transaction.indivisible("op.batches", statement.origin)
        if self._in_batch or self._autocommit:
            where = "another one" if self._in_batch else "an autocommit block"
            raise OperationError(f"op.batches ({statement.origin}) inside {where}: each batch is a transaction.")
        if self._tally.take_backfill(statement):
            return False
        self._divide(statement.origin)
        return True

    @property
    def cursor(self) -> str | None:
        """How far an interrupted run had come with the backfill that starts now."""
        return self._tally.cursor

    def start_batch(self) -> sa.Connection:
        self._begin()
        self._bound = self._in_batch = True
        self._ensure_begun()
        return self._driver.connection

    def commit_batch(self, cursor: str) -> None:
        """In the batch's own transaction, so that rows and journal never disagree."""
        if not self._driver.in_transaction:
            raise self._batch_ended()
        self._tally.cursor = cursor
        self._checkpoint(self.digests, cursor)
        self._transaction.commit()

    def end_backfill(self) -> None:
        self._in_batch = False
        self._tally.cursor = None
        self._tally.finish()

    @property
    def driver(self) -> Driver:
        return self._driver

    def as_async(self) -> AsyncConnection:
        return self._connection.as_async()

    def _batch_ended(self) -> OperationError:
        return OperationError(
            "A batch of op.batches was ended by the script: what it did could not be told from what is still to do.",
            hint="Leave COMMIT, ROLLBACK and what runs outside a transaction to the loop; finish it before anything else.",
        )
