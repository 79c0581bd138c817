"""Views, triggers and renamed indexes on SQLite, and a clear no to what it does not have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from asyncmig.dialects.ddl import CompilingDialect
from asyncmig.dialects.statement import Statement
from asyncmig.errors import OperationError, UnsupportedOperation
from asyncmig.schema.model import Index, Ref, Schema, Table, View

if TYPE_CHECKING:
    from asyncmig.operations.base import Operation
    from asyncmig.operations.enums import AddEnumValue, CreateEnum, DropEnum, RenameEnumValue
    from asyncmig.operations.policies import CreatePolicy, DropPolicy, SetRowSecurity
    from asyncmig.operations.renaming import RenameIndex, ValidateConstraint
    from asyncmig.operations.routines import CreateFunction, CreateTrigger, DropFunction, DropTrigger
    from asyncmig.operations.schemas import AlterExtension, CreateExtension, CreateSchema, DropExtension, DropSchema
    from asyncmig.operations.sequences import AlterSequence, CreateSequence, DropSequence
    from asyncmig.operations.views import CreateView, DropView, ReplaceView

__all__ = ["SqliteObjects", "replaced_view"]


def replaced_view(operation: Operation) -> frozenset[Ref]:
    """The view whose triggers have to be known, where the operation is ReplaceView."""
    from asyncmig.operations.views import ReplaceView  # late: few scripts have views

    return frozenset({operation.view.ref}) if isinstance(operation, ReplaceView) else frozenset()


class SqliteObjects(CompilingDialect):
    """Part of SQLite."""

    def rename_index(self, operation: RenameIndex, before: Schema) -> Sequence[Statement]:
        """Dropped and created from its stored text: SQLite cannot rename one."""
        old = self.qualify(Ref(operation.old, operation.namespace, "index"))
        return (
            Statement(f"DROP INDEX {old}", operation=operation),
            Statement(self._created_again(operation, before), operation=operation),
        )

    def _created_again(self, operation: RenameIndex, before: Schema) -> str:
        stored = before.stored.get(operation.namespace or "main", ())
        text = next((sql for kind, name, _, sql in stored if kind == "index" and name == operation.old and sql), None)
        if text is not None:
            from asyncmig.dialects.sqlite_indexes import renamed_index_sql

            return renamed_index_sql(text, self.qualify(Ref(operation.new, operation.namespace, "index")))
        found = _index(operation, before)
        if found is None:
            raise OperationError(f"{operation.describe()}: there is no such index, or it belongs to a constraint.")
        table, index = found
        renamed = (replace(index, name=operation.new),)
        (statement,) = self.index_statements(self.skeleton(table.ref, indexes=renamed), operation)
        return statement.sql

    def validate_constraint(self, operation: ValidateConstraint, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "constraints that are NOT VALID: each holds for every row from the start")

    # views and triggers

    def create_view(self, operation: CreateView, before: Schema) -> Sequence[Statement]:
        exists = "IF NOT EXISTS " if operation.if_not_exists else ""
        return (Statement(self._create_view(operation.view, operation, exists), operation=operation),)

    def replace_view(self, operation: ReplaceView, before: Schema) -> Sequence[Statement]:
        """Its triggers go with the view that is dropped, and come back with the new one, as OR REPLACE keeps them elsewhere."""
        create = self._create_view(operation.view, operation)
        drop = f"DROP VIEW IF EXISTS {self.qualify(operation.view.ref)}"
        again = self._triggers_of(operation.view.ref, before)
        return tuple(Statement(sql, operation=operation) for sql in (drop, create, *again))

    def _triggers_of(self, view: Ref, before: Schema) -> Iterator[str]:
        """As statements: SQLite keeps their text without the name of an attached database."""
        from asyncmig.dialects.sqlite_rebuild import in_schema

        for kind, _, table, sql in before.stored.get(view.schema or "main", ()):
            if kind == "trigger" and table.lower() == view.name.lower():
                yield in_schema(str(sql), view.schema or "main", "TRIGGER")

    def drop_view(self, operation: DropView, before: Schema) -> Sequence[Statement]:
        if operation.materialized:
            self._has_no(operation, "materialized views")
        if operation.cascade:
            self._has_no(operation, "CASCADE: drop the views that use it first")
        exists = "IF EXISTS " if operation.if_exists else ""
        return (Statement(f"DROP VIEW {exists}{self.qualify(operation.ref)}", operation=operation),)

    def create_trigger(self, operation: CreateTrigger, before: Schema) -> Sequence[Statement]:
        trigger = operation.trigger
        if trigger.constraint:
            self._has_no(operation, "constraint triggers")
        # A trigger belongs to the schema of its table, which ON must not repeat ("CREATE TRIGGER").
        name = self.qualify(Ref(trigger.name, trigger.table.schema))
        create = f"CREATE TRIGGER {name} {trigger.event} ON {self.quote(trigger.table.name)}\n{trigger.action}"
        if not operation.replace:
            return (Statement(create, operation=operation),)
        return (
            Statement(f"DROP TRIGGER IF EXISTS {name}", operation=operation),
            Statement(create, operation=operation),
        )

    def drop_trigger(self, operation: DropTrigger, before: Schema) -> Sequence[Statement]:
        if operation.cascade:
            self._has_no(operation, "CASCADE, and nothing that depends on a trigger")
        exists = "IF EXISTS " if operation.if_exists else ""
        name = self.qualify(Ref(operation.name, operation.table.schema))
        return (Statement(f"DROP TRIGGER {exists}{name}", operation=operation),)

    def _create_view(self, view: View, operation: Operation, exists: str = "") -> str:
        if view.materialized:
            self._has_no(operation, "materialized views")
        columns = f" ({self.name_list(view.columns)})" if view.columns else ""
        return f"CREATE VIEW {exists}{self.qualify(view.ref)}{columns} AS\n{view.definition}"

    # what there is not

    def create_enum(self, operation: CreateEnum, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "enum types: use sa.Enum(..., native_enum=False) in the columns")

    def drop_enum(self, operation: DropEnum, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "enum types")

    def add_enum_value(self, operation: AddEnumValue, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "enum types: replace the column's CHECK, where it has one")

    def rename_enum_value(self, operation: RenameEnumValue, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "enum types: update the rows, and replace the column's CHECK where it has one")

    def create_sequence(self, operation: CreateSequence, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "sequences: use an INTEGER PRIMARY KEY")

    def alter_sequence(self, operation: AlterSequence, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "sequences")

    def drop_sequence(self, operation: DropSequence, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "sequences")

    def create_function(self, operation: CreateFunction, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "functions in the database: applications register their own")

    def drop_function(self, operation: DropFunction, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "functions in the database")

    def create_policy(self, operation: CreatePolicy, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "row level security")

    def drop_policy(self, operation: DropPolicy, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "row level security")

    def set_row_security(self, operation: SetRowSecurity, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "row level security")

    def create_schema(self, operation: CreateSchema, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "schemas: attached files take their place")

    def drop_schema(self, operation: DropSchema, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "schemas")

    def create_extension(self, operation: CreateExtension, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "extensions in the schema: a connection loads them")

    def alter_extension(self, operation: AlterExtension, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "extensions in the schema")

    def drop_extension(self, operation: DropExtension, before: Schema) -> Sequence[Statement]:
        self._has_no(operation, "extensions in the schema")

    def _has_no(self, operation: Operation, what: str) -> NoReturn:
        raise UnsupportedOperation(
            f"{operation.describe()}: SQLite has no {what}.",
            hint='Guard it with `if op.get_context().dialect.name == "postgresql":` in a script for both databases.',
        )


def _index(operation: RenameIndex, before: Schema) -> tuple[Table, Index] | None:
    for ref, table in before.tables.items():
        for index in table.indexes:
            if ref.schema == operation.namespace and index.name == operation.old:
                return table, index
    return None
