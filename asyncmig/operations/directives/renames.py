"""`op` for other names: columns, indexes, constraints; and for validating a constraint."""

from __future__ import annotations

from asyncmig.operations.directives.base import Directives, check_name
from asyncmig.operations.renaming import RenameColumn, RenameConstraint, RenameIndex, ValidateConstraint
from asyncmig.schema.model import Ref

__all__ = ["RenameDirectives"]


class RenameDirectives(Directives):
    __slots__ = ()

    def rename_column(self, table_name: str, old_name: str, new_name: str, *, schema: str | None = None) -> None:
        """Rename a column; constraints, indexes and foreign keys follow it."""
        table = check_name("rename_column", "table name", table_name)
        old = check_name("rename_column", "old column name", old_name)
        new = check_name("rename_column", "new column name", new_name)
        self._emit(RenameColumn(Ref(table, schema), old, new))

    def rename_index(
        self, old_name: str, new_name: str, *, table_name: str | None = None, schema: str | None = None
    ) -> None:
        """Rename an index; the table's name is not needed but helps plan and lint. SQLite builds the index again."""
        old = check_name("rename_index", "old index name", old_name)
        new = check_name("rename_index", "new index name", new_name)
        table = None if table_name is None else Ref(check_name("rename_index", "table name", table_name), schema)
        self._emit(RenameIndex(old, new, table, schema))

    def rename_constraint(self, table_name: str, old_name: str, new_name: str, *, schema: str | None = None) -> None:
        """Rename a constraint of a table."""
        table = check_name("rename_constraint", "table name", table_name)
        old = check_name("rename_constraint", "old constraint name", old_name)
        new = check_name("rename_constraint", "new constraint name", new_name)
        self._emit(RenameConstraint(Ref(table, schema), old, new))

    def validate_constraint(self, table_name: str, constraint_name: str, *, schema: str | None = None) -> None:
        """Check the rows that a constraint added NOT VALID let pass, without blocking readers and writers.

        In a revision of its own: in the one that adds the constraint it would hold that one's locks meanwhile.
        """
        table = check_name("validate_constraint", "table name", table_name)
        name = check_name("validate_constraint", "constraint name", constraint_name)
        self._emit(ValidateConstraint(Ref(table, schema), name))
