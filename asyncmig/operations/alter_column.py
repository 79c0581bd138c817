"""Changes to a column that is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeVar

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation
from asyncmig.operations.brought import brought_refs, with_brought
from asyncmig.operations.columns import placed_at
from asyncmig.operations.renames import renamed_everywhere
from asyncmig.operations.words import sql_words
from asyncmig.schema.model import Check, Column, Computed, Identity, Ref, Schema, Table
from asyncmig.schema.types import SqlText, SqlType

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["KEEP", "AlterColumn", "Default", "Existing", "Keep"]

T = TypeVar("T")


class Keep(Enum):
    """Says "as it is" where None means something of its own."""

    KEEP = "keep"


KEEP: Final = Keep.KEEP

Default = SqlText | Identity | Computed | None
"""What fills a column that a row does not give; None is nothing."""


@dataclass(frozen=True, slots=True)
class Existing:
    """What the script says of the column as it was: enough to go back where the schema before is not known."""

    type: SqlType | None = None
    nullable: bool | None = None
    default: Default | Keep = KEEP
    comment: str | None = None
    checks: tuple[Check, ...] = ()  # those that the old type brought along


@dataclass(frozen=True, slots=True)
class AlterColumn(Operation):
    """Whatever is None (or KEEP, where None is a value) stays.

    `checks` are those that the new type brings along, in place of the old type's. `before` and `after` name the
    neighbour where the column goes to another place, which only a rebuilt table can do.
    """

    ref: Ref  # the table
    name: str
    type: SqlType | None = None
    nullable: bool | None = None
    default: Default | Keep = KEEP
    comment: str | Keep | None = KEEP
    new_name: str | None = None
    using: str | None = None  # SQL that makes the new values
    checks: tuple[Check, ...] = ()
    existing: Existing = Existing()
    before: str | None = None
    after: str | None = None

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.alter_column(self, before)

    def apply(self, schema: Schema) -> Schema:
        after = schema.change_table(self.ref, self._changed)
        if after is schema or not self._has_column(schema):
            return schema
        if self.new_name is not None:
            after = renamed_everywhere(after, self.ref, self.name, self.new_name)
        return with_brought(after, [self.changed(Column(self.name, self.type))]) if self.type else after

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Back to the column as `before` knows it, else as the script says that it was."""
        table = before.tables.get(self.ref)
        column = self._column(table)
        undone = self._undone_to_known(table, column) if table and column else self._undone_to_existing()
        return () if undone.changes_nothing else (undone,)

    def describe(self) -> str:
        return self._what()

    def touches(self) -> frozenset[Ref]:
        brought = brought_refs((Column(self.name, self.type),)) if self.type else frozenset()
        return frozenset({self.ref}) | brought

    @property
    def changes_nothing(self) -> bool:
        kept = self.default is KEEP and self.comment is KEEP and self.before is None and self.after is None
        return kept and self.type is None and self.nullable is None and self.new_name is None

    @property
    def computes_anew(self) -> bool:
        """Whether the values that rows have are given up for computed ones."""
        return isinstance(self.default, Computed) and not isinstance(self.existing.default, Computed)

    @property
    def known_type(self) -> SqlType | None:
        """The column's type afterwards, where the script says it."""
        return self.type or self.existing.type

    def changed(self, column: Column) -> Column:
        """The column afterwards, its name aside."""
        if self.type is not None:
            column = replace(column, type=self.type)
        if self.nullable is not None:
            column = replace(column, nullable=self.nullable)
        if not isinstance(self.comment, Keep):
            column = replace(column, comment=self.comment)
        return column if isinstance(self.default, Keep) else with_default(column, self.default)

    def _has_column(self, schema: Schema) -> bool:
        return self._column(schema.tables.get(self.ref)) is not None

    def _column(self, table: Table | None) -> Column | None:
        return next((c for c in table.columns if c.name == self.name), None) if table else None

    def _changed(self, table: Table) -> Table:
        columns = [self.changed(column) if column.name == self.name else column for column in table.columns]
        constraints = table.constraints
        if self.type is not None:
            constraints = tuple(c for c in constraints if not self._is_of_old_type(c)) + self.checks
        placed = tuple(placed_at(columns, self.name, self.before, self.after))
        return replace(table, columns=placed, constraints=constraints, stored_sql=None)

    def _is_of_old_type(self, constraint: object) -> bool:
        return isinstance(constraint, Check) and constraint.type_bound and constraint.column == self.name

    def _undone_to_known(self, table: Table, column: Column) -> AlterColumn:
        old_checks = tuple(c for c in table.constraints if isinstance(c, Check) and self._is_of_old_type(c))
        names = [c.name for c in table.columns]
        place = names.index(self.name)
        moved = (self.before or self.after) is not None and len(names) > 1
        return self._undone(
            Existing(column.type, column.nullable, self._filled_by(column), column.comment, old_checks),
            comment=column.comment,
            before=names[place + 1] if moved and place + 1 < len(names) else None,
            after=names[place - 1] if moved and place + 1 == len(names) else None,
        )

    def _filled_by(self, column: Column) -> Default:
        """A SERIAL has its default without saying it: then the script knows better."""
        found, told = default_of(column), self.existing.default
        return told if found is None and column.autoincrement is not False and isinstance(told, SqlText) else found

    def _undone_to_existing(self) -> AlterColumn:
        known = self.existing
        unknown = (
            (self.type is not None and known.type is None)
            or (self.nullable is not None and known.nullable is None)
            or (self.default is not KEEP and known.default is KEEP)
            or self.before is not None
            or self.after is not None
        )
        if unknown:
            raise Irreversible(
                f"{self.describe()}: what the column was like is not known.",
                hint="Say it with existing_type, existing_nullable, existing_server_default, or write the downgrade "
                "by hand.",
            )
        return self._undone(known, comment=known.comment)

    def _undone(
        self, was: Existing, *, comment: str | None, before: str | None = None, after: str | None = None
    ) -> AlterColumn:
        """Give back each thing that this operation changes; what it is now becomes the operation's `existing`.

        With the type and NULL where those stay, too: where the script is run that may be all that is known.
        """
        now = Existing(
            self.type or was.type,
            self.nullable if self.nullable is not None else was.nullable,
            self.default,
            None if self.comment is KEEP else self.comment,
            self.checks,
        )
        return AlterColumn(
            self.ref,
            self.new_name or self.name,
            type=was.type if self.type is not None else None,
            nullable=was.nullable if self.nullable is not None else None,
            default=was.default if self.default is not KEEP else KEEP,
            comment=comment if self.comment is not KEEP else KEEP,
            new_name=self.name if self.new_name is not None else None,
            checks=was.checks if self.type is not None else (),
            existing=now,
            before=before,
            after=after,
        )

    def _what(self) -> str:
        column = f"column {self.ref}.{self.name}"
        parts = list(self._parts())
        if self.new_name is not None:
            renamed = f"Rename {column} to {self.new_name}"
            return f"{renamed}, {', '.join(parts)}" if parts else renamed
        return f"Alter {column}: {', '.join(parts)}" if parts else f"Alter {column}: nothing"

    def _parts(self) -> list[str]:
        parts = [] if self.type is None else [f"type {self.type.engine!r}"]
        if self.nullable is not None:
            parts.append("nullable" if self.nullable else "not nullable")
        if self.default is not KEEP:
            parts.append(_default_words(self.default))
        if self.comment is not KEEP:
            parts.append("no comment" if self.comment is None else "comment")
        if self.before or self.after:
            parts.append(f"moved before {self.before}" if self.before else f"moved after {self.after}")
        return parts


def default_of(column: Column) -> Default:
    """The one thing that fills the column."""
    return column.identity or column.computed or column.default


def with_default(column: Column, default: Default) -> Column:
    """The column with `default` in place of whatever filled it."""
    bare = replace(column, default=None, identity=None, computed=None)
    match default:
        case None:
            return bare
        case Identity():
            return replace(bare, identity=default)
        case Computed():
            return replace(bare, computed=default)
        case SqlText():
            return replace(bare, default=default)


def _default_words(default: Default | Keep) -> str:
    match default:
        case SqlText():
            return f"default {sql_words(default.clause)}" if default.literal is None else f"default {default.literal!r}"
        case Identity():
            return "identity"
        case Computed():
            return f"generated as {sql_words(default.text.clause)}"
        case _:
            return "no default"
