"""Operations on a SQLite table as edits of its stored text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import sqlalchemy as sa

from asyncmig.dialects import sqlite_edits as edits
from asyncmig.dialects.sqlite_deferral import check_deferral
from asyncmig.dialects.sqlite_names import conventional_clauses, default_clauses
from asyncmig.dialects.sqlite_source import restated
from asyncmig.dialects.sqlite_table_text import Clause, ClauseKind, TableText
from asyncmig.dialects.sqlite_tokens import code_tokens, unquote
from asyncmig.errors import ConstraintNotFound, UnsupportedOperation
from asyncmig.operations.alter_column import AlterColumn, Keep
from asyncmig.operations.base import Operation
from asyncmig.operations.batch import column_order
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.comments import SetTableComment
from asyncmig.operations.constraints import AddConstraint, DropConstraint
from asyncmig.operations.renaming import RenameConstraint
from asyncmig.schema.metadata import column_to_sqlalchemy
from asyncmig.schema.model import (
    Check,
    Column,
    Computed,
    Constraint,
    Exclude,
    Identity,
    Options,
    PrimaryKey,
    Ref,
)
from asyncmig.schema.types import SqlText, SqlType

if TYPE_CHECKING:
    from asyncmig.dialects.ddl import CompilingDialect

__all__ = ["Translation"]

_KINDS: dict[str | None, ClauseKind | None] = {
    None: None,
    "primary": "primary key",
    "unique": "unique",
    "check": "check",
    "foreignkey": "foreign key",
}


class Translation:
    """`text` is the table as the edits so far leave it; columns renamed on the way are known by both names.

    With `replaces`, a constraint takes the place of the one that has its name, as in Alembic's batches.
    """

    def __init__(
        self, dialect: CompilingDialect, ref: Ref, text: TableText, convention: Options = (), *, replaces: bool = False
    ) -> None:
        self.dialect = dialect
        self.ref = ref
        self.text = text
        self.convention = convention
        self.replaces = replaces
        self.edits: list[edits.Edit] = []
        self._renamed: dict[str, str] = {}
        self._lost: list[Clause] = []
        self._named: set[str | None] = set()  # what was added here
        self._undropped: list[TableText] = []  # the table as it was before each column that was dropped

    def add(self, operation: Operation) -> None:
        """Translate one operation; UnsupportedOperation for one that does not fit the table."""
        match operation:
            case AddColumn():
                self._add_column(operation)
            case DropColumn():
                if not (operation.if_exists and self.text.find(operation.name) is None):
                    self._drop_column(self._name(operation.name))
            case AlterColumn():
                self._alter_column(operation)
            case AddConstraint():
                self._add_constraint(operation.constraint)
            case DropConstraint():
                self._drop_constraint(operation)
            case RenameConstraint():
                self.edit(edits.RenameConstraint(operation.old, operation.new))
            case SetTableComment():
                return
            case _:
                raise UnsupportedOperation(f"{operation.describe()}: not inside batch_alter_table.")

    def restate(self, operation: Operation) -> None:
        """Translate what table_args says: a constraint that the table has without a name is that one."""
        if not isinstance(operation, AddConstraint):
            self.add(operation)
            return
        for text in self._texts((operation.constraint,)):
            known = restated(self.text, text)
            if known is None:
                self.add(operation)
            for edit in known or ():
                self.edit(edit)

    def name_constraints(self) -> None:
        """Write the names of the convention into the table, as Alembic's batches do: later scripts call constraints by them."""
        taken = {clause.name.lower() for clause in self.text.clauses if clause.name}
        for name, clause in list(conventional_clauses(self.ref, self.text, self.convention)):
            if name.lower() not in taken:
                taken.add(name.lower())
                self.edit(edits.NameConstraint(name, clause.kind, clause.columns, clause.spelling))

    def order(self, orders: Sequence[tuple[str, ...]]) -> None:
        """Put the columns of each order one after the other."""
        names = [column.name for column in self.text.columns]
        wanted = tuple(column_order(names, orders))
        if wanted != tuple(names):
            self.edit(edits.ReorderColumns(wanted))

    def options(self, options: Options) -> None:
        """What sa.Table takes for SQLite: sqlite_strict, sqlite_with_rowid, sqlite_autoincrement."""
        given = dict(options)
        if "sqlite_strict" in given or "sqlite_with_rowid" in given:
            strict = given.get("sqlite_strict", self.text.strict)
            without_rowid = not given.get("sqlite_with_rowid", not self.text.without_rowid)
            words = [word for word, wanted in (("WITHOUT ROWID", without_rowid), ("STRICT", strict)) if wanted]
            self.edit(edits.SetOptions(", ".join(words)))
        if given.get("sqlite_autoincrement") and not self.text.autoincrement and len(self.text.primary_key) == 1:
            name = self.text.primary_key[0]
            self.edit(edits.DropConstraint(kind="primary key"))
            self.edit(edits.AddConstraint(f"PRIMARY KEY ({self.dialect.quote(name)} AUTOINCREMENT)"))

    def edit(self, edit: edits.Edit) -> None:
        self.text = edits.edited(self.text, edit)
        self.edits.append(edit)

    def _name(self, name: str) -> str:
        """The column's name now: scripts written for Alembic's batches go on calling it by the old one."""
        return self._renamed.get(name, name) if self.text.find(name) is None else name

    # columns

    def _drop_column(self, name: str) -> None:
        before = self.text
        self.edit(edits.DropColumn(name))
        left = {clause.spelling for clause in self.text.constraints}
        self._lost += [c for c in before.constraints if c.spelling not in left and c.kind != "check"]
        self._undropped.append(before)

    def _restore_constraints(self) -> None:
        """A batch that drops a column and adds it again keeps the table's keys over it, as Alembic's does."""
        for clause in [c for c in self._lost if all(map(self.text.find, c.columns))]:
            self._lost.remove(clause)
            if clause.kind == "primary key" and self.text.primary_key:
                continue
            if clause.name and any(_is_called(other, clause.name, None) for other in self.text.clauses):
                continue
            self.edit(edits.AddConstraint(" ".join(token.text for token in clause.tokens)))

    def _add_column(self, operation: AddColumn) -> None:
        column = operation.column
        if operation.if_not_exists and self.text.find(column.name) is not None:
            return
        self.edit(edits.AddColumn(self._definition(operation), operation.before, operation.after))
        if self.replaces:
            self._restore_constraints()
        for constraint in operation.constraints:
            if not _is_inside(constraint):
                self._add_constraint(constraint)
        if operation.primary_key and not any(isinstance(c, PrimaryKey) for c in operation.constraints):
            self._add_key(operation)

    def _add_key(self, operation: AddColumn) -> None:
        """primary_key=True makes the key of a table that has none; `inline_primary_key` insists on it."""
        if not self.text.primary_key:
            self._add_constraint(PrimaryKey((operation.column.name,)))
        elif operation.inline_primary_key:
            raise UnsupportedOperation(f"{operation.describe()}: the table has a primary key already.")

    def _definition(self, operation: AddColumn) -> str:
        compiler = self.dialect.ddl_compiler()
        checks = tuple(c for c in operation.constraints if _is_inside(c))
        table = self.dialect.skeleton(self.ref, (operation.column,), checks)
        built = table.c[operation.column.name]
        words = [compiler.get_column_specification(built)]
        return " ".join((*words, *(compiler.process(check) for check in built.constraints)))

    def _alter_column(self, operation: AlterColumn) -> None:
        name = self._name(operation.name)
        self.text.column(name)  # refuses an unknown one, also where nothing else does
        if operation.type is not None:
            self._drop_checks(operation.existing.checks)
            type_ = self.dialect.sqlalchemy.type_compiler_instance.process(operation.type.engine)
            self._set_type(name, str(type_), operation.existing.type)
        if operation.nullable is not None:
            self.edit(edits.SetNullable(name, operation.nullable))
        if not isinstance(operation.default, Keep):
            self._set_default(name, operation.default)
        if operation.before or operation.after:
            self._move(name, operation.before, operation.after)
        if operation.new_name is not None and operation.new_name != name:
            self.edit(edits.RenameColumn(name, operation.new_name))
            self._renamed[operation.name] = self._renamed[name] = operation.new_name
        for check in operation.checks:
            self._add_constraint(check)

    def _set_type(self, name: str, type_: str, old: SqlType | None) -> None:
        """COLLATE is a clause of its own to SQLite: it goes where the old type said it and the new one does not."""
        bare, _, collation = type_.partition(" COLLATE ")
        self.edit(edits.SetType(name, bare))
        if collation:
            self.edit(edits.SetCollation(name, unquote(collation)))
        elif old is not None and " COLLATE " in old.spelling("sqlite"):
            self.edit(edits.SetCollation(name, None))

    def _set_default(self, name: str, default: SqlText | Identity | Computed | None) -> None:
        generated = self.text.column(name).generated
        if isinstance(default, Computed):
            stored = bool(default.persisted)
            self.edit(edits.SetGenerated(name, default.text.spelling("sqlite"), stored))
        elif generated and default is None:
            self.edit(edits.SetGenerated(name, None))
        elif not isinstance(default, Identity):  # SQLAlchemy writes none for SQLite
            self.edit(edits.SetDefault(name, None if default is None else self._default_text(default)))

    def _default_text(self, default: SqlText) -> str:
        column = column_to_sqlalchemy(Column("x", SqlType(sa.Integer()), default=default))
        return str(self.dialect.ddl_compiler().get_column_default_string(column))

    def _move(self, name: str, before: str | None, after: str | None) -> None:
        rest = [column.name for column in self.text.columns if column.name.lower() != name.lower()]
        neighbour = self.text.column(self._name(before or after or "")).name
        at = rest.index(neighbour) + (0 if before else 1)
        self.edit(edits.ReorderColumns((*rest[:at], self.text.column(name).name, *rest[at:])))

    # constraints

    def _add_constraint(self, constraint: Constraint) -> None:
        if isinstance(constraint, Exclude):
            raise UnsupportedOperation(f"SQLite has no EXCLUDE constraints: {constraint.name or ''} on {self.ref}.")
        check_deferral(constraint, self.ref)
        if self.replaces and not isinstance(constraint, PrimaryKey) and constraint.name not in self._named:
            self._make_room(constraint.name)
        self._named.add(constraint.name)  # two of one name that come together both stay
        if isinstance(constraint, PrimaryKey):
            if self.text.primary_key:
                self.edit(edits.DropConstraint(kind="primary key"))
            for name in constraint.columns:
                self.edit(edits.SetNullable(name, False))
        for text in self._texts((constraint,)):
            self.edit(edits.AddConstraint(text))

    def _make_room(self, name: str | None) -> None:
        for clause in self.text.clauses:
            if name is not None and _is_called(clause, name, None):
                self.edit(edits.DropConstraint(name, clause.kind))
                return

    def _texts(self, constraints: tuple[Constraint, ...]) -> Iterator[str]:
        """The constraints as CREATE TABLE has them; nothing for one that this database needs not or knows not."""
        compiler = self.dialect.ddl_compiler()
        table = self.dialect.skeleton(self.ref, constraints=constraints)
        for built in sorted(table.constraints, key=lambda c: c._creation_order):
            empty = isinstance(built, sa.PrimaryKeyConstraint) and not len(built)
            if not empty and built._should_create_for_compiler(compiler):
                # SQLAlchemy leaves out the foreign keys that ALTER TABLE was meant to add.
                text = compiler.process(built)
                if text:
                    yield text

    def _drop_constraint(self, operation: DropConstraint) -> None:
        if operation.kind == "exclude":
            raise UnsupportedOperation(f"{operation.describe()}: SQLite has no EXCLUDE constraints.")
        kind = _KINDS[operation.kind]
        if any(_is_called(clause, operation.name, kind) for clause in self.text.clauses):
            self.edit(edits.DropConstraint(operation.name, kind))
            return
        clause = self._conventional(operation, kind, self.text)
        if clause is not None:
            target = clause.reference.table if clause.reference else None
            listed = None if clause.kind == "check" else clause.columns
            self.edit(edits.DropConstraint(None, clause.kind, listed, target, clause.spelling))
        elif sum(_is_called(clause, operation.name, None) for clause in self.text.clauses) == 1:
            # Of another kind than the script says: Alembic's batches and PostgreSQL take it by its name.
            self.edit(edits.DropConstraint(operation.name))
        elif not operation.if_exists and not self._went_along(operation, kind):
            named = ", ".join(sorted({c.name for c in self.text.clauses if c.name})) or "none"
            raise ConstraintNotFound(
                f"{operation.describe()}: the table has no such constraint (those with a name: {named}).",
                hint="A constraint without a name is found where batch_alter_table gets the naming_convention that "
                "would give it this one.",
            )

    def _went_along(self, operation: DropConstraint, kind: ClauseKind | None) -> bool:
        """Whether a column that this batch dropped took the constraint along: Alembic's batches let it be dropped after that."""
        for text in self._undropped:
            clause = next((c for c in text.clauses if _is_called(c, operation.name, kind)), None)
            clause = clause or self._conventional(operation, kind, text)
            if clause is not None and any(self.text.find(column) is None for column in clause.columns):
                self._lost = [lost for lost in self._lost if lost.spelling != clause.spelling]
                return True
        return False

    def _conventional(self, operation: DropConstraint, kind: ClauseKind | None, text: TableText) -> Clause | None:
        """The unnamed clause of `text` that a naming convention would call so."""
        for convention in (self.convention, operation.convention):
            for name, clause in conventional_clauses(self.ref, text, convention):
                if name == operation.name and kind in (None, clause.kind):
                    return clause
        if kind == "primary key":
            return next((c for c in text.clauses if c.kind == kind and c.name is None), None)
        unnamed = default_clauses(self.ref, text)
        return next((c for name, c in unnamed if name == operation.name and kind in (None, c.kind)), None)

    def _drop_checks(self, checks: Sequence[Check]) -> None:
        """Those that the old type brought along, by name or, where they have none, by what they say."""
        for check in checks:
            if check.name is not None:
                if any(_is_called(clause, check.name, "check") for clause in self.text.clauses):
                    self.edit(edits.DropConstraint(check.name, "check"))
                continue
            said = _spelled(next(self._texts((check,)), ""))
            if said and any(_is_unnamed_check(clause) and clause.spelling == said for clause in self.text.clauses):
                self.edit(edits.DropConstraint(kind="check", spelling=said))


def _is_inside(constraint: Constraint) -> bool:
    """Whether the constraint stands in the column's own definition: a CHECK that was written there."""
    return isinstance(constraint, Check) and constraint.column is not None and not constraint.type_bound


def _is_called(clause: Clause, name: str, kind: ClauseKind | None) -> bool:
    return (clause.name or "").lower() == name.lower() and kind in (None, clause.kind)


def _is_unnamed_check(clause: Clause) -> bool:
    return clause.kind == "check" and clause.name is None


def _spelled(text: str) -> str:
    return " ".join(token.text.lower() if token.kind == "word" else token.text for token in code_tokens(text))
