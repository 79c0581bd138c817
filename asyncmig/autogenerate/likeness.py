"""What counts as the same, and exactly the same: for schemas of one origin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from asyncmig.dialects.asking import QuestionKind
from asyncmig.schema.model import (
    Column,
    Constraint,
    Index,
    Table,
)
from asyncmig.schema.model import Sequence as SequenceObject
from asyncmig.schema.types import SqlText, SqlType

__all__ = ["ColumnDifference", "Exact", "Likeness"]


@dataclass(frozen=True, slots=True)
class ColumnDifference:
    """Which parts of a column differ; `default` is for DEFAULT, IDENTITY and GENERATED together."""

    type: bool = False
    nullable: bool = False
    default: bool = False
    comment: bool = False

    def __bool__(self) -> bool:
        return self.type or self.nullable or self.default or self.comment


class Likeness(Protocol):
    """`key`s of constraints and indexes are compared; their names are the caller's business."""

    @property
    def references_ahead(self) -> bool:
        """Whether a table may be created with a foreign key to one that is not there yet."""

    @property
    def binds(self) -> bool:
        """Whether a column gets no other type under what uses it: a generated column is made again around that."""

    def column(self, table: Table, current: Column, wanted: Column, wanted_table: Table) -> ColumnDifference | None: ...

    def comment(self, current: str | None, wanted: str | None) -> bool: ...

    def constraint(self, current_table: Table, table: Table, current: Constraint, wanted: Constraint) -> bool: ...

    def index(self, current_table: Table, table: Table, current: Index, wanted: Index) -> bool: ...

    def is_implied(self, table: Table, constraint: Constraint) -> bool:
        """Whether the database leaves the constraint out because the table has its like."""

    def sequence(self, current: SequenceObject, wanted: SequenceObject) -> bool: ...

    def said(self, sequence: SequenceObject) -> SequenceObject:
        """With what the database takes for every option that is left open."""

    def same_text(
        self,
        kind: QuestionKind,
        current: SqlText | None,
        wanted: SqlText | None,
        columns: Sequence[Column],
        type_: SqlType,
        subject: str,
    ) -> bool:
        """Whether two expressions that belong to no table mean the same; `type_` is the type of a default."""

    def using(self, current: Column, wanted: Column) -> str | None:
        """SQL that makes new values of old ones, where that has to be said."""

    def replaces(self, current: Column, wanted: Column) -> bool:
        """Whether the change takes a new column in the place of the old one."""

    def rereads(self, current: Column, wanted: Column) -> bool:
        """Whether expressions that use the column come to say it otherwise, here or on the way back, by its new type."""

    def compares(self, one: SqlType, other: SqlType) -> bool:
        """Whether a foreign key may have the types at its two ends."""

    def serial(self, table: Table) -> str | None:
        """The column that a sequence of its own numbers, by SERIAL."""

    @property
    def names_added(self) -> bool:
        """Whether a constraint without a name gets its default one when it is added, so that it can be dropped."""


class Exact:
    """Values as they are; a constraint without a name is like one with any."""

    @property
    def references_ahead(self) -> bool:
        return False

    @property
    def binds(self) -> bool:
        return False

    def column(self, table: Table, current: Column, wanted: Column, wanted_table: Table) -> ColumnDifference | None:
        if current == wanted:
            return None
        ours = (current.default, current.identity, current.computed)
        return ColumnDifference(
            current.type != wanted.type,
            current.nullable != wanted.nullable,
            ours != (wanted.default, wanted.identity, wanted.computed),
            current.comment != wanted.comment,
        )

    def comment(self, current: str | None, wanted: str | None) -> bool:
        return current == wanted

    def constraint(self, current_table: Table, table: Table, current: Constraint, wanted: Constraint) -> bool:
        return _unnamed(current) == _unnamed(wanted)

    def index(self, current_table: Table, table: Table, current: Index, wanted: Index) -> bool:
        return current == wanted

    def is_implied(self, table: Table, constraint: Constraint) -> bool:
        return False

    def sequence(self, current: SequenceObject, wanted: SequenceObject) -> bool:
        return current == wanted

    def said(self, sequence: SequenceObject) -> SequenceObject:
        return sequence

    def same_text(
        self,
        kind: QuestionKind,
        current: SqlText | None,
        wanted: SqlText | None,
        columns: Sequence[Column],
        type_: SqlType,
        subject: str,
    ) -> bool:
        return current == wanted

    def using(self, current: Column, wanted: Column) -> str | None:
        return None

    def replaces(self, current: Column, wanted: Column) -> bool:
        return False

    def rereads(self, current: Column, wanted: Column) -> bool:
        return False

    def compares(self, one: SqlType, other: SqlType) -> bool:
        return True

    def serial(self, table: Table) -> str | None:
        return None

    @property
    def names_added(self) -> bool:
        return False


def _unnamed(constraint: Constraint) -> Constraint:
    from dataclasses import replace

    return constraint if constraint.name is None else replace(constraint, name=None)
