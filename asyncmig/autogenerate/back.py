"""The way back: what a downgrade has to do, found by comparing the other way round.

Undoing each operation by itself knows less: that a cast needs USING, that an enum can only lose a value by being made
anew, that a generated column comes back by being added again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from asyncmig.autogenerate.diff import DiffOptions, diff
from asyncmig.autogenerate.filters import Filters, Part
from asyncmig.autogenerate.likeness import ColumnDifference, Likeness
from asyncmig.autogenerate.object_likeness import TurnedObjects
from asyncmig.dialects.asking import QuestionKind
from asyncmig.operations.base import Operation
from asyncmig.operations.constraints import AddConstraint
from asyncmig.operations.policies import SetRowSecurity
from asyncmig.operations.schemas import CreateSchema, DropSchema
from asyncmig.schema.model import Column, Constraint, Index, Schema, Table
from asyncmig.schema.model import Sequence as SequenceObject
from asyncmig.schema.objects import ObjectValue
from asyncmig.schema.types import SqlText, SqlType

__all__ = ["diff_back"]


def diff_back(
    current: Schema, wanted: Schema, operations: Sequence[Operation], options: DiffOptions
) -> list[Operation]:
    """What leads from `wanted` to `current` after `operations`, the difference between the two, were run."""
    turned = DiffOptions(
        _Turned(options.likeness),
        _turned_filters(options.filters),
        TurnedObjects(options.objects),
        options.managed,
        options.whole,
    )
    schemas = [DropSchema(operation.name) for operation in operations if isinstance(operation, CreateSchema)]
    # No difference the other way round: who enabled row level security beside the models keeps it.
    opened = [one for one in operations if isinstance(one, SetRowSecurity) and one.table in current.tables]
    kept = [back for one in opened for back in one.reverse(current)]
    reached = _without_implied(current, _with_given_names(wanted, operations), options.likeness)
    kept_enums = {ref: enum for ref, enum in current.enums.items() if enum.in_use and ref not in reached.enums}
    forced = reached.forced | {ref for ref in current.forced if ref in reached.tables}  # it is never taken back
    reached = replace(
        reached,
        schemas=reached.schemas | current.schemas,  # none was dropped
        enums={**reached.enums, **kept_enums},
        forced=forced,
    )
    start = _with_what_stays(current, reached, options.filters)
    return [*diff(start, current, turned), *kept, *reversed(schemas)]


def _without_implied(current: Schema, wanted: Schema, likeness: Likeness) -> Schema:
    """Without the constraints that were not added, because the table has their like: there is nothing to drop."""
    tables = dict(wanted.tables)
    for ref, table in wanted.tables.items():
        known = current.tables.get(ref)
        if known is None or known is table:
            continue
        left = tuple(
            c for c in table.constraints if not likeness.is_implied(table, c) or _is_there(known, table, c, likeness)
        )
        if len(left) != len(table.constraints):
            tables[ref] = replace(table, constraints=left)
    return replace(wanted, tables=tables)


def _is_there(current: Table, table: Table, constraint: Constraint, likeness: Likeness) -> bool:
    return any(
        type(other) is type(constraint)
        and (constraint.name is None or other.name in (None, constraint.name))
        and likeness.constraint(current, table, other, constraint)
        for other in current.constraints
    )


def _with_what_stays(current: Schema, wanted: Schema, filters: Filters) -> Schema:
    """With the tables and columns that are left alone: an enum that is made anew is theirs too."""
    if filters.include is None:
        return wanted
    tables = dict(wanted.tables)
    for ref, table in current.tables.items():
        known = tables.get(ref)
        if known is None:
            if not filters.has_table(table, None, reflected=True):
                tables[ref] = table
        elif known is not table:
            names = {column.name for column in known.columns}
            gone = [column for column in table.columns if column.name not in names]
            stay = [column for column in gone if not filters.has_part(table, column, None, reflected=True)]
            tables[ref] = replace(known, columns=(*known.columns, *stay)) if stay else known
    return replace(wanted, tables=tables)


def _with_given_names(wanted: Schema, operations: Sequence[Operation]) -> Schema:
    """Constraints without a name have the one now under which they were added."""
    tables = dict(wanted.tables)
    for operation in operations:
        table = tables.get(operation.ref) if isinstance(operation, AddConstraint) else None
        if table is not None and isinstance(operation, AddConstraint):
            tables[table.ref] = _with_name(table, operation.constraint)
    return replace(wanted, tables=tables)


def _with_name(table: Table, named: Constraint) -> Table:
    unnamed = replace(named, name=None)
    found = next((c for c in table.constraints if c.name is None and c == unnamed), None)
    if found is None:
        return table
    return replace(table, constraints=tuple(named if c is found else c for c in table.constraints))


def _turned_filters(filters: Filters) -> Filters:
    include = filters.include
    if include is None:
        return filters

    def turned(table: Table, part: Part, other: Part | None, reflected: bool) -> bool:
        if other is None:
            return include(table, part, None, not reflected)
        return include(other if isinstance(other, Table) else table, other, part, reflected)

    def turned_value(value: ObjectValue, other: ObjectValue | None, reflected: bool) -> bool:
        return (
            filters.has_object(value, None, reflected=not reflected)
            if other is None
            else filters.has_object(other, value, reflected=reflected)
        )

    return Filters(turned, turned_value)


@dataclass(frozen=True, slots=True)
class _Turned:
    """The likeness of the way there with its arguments exchanged, so that both ways agree on what is the same."""

    likeness: Likeness

    @property
    def references_ahead(self) -> bool:
        return self.likeness.references_ahead

    @property
    def binds(self) -> bool:
        return self.likeness.binds

    @property
    def names_added(self) -> bool:
        return self.likeness.names_added

    def column(self, table: Table, current: Column, wanted: Column, wanted_table: Table) -> ColumnDifference | None:
        return self.likeness.column(wanted_table, wanted, current, table)

    def comment(self, current: str | None, wanted: str | None) -> bool:
        return self.likeness.comment(wanted, current)

    def constraint(self, current_table: Table, table: Table, current: Constraint, wanted: Constraint) -> bool:
        return self.likeness.constraint(table, current_table, wanted, current)

    def index(self, current_table: Table, table: Table, current: Index, wanted: Index) -> bool:
        return self.likeness.index(table, current_table, wanted, current)

    def is_implied(self, table: Table, constraint: Constraint) -> bool:
        return self.likeness.is_implied(table, constraint)

    def sequence(self, current: SequenceObject, wanted: SequenceObject) -> bool:
        return self.likeness.sequence(wanted, current)

    def said(self, sequence: SequenceObject) -> SequenceObject:
        return self.likeness.said(sequence)

    def same_text(
        self,
        kind: QuestionKind,
        current: SqlText | None,
        wanted: SqlText | None,
        columns: Sequence[Column],
        type_: SqlType,
        subject: str,
    ) -> bool:
        return self.likeness.same_text(kind, wanted, current, columns, type_, subject)

    def using(self, current: Column, wanted: Column) -> str | None:
        return self.likeness.using(current, wanted)

    def replaces(self, current: Column, wanted: Column) -> bool:
        return self.likeness.replaces(current, wanted)

    def rereads(self, current: Column, wanted: Column) -> bool:
        return self.likeness.rereads(wanted, current)

    def compares(self, one: SqlType, other: SqlType) -> bool:
        return self.likeness.compares(one, other)

    def serial(self, table: Table) -> str | None:
        return self.likeness.serial(table)
