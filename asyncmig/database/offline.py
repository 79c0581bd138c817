"""`--sql`: the run as a text for psql or the sqlite3 shell that leaves what the run itself would leave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asyncmig.database.recording import StatementWriter, record_whole_step
from asyncmig.database.report import Outcome
from asyncmig.errors import DynamicScript
from asyncmig.operations.backfills import Backfill
from asyncmig.operations.enum_uses import FreshValues
from asyncmig.version import __version__

if TYPE_CHECKING:
    from asyncmig.database.attempt import Work
    from asyncmig.database.step_settings import StepSettings
    from asyncmig.dialects.ledger import LedgerSql
    from asyncmig.dialects.statement import Statement
    from asyncmig.operations.recorder import Recorded
    from asyncmig.revisions.plan import Plan, Step

__all__ = ["OfflineScript"]


@dataclass(slots=True)
class OfflineScript:
    """`one_transaction`: all steps in one, as with transaction = "run"."""

    ledger: LedgerSql
    settings: StepSettings
    writer: StatementWriter
    one_transaction: bool = False
    _foreign_keys_off: bool = field(default=False, init=False)

    def text(self, plan: Plan, work: Sequence[Work]) -> str:
        """The whole script. DynamicScript for a step that only a database could tell."""
        return "\n".join(line for part in self._parts(plan, work) for line in part) + "\n"

    def _parts(self, plan: Plan, work: Sequence[Work]) -> Iterator[Iterator[str]]:
        yield self._heading(plan)
        yield self._transaction(iter((*self.ledger.create(), *self.ledger.guard_table())))
        steps = [tuple(self._step(step, piece)) for step, piece in zip(plan.steps, work, strict=True)]
        if self._foreign_keys_off:
            yield iter(("-- Tables are made again: with foreign_keys on that would delete rows of others.",))
            yield iter(("PRAGMA foreign_keys = OFF;", ""))
        if self.one_transaction:
            yield self._transaction(line for step in steps for line in step)
        else:
            yield from (self._transaction(iter(step)) for step in steps)

    def _heading(self, plan: Plan) -> Iterator[str]:
        before, after = (", ".join(sorted(rows)) or "base" for rows in (plan.before, plan.after))
        yield f"-- Written by asyncmig {__version__}: from {before} to {after}."
        yield ""

    def _transaction(self, statements: Iterator[str]) -> Iterator[str]:
        """Comments stay bare; everything else gets its semicolon."""
        yield _closed(self.settings.dialect.begin())
        for sql in statements:
            yield sql if sql.startswith("-- ") and "\n" not in sql else _closed(sql)
        yield "COMMIT;"
        yield ""

    def _step(self, step: Step, work: Work) -> Iterator[str]:
        revision = step.revision
        yield f"-- {step.direction.capitalize()} {revision.id}: {' '.join(revision.message.split())}"
        guard = self.ledger.guard(sorted(step.before))
        yield guard
        count = 0
        fresh = FreshValues()
        for item in record_whole_step(step, work, self.settings):
            _refuse_backfill(item)
            if item.autocommit:
                fresh.committed()
            else:
                fresh.take(item.operation)
            for statement in self.writer.statements(item):
                count += 1
                if statement.procedure is not None and statement.procedure.foreign_keys_off:
                    self._foreign_keys_off = True
                yield from self._statement(statement, guard)
        yield from self.ledger.changes(step.change)
        yield self.ledger.insert_journal(self._journal(step, work, count))

    def _statement(self, statement: Statement, guard: str) -> Iterator[str]:
        text = list(self.settings.dialect.literal(statement))
        if statement.transactional:
            yield from text
            return
        yield "COMMIT"
        yield from text
        yield self.settings.dialect.begin()
        # Again: a client that goes on behind the first one's error must not record the revision in here.
        yield guard

    def _journal(self, step: Step, work: Work, count: int) -> dict[str, str]:
        """The SQL of a journal row's columns: times and user are those of the session that runs the text."""
        literal, now = self.ledger.literal, self.ledger.now
        return {
            "revision": literal(step.revision.id),
            "down_revision": literal(" ".join(step.revision.down_revisions)),
            "direction": literal(step.direction),
            "outcome": literal(Outcome.APPLIED),
            "checksum": literal(work.checksum),
            "file_hash": literal(work.file_hash),
            "started_at": now,
            "finished_at": now,
            "duration_ms": literal(0),
            "statements_done": literal(count),
            "statements": literal(None),
            "database_user": self.ledger.user or literal(None),
            "host": literal(None),
            "asyncmig_version": literal(__version__),
            "error": literal(None),
            "cursor": literal(None),
        }


def _refuse_backfill(item: Recorded) -> None:
    if isinstance(item.operation, Backfill):
        raise DynamicScript(
            "op.batches asks the database for each batch, so it cannot be written as SQL.",
            path=item.origin.path if item.origin else None,
            line=item.origin.line if item.origin else None,
            hint="Run this revision with a connection, or guard it with `if not op.get_context().as_sql:`.",
        )


def _closed(sql: str) -> str:
    """With its semicolon, on a line of its own where a comment would swallow it."""
    return f"{sql}\n;" if "--" in sql.rpartition("\n")[2] else f"{sql};"
