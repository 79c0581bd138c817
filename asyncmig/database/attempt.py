"""One attempt at one step: the script, the hooks around it, the version rows and the journal row."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.util import await_only

from asyncmig.database.coroutine import drive
from asyncmig.database.driver import Expected, WholeChange
from asyncmig.database.ledger import Incomplete, JournalRow, Ledger, Overtaken
from asyncmig.database.live import LiveStep
from asyncmig.database.report import Outcome, StepReport
from asyncmig.database.step_settings import StepSettings
from asyncmig.errors import OperationError
from asyncmig.operations.calling import call_script, check_result
from asyncmig.operations.sink import running

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.ext.asyncio import AsyncConnection

    from asyncmig.database.connection import Connection
    from asyncmig.database.transaction import StepTransaction
    from asyncmig.database.whole import WholeStep
    from asyncmig.operations.calling import ScriptFunction
    from asyncmig.revisions.plan import Direction, Step

__all__ = ["Attempt", "Hook", "Hooks", "StepInfo", "Work"]

_MOMENT = 0.005  # seconds; a turn of the event loop costs a short step a thirtieth of its time


@dataclass(frozen=True, slots=True)
class StepInfo:
    """What the hooks of env.py get; `error` is set for on_error only.

    `connection` is the step's own, inside its transaction (for on_error: after the rollback, None).
    """

    revision: str
    direction: Direction
    message: str
    down_revisions: tuple[str, ...]
    heads: frozenset[str]
    connection: AsyncConnection | None
    bind: sa.Connection | None
    error: BaseException | None = None


Hook = Callable[[StepInfo], Awaitable[None] | None]


@dataclass(frozen=True, slots=True)
class Hooks:
    before_step: Hook | None = None
    after_step: Hook | None = None
    on_error: Hook | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What one step runs: the script's function (None for a stamp) and what the journal keeps of the script."""

    function: ScriptFunction | None
    path: Path | None
    checksum: str | None = None
    file_hash: str | None = None
    fixed: bool = False  # the same on every database, whenever it runs


class Attempt:
    """One try at one step, inside the greenlet of `run_sync`; `live` is its sink."""

    def __init__(
        self,
        step: Step,
        work: Work,
        left: Incomplete | None,
        *,
        settings: StepSettings,
        hooks: Hooks,
        connection: Connection,
        ledger: Ledger,
        transaction: StepTransaction,
        together: bool,
    ) -> None:
        self.step = step
        self.work = work
        self.left = left
        self.hooks = hooks
        self.connection = connection
        self.ledger = ledger
        self.start_clock()
        self.live = LiveStep(
            step,
            str(work.path),
            settings,
            connection,
            ledger.driver,
            transaction,
            self.checkpoint,
            left,
            together=together,
        )
        self.journaled = left is not None

    def start_clock(self) -> None:
        self.started_at = datetime.now(UTC)
        self.clock = time.monotonic()

    def run(self, *, recheck: bool) -> StepReport:
        """Do the step and commit it. `recheck`: Overtaken when the version rows are not `step.before` any more."""
        if recheck and not self.live.start_expecting(self._expected()):
            raise Overtaken(self.step.revision.id)
        self._hook(self.hooks.before_step, self.step.before)
        self._script()
        self.live.tidy()
        self._hook(self.hooks.after_step, self.step.after)
        if time.monotonic() - self.clock > _MOMENT:
            # A signal that came while the script's own code held the loop is let in here, not when COMMIT is under way.
            await_only(asyncio.sleep(0))
        self.live.finish(self._ending)
        return self.report(self.live.count)

    @property
    def may_be_whole(self) -> bool:
        """Whether nobody wants the connection between the statements."""
        return self.hooks.before_step is None and self.hooks.after_step is None and self.live.alone

    def run_whole(self, whole: WholeStep, *, recheck: bool) -> StepReport | None:
        """The same in one exchange with the database; None, and nothing done, where it was not as expected there."""
        ending = partial(self._ending_of, whole.digests)
        done = self.live.send_whole(whole.statements, ending, self._expected() if recheck else None)
        return self.report(len(whole.statements)) if done else None

    def whole_change(self, whole: WholeStep, *, recheck: bool, follows: bool) -> WholeChange | None:
        """The same, to be done beside other steps and, where it `follows`, behind one; None where that cannot be."""
        ending = partial(self._ending_of, whole.digests, follows=follows)
        expected = self._expected() if recheck else None
        return self.live.whole_change(whole.statements, ending, expected, self.start_clock)

    def _expected(self) -> Expected:
        return Expected(self.ledger.sql.state(), self._is_before)

    def _is_before(self, rows: list[tuple[Any, ...]]) -> bool:
        return self.ledger.state_in(rows).versions == self.step.before

    def _ending(self, *, together: bool) -> tuple[str, ...]:
        return self._ending_of(self.live.digests, together=together)

    def _ending_of(self, digests: Sequence[str], *, together: bool, follows: bool = False) -> tuple[str, ...]:
        row = replace(self._row(Outcome.APPLIED, digests), together=together, follows=follows)
        return self.ledger.record(self.step.change, row, started=self.journaled)

    def checkpoint(self, digests: Sequence[str], cursor: str | None) -> None:
        """The journal row of a revision under way: written once, then brought up to date."""
        row = self._row(Outcome.INCOMPLETE, digests, cursor=cursor)
        self.ledger.journal(row, started=self.journaled)
        self.journaled = True

    def undo(self) -> None:
        """Roll back; when even that fails the connection is gone, and the server has rolled back itself."""
        try:
            self.live.rollback()
        except sa.exc.DBAPIError:
            self.ledger.driver.connection.invalidate()

    def _script(self) -> None:
        if self.work.function is None or self.work.path is None:
            return
        with running(self.live):
            try:
                coroutine = call_script(self.work.function, self.work.path)
                if coroutine is not None:
                    check_result(drive(coroutine), self.work.path, str(self.step.direction))
            except (SystemExit, asyncio.CancelledError) as stop:
                if _is_wanted(stop):
                    raise
                raise _stopped_itself(stop).with_traceback(stop.__traceback__) from stop

    def _hook(self, hook: Hook | None, heads: frozenset[str]) -> None:
        if hook is not None:
            self.live.start()  # the hook's own statements belong to the step
            answer = hook(self.info(heads))
            if answer is not None:
                await_only(answer)

    def info(self, heads: frozenset[str], error: Exception | None = None) -> StepInfo:
        """What a hook is told; without the connection when there is an error, because the step is rolled back."""
        revision = self.step.revision
        return StepInfo(
            revision.id,
            self.step.direction,
            revision.message,
            revision.down_revisions,
            heads,
            None if error else self.connection.as_async(),
            None if error else self.ledger.driver.connection,
            error,
        )

    def journal_failure(self, ledger: Ledger, message: str) -> None:
        """Say in the journal why the step failed: in its incomplete row, or in a row of its own."""
        if self.live.divided:
            ledger.note_error(self.step.revision.id, message)
        else:
            ledger.journal(self._row(Outcome.FAILED, (), message), started=False)

    def _row(
        self, outcome: Outcome, digests: Sequence[str], error: str | None = None, cursor: str | None = None
    ) -> JournalRow:
        revision = self.step.revision
        return JournalRow(
            revision=revision.id,
            down_revision=" ".join(revision.down_revisions),
            direction=self.step.direction,
            outcome=outcome,
            started_at=self.started_at,
            finished_at=datetime.now(UTC) if outcome is not Outcome.INCOMPLETE else None,
            checksum=self.work.checksum,
            file_hash=self.work.file_hash,
            digests=tuple(digests),
            error=error,
            cursor=cursor,
        )

    def report(self, statements: int, seconds: float | None = None) -> StepReport:
        """Of the step that is committed just now, or took `seconds`."""
        return StepReport(
            revision=self.step.revision.id,
            direction=self.step.direction,
            message=self.step.revision.message,
            down_revisions=self.step.revision.down_revisions,
            path=self.work.path,
            statements=statements,
            seconds=time.monotonic() - self.clock if seconds is None else seconds,
            resumed=self.left is not None,
        )


def _is_wanted(stop: BaseException) -> bool:
    """Whether somebody cancels the run, and not only something that the script awaited."""
    task = asyncio.current_task()
    return isinstance(stop, asyncio.CancelledError) and task is not None and task.cancelling() > 0


def _stopped_itself(stop: BaseException) -> OperationError:
    """A failure like any other: as BaseExceptions these would pass by whoever rolls back, journals and reports it."""
    if isinstance(stop, SystemExit):
        return OperationError(f"the script raised SystemExit({stop.code!r})", hint="Raise an exception that says why.")
    return OperationError(
        "the script awaited something that was cancelled, and nobody cancelled the migration",
        hint="Catch asyncio.CancelledError where that is awaited.",
    )
