"""What counts as the same to one database: by normal forms, and by what it says itself."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import sqlalchemy as sa

from asyncmig.autogenerate.canonical import Inquiry
from asyncmig.autogenerate.likeness import ColumnDifference
from asyncmig.dialects.asking import QuestionKind
from asyncmig.dialects.normal import Element, IndexForm, Normal
from asyncmig.schema.model import (
    Check,
    Column,
    Constraint,
    Exclude,
    ForeignKey,
    Index,
    PrimaryKey,
    Ref,
    Table,
    Unique,
)
from asyncmig.schema.model import Sequence as SequenceObject
from asyncmig.schema.serial import serial_column
from asyncmig.schema.types import SqlText, SqlType, sql_type

__all__ = ["AsHeld", "CompareHooks", "TypeHook"]

_NUMBERS = ("start", "increment", "minvalue", "maxvalue", "cache", "cycle")
"""The fields of a sequence in the order of `Normal.numbers`, behind its first."""

TypeHook = Callable[[Ref, Column, Column], bool | None]
"""(table, current, wanted): True when the types differ, False when not, None for the usual comparison."""


@dataclass(frozen=True, slots=True)
class CompareHooks:
    """What env.py says of comparing: off, or a function of its own first."""

    types: bool = True
    defaults: bool = True
    type_hook: TypeHook | None = None
    default_hook: TypeHook | None = None

    @property
    def is_plain(self) -> bool:
        """Whether no function of the project's wants to see every column."""
        return self.type_hook is None and self.default_hook is None


@dataclass(slots=True)
class AsHeld:
    """As the database sees it: by normal forms, and by what `inquiry` was told where those differ."""

    normal: Normal
    inquiry: Inquiry
    hooks: CompareHooks = CompareHooks()
    _types: dict[tuple[int, int, bool, bool], bool] = field(default_factory=dict)
    _columns: dict[tuple[int, int], tuple[Column, Column]] = field(default_factory=dict)
    _serial: tuple[Table | None, Table | None, str | None, str | None] = (None, None, None, None)

    @property
    def references_ahead(self) -> bool:
        return self.normal.references_ahead

    def column(self, table: Table, current: Column, wanted: Column, wanted_table: Table) -> ColumnDifference | None:
        old, new = self._serials(table, wanted_table)
        were, will = old == current.name, new == wanted.name
        plain = not (were or will) and self.hooks.is_plain
        if plain and ((id(current), id(wanted)) in self._columns or self._is_plainly_same(current, wanted)):
            return None
        hooks = self.hooks
        type_ = hooks.types and not self._same_type(table, current, wanted, were, will)
        nullable = current.nullable != wanted.nullable
        default = hooks.defaults and not self._same_filling(table, current, wanted, wanted_table, were, will)
        comment = current.comment != wanted.comment and not self.comment(current.comment, wanted.comment)
        if type_ or nullable or default or comment:
            return ColumnDifference(type_, nullable, default, comment)
        if plain and current.computed is None and wanted.computed is None:
            # Thousands of tables share a column, on either side; kept, so that nothing else gets its id.
            self._columns[id(current), id(wanted)] = (current, wanted)
        return None

    def _is_plainly_same(self, current: Column, wanted: Column) -> bool:
        """Most columns: nothing but a name, NULL or not, and a type that was met before."""
        return (
            current.nullable == wanted.nullable
            and current.default is wanted.default is None
            and current.identity is wanted.identity is None
            and current.computed is wanted.computed is None
            and current.comment == wanted.comment
            and self._types.get((id(current.type), id(wanted.type), False, False), False)
        )

    def _serials(self, current: Table, wanted: Table) -> tuple[str | None, str | None]:
        if self._serial[0] is not current or self._serial[1] is not wanted:
            self._serial = (current, wanted, serial_column(current), serial_column(wanted))
        return self._serial[2], self._serial[3]

    def comment(self, current: str | None, wanted: str | None) -> bool:
        return not self.normal.has_comments or (current or None) == (wanted or None)

    def _same_type(self, table: Table, current: Column, wanted: Column, were: bool, will: bool) -> bool:
        if self.hooks.type_hook is not None:
            told = self.hooks.type_hook(table.ref, current, wanted)
            if told is not None:
                return not told
        key = (id(current.type), id(wanted.type), were, will)
        found = self._types.get(key)
        if found is None:
            found = self._types[key] = self._compare_types(current, wanted, were, will)
        return found

    def _compare_types(self, current: Column, wanted: Column, were: bool, will: bool) -> bool:
        normal = self.normal
        old, new = normal.type(current.type, serial=were), normal.type(wanted.type, serial=will)
        if old == new or will:
            return old == new
        told = self.inquiry.canonical("type", wanted.type.spelling(normal.name), ())
        return told is not None and normal.form_of_type(told) == old

    def _same_filling(
        self, table: Table, current: Column, wanted: Column, wanted_table: Table, were: bool, will: bool
    ) -> bool:
        filled = current.default or current.identity or wanted.default or wanted.identity or were != will
        if filled and self.hooks.default_hook is not None and current.computed is None and wanted.computed is None:
            told = self.hooks.default_hook(table.ref, current, wanted)
            if told is not None:
                return not told
        if were != will and self.normal.has_serial:
            # An identity column numbers its rows as SERIAL does; models that only say "autoincrement" want no more.
            return will and current.identity is not None
        if current.identity is not wanted.identity and not self._same_identity(current, wanted):
            return False
        old, new = current.default, wanted.default
        spelling = self.normal.spell
        # Worked out as far as it can be without naming the column: thousands have defaults.
        if old and new and self.normal.form(spelling(old)) == self.normal.form(spelling(new)):
            old = new
        subject = "" if old is new and wanted.computed is None else f"{wanted_table.ref}.{wanted.name}"
        if old is not new:
            if old is None or new is None:
                return self._is_null(old if new is None else new)
            type_ = wanted.type.spelling(self.normal.name)
            if not self.inquiry.same("default", spelling(old), spelling(new), (), type_, f"default of {subject}"):
                return False
        if current.computed is None and wanted.computed is None:
            return True
        return self._same_computed(current, wanted, wanted_table, subject)

    def _is_null(self, text: Any) -> bool:
        """DEFAULT NULL says nothing."""
        return text is not None and self.normal.text(text) == "null"

    def _same_identity(self, current: Column, wanted: Column) -> bool:
        numbers = self.normal.numbers
        if current.identity is None or wanted.identity is None:
            present = current.identity or wanted.identity
            return present is not None and numbers(present, wanted.type) == ()
        return numbers(current.identity, current.type) == numbers(wanted.identity, wanted.type)

    def _same_computed(self, current: Column, wanted: Column, table: Table, subject: str) -> bool:
        if current.computed is None or wanted.computed is None:
            return False
        if wanted.computed.persisted is not None and bool(current.computed.persisted) != wanted.computed.persisted:
            return False
        spelling = self.normal.spell
        type_ = wanted.type.spelling(self.normal.name)
        texts = spelling(current.computed.text), spelling(wanted.computed.text)
        return self.inquiry.same("computed", *texts, table.columns, type_, f"expression of {subject}")

    def constraint(self, current_table: Table, table: Table, current: Constraint, wanted: Constraint) -> bool:
        """`table` is the wanted one: its columns are what an expression is about."""
        if isinstance(wanted, PrimaryKey | Unique | ForeignKey) and isinstance(
            current, PrimaryKey | Unique | ForeignKey
        ):
            return self.normal.constraint(current) == self.normal.constraint(wanted) and self._same_remark(
                current, wanted
            )
        if isinstance(wanted, Check) and isinstance(current, Check):
            spelling = self.normal.spell
            subject = f"check {wanted.name or current.name} of {table.ref}"
            texts = spelling(current.text), spelling(wanted.text)
            return self.inquiry.same("check", *texts, table.columns, "", subject) and self._same_remark(current, wanted)
        if isinstance(wanted, Exclude) and isinstance(current, Exclude):
            return self._same_exclude(table, current, wanted)
        return False

    def _same_remark(self, current: Any, wanted: Any) -> bool:
        return current.comment == wanted.comment or self.comment(current.comment, wanted.comment)

    def _same_exclude(self, table: Table, current: Exclude, wanted: Exclude) -> bool:
        old, new = self.normal.exclude(current), self.normal.exclude(wanted)
        if old == new:
            return True
        if (old[1], old[4:]) != (new[1], new[4:]) or len(old[2]) != len(new[2]):
            return False
        subject = f"exclusion constraint {wanted.name or current.name} of {table.ref}"
        operators = all(a[1] == b[1] for a, b in zip(old[2], new[2], strict=True))
        pairs = zip([part for part, _ in old[2]], [part for part, _ in new[2]], strict=True)
        return (
            operators
            and self._same_elements(table, list(pairs), subject)
            and self._same_predicate(table, self._spelled(current.where), self._spelled(wanted.where), subject)
        )

    def _spelled(self, text: SqlText | None) -> str | None:
        return None if text is None else self.normal.spell(text)

    def index(self, current_table: Table, table: Table, current: Index, wanted: Index) -> bool:
        if (
            current.unique == wanted.unique
            and current.elements == wanted.elements
            and not (current.options or wanted.options)
        ):
            return True
        old, new = self.normal.index(current), self.normal.index(wanted)
        if old == new:
            return True
        return self._same_form(table, old, new, f"index {wanted.name}")

    def _same_form(self, table: Table, old: IndexForm, new: IndexForm, subject: str) -> bool:
        rest = (old.unique, old.method, old.include, old.nulls_not_distinct)
        if rest != (new.unique, new.method, new.include, new.nulls_not_distinct) or len(old.elements) != len(
            new.elements
        ):
            return False
        pairs = list(zip(old.elements, new.elements, strict=True))
        return self._same_elements(table, pairs, subject) and self._same_predicate(
            table, old.where_text, new.where_text, subject
        )

    def _same_elements(self, table: Table, pairs: Sequence[tuple[Element, Element]], subject: str) -> bool:
        return all(self._same_element(table, old, new, subject) for old, new in pairs)

    def _same_element(self, table: Table, old: Element, new: Element, subject: str) -> bool:
        if old == new:
            return True
        sorting = (old.collation, old.operators, old.descending, old.nulls_first)
        if sorting != (new.collation, new.operators, new.descending, new.nulls_first) or old.is_column != new.is_column:
            return False
        return not old.is_column and self.inquiry.same("element", old.text, new.text, table.columns, "", subject)

    def _same_predicate(self, table: Table, old: str | None, new: str | None, subject: str) -> bool:
        if old is None or new is None:
            return old == new
        return self.inquiry.same("predicate", old, new, table.columns, "", f"predicate of {subject}")

    def is_implied(self, table: Table, constraint: Constraint) -> bool:
        """PostgreSQL's rule stands in "transformIndexConstraints"."""
        if not isinstance(constraint, Unique) or not self.normal.merges_keys:
            return False
        own = self.normal.constraint(constraint)[1:]
        return any(
            self.normal.constraint(_as_unique(other))[1:] == own
            for other in table.constraints
            if other is not constraint and isinstance(other, Unique | PrimaryKey)
        )

    def sequence(self, current: SequenceObject, wanted: SequenceObject) -> bool:
        types = [self.normal.type(s.type) if s.type is not None else "BIGINT" for s in (current, wanted)]
        numbers = self.normal.numbers
        return types[0] == types[1] and numbers(current, current.type) == numbers(wanted, wanted.type)

    def said(self, sequence: SequenceObject) -> SequenceObject:
        type_ = sequence.type or sql_type(sa.BigInteger())
        options = dict(zip(_NUMBERS, self.normal.numbers(sequence, type_)[1:], strict=False))
        return replace(sequence, type=type_, nominvalue=None, nomaxvalue=None, **options)

    def same_text(
        self,
        kind: QuestionKind,
        current: SqlText | None,
        wanted: SqlText | None,
        columns: Sequence[Column],
        type_: SqlType,
        subject: str,
    ) -> bool:
        if current is None or wanted is None:
            return current is wanted
        texts = self.normal.spell(current), self.normal.spell(wanted)
        return self.inquiry.same(kind, *texts, columns, type_.spelling(self.normal.name), subject)

    def using(self, current: Column, wanted: Column) -> str | None:
        from asyncmig.dialects.writing import writing_for  # not before it is needed: it knows PostgreSQL's types

        return writing_for(self.normal.name).using(wanted.name, current.type, wanted.type)

    def replaces(self, current: Column, wanted: Column) -> bool:
        return self.normal.replaces(current, wanted)

    def rereads(self, current: Column, wanted: Column) -> bool:
        return self.normal.rereads(current.type, wanted.type)

    def compares(self, one: SqlType, other: SqlType) -> bool:
        return self.normal.compares(one, other)

    def serial(self, table: Table) -> str | None:
        return serial_column(table) if self.normal.has_serial else None

    @property
    def binds(self) -> bool:
        return self.normal.binds

    @property
    def names_added(self) -> bool:
        return True


def _as_unique(constraint: Unique | PrimaryKey) -> Unique:
    """A key as a UNIQUE constraint would be."""
    if isinstance(constraint, Unique):
        return constraint
    return Unique(
        constraint.columns,
        deferrable=constraint.deferrable,
        initially=constraint.initially,
        options=constraint.options,
    )
