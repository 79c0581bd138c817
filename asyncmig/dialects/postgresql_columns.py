"""PostgreSQL: changes to a column that is there."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import fields
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import DropConstraint

from asyncmig.dialects.ddl import added_constraint
from asyncmig.dialects.postgresql_numbering import PostgresqlNumbering, sequence_of
from asyncmig.dialects.statement import Statement
from asyncmig.errors import UnsupportedOperation
from asyncmig.operations.alter_column import KEEP, AlterColumn, Keep
from asyncmig.operations.base import Operation
from asyncmig.schema.metadata import column_to_sqlalchemy
from asyncmig.schema.model import Check, Column, Computed, Identity, Ref, Schema
from asyncmig.schema.types import SqlText, SqlType

__all__ = ["PostgresqlColumns"]

_NO_TYPE = SqlType(sa.types.NULLTYPE)
_DEFAULT_IDENTITY = Identity()


class PostgresqlColumns(PostgresqlNumbering):
    @abstractmethod
    def _prerequisites(
        self, columns: Sequence[Column], before: Schema, operation: Operation
    ) -> Iterator[Statement]: ...

    def alter_column(self, operation: AlterColumn, before: Schema) -> Sequence[Statement]:
        """In Alembic's order: the type, NULL, the default, the comment, the name; CHECKs of the types around it.

        An old default that may not fit the new type, or an identity, is dropped before it.
        """
        if operation.using is not None and operation.type is None:
            raise UnsupportedOperation(f"{operation.describe()}: postgresql_using goes with type_.")
        new = (Column(operation.name, operation.type),) if operation.type else ()
        return (
            *self._old_checks(operation),
            *self._prerequisites(new, before, operation),
            *(Statement(sql, operation=operation) for sql in self._changes(operation)),
            *self._comment(operation),
            *self._rename(operation),
            *self._new_checks(operation),
        )

    def _altered(self, operation: AlterColumn) -> str:
        return f"ALTER TABLE {self.qualify(operation.ref)} ALTER COLUMN {self.quote(operation.name)}"

    def _changes(self, operation: AlterColumn) -> Iterator[str]:
        aside = _steps_aside(operation)
        if aside:
            yield f"{self._altered(operation)} DROP DEFAULT"
        for part in self._parts(operation):
            yield f"{self._altered(operation)} {part}"
        if operation.default is not KEEP and not (aside and operation.default is None):
            yield from self._default(operation)

    def _parts(self, operation: AlterColumn) -> Iterator[str]:
        if operation.type is not None:
            type_ = self.sqlalchemy.type_compiler_instance.process(operation.type.engine)
            yield f"TYPE {type_}" + (f" USING {operation.using}" if operation.using else "")
        if operation.nullable is not None:
            yield "DROP NOT NULL" if operation.nullable else "SET NOT NULL"

    def _default(self, operation: AlterColumn) -> Iterator[str]:
        altered = self._altered(operation)
        new, old = operation.default, operation.existing.default
        sequence = sequence_of(old if isinstance(new, Identity) else new)
        if isinstance(new, Identity) and sequence is not None:
            yield from self._identity_from(sequence, f"{altered} {self._identity_added(new)}", operation)
            return
        if isinstance(old, Identity) and isinstance(new, SqlText):
            yield f"{altered} DROP IDENTITY"
            if sequence is not None:
                yield from self._sequence_again(sequence, operation)
        for part in self._default_parts(operation):
            yield f"{altered} {part}"

    def _default_parts(self, operation: AlterColumn) -> Iterator[str]:
        new, old = operation.default, operation.existing.default
        if isinstance(new, Computed) or isinstance(old, Computed):
            yield self._generated(operation)
        elif isinstance(new, Identity):
            yield from self._identity(new, old)
        elif isinstance(new, SqlText):
            yield f"SET DEFAULT {self._default_text(new)}"
        else:
            yield "DROP IDENTITY" if isinstance(old, Identity) else "DROP DEFAULT"

    def _generated(self, operation: AlterColumn) -> str:
        if operation.default is None:
            return "DROP EXPRESSION"
        if isinstance(operation.default, Computed) and isinstance(operation.existing.default, Computed):
            return f"SET EXPRESSION AS ({self._expression(operation.default.text)})"
        raise UnsupportedOperation(
            f"{operation.describe()}: PostgreSQL cannot make a generated column of an ordinary one, nor give one a "
            "default.",
            hint="Drop the column and add it again.",
        )

    def _identity(self, new: Identity, old: object) -> Iterator[str]:
        if not isinstance(old, Identity):
            yield self._identity_added(new)
            return
        compiler = self.ddl_compiler()
        changed = sorted(name for name in _names(new) if _differs(new, old, name) or _is_taken_back(new, old, name))
        words = []
        for name in changed:
            if name == "always":
                words.append(f"SET GENERATED {'ALWAYS' if new.always else 'BY DEFAULT'}")
            elif getattr(new, name) is None:
                words.append(f"SET {_UNSAID[name]}")
            else:
                words.append(f"SET {compiler.get_identity_options(sa.Identity(**{name: getattr(new, name)}))}")
        if words:
            yield " ".join(words)

    def _identity_added(self, new: Identity) -> str:
        built = column_to_sqlalchemy(Column("x", _NO_TYPE, identity=new)).identity
        return f"ADD {self.ddl_compiler().visit_identity_column(built)}"

    def _default_text(self, default: SqlText) -> str:
        column = column_to_sqlalchemy(Column("x", SqlType(sa.Integer()), default=default))
        return str(self.ddl_compiler().get_column_default_string(column))

    def _expression(self, text: SqlText) -> str:
        compiler = self.ddl_compiler()
        return str(compiler.sql_compiler.process(text.clause, include_table=False, literal_binds=True))

    def _comment(self, operation: AlterColumn) -> Iterator[Statement]:
        if operation.comment is KEEP:
            return
        text = (
            "NULL"
            if operation.comment is None
            else self.ddl_compiler().sql_compiler.render_literal_value(operation.comment, sa.String())
        )
        column = f"{self.qualify(operation.ref)}.{self.quote(operation.name)}"
        yield Statement(f"COMMENT ON COLUMN {column} IS {text}", operation=operation)

    def _rename(self, operation: AlterColumn) -> Iterator[Statement]:
        if operation.new_name is not None:
            names = f"{self.quote(operation.name)} TO {self.quote(operation.new_name)}"
            yield Statement(f"ALTER TABLE {self.qualify(operation.ref)} RENAME {names}", operation=operation)

    def _old_checks(self, operation: AlterColumn) -> Iterator[Statement]:
        if operation.type is None:
            return
        for constraint in self._of_types(operation.ref, operation.existing.checks):
            if constraint.name is not None:
                yield Statement(self.compiled(DropConstraint(constraint)), operation=operation)

    def _new_checks(self, operation: AlterColumn) -> Iterator[Statement]:
        for constraint in self._of_types(operation.ref, operation.checks):
            yield Statement(self.compiled(added_constraint(constraint)), operation=operation)

    def _of_types(self, ref: Ref, checks: tuple[Check, ...]) -> Iterator[Any]:
        """Those that SQLAlchemy writes here: an Enum that is a type of its own needs no CHECK."""
        compiler = self.ddl_compiler()
        table = self.skeleton(ref, constraints=checks)
        for constraint in sorted(table.constraints, key=lambda c: c._creation_order):
            if isinstance(constraint, sa.CheckConstraint) and constraint._should_create_for_compiler(compiler):
                yield constraint


def _steps_aside(operation: AlterColumn) -> bool:
    """Whether the old default, which goes anyway, is dropped first: PostgreSQL casts it to the new type, or fails."""
    new, old = operation.default, operation.existing.default
    if isinstance(new, Identity):
        return isinstance(old, SqlText)
    if (
        operation.type is None
        or isinstance(new, Computed | Keep)
        or isinstance(old, Identity | Computed)
        or old is None
    ):
        return False
    return not _casts(operation.existing.type, operation.type)


def _casts(old: SqlType | None, new: SqlType) -> bool:
    """Whether every default goes along by assignment: whatever becomes text, and one number another."""
    if _is_text(new.engine):
        return True
    return old is not None and _is_number(old.engine) and _is_number(new.engine)


def _is_text(type_: Any) -> bool:
    return isinstance(type_, sa.String) and not isinstance(type_, sa.Enum)


def _is_number(type_: Any) -> bool:
    return isinstance(type_, sa.Integer | sa.Numeric)


_UNSAID = {
    "start": "START WITH 1",
    "increment": "INCREMENT BY 1",
    "minvalue": "NO MINVALUE",
    "maxvalue": "NO MAXVALUE",
    "cache": "CACHE 1",
    "cycle": "NO CYCLE",
}
"""The defaults of an ascending sequence ("CREATE SEQUENCE")."""


def _is_taken_back(new: Identity, old: Identity, name: str) -> bool:
    """Whether an option was set, to another value than the default, and is not said any more."""
    was = getattr(old, name)
    is_default = name in ("start", "increment", "cache") and was == 1
    return name in _UNSAID and getattr(new, name) is None and bool(was) and not is_default


def _names(identity: Identity) -> Iterator[str]:
    return (field.name for field in fields(identity) if field.name not in ("options", "on_null", "order"))


def _differs(new: Identity, old: Identity, name: str) -> bool:
    """What is not said, or said to be the default, does not differ from what is not said."""
    one, other = getattr(new, name), getattr(old, name)
    if name == "always":
        return bool(one) != bool(other)
    return one != other and one is not None
