"""One run: lock, look, plan, check, execute; and what is said when it fails."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
import anyio.lowlevel
import anyio.to_thread
import sqlalchemy as sa

from asyncmig.database.applied import accepted, changed_message, changed_scripts, refuse_changed
from asyncmig.database.attempt import Hooks, Work
from asyncmig.database.events import Warned, announce_async
from asyncmig.database.executor import Executor, RunAgain, StepBroken, WithoutForeignKeys
from asyncmig.database.failures import (
    is_access_denied,
    is_filled_otherwise,
    is_fresh_enum_value,
    is_refused_in_transaction,
    message_of,
    way_to_write,
)
from asyncmig.database.ledger import Incomplete, Overtaken
from asyncmig.database.placement import Placement
from asyncmig.database.report import Report
from asyncmig.database.request import Request, placed
from asyncmig.errors import AsyncmigError, LockTimeout, MigrationFailed, OperationError, VersionTableError
from asyncmig.operations.enum_uses import NEW_VALUE, WAY_OUT
from asyncmig.revisions.plan import Direction, Plan

if TYPE_CHECKING:
    from asyncmig.database.applied import ChangedScript
    from asyncmig.database.lock import RunLock
    from asyncmig.database.session import Session
    from asyncmig.database.step_settings import StepSettings

__all__ = ["Run"]

_AGAIN = "Mend that, then run the same command again."
_OUTSIDE = (
    "Put it inside `with op.autocommit_block():`; an index is made so by "
    "op.create_index(..., postgresql_concurrently=True) alone."
)
_SAY_WHAT_FILLS_IT = (
    "Say what fills the column now: existing_server_default=sa.Identity(), sa.Computed(...) or the default's text."
)


_TURN = 0.005
"""For so long the loading of scripts may keep the event loop."""


@dataclass(slots=True)
class Run:
    """`load` reads the scripts of a plan, before anything runs."""

    session: Session
    request: Request
    load: Callable[[Plan], Iterable[Work]]
    settings: StepSettings
    hooks: Hooks
    _began: frozenset[str] = frozenset()

    async def run(self) -> Report:
        """Bring the database to the target, from wherever it is once the lock is ours."""
        async with self.session.locked() as lock, self.session.whole_run():
            await self.session.create_ledger()
            return await self._execute(lock)

    # Under the lock

    async def _execute(self, lock: RunLock) -> Report:
        executor = Executor(
            connection=self.session.connection,
            ledger_sql=self.session.ledger_sql,
            settings=self.settings,
            hooks=self.hooks,
            transaction=self.session.step_transaction,
            failure=self.session.failure_transaction,
            lock=lock,
            watch=self.session.watch,
            recheck=not (lock.exclusive or self.session.exclusive),
            retries=0 if self._undivided and self.session.careful else self.session.config.lock_timeout,
            whole=self._undivided,
        )
        while True:
            try:
                async with self.session.all_steps():
                    placement = await placed(self.session, self.request.graph)
                    self._began = placement.rows
                    after = await self._pass(executor, placement)
            except Overtaken:
                if self._undivided:
                    executor.steps.clear()
                await anyio.sleep(random.uniform(0, 0.05))
            except WithoutForeignKeys:
                executor.steps.clear()
                self.session.without_foreign_keys = True
            except RunAgain as lost:
                executor.steps.clear()
                await anyio.sleep(lost.delay)
            except StepBroken as broken:
                raise self._explained(broken, executor) from broken.error
            else:
                return self.request.report(placement, after, tuple(executor.steps), lock.waited)

    @property
    def _undivided(self) -> bool:
        return self.session.config.transaction == "run"

    async def _pass(self, executor: Executor, placement: Placement) -> frozenset[str]:
        """Plan from where the database is now, and do it; gives the version rows afterwards."""
        incomplete = await self.session.ledger(lambda ledger: ledger.incomplete())
        plan = self.request.plan(placement)
        if self.request.direction is Direction.STAMP:
            if incomplete:
                await self.session.ledger(lambda ledger: ledger.abandon())
                incomplete = {}
        else:
            self._refuse_interfering(incomplete, plan)
            await self._check_scripts(placement)
        await self._check_length(plan)
        await executor.run(plan, await self._loaded(plan), incomplete)
        after = plan.after if plan else placement.rows
        if self.request.direction is Direction.STAMP:
            await self._accept_scripts(after)
        return after

    async def _loaded(self, plan: Plan) -> Sequence[Work]:
        """All the scripts; the event loop has its turn every few milliseconds, for a thousand take half a second."""
        work, since = [], time.monotonic()
        for piece in self.load(plan):
            work.append(piece)
            if time.monotonic() - since > _TURN:
                await anyio.lowlevel.checkpoint()
                since = time.monotonic()
        return work

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

    async def _changed_scripts(self, rows: frozenset[str]) -> tuple[ChangedScript, ...]:
        applied = await self.session.ledger(lambda ledger: ledger.applied_scripts())
        return await anyio.to_thread.run_sync(changed_scripts, self.request.graph, rows, applied)

    async def _accept_scripts(self, rows: frozenset[str]) -> None:
        """A stamp says that the database is what the scripts say, as they are now."""
        for script in await self._changed_scripts(rows):
            row = accepted(script, self.request.graph)
            await self.session.ledger(lambda ledger, row=row: ledger.journal(row, started=False))  # type: ignore[misc]

    async def _check_scripts(self, placement: Placement) -> None:
        how = self.session.config.checksums
        if how == "off":
            return
        changed = await self._changed_scripts(placement.known)
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

    def _explained(self, broken: StepBroken, executor: Executor) -> AsyncmigError:
        """The failed step in words: where it failed, what stands, what to do."""
        standing = () if self._undivided else tuple(executor.steps)
        if isinstance(broken.error, LockTimeout) and not standing and not broken.divided:
            return broken.error
        step, statement = broken.step, broken.statement
        line = statement.origin.line if statement and statement.origin else _script_line(broken)
        left = "is incomplete and goes on where it stopped" if broken.divided else "was rolled back"
        stands = f"The revision {left}; {_before(len(standing))}."
        if self._undivided:
            stands = "The whole run was rolled back, the steps before it too."
        what = "Upgrade" if step.direction is Direction.UPGRADE else step.direction.capitalize()
        path = step.revision.path
        where = f" ({path}:{line})" if path and line else f" ({path})" if path else ""
        report = self.request.report(None, self._began if self._undivided else step.before, standing)
        return MigrationFailed(
            f"{what} of {step.revision.id}{where} failed: {_reason(broken)} {stands}",
            report=report,
            revision=step.revision.id,
            path=path,
            line=line,
            sql=statement.sql if statement else None,
            changed=bool(standing) or broken.divided,
            hint=_hint(broken.error),
        )


def _before(steps: int) -> str:
    if steps == 0:
        return "no other was applied"
    return "the step before it is kept" if steps == 1 else f"the {steps} steps before it are kept"


def _reason(broken: StepBroken) -> str:
    error = broken.error
    if isinstance(error, AsyncmigError):
        return _sentence(error.message)
    if is_fresh_enum_value(error):
        return _sentence(f"{message_of(error)}: {NEW_VALUE}")
    if isinstance(error, sa.exc.DBAPIError):
        return _sentence(broken.reason)
    return _sentence(f"{type(error).__name__}: {message_of(error)}")


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _hint(error: Exception) -> str:
    if isinstance(error, AsyncmigError):
        return error.hint or _AGAIN
    if is_fresh_enum_value(error):
        return WAY_OUT
    if is_refused_in_transaction(error):
        return _OUTSIDE
    if is_filled_otherwise(error):
        return _SAY_WHAT_FILLS_IT
    return way_to_write(error) if is_access_denied(error) else _AGAIN


def _script_line(broken: StepBroken) -> int | None:
    """The line of the script in the error's traceback, where the error was not a statement's."""
    path = str(broken.step.revision.path)
    lines = [line for frame, line in traceback.walk_tb(broken.error.__traceback__) if frame.f_code.co_filename == path]
    return lines[-1] if lines else None
