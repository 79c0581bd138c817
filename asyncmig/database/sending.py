"""The way of a step's statements to its database: a transaction that begins when the first is sent, or when all are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from asyncmig.database.failures import is_lost_swap
from asyncmig.database.ledger import Overtaken
from asyncmig.database.pragmas import pay_back
from asyncmig.database.waiting import Waiting

if TYPE_CHECKING:
    from asyncmig.database.connection import Connection
    from asyncmig.database.driver import Driver, Expected, WholeChange
    from asyncmig.database.transaction import Ending, StepTransaction
    from asyncmig.dialects.statement import Statement

__all__ = ["Sending"]


class Sending:
    """Part of LiveStep. `together`: statements may wait for each other, and StatementByStatement means that they had better not."""

    def __init__(
        self, revision: str, connection: Connection, driver: Driver, transaction: StepTransaction, *, together: bool
    ) -> None:
        self.revision = revision
        self._connection = connection
        self._driver = driver
        self._transaction = transaction
        self._waiting = Waiting(allowed=together and transaction.alone)
        self._unsettled: list[Callable[[Callable[..., Sequence[Sequence[Any]]]], None]] = []
        self._autocommit = False
        self._in_batch = False
        self._bound = False
        self._closing = False

    # Beginning

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

    def _begin(self) -> None:
        self._send_waiting()
        if not self._autocommit and not self._transaction.active:
            self._transaction.begin()

    def _ensure_begun(self) -> None:
        self._begin()
        connection = self._driver.connection
        if self._bound and not self._autocommit and not connection.in_transaction():
            # What the script did through `op` is the driver's affair: without this, SQLAlchemy would take the
            # script's bind.commit() for a commit of nothing.
            connection.begin()

    def _opened(self, sql: str) -> str:
        """`sql`, behind what begins the transaction where that has still to be sent."""
        self._send_waiting()
        if self._autocommit or self._transaction.active:
            return sql
        if self._transaction.opening is None:
            self._transaction.begin()
            return sql
        return f"{self._transaction.opening};\n{sql}"

    def _ask(self, sql: str, parameters: Sequence[Any] = ()) -> Sequence[Sequence[Any]]:
        """The rows of a query of the dialect's, inside the step's transaction."""
        assert not parameters
        self._begin()
        return self._driver.fetch(sql)

    # What waits

    @property
    def doubtful(self) -> bool:
        """Whether an error may be another statement's: one that still waits, or was refused before."""
        return bool(self._waiting.statements) or self._waiting.refused is not None

    @property
    def alone(self) -> bool:
        """Whether the step has a transaction of its own."""
        return self._transaction.alone

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

    # The end

    def send_whole(self, statements: Sequence[str], ending: Ending, expected: Expected | None) -> bool:
        """Begin, send everything, commit; False, and nothing done, where the rows were not as expected."""
        self._closing = True
        return self._transaction.carry_out(statements, ending, expected)

    def whole_change(
        self, statements: Sequence[str], ending: Ending, expected: Expected | None, starting: Callable[[], None]
    ) -> WholeChange | None:
        """What `send_whole` does, to be done beside that of other steps; None where that cannot be."""
        self._closing = True
        return self._transaction.whole_change(statements, ending, expected, starting)

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
