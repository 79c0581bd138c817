"""The three transactions that a step can run in: its own, the whole run's, or one that belongs to the caller.

All methods run inside the greenlet of `run_sync`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.util import await_only

from asyncmig.database.driver import Driver, Expected, WholeChange
from asyncmig.database.failures import is_busy
from asyncmig.database.patience import Patience
from asyncmig.errors import LockTimeout, OperationError

if TYPE_CHECKING:
    from asyncmig.operations.base import Origin

__all__ = ["CallersTransaction", "Ending", "OwnTransaction", "RunTransaction", "StepTransaction"]

T = TypeVar("T")


class Ending(Protocol):
    """The statements that end a step. `together`: they are sent with those that do the work, not after them."""

    def __call__(self, *, together: bool) -> Sequence[str]: ...


class StepTransaction(ABC):
    """`divisible`: whether what a step has done may be committed before the step is over; else `why_not` says why.

    `restartable`: whether all that was done since `begin` can be undone and done again on the same connection.
    `opening` and `closing` are what begins and ends the transaction where that may be sent together with other
    statements, saving a round trip each; None where `begin` and `commit` have to be called.
    """

    divisible = True
    restartable = True
    why_not = ""
    opening: str | None = None
    closing: str | None = None
    last: str | None = None
    """What `commit` sends, where it may be sent with the statements before it on any database."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver

    @property
    def active(self) -> bool:
        """Whether `begin` has been done and what follows can still be rolled back."""
        return self.driver.in_transaction

    @abstractmethod
    def begin(self) -> None: ...

    @abstractmethod
    def commit(self) -> None: ...

    @abstractmethod
    def rollback(self) -> None: ...

    def begin_with(self, query: str) -> list[tuple[Any, ...]]:
        """Begin, and give the rows of the first query."""
        self.begin()
        return self.driver.fetch(query)

    def indivisible(self, what: str, origin: Origin | None) -> OperationError:
        """The error of whoever wants to commit in the middle of a step that may not be divided."""
        where = f" ({origin})" if origin else ""
        return OperationError(
            f"{what}{where} would have to commit in the middle of the step, but {self.why_not}.",
            hint='Run it with transaction = "revision" on a connection of asyncmig\'s own.',
        )

    @property
    def alone(self) -> bool:
        """Whether all of a step may go to the database at once, by `carry_out`."""
        return False

    def carry_out(self, statements: Sequence[str], ending: Ending, expected: Expected | None) -> bool:
        """Begin, run `statements`, change one row with each of `ending`, commit: in one exchange with the database.

        False, with nothing done, where the rows are not as `expected` or one was not there to be changed; where
        statements go together that is an error of the database's.
        """
        raise NotImplementedError

    def whole_change(
        self, statements: Sequence[str], ending: Ending, expected: Expected | None, starting: Callable[[], None]
    ) -> WholeChange | None:
        """The same, to be done later and beside others; None where it cannot be foreseen."""
        return None


class OwnTransaction(StepTransaction):
    """BEGIN and COMMIT of our own, whatever SQLAlchemy believes: its connection is in autocommit mode.

    `begin_sql` may carry a SET LOCAL behind it; `joins` says that one text may hold several statements. On SQLite,
    BEGIN IMMEDIATE and COMMIT answer "database is locked" while another process writes or reads: both are tried
    again as long as `patience`, which begins anew for each, lasts.
    """

    def __init__(self, driver: Driver, begin_sql: str, patience: Callable[[], Patience], *, joins: bool) -> None:
        super().__init__(driver)
        self.begin_sql = begin_sql
        self.patience = patience
        self.opening = begin_sql if joins else None
        self.closing = "COMMIT" if joins else None
        self.last = "COMMIT"

    def begin(self) -> None:
        self._patiently(lambda: self.driver.run(self.begin_sql))

    def begin_with(self, query: str) -> list[tuple[Any, ...]]:
        return self._patiently(lambda: self.driver.begin_and_fetch(self.begin_sql, query))

    def commit(self) -> None:
        self._patiently(lambda: self.driver.run("COMMIT"))

    def rollback(self) -> None:
        if self.driver.in_transaction:
            self.driver.run("ROLLBACK")

    @property
    def alone(self) -> bool:
        return self.last is not None

    def carry_out(self, statements: Sequence[str], ending: Ending, expected: Expected | None) -> bool:
        change = self.whole_change(statements, ending, expected, lambda: None)
        if change is None:
            return False
        if self.opening is None:
            return self.driver.change_whole(change)
        self.driver.change_many([change])
        return True

    def whole_change(
        self, statements: Sequence[str], ending: Ending, expected: Expected | None, starting: Callable[[], None]
    ) -> WholeChange | None:
        joined = self.opening is not None
        if joined and expected is not None:
            return None  # nobody looks at rows in the middle of a text
        return WholeChange(self.begin_sql, expected, statements, lambda: ending(together=joined), starting)

    def _patiently(self, work: Callable[[], T]) -> T:
        patience = self.patience()
        while True:
            try:
                return work()
            except sa.exc.OperationalError as error:
                if not is_busy(error):
                    raise
                if not await_only(patience.pause()):
                    raise LockTimeout(
                        f"The database file is locked by another process (waited {patience.seconds:g} s).",
                        hint="Let it finish, or raise lock_timeout.",
                    ) from error


class RunTransaction(OwnTransaction):
    """A step within one transaction for the whole run: the session begins and commits it, a failing step ends it."""

    divisible = False
    why_not = 'transaction = "run" keeps all revisions in one transaction'

    def __init__(self, driver: Driver, begin_sql: str, patience: Callable[[], Patience], *, joins: bool) -> None:
        super().__init__(driver, begin_sql, patience, joins=joins)
        self.closing = self.last = None

    def commit(self) -> None:
        return


class CallersTransaction(StepTransaction):
    """A savepoint within the transaction of the connection that the caller gave."""

    divisible = False
    restartable = False
    why_not = "the transaction belongs to the caller of connection="

    def __init__(self, driver: Driver) -> None:
        super().__init__(driver)
        self._saved = False

    @property
    def active(self) -> bool:
        return self._saved

    def begin(self) -> None:
        self.driver.run("SAVEPOINT asyncmig_step")
        self._saved = True

    def commit(self) -> None:
        self.driver.run("RELEASE SAVEPOINT asyncmig_step")
        self._saved = False

    def rollback(self) -> None:
        if self._saved and self.driver.in_transaction:
            self.driver.run("ROLLBACK TO SAVEPOINT asyncmig_step")
            self.driver.run("RELEASE SAVEPOINT asyncmig_step")
        self._saved = False
