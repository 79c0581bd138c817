"""Steps recorded instead of run: what `plan`, `--sql` and the question before a downgrade are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from asyncmig.database.blame import blaming_operation, blaming_script
from asyncmig.operations.recorder import Recorded, Recorder, record
from asyncmig.schema.model import Schema

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from asyncmig.database.attempt import Work
    from asyncmig.database.step_settings import StepSettings
    from asyncmig.dialects.base import Dialect
    from asyncmig.dialects.rehearsal import Known
    from asyncmig.dialects.statement import Statement
    from asyncmig.operations.enums import DropEnum
    from asyncmig.revisions.plan import Step
    from asyncmig.schema.model import Ref

__all__ = ["StatementWriter", "record_step", "record_whole_step", "recorder_of"]


def record_step(work: Work, settings: StepSettings) -> tuple[Recorded, ...]:
    """What the script of a step does, in order; DynamicScript where only the database could tell.

    ScriptError, with the line, for whatever else the script raises.
    """
    if work.function is None:
        return ()
    with blaming_script(work.path):
        return record(work.function, recorder_of(work.path, settings)).items


def recorder_of(path: Path | None, settings: StepSettings) -> Recorder:
    """A recorder for one function of the script at `path`."""
    return Recorder(
        str(path),
        settings.dialect.sqlalchemy,
        naming_convention=settings.naming_convention,
        settings=settings.context,
    )


def record_whole_step(step: Step, work: Work, settings: StepSettings) -> tuple[Recorded, ...]:
    """What the step does, with the types that go because nothing uses them any more."""
    items = record_step(work, settings)
    if settings.history is None:
        return items
    left = settings.history.leftovers(step, [item.operation for item in items])
    return tuple(_with_drops(items, left, settings.dialect))


def _with_drops(items: Iterable[Recorded], drops: Iterable[DropEnum], dialect: Dialect) -> Iterator[Recorded]:
    """The drops behind the rest, those of a schema before it goes: they would hold it."""
    left = list(drops)
    for item in items:
        emptied = dialect.emptied(item.operation)
        if emptied is not None:
            due = [drop for drop in left if drop.ref.schema == emptied]
            left = [drop for drop in left if drop not in due]
            yield from map(Recorded, due)
        yield item
    yield from map(Recorded, left)


class StatementWriter:
    """Spells recorded operations in order; what an operation must know of the schema comes from `known`.

    `known` answers for the schema before the first operation; the operations written so far are taken for done.
    `live`: it asks the database, which also knows what failed tries have left.
    """

    def __init__(self, settings: StepSettings, known: Known, *, live: bool = False) -> None:
        self.settings = settings
        self._live = live
        self._rehearsal = settings.dialect.rehearsal(known)

    def statements(self, item: Recorded) -> Sequence[Statement]:
        dialect = self.settings.dialect
        reads = dialect.reads(item.operation)
        if self._live:
            reads |= dialect.left_by_failures(item.operation)
        before = self._rehearsal.before(reads) if reads else Schema()
        with blaming_operation(item.origin):
            statements = tuple(self._placed(item, dialect.statements(item.operation, before)))
        self._rehearsal.wrote(item.operation, statements)
        return statements

    def schema(self, refs: Collection[Ref]) -> Schema:
        """What is there of `refs` after all that was written."""
        return self._rehearsal.before(refs)

    def _placed(self, item: Recorded, statements: Iterable[Statement]) -> Iterator[Statement]:
        for statement in statements:
            transactional = statement.transactional and not item.autocommit
            yield replace(statement, operation=item.operation, origin=item.origin, transactional=transactional)
