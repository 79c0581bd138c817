"""One abstract method an operation: a dialect that forgets one is a type error, not a surprise."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Generic, TypeVar

from asyncmig.operations.visitor_objects import ObjectVisitor

if TYPE_CHECKING:
    from asyncmig.operations.alter_column import AlterColumn
    from asyncmig.operations.batch import BatchTable
    from asyncmig.operations.columns import AddColumn, DropColumn
    from asyncmig.operations.comments import SetTableComment
    from asyncmig.operations.constraints import AddConstraint, DropConstraint
    from asyncmig.operations.indexes import CreateIndex, DropIndex
    from asyncmig.operations.rows import BulkInsert
    from asyncmig.operations.sql import Execute
    from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
    from asyncmig.schema.model import Schema

__all__ = ["OperationVisitor"]

T = TypeVar("T")


class OperationVisitor(ObjectVisitor[T], Generic[T]):
    """`before` is the schema as far as it is known where the operation starts."""

    @abstractmethod
    def create_table(self, operation: CreateTable, before: Schema) -> T: ...

    @abstractmethod
    def drop_table(self, operation: DropTable, before: Schema) -> T: ...

    @abstractmethod
    def rename_table(self, operation: RenameTable, before: Schema) -> T: ...

    @abstractmethod
    def add_column(self, operation: AddColumn, before: Schema) -> T: ...

    @abstractmethod
    def drop_column(self, operation: DropColumn, before: Schema) -> T: ...

    @abstractmethod
    def alter_column(self, operation: AlterColumn, before: Schema) -> T: ...

    @abstractmethod
    def add_constraint(self, operation: AddConstraint, before: Schema) -> T: ...

    @abstractmethod
    def drop_constraint(self, operation: DropConstraint, before: Schema) -> T: ...

    @abstractmethod
    def set_table_comment(self, operation: SetTableComment, before: Schema) -> T: ...

    @abstractmethod
    def batch_table(self, operation: BatchTable, before: Schema) -> T: ...

    @abstractmethod
    def create_index(self, operation: CreateIndex, before: Schema) -> T: ...

    @abstractmethod
    def drop_index(self, operation: DropIndex, before: Schema) -> T: ...

    @abstractmethod
    def execute(self, operation: Execute, before: Schema) -> T: ...

    @abstractmethod
    def bulk_insert(self, operation: BulkInsert, before: Schema) -> T: ...
