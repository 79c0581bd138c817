"""Enum types on PostgreSQL, and what a column needs before it: its enum, domain or sequence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import CreateDomainType, CreateEnumType
from sqlalchemy.schema import CreateSequence as CreateSequenceDDL

from asyncmig.dialects.base import CatalogQuery
from asyncmig.dialects.ddl import CompilingDialect
from asyncmig.dialects.literals import quoted
from asyncmig.dialects.postgresql_catalog import unused_enums
from asyncmig.dialects.statement import Statement
from asyncmig.errors import OperationError
from asyncmig.operations.alter_column import AlterColumn
from asyncmig.operations.base import Operation
from asyncmig.operations.batch import BatchTable
from asyncmig.operations.columns import DropColumn
from asyncmig.operations.enums import AddEnumValue, CreateEnum, DropEnum, RenameEnumValue
from asyncmig.operations.schemas import DropSchema
from asyncmig.operations.tables import DropTable
from asyncmig.schema.enums import is_used, named_types
from asyncmig.schema.metadata import sequence_to_sqlalchemy
from asyncmig.schema.model import Column, EnumType, Ref, Schema

__all__ = ["PostgresqlEnums"]

_ADD_VALUE_IN_TRANSACTION = (12,)
"""Before this version ALTER TYPE ... ADD VALUE is refused inside a transaction block (release notes of 12)."""


class PostgresqlEnums(CompilingDialect):
    """Part of PostgreSQL."""

    def create_enum(self, operation: CreateEnum, before: Schema) -> Sequence[Statement]:
        """CREATE TYPE knows no IF NOT EXISTS, so `before` says whether there is anything to do."""
        if operation.if_not_exists and operation.enum.ref in before.enums:
            return ()
        return (Statement(self._create_type(operation.enum), operation=operation),)

    def drop_enum(self, operation: DropEnum, before: Schema) -> Sequence[Statement]:
        exists = "IF EXISTS " if operation.if_exists else ""
        cascade = " CASCADE" if operation.cascade else ""
        kind = "DOMAIN" if operation.is_domain else "TYPE"
        return (Statement(f"DROP {kind} {exists}{self.qualify(operation.ref)}{cascade}", operation=operation),)

    def add_enum_value(self, operation: AddEnumValue, before: Schema) -> Sequence[Statement]:
        exists = "IF NOT EXISTS " if operation.if_not_exists else ""
        place = ""
        if operation.before_value is not None:
            place = f" BEFORE {quoted(operation.before_value)}"
        elif operation.after_value is not None:
            place = f" AFTER {quoted(operation.after_value)}"
        sql = f"ALTER TYPE {self.qualify(operation.ref)} ADD VALUE {exists}{quoted(operation.value)}{place}"
        version = getattr(self.sqlalchemy, "server_version_info", None) or _ADD_VALUE_IN_TRANSACTION
        return (Statement(sql, transactional=version >= _ADD_VALUE_IN_TRANSACTION, operation=operation),)

    def left_by_failures(self, operation: Operation) -> frozenset[Ref]:
        """The enum: outside a transaction, a value may have been added without being journaled."""
        own = {operation.ref} if isinstance(operation, AddEnumValue) else set()
        return super().left_by_failures(operation) | own

    def already_done(self, operation: Operation, before: Schema) -> bool:
        if isinstance(operation, AddEnumValue):
            enum = before.enums.get(operation.ref)
            return enum is not None and operation.value in enum.values
        return super().already_done(operation, before)

    def rename_enum_value(self, operation: RenameEnumValue, before: Schema) -> Sequence[Statement]:
        change = f"RENAME VALUE {quoted(operation.old)} TO {quoted(operation.new)}"
        return (Statement(f"ALTER TYPE {self.qualify(operation.ref)} {change}", operation=operation),)

    def may_leave_types(self, operation: Operation) -> bool:
        if isinstance(operation, BatchTable):
            return any(self.may_leave_types(part) for part in operation.operations)
        changes = isinstance(operation, AlterColumn) and operation.type is not None
        return changes or isinstance(operation, DropTable | DropColumn | DropSchema)

    def emptied(self, operation: Operation) -> str | None:
        return operation.name if isinstance(operation, DropSchema) and not operation.cascade else None

    def unused_types(self) -> CatalogQuery | None:
        return unused_enums()

    # what columns bring along

    def brought_with(self, columns: Sequence[Column]) -> frozenset[Ref]:
        """The types and sequences that `_prerequisites` must find in `before`."""
        types = (_type_ref(named) for column in columns for named in self._new_types(column))
        sequences = (column.sequence for column in columns)
        return frozenset((*types, *(s.ref for s in sequences if s is not None and not s.optional)))

    def _prerequisites(self, columns: Sequence[Column], before: Schema, operation: Operation) -> Iterator[Statement]:
        """CREATE TYPE, CREATE DOMAIN and CREATE SEQUENCE for what `before` does not know, each once.

        A type of that name that lacks a value and that nothing uses is a leftover: it is made anew. OperationError
        where it is in use, but for a column that takes it `as_found`.
        """
        seen: set[Ref] = set()
        for column in columns:
            for named in self._new_types(column):
                if _type_ref(named) not in seen:
                    seen.add(_type_ref(named))
                    yield from self._type_statements(named, before, operation, as_found=column.type.as_found)
        for column in columns:
            sequence = column.sequence
            if sequence is not None and not sequence.optional and sequence.ref not in {*seen, *before.sequences}:
                seen.add(sequence.ref)
                # A script may have created it with SQL of its own, which nobody recorded.
                create = CreateSequenceDDL(sequence_to_sqlalchemy(sequence), if_not_exists=True)
                yield Statement(self.compiled(create), operation=operation)

    def _type_statements(
        self, named: Any, before: Schema, operation: Operation, *, as_found: bool
    ) -> Iterator[Statement]:
        found = before.enums.get(_type_ref(named))
        if found is not None and not _lacks(found, named):
            return
        if found is not None:
            if is_used(found, before):
                if as_found:
                    return
                raise _other_values(found, named, operation)
            yield Statement(f"DROP TYPE {self.qualify(found.ref)}", operation=operation)
        create = CreateEnumType if isinstance(named, sa.Enum) else CreateDomainType
        yield Statement(self.compiled(create(named)), operation=operation)

    def _new_types(self, column: Column) -> Iterator[Any]:
        if column.type.apart:
            return iter(())
        return (named for named in named_types(column.type.engine, self.sqlalchemy) if named.create_type)

    def _create_type(self, enum: EnumType) -> str:
        return f"CREATE TYPE {self.qualify(enum.ref)} AS ENUM ({', '.join(quoted(value) for value in enum.values)})"


def _type_ref(named: Any) -> Ref:
    return Ref(str(named.name), named.schema, "enum")


def _lacks(found: EnumType, named: Any) -> bool:
    """Whether the type in the database lacks a value of the column's; a domain has none."""
    return bool(found.values) and not set(getattr(named, "enums", ())) <= set(found.values)


def _other_values(found: EnumType, named: Any, operation: Operation) -> OperationError:
    missing = ", ".join(value for value in named.enums if value not in found.values)
    return OperationError(
        f"{operation.describe()}: the enum {found.ref} is there already, in use, and without {missing}.",
        hint="Add what is missing with op.add_enum_value in a revision of its own before this one, or use another name.",
    )
