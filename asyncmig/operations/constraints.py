"""Operations on constraints of a table that is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar, assert_never

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation
from asyncmig.operations.words import expression_words
from asyncmig.schema.default_names import default_names
from asyncmig.schema.model import (
    Check,
    Constraint,
    Exclude,
    ForeignKey,
    Options,
    PrimaryKey,
    Ref,
    Schema,
    Table,
    Unique,
)

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["AddConstraint", "ConstraintKind", "DropConstraint", "kind_of"]

T = TypeVar("T")

ConstraintKind = Literal["primary", "unique", "check", "foreignkey", "exclude"]

_WORDS = {
    "primary": "primary key",
    "unique": "unique constraint",
    "check": "check constraint",
    "foreignkey": "foreign key",
    "exclude": "exclusion constraint",
}


def kind_of(constraint: Constraint) -> ConstraintKind:
    """Alembic's word for it, as drop_constraint takes it."""
    match constraint:
        case PrimaryKey():
            return "primary"
        case Unique():
            return "unique"
        case Check():
            return "check"
        case ForeignKey():
            return "foreignkey"
        case Exclude():
            return "exclude"
        case _:
            assert_never(constraint)


@dataclass(frozen=True, slots=True)
class AddConstraint(Operation):
    ref: Ref  # the table
    constraint: Constraint

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.add_constraint(self, before)

    def apply(self, schema: Schema) -> Schema:
        return schema.change_table(self.ref, self._extended)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        if self.constraint.name is None:
            raise Irreversible(
                f"{self.describe()}: a constraint without a name cannot be dropped by name.",
                hint="Give it a name, or the models a naming convention.",
            )
        kind = kind_of(self.constraint)
        dropped = DropConstraint(self.ref, self.constraint.name, kind, constraint=self.constraint)
        return (dropped,)

    def describe(self) -> str:
        name = f" {self.constraint.name}" if self.constraint.name else ""
        return f"Add {_WORDS[kind_of(self.constraint)]}{name} on {self.ref} {_extent(self.constraint)}"

    def touches(self) -> frozenset[Ref]:
        target = {self.constraint.target} if isinstance(self.constraint, ForeignKey) else set()
        return frozenset({self.ref, *target})

    @property
    def sign(self) -> str:
        return "+"

    def _extended(self, table: Table) -> Table:
        columns = table.columns
        if isinstance(self.constraint, PrimaryKey):
            key = self.constraint.columns
            columns = tuple(replace(c, nullable=False) if c.name in key else c for c in columns)
        return replace(table, columns=columns, constraints=(*table.constraints, self.constraint), stored_sql=None)


@dataclass(frozen=True, slots=True)
class DropConstraint(Operation):
    """`kind` None is whatever constraint has that name; one without a name goes by that of `default_names`.

    `convention` is what names the constraints that the database itself keeps without a name, as SQLite does.
    """

    ref: Ref  # the table
    name: str
    kind: ConstraintKind | None = None
    if_exists: bool = False
    constraint: Constraint | None = None  # what it was, when the script says so: makes reverse possible
    convention: Options = ()

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.drop_constraint(self, before)

    def apply(self, schema: Schema) -> Schema:
        return schema.change_table(self.ref, self._reduced)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Add it as `before` knows it, else as the operation does."""
        table = before.tables.get(self.ref)
        found = next(iter(self._meant(table)), None) if table else None
        constraint = found or self.constraint
        if constraint is not None:
            return (AddConstraint(self.ref, constraint),)
        if self.if_exists and table is not None:
            return ()
        raise Irreversible(
            f"{self.describe()}: what the constraint looked like is not known.", hint="Write the downgrade by hand."
        )

    def describe(self) -> str:
        return f"Drop {_WORDS[self.kind] if self.kind else 'constraint'} {self.name} on {self.ref}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})

    @property
    def sign(self) -> str:
        return "-"

    def _meant(self, table: Table) -> list[Constraint]:
        """Those of its kind by name; else the one of that name: PostgreSQL asks for no kind, and Alembic's batches for none."""
        meant = self._of_kind(table)
        called = [c for c in table.constraints if c.name == self.name]
        return called if not meant and len(called) == 1 else meant

    def _of_kind(self, table: Table) -> list[Constraint]:
        of_kind = [c for c in table.constraints if self.kind in (None, kind_of(c))]
        named = [c for c in of_kind if c.name == self.name]
        if named or all(c.name is not None for c in of_kind):
            return named
        names = default_names(table)
        return [c for c in of_kind if names.get(id(c)) == self.name]

    def _reduced(self, table: Table) -> Table:
        gone = {id(constraint) for constraint in self._meant(table)}
        left = tuple(c for c in table.constraints if id(c) not in gone)
        return table if len(left) == len(table.constraints) else replace(table, constraints=left, stored_sql=None)


def _extent(constraint: Constraint) -> str:
    match constraint:
        case Check():
            return f"({expression_words(constraint.text.clause)})"
        case ForeignKey():
            columns, targets = ", ".join(constraint.columns), ", ".join(constraint.target_columns)
            return f"({columns}) to {constraint.target} ({targets})"
        case Exclude():
            parts = (e if isinstance(e, str) else expression_words(e.clause) for e, _ in constraint.elements)
            return f"({', '.join(parts)})"
        case PrimaryKey() | Unique():
            return f"({', '.join(constraint.columns)})"
        case _:
            assert_never(constraint)
