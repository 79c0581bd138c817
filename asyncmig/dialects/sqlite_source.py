"""What `copy_from` says that the stored table does not: constraints without a name, which nothing else could drop."""

from __future__ import annotations

from collections.abc import Iterator

from asyncmig.dialects import sqlite_edits as edits
from asyncmig.dialects.sqlite_table_text import Clause, TableText
from asyncmig.schema.model import ForeignKey, Table, Unique

__all__ = ["source_edits"]


def source_edits(text: TableText, source: Table) -> Iterator[edits.Edit]:
    """Drop the unnamed UNIQUE constraints and foreign keys that `source` leaves out."""
    for clause in text.clauses:
        if clause.name is None and clause.kind in ("unique", "foreign key") and not _is_in(clause, source):
            target = clause.reference.table if clause.reference else None
            yield edits.DropConstraint(None, clause.kind, clause.columns, target)


def _is_in(clause: Clause, source: Table) -> bool:
    columns = tuple(name.lower() for name in clause.columns)
    for constraint in source.constraints:
        if not isinstance(constraint, Unique | ForeignKey) or _lower(constraint.columns) != columns:
            continue
        if isinstance(constraint, Unique):
            if clause.kind == "unique":
                return True
        elif clause.reference is not None and clause.reference.table.lower() == constraint.target.name.lower():
            return True
    unique_index = any(index.unique and _lower(index.elements) == columns for index in source.indexes)
    return clause.kind == "unique" and unique_index


def _lower(names: tuple[object, ...]) -> tuple[str, ...]:
    return tuple(str(name).lower() for name in names)
