"""The visitor's methods for what is no table: renames, types, sequences, views, routines, policies, schemas."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from asyncmig.operations.backfills import Backfill
    from asyncmig.operations.enums import AddEnumValue, CreateEnum, DropEnum, RenameEnumValue
    from asyncmig.operations.policies import CreatePolicy, DropPolicy, SetRowSecurity
    from asyncmig.operations.renaming import RenameColumn, RenameConstraint, RenameIndex, ValidateConstraint
    from asyncmig.operations.routines import CreateFunction, CreateTrigger, DropFunction, DropTrigger
    from asyncmig.operations.schemas import AlterExtension, CreateExtension, CreateSchema, DropExtension, DropSchema
    from asyncmig.operations.sequences import AlterSequence, CreateSequence, DropSequence
    from asyncmig.operations.views import CreateView, DropView, ReplaceView
    from asyncmig.schema.model import Schema

__all__ = ["ObjectVisitor"]

T = TypeVar("T")


class ObjectVisitor(ABC, Generic[T]):
    """Part of OperationVisitor."""

    @abstractmethod
    def rename_column(self, operation: RenameColumn, before: Schema) -> T: ...

    @abstractmethod
    def rename_index(self, operation: RenameIndex, before: Schema) -> T: ...

    @abstractmethod
    def rename_constraint(self, operation: RenameConstraint, before: Schema) -> T: ...

    @abstractmethod
    def validate_constraint(self, operation: ValidateConstraint, before: Schema) -> T: ...

    @abstractmethod
    def create_enum(self, operation: CreateEnum, before: Schema) -> T: ...

    @abstractmethod
    def drop_enum(self, operation: DropEnum, before: Schema) -> T: ...

    @abstractmethod
    def add_enum_value(self, operation: AddEnumValue, before: Schema) -> T: ...

    @abstractmethod
    def rename_enum_value(self, operation: RenameEnumValue, before: Schema) -> T: ...

    @abstractmethod
    def create_sequence(self, operation: CreateSequence, before: Schema) -> T: ...

    @abstractmethod
    def alter_sequence(self, operation: AlterSequence, before: Schema) -> T: ...

    @abstractmethod
    def drop_sequence(self, operation: DropSequence, before: Schema) -> T: ...

    @abstractmethod
    def create_view(self, operation: CreateView, before: Schema) -> T: ...

    @abstractmethod
    def replace_view(self, operation: ReplaceView, before: Schema) -> T: ...

    @abstractmethod
    def drop_view(self, operation: DropView, before: Schema) -> T: ...

    @abstractmethod
    def create_function(self, operation: CreateFunction, before: Schema) -> T: ...

    @abstractmethod
    def drop_function(self, operation: DropFunction, before: Schema) -> T: ...

    @abstractmethod
    def create_trigger(self, operation: CreateTrigger, before: Schema) -> T: ...

    @abstractmethod
    def drop_trigger(self, operation: DropTrigger, before: Schema) -> T: ...

    @abstractmethod
    def create_policy(self, operation: CreatePolicy, before: Schema) -> T: ...

    @abstractmethod
    def drop_policy(self, operation: DropPolicy, before: Schema) -> T: ...

    @abstractmethod
    def set_row_security(self, operation: SetRowSecurity, before: Schema) -> T: ...

    @abstractmethod
    def create_schema(self, operation: CreateSchema, before: Schema) -> T: ...

    @abstractmethod
    def drop_schema(self, operation: DropSchema, before: Schema) -> T: ...

    @abstractmethod
    def create_extension(self, operation: CreateExtension, before: Schema) -> T: ...

    @abstractmethod
    def alter_extension(self, operation: AlterExtension, before: Schema) -> T: ...

    @abstractmethod
    def drop_extension(self, operation: DropExtension, before: Schema) -> T: ...

    @abstractmethod
    def backfill(self, operation: Backfill, before: Schema) -> T: ...
