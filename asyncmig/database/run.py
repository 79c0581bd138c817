"""One run: lock, look, plan, check, execute; and what is said when it fails."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import anyio
import anyio.to_thread
import sqlalchemy as sa

from asyncmig.database.applied import changed_message, changed_scripts, refuse_changed
from asyncmig.database.attempt import Hooks, Work
from asyncmig.database.events import Warned, announce_async
from asyncmig.database.executor import Executor, StepBroken
from asyncmig.database.failures import message_of
from asyncmig.database.ledger import Incomplete, LedgerState, Overtaken
from asyncmig.database.placement import Placement, place
from asyncmig.database.report import Report, StepReport
from asyncmig.errors import AsyncmigError, ForeignRevision, MigrationFailed, OperationError, VersionTableError
from asyncmig.revisions.plan import Direction, Plan

if TYPE_CHECKING:
    from asyncmig.database.live import StepSettings
    from asyncmig.database.lock import RunLock
    from asyncmig.database.session import Session
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["Run"]

Planner = Callable[[frozenset[str]], Plan]


@dataclass(slots=True)
class Run:
    """`plan` makes the steps from the ids that the database is at; `load` reads their scripts, before anything runs."""

    session: Session
    database: str
    target: str
    direction: Direction
    graph: RevisionGraph
    plan: Planner
    load: Callable[[Plan], Sequence[Work]]
    settings: StepSettings
    hooks: Hooks
    _started: float = field(default_factory=time.monotonic)

    async def run(self) -> Report:
        """Bring the database to the target. Nothing to do costs one query, no lock and no write."""
        state = await self.session.ledger(lambda ledger: ledger.read())
        placement = await self._place(state)
        if self._nothing_to_do(state, placement):
            return self._report(placement.rows, placement)
        async with self.session.locked() as lock, self.session.whole_run():
            await self.session.create_ledger()
            return await self._execute(lock)

    def _nothing_to_do(self, state: LedgerState, placement: Placement) -> bool:
        return not state.incomplete and not self._plan(placement)

    async def _place(self, state: LedgerState) -> Placement:
        unknown = any(row not in self.graph for row in state.versions)
        parents = await self.session.ledger(lambda ledger: ledger.parents()) if unknown else None
        return place(state.versions, self.graph, parents)

    def _plan(self, placement: Placement) -> Plan:
        if self.direction is Direction.STAMP:
            return self.plan(placement.rows)
        placement.refuse_foreign()
        plan = self.plan(placement.effective)
        if plan and placement.ahead:
            newer, missing = ", ".join(sorted(placement.ahead)), ", ".join(plan.ids)
            raise ForeignRevision(
                f"The database is ahead of this code at {newer}, so it cannot run {missing} here.",
                revisions=sorted(placement.ahead),
                hint="Run it from the release that has all of these revisions.",
            )
        return plan

    # Under the lock

    async def _execute(self, lock: RunLock) -> Report:
        executor = Executor(
            connection=self.session.connection,
            ledger_sql=self.session.ledger_sql,
            settings=self.settings,
            hooks=self.hooks,
            transaction=self.session.step_transaction,
            recheck=not (lock.exclusive or self.session.exclusive),
            retries=self.session.config.lock_timeout,
            journal_failures=self.session.journals_failures,
        )
        while True:
            placement = await self._place(await self.session.ledger(lambda ledger: ledger.read()))
            try:
                after = await self._pass(executor, placement)
            except Overtaken:
                await anyio.sleep(random.uniform(0, 0.05))
            except StepBroken as broken:
                raise self._explained(broken, executor) from broken.error
            else:
                return self._report(after, placement, tuple(executor.steps), lock.waited)

    async def _pass(self, executor: Executor, placement: Placement) -> frozenset[str]:
        """Plan from where the database is now, and do it; gives the version rows afterwards."""
        incomplete = await self.session.ledger(lambda ledger: ledger.incomplete())
        plan = self._plan(placement)
        if self.direction is Direction.STAMP:
            if incomplete:
                await self.session.ledger(lambda ledger: ledger.abandon())
        else:
            self._refuse_interfering(incomplete, plan)
            await self._check_scripts(placement)
        await self._check_length(plan)
        await executor.run(plan, self.load(plan), incomplete)
        return plan.after if plan else placement.rows

    def _refuse_interfering(self, incomplete: Mapping[str, Incomplete], plan: Plan) -> None:
        """An incomplete revision has to be gone on with, in its own direction, before anything else."""
        first = plan.steps[0] if plan else None
        for left in incomplete.values():
            if first and first.revision.id == left.revision and first.direction is left.direction:
                continue
            way = f"`asyncmig {left.direction}`"
            raise OperationError(
                f"{left.direction.capitalize()} of {left.revision} is incomplete after statement {left.done}"
                f"{f': {left.error}' if left.error else ''}.",
                hint=f"Go on with {way}; or finish or undo its work by hand, then `asyncmig stamp` where the database is.",
            )

    async def _check_scripts(self, placement: Placement) -> None:
        how = self.session.config.checksums
        if how == "off":
            return
        applied = await self.session.ledger(lambda ledger: ledger.applied_scripts())
        changed = await anyio.to_thread.run_sync(changed_scripts, self.graph, placement.known, applied)
        if changed and how == "warn":
            await announce_async(self.settings.observer, Warned(f"{changed_message(changed)}."))
        elif changed:
            refuse_changed(changed)

    async def _check_length(self, plan: Plan) -> None:
        ids = {name for step in plan.steps for name in step.after - step.before}
        longest = max(ids, key=len, default="")
        limit = await self.session.ledger(lambda ledger: ledger.version_length())
        if limit is not None and len(longest) > limit:
            raise VersionTableError(
                f"Revision {longest} has {len(longest)} characters, and {self.session.ledger_sql.version}.version_num "
                f"takes {limit}. Nothing was applied.",
                hint="`asyncmig ensure-version` widens the column.",
            )

    # What comes back

    def _report(
        self,
        after: frozenset[str],
        placement: Placement,
        steps: tuple[StepReport, ...] = (),
        waited: float = 0.0,
    ) -> Report:
        return Report(
            target=self.target,
            database=self.database,
            before=tuple(sorted(placement.rows)),
            after=tuple(sorted(after)),
            steps=steps,
            ahead=tuple(sorted(placement.ahead)),
            seconds=time.monotonic() - self._started,
            waited=waited,
        )

    def _explained(self, broken: StepBroken, executor: Executor) -> AsyncmigError:
        """The failed step in words: where it failed, what stands, what to do."""
        standing = () if self.session.config.transaction == "run" else tuple(executor.steps)
        step, statement = broken.step, broken.statement
        line = statement.origin.line if statement and statement.origin else _script_line(broken)
        left = "is incomplete and goes on where it stopped" if broken.divided else "was rolled back"
        what = "Upgrade" if step.direction is Direction.UPGRADE else step.direction.capitalize()
        path = step.revision.path
        where = f" ({path}:{line})" if path and line else f" ({path})" if path else ""
        done = (
            f"{len(standing)} earlier step{'s' if len(standing) != 1 else ''} stand" if standing else "nothing stands"
        )
        report = Report(
            target=self.target,
            database=self.database,
            before=(),
            after=tuple(sorted(step.before)),
            steps=standing,
            seconds=time.monotonic() - self._started,
        )
        return MigrationFailed(
            f"{what} of {step.revision.id}{where} failed: {_reason(broken.error)}. The revision {left}; {done}.",
            report=report,
            revision=step.revision.id,
            path=path,
            line=line,
            sql=statement.sql if statement else None,
            changed=bool(standing) or broken.divided,
            hint=_hint(broken.error),
        )


def _reason(error: Exception) -> str:
    if isinstance(error, AsyncmigError):
        return error.message.rstrip(".")
    if isinstance(error, sa.exc.DBAPIError):
        return message_of(error).rstrip(".")
    return f"{type(error).__name__}: {message_of(error)}".rstrip(".")


def _hint(error: Exception) -> str | None:
    return error.hint if isinstance(error, AsyncmigError) else None


def _script_line(broken: StepBroken) -> int | None:
    """The line of the script in the error's traceback, where the error was not a statement's."""
    path = str(broken.step.revision.path)
    lines = [line for frame, line in traceback.walk_tb(broken.error.__traceback__) if frame.f_code.co_filename == path]
    return lines[-1] if lines else None
