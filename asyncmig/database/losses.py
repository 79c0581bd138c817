"""What a downgrade would lose: the tables and columns that it drops, with their rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from asyncmig.database.failures import is_undefined_object
from asyncmig.database.planned import Loss
from asyncmig.database.recording import record_step
from asyncmig.errors import DynamicScript
from asyncmig.operations.alter_column import AlterColumn
from asyncmig.operations.batch import flattened
from asyncmig.operations.columns import DropColumn
from asyncmig.operations.former_names import FormerNames
from asyncmig.operations.tables import DropTable

if TYPE_CHECKING:
    from asyncmig.database.attempt import Work
    from asyncmig.database.driver import Driver
    from asyncmig.database.step_settings import StepSettings
    from asyncmig.dialects.base import Dialect
    from asyncmig.operations.base import Operation
    from asyncmig.schema.model import Ref

__all__ = ["dropped_rows", "losses_of"]

_COUNTED_UP_TO = 1_000_000
"""Tables that the database estimates above this are not counted: it would take longer than the question is worth."""


def losses_of(work: Sequence[Work], settings: StepSettings, driver: Driver) -> tuple[Loss, ...]:
    """In the order in which they go. A script that cannot be recorded is a loss of unknown extent."""
    found: list[Loss] = []
    former = FormerNames()
    for piece in work:
        try:
            operations = list(flattened(item.operation for item in record_step(piece, settings)))
        except DynamicScript:
            found.append(Loss("script", piece.path.name if piece.path else "", None))
            continue
        found.extend(dropped_rows(operations, settings.dialect, driver, former))
    return tuple(found)


def dropped_rows(
    operations: Iterable[Operation], dialect: Dialect, driver: Driver, former: FormerNames | None = None
) -> Iterator[Loss]:
    """The rows of what the operations drop, in the order in which it goes, under the names that the database has now."""
    former = former or FormerNames()
    for operation in operations:
        yield from _lost_by(operation, former, dialect, driver)
        former.follow(operation)


def _lost_by(operation: Operation, former: FormerNames, dialect: Dialect, driver: Driver) -> Iterator[Loss]:
    if isinstance(operation, DropTable):
        yield from _table(former.table(operation.ref), dialect, driver)
    elif isinstance(operation, DropColumn) or (isinstance(operation, AlterColumn) and operation.computes_anew):
        yield from _column(operation, former, dialect, driver)


def _table(ref: Ref, dialect: Dialect, driver: Driver) -> Iterator[Loss]:
    estimate = _number(driver, dialect.row_estimate(ref))
    if estimate is not None and estimate > _COUNTED_UP_TO:
        yield Loss("table", str(ref), estimate, estimated=True)
        return
    rows = _number(driver, f"SELECT count(*) FROM {dialect.qualify(ref)}")
    if rows is not None:
        yield Loss("table", str(ref), rows)


def _column(
    operation: DropColumn | AlterColumn, former: FormerNames, dialect: Dialect, driver: Driver
) -> Iterator[Loss]:
    ref, held = former.table(operation.ref), former.column(operation.ref, operation.name)
    name = f"{ref}.{held}"
    estimate = _number(driver, dialect.row_estimate(ref))
    if estimate is not None and estimate > _COUNTED_UP_TO:
        yield Loss("column", name, estimate, estimated=True)
        return
    rows = _number(driver, f"SELECT count({dialect.quote(held)}) FROM {dialect.qualify(ref)}")
    if rows is not None:
        yield Loss("column", name, rows)


def _number(driver: Driver, query: str | None) -> int | None:
    """None where there is no query, no answer, or no such table or column: what is not there is not lost."""
    if query is None:
        return None
    try:
        rows = driver.fetch(query)
    except sa.exc.DBAPIError as error:
        if is_undefined_object(error):
            return None
        raise
    return int(rows[0][0]) if rows and rows[0][0] is not None else None
