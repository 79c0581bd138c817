"""Runs the steps of a plan on one connection, in order, and says what stands when one fails."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
import sqlalchemy as sa

from asyncmig.database.attempt import Attempt, Hooks, Work
from asyncmig.database.blockers import Blocker, LockWatch, named
from asyncmig.database.driver import Driver, driver_of
from asyncmig.database.events import Observer, Retrying, StepFailed, StepFinished, StepStarted, announce_async
from asyncmig.database.failures import is_lost_swap, is_retryable, message_of
from asyncmig.database.ledger import Incomplete, Ledger, Overtaken
from asyncmig.database.listening import transaction_events
from asyncmig.database.live import LiveStep
from asyncmig.database.pragmas import ForeignKeysInTheWay, foreign_keys_off
from asyncmig.database.step_settings import StepSettings
from asyncmig.database.stretch import LONGEST, may_stretch, send_stretch
from asyncmig.database.waiting import StatementByStatement
from asyncmig.errors import LockTimeout, RunLockLost

if TYPE_CHECKING:
    from asyncmig.database.connection import Connection
    from asyncmig.database.lock import RunLock
    from asyncmig.database.report import StepReport
    from asyncmig.database.transaction import StepTransaction
    from asyncmig.dialects.ledger import LedgerSql
    from asyncmig.dialects.statement import Statement
    from asyncmig.revisions.plan import Plan, Step

__all__ = ["Executor", "RunAgain", "StepBroken", "WithoutForeignKeys"]

logger = logging.getLogger("asyncmig")

_TELL_SECONDS = 1.0


class WithoutForeignKeys(Exception):
    """The one transaction of the run was rolled back and has to begin again, SQLite's foreign_keys off."""


class RunAgain(Exception):
    """The one transaction of the run was rolled back, because a step lost a lock; to be begun again after `delay` seconds."""

    def __init__(self, delay: float) -> None:
        super().__init__(delay)
        self.delay = delay


class _Tries:
    """How often a lock was lost, and whether there is time for another try."""

    def __init__(self, seconds: float) -> None:
        self.number = 0
        self._deadline = time.monotonic() + seconds

    def pause(self, *, surely: bool) -> float | None:
        """The seconds before the next try, more each time; None when there is to be none, unless there is `surely`."""
        self.number += 1
        delay = random.uniform(0.5, 1.5) * min(0.05 * 2**self.number, 5.0)
        return delay if surely or time.monotonic() + delay <= self._deadline else None


class StepBroken(Exception):
    """A step failed with `error`; nothing of it stands, or what stands is journaled as incomplete (`divided`).

    `together`: its statements waited for each other, so which of them it was will only be known another time.
    """

    def __init__(self, attempt: Attempt, error: Exception, *, together: bool = False) -> None:
        super().__init__(str(error))
        self.attempt = attempt
        self.error = error
        self.together = together
        self.blockers: tuple[Blocker, ...] = ()

    @property
    def step(self) -> Step:
        return self.attempt.step

    @property
    def reason(self) -> str:
        """The error's message, and who held the lock that the step wanted."""
        return f"{message_of(self.error)}{named(self.blockers)}"

    @property
    def statement(self) -> Statement | None:
        """The statement that was being executed, where it was one."""
        return self.attempt.live.failing

    @property
    def divided(self) -> bool:
        return self.attempt.live.divided


@dataclass(slots=True)
class Executor:
    """One run. `steps` grows as steps are applied: after a failure it says what stands.

    `recheck`: whether each step reads the version rows again inside its transaction, because no lock keeps
    others away. `retries`: seconds within which a step that lost a lock is tried again; 0 where it cannot be.
    `whole`: one transaction holds all the steps, so that RunAgain asks for all of them again.
    `failure`: the transaction in which a failed step is journaled, None where it is not to be.
    """

    connection: Connection
    ledger_sql: LedgerSql
    settings: StepSettings
    hooks: Hooks
    transaction: Callable[[Driver], StepTransaction]
    failure: Callable[[Driver], StepTransaction | None]
    lock: RunLock
    watch: LockWatch | None
    recheck: bool
    retries: float
    whole: bool = False
    steps: list[StepReport] = field(default_factory=list)
    _running: LiveStep | None = None
    _lost: _Tries | None = None

    @property
    def observer(self) -> Observer | None:
        return self.settings.observer

    async def run(self, plan: Plan, work: Sequence[Work], incomplete: Mapping[str, Incomplete]) -> None:
        """Apply the plan's steps in order; StepBroken at the first that fails, Overtaken when others moved the rows."""
        before, steps = len(self.steps), list(zip(plan.steps, work, strict=True))
        total = before + len(steps)
        stretches = may_stretch(self.settings) and not (incomplete or self.whole)
        with transaction_events(self.connection.sync, lambda: self._running):
            while (done := len(self.steps) - before) < len(steps):
                step, piece = steps[done]
                if stretches and piece.fixed and await self._stretch(steps[done : done + LONGEST], total):
                    continue
                await self._announced(step, piece, incomplete.get(step.revision.id), total)

    async def _stretch(self, front: Sequence[tuple[Step, Work]], total: int) -> bool:
        """Whether any of the steps could be done together with those behind it, or by itself in no more than one turn."""
        first = len(self.steps) + 1
        reports = await self.connection.run_sync(self._send_stretch, front)
        self.steps += reports
        for index, report in enumerate(reports, first):
            started = StepStarted(report.revision, report.direction, report.message, index, total)
            await announce_async(self.observer, started)
            await announce_async(self.observer, StepFinished(report, index, total))
        return bool(reports)

    def _send_stretch(self, connection: sa.Connection, front: Sequence[tuple[Step, Work]]) -> list[StepReport]:
        driver = driver_of(connection)

        def attempt_at(step: Step, work: Work) -> Attempt:
            return self._make_attempt(driver, step, work, None, together=False)

        return send_stretch(driver, front, self.settings, attempt_at, recheck=self.recheck)

    async def _announced(self, step: Step, work: Work, left: Incomplete | None, total: int) -> None:
        index = len(self.steps) + 1
        await announce_async(
            self.observer, StepStarted(step.revision.id, step.direction, step.revision.message, index, total)
        )
        try:
            report = await self._step(step, work, left)
        except Exception:
            raise
        except BaseException as stopped:
            await self._stopped(step, stopped)
            raise
        self.steps.append(report)
        await announce_async(self.observer, StepFinished(report, index, total))

    async def _step(self, step: Step, work: Work, left: Incomplete | None) -> StepReport:
        tries = _Tries(self.retries)
        together = left is None
        while True:
            try:
                async with self.watch.around() if self.watch else nullcontext():
                    return await self.connection.run_sync(self._attempt, step, work, left, together)
            except StepBroken as broken:
                retryable, together = is_retryable(broken.error), False
                if broken.together and not retryable:
                    continue
                broken.blockers = await self.watch.found(broken.error) if self.watch else ()
                if self.whole:
                    # From the first loss on: what came before it in the run is no waiting.
                    tries = self._lost = self._lost or tries
                delay = tries.pause(surely=broken.together) if retryable and not broken.divided else None
                if delay is None:
                    await self._failed(broken)
                    raise
                reason = broken.reason
            await announce_async(self.observer, Retrying(step.revision.id, tries.number, delay, reason))
            if self.whole:
                raise RunAgain(delay)
            await anyio.sleep(delay)

    def _attempt(
        self, connection: sa.Connection, step: Step, work: Work, left: Incomplete | None, together: bool
    ) -> StepReport:
        """A step that comes upon a table to be made again while foreign_keys is on starts again without them.

        Not foreseen by recording the step, which was measured: a rebuild that restarts costs 6 ms of processor time more,
        beside the SQL before it, and only where the application switches foreign_keys on. To know it beforehand, every
        step would have to be recorded (0.1 ms an operation, and the script's Python runs twice then too) and each
        change planned against the live table, half of what a rebuild costs, also where it needs none; and a script
        that asks for the connection, as those with much SQL before a rebuild do, cannot be recorded.
        """
        driver = driver_of(connection)
        try:
            report = self._try_whole(driver, step, work) if together else None
            if report is not None:
                return report
            return self._try(driver, step, work, left, together=together)
        except ForeignKeysInTheWay:
            if self.whole:
                raise WithoutForeignKeys from None
        with foreign_keys_off(driver):
            return self._try(driver, step, work, left, together=False)

    def _try_whole(self, driver: Driver, step: Step, work: Work) -> StepReport | None:
        """None, and nothing done, where the step is not to be had whole, or the database is not where it begins."""
        whole = self.settings.whole.of(step, work, self.settings) if self.settings.whole else None
        if whole is None:
            return None
        attempt = self._make_attempt(driver, step, work, None, together=False)
        if not attempt.may_be_whole:
            return None
        try:
            return attempt.run_whole(whole, recheck=self.recheck)
        except Exception as error:
            attempt.undo()
            raise StepBroken(attempt, error, together=not driver.gone) from error

    def _make_attempt(
        self, driver: Driver, step: Step, work: Work, left: Incomplete | None, *, together: bool
    ) -> Attempt:
        return Attempt(
            step,
            work,
            left,
            settings=self.settings,
            hooks=self.hooks,
            connection=self.connection,
            ledger=Ledger(self.ledger_sql, driver, lease=self.lock.held),
            transaction=self.transaction(driver),
            together=together,
        )

    def _try(self, driver: Driver, step: Step, work: Work, left: Incomplete | None, *, together: bool) -> StepReport:
        attempt = self._make_attempt(driver, step, work, left, together=together)
        self._running = attempt.live
        try:
            return attempt.run(recheck=self.recheck)
        except Overtaken as overtaken:
            attempt.undo()
            self._verify(attempt, driver)
            reason = overtaken.__cause__
            if isinstance(reason, Exception) and attempt.ledger.read().versions == step.before:
                # Nobody was faster: a deferred constraint of the application's failed in the same words.
                raise StepBroken(attempt, reason) from reason
            raise
        except ForeignKeysInTheWay:
            attempt.undo()
            raise
        except StatementByStatement as refused:
            attempt.undo()
            raise StepBroken(attempt, refused.error, together=not driver.gone) from refused.error
        except Exception as error:
            doubtful = attempt.live.doubtful
            attempt.undo()
            if doubtful:
                raise StepBroken(attempt, error, together=not driver.gone) from error
            if is_lost_swap(error):
                self._verify(attempt, driver)
            raise StepBroken(attempt, error) from error
        finally:
            # A cancelled step (BaseException) is undone by whoever holds the connection, shielded.
            self._running = None

    def _verify(self, attempt: Attempt, driver: Driver) -> None:
        """StepBroken, with RunLockLost inside, when a proof failed because the run lock is somebody else's."""
        try:
            self.lock.verify(driver)
        except RunLockLost as lost:
            raise StepBroken(attempt, lost) from lost

    async def _failed(self, broken: StepBroken) -> None:
        step = broken.step
        # A step that never got the file has nothing to tell, and its row would wait for the file as long again.
        # And whoever lost the run lock, with the connection or without, writes nothing more.
        lost = isinstance(broken.error, LockTimeout | RunLockLost) or broken.attempt.ledger.driver.gone
        if not lost:
            await self.connection.run_sync(self._journal_failure, broken)
        await announce_async(self.observer, StepFailed(step.revision.id, step.direction, broken.error))
        if self.hooks.on_error is not None:
            answer = self.hooks.on_error(broken.attempt.info(step.before, broken.error))
            if answer is not None:
                await answer

    async def _stopped(self, step: Step, reason: BaseException) -> None:
        """Tell the observer that a cancelled step will not finish: a tracer has its span to end."""
        with anyio.move_on_after(_TELL_SECONDS, shield=True):
            await announce_async(self.observer, StepFailed(step.revision.id, step.direction, reason))

    def _journal_failure(self, connection: sa.Connection, broken: StepBroken) -> None:
        """After the rollback, in a transaction of its own; where that fails too, the log has to do."""
        driver = driver_of(connection)
        transaction = self.failure(driver)
        if transaction is None:
            return
        try:
            transaction.begin()
            broken.attempt.journal_failure(Ledger(self.ledger_sql, driver, lease=self.lock.held), broken.reason)
            transaction.commit()
        except (sa.exc.SQLAlchemyError, OSError) as error:
            logger.warning("the failure of %s could not be journaled: %s", broken.step.revision.id, message_of(error))
            with suppress(sa.exc.SQLAlchemyError, OSError):  # the connection is gone, and the server rolls back itself
                transaction.rollback()
