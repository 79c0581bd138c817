"""Steps that can be known before they are done: worked out once, for all databases of a fleet, and sent in one exchange.

Only what nothing can make different: the text of the script says so (scripts/fixed.py), and so does the dialect, which
spelled the operations without asking the database. What fails so is undone and done again the ordinary way, which fails
where it has to, and says at which statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from asyncmig.database.events import hears_statements
from asyncmig.database.recording import record_step
from asyncmig.dialects.statement import Statement
from asyncmig.schema.model import Schema

if TYPE_CHECKING:
    from asyncmig.database.attempt import Work
    from asyncmig.database.step_settings import StepSettings
    from asyncmig.dialects.base import Dialect
    from asyncmig.operations.recorder import Recorded
    from asyncmig.revisions.plan import Step

__all__ = ["WholeStep", "WholeSteps"]

_NOTHING_KNOWN = Schema()


@dataclass(frozen=True, slots=True)
class WholeStep:
    """The SQL of all its statements, and their digests for the journal."""

    statements: tuple[str, ...]
    digests: tuple[str, ...]


@dataclass(slots=True)
class WholeSteps:
    """What is known so far, for databases that share scripts and env.py; None is known of most steps that do more than DDL."""

    _known: dict[tuple[object, ...], WholeStep | None] = field(default_factory=dict)

    def of(self, step: Step, work: Work, settings: StepSettings) -> WholeStep | None:
        """None for a step that has to be run statement by statement: always, where somebody hears of each."""
        if not work.fixed or settings.schemas or hears_statements(settings.observer):
            return None
        dialect = settings.dialect
        version = getattr(dialect.sqlalchemy, "server_version_info", None)
        key = (step.revision.id, step.direction, dialect.name, version)
        if key not in self._known:
            self._known[key] = _worked_out(work, settings)
        return self._known[key]


class _Asked(Exception):
    """The statements of an operation depend on what the database holds."""


def _ask(*_: object) -> NoReturn:
    raise _Asked


def _worked_out(work: Work, settings: StepSettings) -> WholeStep | None:
    dialect = settings.dialect.asking(_ask)
    try:
        statements = [each for item in record_step(work, settings) for each in _spelled(item, dialect)]
    except Exception:
        return None  # an error of the script, or of a type or expression in it, is told where it runs
    if not all(_is_plain(statement, dialect) for statement in statements):
        return None
    return WholeStep(tuple(one.sql for one in statements), tuple(one.digest for one in statements))


def _spelled(item: Recorded, dialect: Dialect) -> Sequence[Statement]:
    operation = item.operation
    depends = dialect.reads(operation) or dialect.left_by_failures(operation)
    if depends or item.autocommit or (dialect.unused_types() is not None and dialect.may_leave_types(operation)):
        raise _Asked
    return dialect.statements(operation, _NOTHING_KNOWN)


def _is_plain(statement: Statement, dialect: Dialect) -> bool:
    special = statement.clause is not None or statement.procedure is not None or statement.execution_options
    return statement.transactional and not special and dialect.transaction_control(statement.sql) is None
