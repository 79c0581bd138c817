"""PostgreSQL: constraints and the comment of a table that is there, and several changes in one operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.schema import DropTableComment, SetConstraintComment, SetTableComment

from asyncmig.dialects.ddl import CompilingDialect, added_constraint
from asyncmig.dialects.statement import Statement
from asyncmig.operations.batch import BatchTable
from asyncmig.operations.comments import SetTableComment as SetTableCommentOperation
from asyncmig.operations.constraints import AddConstraint, DropConstraint
from asyncmig.schema.model import Schema

if TYPE_CHECKING:
    from asyncmig.operations.base import Operation

__all__ = ["PostgresqlConstraints"]


class PostgresqlConstraints(CompilingDialect):
    def add_constraint(self, operation: AddConstraint, before: Schema) -> Sequence[Statement]:
        table = self.skeleton(operation.ref, constraints=(operation.constraint,))
        compiler = self.ddl_compiler()
        found = [c for c in table.constraints if not _is_empty_key(c) and c._should_create_for_compiler(compiler)]
        elements: list[Any] = [added_constraint(constraint) for constraint in found]
        elements += [SetConstraintComment(constraint) for constraint in found if constraint.comment is not None]
        return tuple(Statement(self.compiled(element), operation=operation) for element in elements)

    def drop_constraint(self, operation: DropConstraint, before: Schema) -> Sequence[Statement]:
        exists = "IF EXISTS " if operation.if_exists else ""
        name = self.sqlalchemy.identifier_preparer.truncate_and_render_constraint_name(operation.name)
        sql = f"ALTER TABLE {self.qualify(operation.ref)} DROP CONSTRAINT {exists}{name}"
        return (Statement(sql, operation=operation),)

    def set_table_comment(self, operation: SetTableCommentOperation, before: Schema) -> Sequence[Statement]:
        table = self.skeleton(operation.ref)
        table.comment = operation.comment
        element = DropTableComment(table) if operation.comment is None else SetTableComment(table)
        return (Statement(self.compiled(element), operation=operation),)

    def meant(self, operation: Operation) -> Operation:
        """No table is made again here, so there is nothing to say of one, and its columns stay where they are."""
        if not isinstance(operation, BatchTable):
            return operation
        return replace(operation, orders=(), source=None, columns=(), checks=(), options=(), convention=())

    def batch_table(self, operation: BatchTable, before: Schema) -> Sequence[Statement]:
        """PostgreSQL needs no new table for any of them, and gives columns no other place."""
        found: list[Statement] = []
        for part in (*operation.operations, *(operation.extra if operation.recreate == "always" else ())):
            found.extend(self.statements(part, before))
            before = part.apply(before)
        return tuple(found)


def _is_empty_key(constraint: sa.Constraint) -> bool:
    return isinstance(constraint, sa.PrimaryKeyConstraint) and not len(constraint)
