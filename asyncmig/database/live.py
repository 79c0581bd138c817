"""The live sink: one attempt at one step, each operation compiled and executed in call order.

A step is one transaction unless something in it cannot be: then what came before is committed together with a
journal row that calls the revision incomplete after so many statements, and the step goes on behind it. A later
run skips exactly those statements, told by position and digest.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.util import await_only

from asyncmig.database.backfill import Walk
from asyncmig.database.driver import Driver, Expected
from asyncmig.database.events import Observer, StatementStarted, announce
from asyncmig.database.failures import is_lost_swap
from asyncmig.database.ledger import Incomplete, Overtaken
from asyncmig.database.pragmas import (
    ForeignKeysInTheWay,
    are_foreign_keys_owed,
    foreign_keys_off,
    foreign_keys_on,
    forgive,
    orphans,
    owe,
    pay_back,
    switch_foreign_keys_off,
)
from asyncmig.database.reflect import look_up
from asyncmig.database.tally import Tally
from asyncmig.database.waiting import Waiting
from asyncmig.dialects.base import Dialect
from asyncmig.dialects.statement import Statement
from asyncmig.errors import OperationError
from asyncmig.operations.backfills import Backfill, Batch
from asyncmig.operations.base import Operation, Origin
from asyncmig.operations.context import ContextSettings, MigrationContext
from asyncmig.operations.enum_uses import FreshValues
from asyncmig.operations.relocated import relocated
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.sink import StepOwner
from asyncmig.operations.sql import Execute
from asyncmig.operations.tables import DropTable
from asyncmig.schema.model import Schema

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from asyncmig.database.connection import Connection
    from asyncmig.database.history import History
    from asyncmig.database.transaction import Ending, StepTransaction
    from asyncmig.database.whole import WholeSteps
    from asyncmig.dialects.statement import Procedure
    from asyncmig.revisions.plan import Step

__all__ = ["LiveStep", "StepSettings"]

_NOTHING_KNOWN = Schema()


@dataclass(frozen=True, slots=True)
class StepSettings:
    """What every step of a run shares."""

    dialect: Dialect
    naming_convention: Mapping[str, Any] | None
    context: ContextSettings
    observer: Observer | None
    history: History | None = None
    schemas: Mapping[str, str] | None = None  # what scripts call a schema: its name here
    whole: WholeSteps | None = None  # shared by the databases of a fleet


class LiveStep:
    """A Sink. `checkpoint` writes the digests so far into the journal, inside the running transaction.

    `left` is what an earlier, incomplete run has committed: its statements are skipped. `together`: statements may
    wait for each other, and StatementByStatement means that they had better not.
    Runs inside the greenlet of `run_sync`.
    """

    def __init__(
        self,
        revision: str,
        script: str,
        settings: StepSettings,
        connection: Connection,
        driver: Driver,
        transaction: StepTransaction,
        checkpoint: Callable[[Sequence[str], str | None], None],
        left: Incomplete | None = None,
        *,
        together: bool = False,
    ) -> None:
        self.revision = revision
        self.script = script
        self.naming_convention = settings.naming_convention
        self.sqlalchemy_dialect = driver.connection.dialect
        self.divided = left is not None
        self.failing: Statement | None = None
        self.operations: list[Operation] = []  # all that may change the schema
        self._settings = settings
        self._connection = connection
        self._driver = driver
        self._transaction = transaction
        self._checkpoint = checkpoint
        self._tally = Tally(revision, left)
        self._waiting = Waiting(allowed=together and left is None and transaction.alone)
        self._in_batch = False
        self._fresh = FreshValues()
        self._orphans: Counter[tuple[Any, ...]] | None = None
        self._unsettled: list[Callable[[Callable[..., Sequence[Sequence[Any]]]], None]] = []
        self._autocommit = False
        self._closing = False
        self._bound = False
        self._owner = StepOwner(asyncio.current_task)

    @cached_property
    def _dialect(self) -> Dialect:
        """Made at the first operation: a step that is sent whole has none to spell."""
        return self._settings.dialect.asking(self._ask)

    # Sink

    def guard(self) -> None:
        self._owner.check()

    def emit(self, operation: Operation, origin: Origin | None) -> Any:
        if self._settings.schemas:
            operation = relocated(operation, self._settings.schemas)
        dialect = self._dialect.recalling() if self._tally.skipping else self._dialect
        if not (self._tally.skipping or self._autocommit):
            self._fresh.take(operation)
        if not isinstance(operation, Execute | BulkInsert):
            self.operations.append(operation)
        if isinstance(operation, Execute | BulkInsert | DropTable):
            self._remember_orphans()
        if dialect.reads(operation) or dialect.left_by_failures(operation):
            return self._emit_whole(operation, origin)
        result = None
        for statement in dialect.statements(operation, _NOTHING_KNOWN):
            result = self._perform(replace(statement, operation=operation, origin=origin))
        return result

    def _emit_whole(self, operation: Operation, origin: Origin | None) -> Any:
        """What depends on what the database holds counts as one statement: another time there may be others."""
        dialect = self._dialect
        whole = Statement(_known_by(dialect, operation), operation=operation, origin=origin)
        if not self._in_batch and self._tally.take(whole):
            return None
        refs = dialect.reads(operation) | dialect.left_by_failures(operation)
        self._send_waiting()
        before = look_up(self._driver, dialect, refs)
        if self._tally.may_repeat and not self._in_batch and dialect.already_done(operation, before):
            self._settle(ran=False)
            return None
        parts = [replace(part, operation=operation, origin=origin) for part in dialect.statements(operation, before)]
        outside = not self._autocommit and not all(part.transactional for part in parts)
        with self.autocommit_block(origin) if outside else nullcontext():
            for part in parts:
                self._run(part)
            self._settle(ran=bool(parts))
        return None

    def bind(self, origin: Origin | None) -> sa.Connection:
        if self._tally.skipping:
            raise self._tally.cannot_resume("the script uses the connection", origin)
        self._bound = True
        self._ensure_begun()
        self._remember_orphans()
        return self._driver.connection

    def connection(self, origin: Origin | None) -> Awaitable[AsyncConnection]:
        self.bind(origin)
        return _ready(self._connection.as_async())

    def run_async(
        self,
        origin: Origin | None,
        function: Callable[..., Awaitable[Any]],
        args: Sequence[Any],
        keywords: Mapping[str, Any],
    ) -> Any:
        self.bind(origin)
        return await_only(function(self._connection.as_async(), *args, **keywords))

    def batches(self, operation: Backfill, origin: Origin | None) -> AsyncIterator[Batch]:
        return Walk(self, operation, origin)

    def migration_context(self) -> MigrationContext:
        return MigrationContext(self, self._settings.context)

    def autocommit_block(self, origin: Origin | None) -> AbstractContextManager[None]:
        if not self._transaction.divisible:
            raise self._transaction.indivisible("An autocommit block", origin)
        return self._autocommit_block()

    # The step's life, as the executor drives it

    @property
    def digests(self) -> tuple[str, ...]:
        """Those of every finished statement, skipped ones included."""
        return self._tally.digests

    @property
    def count(self) -> int:
        return self._tally.count

    def start(self) -> None:
        self._ensure_begun()

    def start_expecting(self, expected: Expected) -> bool:
        """Begin the transaction; whether the rows there are as expected. Where statements wait, so does the look."""
        if self._waiting.allowed and self._transaction.opening is None:
            self._waiting.expected = expected
            return True
        return self._as_expected(expected)

    def _as_expected(self, expected: Expected) -> bool:
        query, transaction = expected.query, self._transaction
        return expected.ready(self._driver.fetch(query) if transaction.active else transaction.begin_with(query))

    @property
    def doubtful(self) -> bool:
        """Whether an error may be another statement's: one that still waits, or was refused before."""
        return bool(self._waiting.statements) or self._waiting.refused is not None

    @property
    def alone(self) -> bool:
        """Whether the step has a transaction of its own."""
        return self._transaction.alone

    def send_whole(self, statements: Sequence[str], ending: Ending, expected: Expected | None) -> bool:
        """Begin, send everything, commit; False, and nothing done, where the rows were not as expected."""
        self._closing = True
        return self._transaction.carry_out(statements, ending, expected)

    def tidy(self, step: Step) -> None:
        """Drop the types that nothing uses any more: at the end, because the script may drop them itself."""
        unused = self._dialect.unused_types()
        may_leave = unused is not None and any(self._dialect.may_leave_types(done) for done in self.operations)
        if unused is None or not may_leave or self._settings.history is None or self._tally.skipping:
            return
        query, read = unused
        self._send_waiting()
        found = read(_NOTHING_KNOWN, self._driver.fetch(query)).enums
        left = self._settings.history.leftovers(step, self.operations) if found else ()
        for operation in left:
            if operation.ref in found:
                self.emit(operation, None)
                if operation.is_domain:  # what it was over may have been used by nothing else
                    found = read(_NOTHING_KNOWN, self._driver.fetch(query)).enums

    def finish(self, ending: Ending) -> None:
        """The script is through: send the closing statements and commit.

        Overtaken when one of them does not change or find its row.
        """
        if self._tally.skipping:
            raise self._tally.cannot_resume("the script ends", None)
        for settle in self._unsettled:
            settle(self._ask)
        self._refuse_orphans()
        self._autocommit = False
        self._closing = True
        if self._waiting.refused is not None:
            raise self._waiting.refused
        if self._waiting.allowed:
            self._end_together(ending)
        else:
            self._end_apart(ending)
        if self._transaction.divisible and self._driver.connection.in_transaction():
            self._driver.connection.commit()
        if not self._driver.in_transaction:
            forgive(self._driver)
            pay_back(self._driver)

    def _end_together(self, ending: Ending) -> None:
        statements = [statement.sql for statement in self._waiting.statements]
        try:
            done = self._transaction.carry_out(statements, ending, self._waiting.expected)
        except sa.exc.DBAPIError as error:
            raise self._waiting.refuse(error) from error
        if not done:
            raise self._waiting.refuse(Overtaken(self.revision))

    def _end_apart(self, ending: Ending) -> None:
        try:
            self._end_with(ending(together=False))
        except sa.exc.DBAPIError as error:
            if is_lost_swap(error):
                raise Overtaken(self.revision) from error
            raise

    def _end_with(self, statements: Sequence[str]) -> None:
        closing = self._transaction.closing
        if closing is not None:
            self._driver.run(self._opened(";\n".join((*statements, closing))))
            return
        self._begin()
        done = self._driver.change_each(statements, self._transaction.last)
        if done < len(statements):
            raise Overtaken(self.revision)
        if done == len(statements):
            self._transaction.commit()

    def rollback(self) -> None:
        self._closing = True
        self._transaction.rollback()
        if self._transaction.divisible and self._driver.connection.in_transaction():
            self._driver.connection.rollback()
        if not self._driver.in_transaction:
            pay_back(self._driver)

    # SQLAlchemy's own idea of transactions, when a script uses its connection

    def on_begin(self) -> None:
        if not self._closing:
            self._begin()

    def on_commit(self) -> None:
        """`bind.commit()`: the script ends the transaction, so the journal has to know."""
        if not self._closing:
            self._divide(None)

    def on_rollback(self) -> None:
        if self._closing:
            return
        if not self._transaction.divisible:
            raise self._transaction.indivisible("A rollback", None)
        self._transaction.rollback()

    def on_after_cursor_execute(self) -> None:
        """`bind.execute("COMMIT")` ends the transaction too; a statement of ours is looked at where it is sent."""
        if not (self._closing or self._autocommit or self.failing or self._driver.in_transaction):
            self._notice_end()

    # Statements

    def _perform(self, statement: Statement) -> Any:
        if not self._in_batch and self._tally.take(statement):
            return None
        control = None if statement.clause is not None else self._settings.dialect.transaction_control(statement.sql)
        if control == "commit":
            self._tally.finish()
            return self._divide(statement.origin)
        if control == "begin" and (self._driver.in_transaction or not self._autocommit):
            self._ensure_begun()
            self._tally.finish()
            return None
        if statement.transactional or self._autocommit:
            return self._send(statement)
        with self.autocommit_block(statement.origin):
            return self._send(statement)

    def _send(self, statement: Statement) -> Any:
        if self._may_wait(statement):
            self._announce(statement)
            self._waiting.statements.append(statement)
            self._tally.finish()
            return None
        result = self._run(statement)
        self._settle()
        return result

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

    def _may_wait(self, statement: Statement) -> bool:
        begun = self._transaction.active or self._autocommit or self._in_batch or self._bound
        return self._waiting.takes(statement) and not begun

    def _send_waiting(self) -> None:
        """What waited goes before whatever comes now, and nothing waits from here on; StatementByStatement if refused."""
        waiting = self._waiting
        waiting.allowed = False
        if not waiting:
            return
        expected, waiting.expected = waiting.expected, None
        statements, waiting.statements = waiting.statements, []
        try:
            if expected is not None and not self._as_expected(expected):
                raise waiting.refuse(Overtaken(self.revision))
            for statement in statements:
                self._driver.run(self._opened(statement.sql))
        except sa.exc.DBAPIError as error:
            raise waiting.refuse(error) from error

    def _announce(self, statement: Statement) -> None:
        observer = self._settings.observer
        if observer is not None:
            announce(observer, StatementStarted(self.revision, self.count, statement.sql, statement.origin))

    def _run(self, statement: Statement) -> Any:
        self._announce(statement)
        # Kept when it fails: the executor names it even where the script wraps the error in its own.
        self.failing = statement
        result = self._execute(statement)
        self.failing = None
        return result

    def _execute(self, statement: Statement) -> Any:
        if statement.procedure is not None:
            return self._carry_out(statement.procedure, statement.origin)
        if statement.clause is None:
            return self._driver.run(self._opened(statement.sql))
        self._ensure_begun()
        options = dict(statement.execution_options or {})
        return self._driver.connection.execute(statement.clause, statement.parameters, execution_options=options)

    def _carry_out(self, procedure: Procedure, origin: Origin | None) -> None:
        """All steps or none: in an autocommit block, in a transaction of their own."""
        if not (procedure.foreign_keys_off and foreign_keys_on(self._driver)):
            self._take_steps(procedure)
        elif self._autocommit:
            with foreign_keys_off(self._driver):
                self._take_steps(procedure)
        elif not self._transaction.restartable:
            what = "With foreign_keys on, a table that is made again or that others point at"
            raise self._transaction.indivisible(what, origin)
        elif self.divided:
            # What came before is committed anyway: so is this part, and the next begins without them.
            self._divide(origin)
            switch_foreign_keys_off(self._driver)
            self._begin()
            self._take_steps(procedure)
        else:
            raise ForeignKeysInTheWay

    def _take_steps(self, procedure: Procedure) -> None:
        owe(self._driver, procedure.after_failure)
        if self._autocommit and procedure.steps:
            self._transaction.begin()
        for sql in procedure.steps:
            self._driver.run(self._opened(sql))
        if procedure.verify is not None:
            procedure.verify(self._ask)
        if procedure.settle is not None:
            self._unsettled.append(procedure.settle)
        if self._autocommit and procedure.steps:
            self._transaction.commit()

    def _ask(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """The rows of a query of the dialect's, inside the step's transaction."""
        assert not parameters
        self._begin()
        return self._driver.fetch(sql)

    def _opened(self, sql: str) -> str:
        """`sql`, behind what begins the transaction where that has still to be sent."""
        self._send_waiting()
        if self._autocommit or self._transaction.active:
            return sql
        if self._transaction.opening is None:
            self._transaction.begin()
            return sql
        return f"{self._transaction.opening};\n{sql}"

    def _ensure_begun(self) -> None:
        self._begin()
        connection = self._driver.connection
        if self._bound and not self._autocommit and not connection.in_transaction():
            # What the script did through `op` is the driver's affair: without this, SQLAlchemy would take the
            # script's bind.commit() for a commit of nothing.
            connection.begin()

    def _begin(self) -> None:
        self._send_waiting()
        if not self._autocommit and not self._transaction.active:
            self._transaction.begin()

    # Rows while foreign_keys is off

    def _remember_orphans(self) -> None:
        """Before the script changes rows, which no key guards and no ON DELETE follows."""
        if self._orphans is None and not self._tally.skipping and are_foreign_keys_owed(self._driver):
            self._ensure_begun()
            self._orphans = orphans(self._driver)

    def _refuse_orphans(self) -> None:
        """OperationError when a row has lost its parent since: with foreign_keys on it would be gone, or kept it."""
        before, self._orphans = self._orphans, None
        if before is None:
            return
        new = orphans(self._driver) - before
        for table, _, parent in new:
            raise OperationError(
                f"{new.total():,} rows of {table} have no row in {parent} any more. This step runs with SQLite's "
                "foreign_keys off, because it makes a table again or drops one that others point at: so ON DELETE and "
                "ON UPDATE did nothing.",
                hint="Change the rows in a revision of its own, or those of both tables.",
            )

    # Dividing a step

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
        self._fresh.committed()
        self.divided = True

    def _notice_end(self) -> None:
        """A statement ended the transaction on its own (a COMMIT inside a DO block, say): journal it now."""
        if not self._transaction.divisible:
            raise self._transaction.indivisible("A statement that ends the transaction", self._tally.newest.origin)
        if self._in_batch:
            raise self._batch_ended()
        self._transaction.begin()
        self._checkpoint(self.digests, self._tally.cursor)
        self._transaction.commit()
        self._fresh.committed()
        self.divided = True

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

    @property
    def settings(self) -> StepSettings:
        return self._settings

    def as_async(self) -> AsyncConnection:
        return self._connection.as_async()

    # Errors

    def _batch_ended(self) -> OperationError:
        return OperationError(
            "A batch of op.batches was ended by the script: what it did could not be told from what is still to do.",
            hint="Leave COMMIT, ROLLBACK and what runs outside a transaction to the loop; finish it before anything else.",
        )


def _known_by(dialect: Dialect, operation: Operation) -> str:
    """The operation as it is written where nothing is known of the database, for the journal to compare."""
    try:
        statements = dialect.statements(operation, _NOTHING_KNOWN)
    except OperationError:
        return operation.describe()
    return "\n".join((operation.describe(), *(statement.sql for statement in statements)))


async def _ready(connection: AsyncConnection) -> AsyncConnection:
    return connection
