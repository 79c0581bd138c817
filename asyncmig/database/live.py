"""The live sink: one attempt at one step, each operation compiled and executed in call order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.util import await_only

from asyncmig.database.dividing import Dividing
from asyncmig.database.driver import Driver
from asyncmig.database.events import StatementStarted, announce
from asyncmig.database.ledger import Incomplete
from asyncmig.database.pragmas import (
    ForeignKeysInTheWay,
    foreign_keys_off,
    foreign_keys_on,
    forgive,
    owe,
    pay_back,
    switch_foreign_keys_off,
)
from asyncmig.database.reflect import look_up
from asyncmig.dialects.base import Dialect
from asyncmig.dialects.statement import Statement
from asyncmig.errors import OperationError
from asyncmig.operations.backfills import Backfill, Batch
from asyncmig.operations.base import Operation, Origin
from asyncmig.operations.context import MigrationContext
from asyncmig.operations.relocated import relocated
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.sink import StepOwner
from asyncmig.operations.sql import Execute
from asyncmig.operations.tables import DropTable
from asyncmig.schema.model import Schema

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncConnection

    from asyncmig.database.connection import Connection
    from asyncmig.database.step_settings import StepSettings
    from asyncmig.database.transaction import Ending, StepTransaction
    from asyncmig.dialects.statement import Procedure
    from asyncmig.revisions.plan import Step

__all__ = ["LiveStep"]

_NOTHING_KNOWN = Schema()


class LiveStep(Dividing):
    """A Sink. Runs inside the greenlet of `run_sync`; see Sending and Dividing for `together`, `checkpoint` and `left`."""

    def __init__(
        self,
        step: Step,
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
        super().__init__(step.revision.id, connection, driver, transaction, checkpoint, left, together=together)
        self.script = script
        self.naming_convention = settings.naming_convention
        self.sqlalchemy_dialect = driver.connection.dialect
        self.operations: list[Operation] = []  # all that may change the schema
        self._step = step
        self._settings = settings
        self._owner = StepOwner(asyncio.current_task)

    @cached_property
    def _dialect(self) -> Dialect:
        """Made at the first operation: a step that is sent whole has none to spell."""
        return self._settings.dialect.asking(self._ask)

    # Sink

    def guard(self) -> None:
        self._owner.check()

    def emit(self, operation: Operation, origin: Origin | None) -> Any:
        emptied = self._settings.dialect.emptied(operation)
        if emptied is not None:
            self.tidy(emptied)
        if self._settings.schemas:
            operation = relocated(operation, self._settings.schemas)
        dialect = self._dialect.recalling() if self._tally.skipping else self._dialect
        in_transaction = not (self._tally.skipping or self._autocommit)
        if in_transaction:
            self._fresh.take(operation)
        if not isinstance(operation, Execute | BulkInsert):
            self.operations.append(operation)
        if isinstance(operation, Execute | BulkInsert | DropTable):
            self._remember_orphans()
        with self._changing(operation, origin) if in_transaction and _shapes_schema(operation) else nullcontext():
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
        from asyncmig.database.backfill import Walk

        return Walk(self, operation, origin)

    def migration_context(self) -> MigrationContext:
        return MigrationContext(self, self._settings.context)

    def autocommit_block(self, origin: Origin | None) -> AbstractContextManager[None]:
        if not self._transaction.divisible:
            raise self._transaction.indivisible("An autocommit block", origin)
        return self._autocommit_block()

    # The end of the step, as the executor drives it

    def tidy(self, schema: str | None = None) -> None:
        """Drop the types that nothing uses any more: at the end, because the script may drop them itself.

        Those of a `schema` before it goes, which they would hold.
        """
        unused = self._dialect.unused_types()
        may_leave = unused is not None and any(self._dialect.may_leave_types(done) for done in self.operations)
        if unused is None or not may_leave or self._settings.history is None or self._tally.skipping:
            return
        query, read = unused
        self._send_waiting()
        found = read(_NOTHING_KNOWN, self._driver.fetch(query)).enums
        left = self._settings.history.leftovers(self._step, self.operations) if found else ()
        for operation in left:
            if operation.ref in found and schema in (None, operation.ref.schema):
                if schema is None:
                    self.emit(operation, None)
                else:
                    self._take_along(operation)
                if operation.is_domain:  # what it was over may have been used by nothing else
                    found = read(_NOTHING_KNOWN, self._driver.fetch(query)).enums

    def _take_along(self, operation: Operation) -> None:
        """As a part of the statement that comes, not counted by itself: a run that goes on behind it finds no such type."""
        self.operations.append(operation)
        refs = self._dialect.reads(operation) | self._dialect.left_by_failures(operation)
        before = look_up(self._driver, self._dialect, refs) if refs else _NOTHING_KNOWN
        for part in self._dialect.statements(operation, before):
            self._run(replace(part, operation=operation))

    def finish(self, ending: Ending) -> None:
        """The script is through: send the closing statements and commit.

        Overtaken when one of them does not change or find its row.
        """
        if self._tally.skipping:
            raise self._tally.cannot_resume("the script ends", None)
        self._refuse_undone()
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

    # Statements

    def _perform(self, statement: Statement) -> Any:
        if not self._in_batch and self._tally.take(statement):
            return None
        control = None if statement.clause is not None else self._settings.dialect.transaction_control(statement.sql)
        if control == "commit":
            self._tally.finish()
            return self._divide(statement.origin)
        if control == "rollback" and not (self._autocommit or self._in_batch):
            self._tally.finish()
            return self._undo(statement.origin)
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

    @property
    def settings(self) -> StepSettings:
        return self._settings


def _shapes_schema(operation: Operation) -> bool:
    return operation.shapes_schema if isinstance(operation, Execute) else not isinstance(operation, BulkInsert)


def _known_by(dialect: Dialect, operation: Operation) -> str:
    """The operation as it is written where nothing is known of the database, for the journal to compare."""
    try:
        statements = dialect.statements(operation, _NOTHING_KNOWN)
    except OperationError:
        return operation.describe()
    return "\n".join((operation.describe(), *(statement.sql for statement in statements)))


async def _ready(connection: AsyncConnection) -> AsyncConnection:
    return connection
