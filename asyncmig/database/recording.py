"""Steps recorded instead of run: what `plan`, `--sql` and the question before a downgrade are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from asyncmig.operations.recorder import Recorded, Recorder, record, replay
from asyncmig.schema.model import Schema

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from asyncmig.database.attempt import Work
    from asyncmig.database.live import StepSettings
    from asyncmig.dialects.statement import Statement
    from asyncmig.operations.base import Operation
    from asyncmig.schema.model import Ref

__all__ = ["StatementWriter", "record_step"]


def record_step(work: Work, settings: StepSettings) -> tuple[Recorded, ...]:
    """What the script of a step does, in order; DynamicScript where only the database could tell."""
    if work.function is None:
        return ()
    recorder = Recorder(
        str(work.path),
        settings.dialect.sqlalchemy,
        naming_convention=settings.naming_convention,
        settings=settings.context,
    )
    return record(work.function, recorder).items


@dataclass(slots=True)
class StatementWriter:
    """Spells recorded operations in order; what an operation must know of the schema comes from `known`.

    `known` answers for the schema before the first operation; the operations written so far are applied to it.
    """

    settings: StepSettings
    known: Callable[[Collection[Ref]], Schema]
    _written: list[Operation] = field(default_factory=list)

    def statements(self, item: Recorded) -> Sequence[Statement]:
        dialect = self.settings.dialect
        reads = dialect.reads(item.operation)
        before = replay(self._written, self.known(reads)) if reads else Schema()
        self._written.append(item.operation)
        return tuple(self._placed(item, dialect.statements(item.operation, before)))

    def _placed(self, item: Recorded, statements: Iterable[Statement]) -> Iterator[Statement]:
        for statement in statements:
            transactional = statement.transactional and not item.autocommit
            yield replace(statement, operation=item.operation, origin=item.origin, transactional=transactional)
