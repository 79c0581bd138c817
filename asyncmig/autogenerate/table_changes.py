"""What the changes of tables mean for all that is built on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from asyncmig.operations.alter_column import AlterColumn
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.schema.model import Ref, Table

__all__ = ["TableChanges", "table_changes"]


@dataclass(frozen=True, slots=True)
class TableChanges:
    """Names in lower case. `columns` go, or get another type under what is bound to it; `touched` are changed or new.

    `grown` are tables with new columns.
    """

    gone: frozenset[str] = frozenset()
    grown: frozenset[str] = frozenset()
    columns: Mapping[Ref, frozenset[str]] = field(default_factory=dict)
    touched: frozenset[str] = frozenset()

    def break_what_has(self, names: frozenset[str], home: Ref | None = None) -> bool:
        """Whether SQL with these names uses what goes; `home` is a table whose columns it names without saying so."""
        if self.gone & names:
            return True
        return any(
            (ref == home or ref.name.lower() in names) and columns & names for ref, columns in self.columns.items()
        )


def table_changes(
    gone: Iterable[Table], new: Iterable[Table], operations: Iterable[Operation], *, binds: bool
) -> TableChanges:
    """`binds`: a column keeps its type as long as a view or trigger uses it."""
    columns: dict[Ref, set[str]] = {}
    touched = {table.name.lower() for table in new}
    grown: set[str] = set()
    for operation in operations:
        touched.update(ref.name.lower() for ref in operation.touches() if ref.kind == "table")
        if isinstance(operation, AddColumn):
            grown.add(operation.ref.name.lower())
        elif isinstance(operation, DropColumn) or (
            isinstance(operation, AlterColumn) and operation.type is not None and binds
        ):
            columns.setdefault(operation.ref, set()).add(operation.name.lower())
    return TableChanges(
        frozenset(table.name.lower() for table in gone),
        frozenset(grown),
        {ref: frozenset(names) for ref, names in columns.items()},
        frozenset(touched),
    )
