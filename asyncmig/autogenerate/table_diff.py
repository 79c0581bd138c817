"""The difference between two states of one table, sorted by what has to happen when."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from asyncmig.autogenerate.filters import Filters
from asyncmig.autogenerate.likeness import ColumnDifference, Likeness
from asyncmig.autogenerate.matching import Matching
from asyncmig.autogenerate.new_names import NO_NAMES, Names, renames, taken_out
from asyncmig.autogenerate.sql_names import address, quoted_name
from asyncmig.dialects.literals import quoted
from asyncmig.operations.alter_column import KEEP, AlterColumn, Existing, default_of
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.comments import SetTableComment
from asyncmig.operations.constraints import AddConstraint, DropConstraint, kind_of
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.mentions import constraint_uses, index_uses, text_uses
from asyncmig.operations.sequences import AlterSequence, CreateSequence, DropSequence
from asyncmig.operations.sql import Execute
from asyncmig.schema.default_names import default_name, default_names
from asyncmig.schema.model import (
    Check,
    Column,
    Computed,
    Constraint,
    Exclude,
    ForeignKey,
    Identity,
    Index,
    PrimaryKey,
    Ref,
    Schema,
    Table,
)
from asyncmig.schema.model import Sequence as SequenceObject
from asyncmig.schema.serial import counting_sequence
from asyncmig.schema.types import SqlText, sql_text

__all__ = ["TableDiff", "added_constraint", "diff_table", "drop_constraint"]


@dataclass(slots=True)
class TableDiff:
    """Operations on one table by phase; foreign keys apart, since they tie tables together."""

    dropped_keys: list[Operation] = field(default_factory=list)
    dropped: list[Operation] = field(default_factory=list)
    changed: list[Operation] = field(default_factory=list)
    added: list[Operation] = field(default_factory=list)
    added_keys: list[Operation] = field(default_factory=list)


def diff_table(
    current: Table, wanted: Table, likeness: Likeness, filters: Filters, names: Names = NO_NAMES
) -> TableDiff | None:
    """None where nothing differs. `names` are those that the indexes and constraints of all tables have and will have."""
    old, new = current.columns, wanted.columns
    before = {column.name: column for column in old}
    altered: list[tuple[Column, Column, ColumnDifference]] = []
    fresh: list[Column] = []
    for column in new:
        known = before.get(column.name)
        if known is None:
            fresh.append(column)
        elif known is not column:
            difference = likeness.column(current, known, column, wanted)
            if difference:
                altered.append((known, column, difference))
    replaced = [known for known, column, how in altered if how.default and likeness.replaces(known, column)]
    retyped = {column.name for _, column, how in altered if how.type}
    if likeness.binds and retyped:
        wanted_names = {column.name for column in new}
        replaced += [c for c in old if c.name in wanted_names and c not in replaced and _is_computed_from(c, retyped)]
    if replaced:
        return _with_replaced(current, replaced, wanted, likeness, filters, names)
    gone = [] if len(new) - len(fresh) == len(old) else _without(old, {column.name for column in new})
    reread = [column.name for known, column, how in altered if how.type and likeness.rereads(known, column)]

    def same(one: Constraint, other: Constraint) -> bool:
        """A CHECK that a type brings along comes and goes with the type, even where it says the same.

        So does one that the database would go on with in the words of the old type.
        """
        if any(_brought_by(c, name) for c in (one, other) for name in retyped):
            return False
        if any(isinstance(c, Check | Exclude) and constraint_uses(c, name) for c in (one, other) for name in reread):
            return False
        return likeness.constraint(current, wanted, one, other)

    def same_index(one: Index, other: Index) -> bool:
        if any(index_uses(_expressions(index), name) for index in (one, other) for name in reread):
            return False
        return likeness.index(current, wanted, one, other)

    constraints: Matching[Constraint] = Matching(current.constraints, wanted.constraints, same)
    if constraints.added:
        constraints.added = [c for c in constraints.added if not likeness.is_implied(wanted, c)]
    indexes: Matching[Index] = Matching(current.indexes, wanted.indexes, same_index)
    comment = not likeness.comment(current.comment, wanted.comment)
    if not (altered or fresh or gone or comment or constraints.differ or indexes.differ):
        return None

    def may(known: Constraint | Index, item: Constraint | Index) -> bool:
        has = filters.has_part
        free = not names.are_there(current, str(item.name))
        return free and has(current, known, None, reflected=True) and has(wanted, item, None, reflected=False)

    renamed = renames(current, taken_out(constraints, same, may), taken_out(indexes, same_index, may))
    result = _Assembly(current, wanted, likeness, filters, names).diff(
        altered, fresh, gone, constraints, indexes, comment=comment
    )
    if renamed:
        result = result or TableDiff()
        result.dropped[:0] = renamed  # what they were called is free before anything is made
    return result


def _is_computed_from(column: Column, names: Iterable[str]) -> bool:
    return column.computed is not None and any(text_uses(column.computed.text, name) for name in names)


def _expressions(index: Index) -> Index:
    """Without its bare columns, which it follows by itself."""
    elements = tuple(element for element in index.elements if not isinstance(element, str))
    options = tuple((key, value) for key, value in index.options if key.endswith("_where"))
    return replace(index, elements=elements, options=options)


def _with_replaced(
    current: Table,
    replaced: list[Column],
    wanted: Table,
    likeness: Likeness,
    filters: Filters,
    names: Names,
) -> TableDiff:
    """The columns are dropped first, and what is left is compared: what a drop takes along is then made again."""
    drops = [DropColumn(current.ref, column.name, column=column) for column in replaced]
    left = Schema(tables={current.ref: current})
    for drop in drops:
        left = drop.apply(left)
    result = diff_table(left.tables[current.ref], wanted, likeness, filters, names) or TableDiff()
    result.dropped[:0] = drops
    return result


def _without(columns: Iterable[Column], names: set[str]) -> list[Column]:
    return [column for column in columns if column.name not in names]


class _Assembly:
    """Operations out of differences."""

    def __init__(self, current: Table, wanted: Table, likeness: Likeness, filters: Filters, names: Names) -> None:
        self.current = current
        self.wanted = wanted
        self.ref = wanted.ref
        self.likeness = likeness
        self.filters = filters
        self.names = names
        self.result = TableDiff()

    def diff(
        self,
        altered: list[tuple[Column, Column, ColumnDifference]],
        fresh: list[Column],
        gone: list[Column],
        constraints: Matching[Constraint],
        indexes: Matching[Index],
        *,
        comment: bool,
    ) -> TableDiff | None:
        has = self.filters.has_part
        gone = [column for column in gone if has(self.current, column, None, reflected=True)]
        fresh = [column for column in fresh if has(self.wanted, column, None, reflected=False)]
        dropped = {column.name for column in gone}
        added = [c for c in constraints.added if has(self.wanted, c, None, reflected=False)]
        retyped = {new.name for old, new, how in altered if how.type and has(self.wanted, new, old, reflected=False)}
        self._drops(constraints, indexes, dropped, retyped)
        brought = self._columns(altered, fresh, gone, added)
        self._adds([c for c in added if id(c) not in brought], indexes)
        if comment:
            self.result.changed.append(SetTableComment(self.ref, self.wanted.comment, self.current.comment))
        result = self.result
        phases = (result.dropped_keys, result.dropped, result.changed, result.added, result.added_keys)
        return result if any(phases) else None

    def _drops(
        self, constraints: Matching[Constraint], indexes: Matching[Index], columns: set[str], retyped: set[str]
    ) -> None:
        """What goes with a column that is dropped, or with its type, is not dropped by itself.

        It is where another of its columns gets a type before that, for which it may make no sense.
        """
        has, result = self.filters.has_part, self.result
        for index in indexes.dropped:
            goes_along = any(index_uses(index, name) for name in columns) and not self._is_wanted(index.name)
            goes_along = goes_along and not any(index_uses(index, name) for name in retyped)
            if not goes_along and index.name is not None and has(self.current, index, None, reflected=True):
                result.dropped.append(DropIndex(index.name, self.ref, self.ref.schema, index=index))
        for constraint in _unnamed_first(constraints.dropped):
            goes_along = any(constraint_uses(constraint, name) for name in columns)
            goes_along = goes_along and not self._is_wanted(constraint.name)
            goes_along = goes_along and not any(constraint_uses(constraint, name) for name in retyped)
            # What stays of a key is NOT NULL as long as the key is there.
            goes_along = goes_along and not (
                isinstance(constraint, PrimaryKey) and not columns.issuperset(constraint.columns)
            )
            goes_along = goes_along or any(_brought_by(constraint, name) for name in retyped)
            if (not goes_along or isinstance(constraint, ForeignKey)) and has(
                self.current, constraint, None, reflected=True
            ):
                phase = result.dropped_keys if isinstance(constraint, ForeignKey) else result.dropped
                drop = drop_constraint(self.current, constraint)
                if not any(
                    isinstance(one, DropConstraint) and (one.name, one.kind) == (drop.name, drop.kind) for one in phase
                ):
                    phase.append(drop)

    def _is_wanted(self, name: str | None) -> bool:
        """What has to make room for its name goes before anything is made."""
        return name is not None and self.names.are_wanted(self.ref.schema, name)

    def _columns(
        self,
        altered: list[tuple[Column, Column, ColumnDifference]],
        fresh: list[Column],
        gone: list[Column],
        added: list[Constraint],
    ) -> set[int]:
        """The constraints that new columns and types bring along.

        A generated column comes after the columns that it is computed from have their types, and goes before that.
        """
        changed, brought = self.result.changed, set[int]()

        def add(columns: Iterable[Column]) -> None:
            for column in columns:
                checks = [c for c in added if _brought_by(c, column.name)]
                brought.update(id(check) for check in checks)
                changed.extend(self._add(column, tuple(checks)))

        changed.extend(DropColumn(self.ref, c.name, column=c) for c in gone if c.computed is not None)
        add(column for column in fresh if column.computed is None)
        for known, column, difference in altered:
            if not self.filters.has_part(self.wanted, column, known, reflected=False):
                continue
            checks = [c for c in added if difference.type and _brought_by(c, column.name)]
            brought |= {id(check) for check in checks}
            changed.extend(self._alter(known, column, difference, checks))
        add(column for column in fresh if column.computed is not None)
        changed.extend(DropColumn(self.ref, c.name, column=c) for c in gone if c.computed is None)
        return brought

    def _add(self, column: Column, checks: tuple[Constraint, ...]) -> Iterator[Operation]:
        """A column that is numbered by SERIAL numbers the rows that are there, too."""
        if self.likeness.serial(self.wanted) != column.name:
            yield AddColumn(self.ref, column, checks)
            return
        sequence = SequenceObject(counting_sequence(self.ref.name, column), self.ref.schema)
        yield CreateSequence(sequence, if_not_exists=True)
        yield AddColumn(self.ref, replace(column, default=_next_value(self.ref, column)), checks)
        yield AlterSequence(sequence.ref, owned_by=(self.ref, column.name))

    def _alter(
        self, current: Column, wanted: Column, difference: ColumnDifference, checks: Iterable[Constraint]
    ) -> Iterator[Operation]:
        """A column that becomes SERIAL gets the sequence and the default that CREATE TABLE would have given it."""
        old, new = default_of(current), default_of(wanted)
        after: list[Operation] = []
        if difference.default and self.likeness.serial(self.current) == current.name:
            old = _next_value(self.ref, current)
        if difference.default and self.likeness.serial(self.wanted) == wanted.name:
            # The sequence of an identity may have the usual name still, and the change itself makes another.
            if current.identity is None or wanted.counter is not None:
                sequence = SequenceObject(counting_sequence(self.ref.name, wanted), self.ref.schema)
                yield CreateSequence(sequence, if_not_exists=True, owned_by=(self.ref, wanted.name))
                after.append(Execute(_continued(self.ref, wanted)))  # once it is a number
            new = _next_value(self.ref, wanted)
        elif isinstance(new, Identity) and current.counter is not None:
            sequence = SequenceObject(current.counter, self.ref.schema)
            after.append(DropSequence(sequence.ref, sequence=sequence))  # one of the usual name goes by itself
        elif difference.default and _goes_first(old, new, difference):
            yield AlterColumn(self.ref, wanted.name, default=None, existing=Existing(current.type, default=old))
            old = None
            difference = replace(difference, default=new is not None)
        if not difference:
            return
        yield AlterColumn(
            self.ref,
            wanted.name,
            type=wanted.type if difference.type else None,
            nullable=wanted.nullable if difference.nullable else None,
            default=new if difference.default else KEEP,
            comment=wanted.comment if difference.comment else KEEP,
            using=self.likeness.using(current, wanted) if difference.type else None,
            checks=tuple(check for check in checks if isinstance(check, Check)),
            existing=Existing(current.type, current.nullable, old, current.comment, self._checks_of_type(current)),
        )
        yield from after
        if difference.default and isinstance(new, Identity) and _counts_anew(old, new):
            yield Execute(_counted_on(self.ref, wanted.name, new))

    def _checks_of_type(self, column: Column) -> tuple[Check, ...]:
        return tuple(c for c in self.current.constraints if isinstance(c, Check) and _brought_by(c, column.name))

    def _adds(self, constraints: Iterable[Constraint], indexes: Matching[Index]) -> None:
        result = self.result
        taken = {c.name for t in (self.current, self.wanted) for c in t.constraints} | set(
            default_names(self.current).values()
        )
        for constraint in constraints:
            phase = result.added_keys if isinstance(constraint, ForeignKey) else result.added
            added = added_constraint(self.wanted, constraint, self.likeness, taken)
            taken.add(added.constraint.name)
            phase.append(added)
        result.added.extend(
            CreateIndex(self.ref, index)
            for index in indexes.added
            if self.filters.has_part(self.wanted, index, None, reflected=False)
        )


def _unnamed_first(constraints: Sequence[Constraint]) -> list[Constraint]:
    """Last first, so that each still goes by its number, which counts those before it and those with a name."""
    unnamed = [constraint for constraint in reversed(constraints) if constraint.name is None]
    return unnamed + [constraint for constraint in constraints if constraint.name is not None]


def _brought_by(constraint: Constraint, column: str) -> bool:
    return isinstance(constraint, Check) and constraint.type_bound and constraint.column == column


def _next_value(table: Ref, column: Column) -> SqlText:
    return sql_text(f"nextval({_sequence(table, column)}::regclass)")


def _continued(table: Ref, column: Column) -> str:
    """The sequence goes on behind the numbers that the rows have."""
    number = f"coalesce(max({quoted_name(column.name)}), 0) + 1"
    return f"SELECT setval({_sequence(table, column)}, {number}, false) FROM {address(table.schema, table.name)}"


def _goes_first(old: object, new: object, difference: ColumnDifference) -> bool:
    """An identity stands in the way of NULL and of another type, an expression in that of a default as well."""
    if isinstance(old, Identity):
        return not isinstance(new, Identity | Computed) and (difference.type or difference.nullable)
    return isinstance(old, Computed) and not isinstance(new, Computed) and (difference.type or new is not None)


def _counts_anew(old: object, new: Identity) -> bool:
    """Whether the identity would begin with numbers that rows may have: a sequence's count is taken over by itself."""
    counted = isinstance(old, SqlText) and old.spelling("postgresql").startswith("nextval(")
    return not counted and not isinstance(old, Identity) and (new.increment or 1) > 0


def _counted_on(table: Ref, column: str, identity: Identity) -> str:
    """A new identity goes on behind the numbers that the rows have."""
    rows = address(table.schema, table.name)
    own = f"pg_get_serial_sequence({quoted(rows)}, {quoted(column)})"
    number = f"greatest(coalesce(max({quoted_name(column)}), 0) + 1, {identity.start or 1})"
    return f"SELECT setval({own}, {number}, false) FROM {rows}"


def _sequence(table: Ref, column: Column) -> str:
    return quoted(address(table.schema, counting_sequence(table.name, column)))


def drop_constraint(table: Table, constraint: Constraint) -> DropConstraint:
    """One without a name, as SQLite keeps them, goes by the name that PostgreSQL would have given it."""
    name = constraint.name or default_names(table)[id(constraint)]
    return DropConstraint(table.ref, name, kind_of(constraint), constraint=constraint)


def added_constraint(
    table: Table, constraint: Constraint, likeness: Likeness, taken: Collection[str | None] = ()
) -> AddConstraint:
    """Named, so that the downgrade can drop it."""
    if constraint.name is None and likeness.names_added:
        names = [name for name in taken if name is not None]
        columns = [column.name for column in table.columns]
        constraint = replace(constraint, name=default_name(constraint, table.name, columns, names))
    return AddConstraint(table.ref, constraint)
