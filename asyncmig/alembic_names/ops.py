"""`alembic.operations.ops`: the operation classes that plug-ins subclass, look through and invoke."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

__all__ = [
    "AddColumnOp",
    "AddConstraintOp",
    "AlterColumnOp",
    "AlterTableOp",
    "BulkInsertOp",
    "CreateCheckConstraintOp",
    "CreateForeignKeyOp",
    "CreateIndexOp",
    "CreatePrimaryKeyOp",
    "CreateTableCommentOp",
    "CreateTableOp",
    "CreateUniqueConstraintOp",
    "DowngradeOps",
    "DropColumnOp",
    "DropConstraintOp",
    "DropIndexOp",
    "DropTableCommentOp",
    "DropTableOp",
    "ExecuteSQLOp",
    "MigrateOperation",
    "MigrationScript",
    "ModifyTableOps",
    "OpContainer",
    "RenameTableOp",
    "UpgradeOps",
]


class MigrateOperation:
    """Base class of what `op.invoke` takes and autogenerate directives hold."""

    @property
    def info(self) -> dict[Any, Any]:
        """A place for notes of plug-ins."""
        found: dict[Any, Any] = self.__dict__.setdefault("_info", {})
        return found

    def reverse(self) -> MigrateOperation:
        raise NotImplementedError(f"{type(self).__name__} cannot be reversed")

    def to_diff_tuple(self) -> tuple[Any, ...]:
        raise NotImplementedError(f"{type(self).__name__} has no diff tuple")


class StandardOp(MigrateOperation):
    """An operation of Alembic's own: its parameters as attributes, and the directive that does the same here."""

    directive: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]]
    variadic: ClassVar[str | None] = None

    def __init__(self, *arguments: Any, **keywords: Any) -> None:
        for name, value in zip(self.parameters, arguments, strict=False):
            setattr(self, name, value)
        if len(arguments) > len(self.parameters):
            raise TypeError(f"{type(self).__name__} takes {', '.join(self.parameters)} and keywords")
        for name in self.parameters[len(arguments) :]:
            setattr(self, name, keywords.pop(name, None))
        self.schema = keywords.get("schema")
        self.kw: Mapping[str, Any] = keywords
        for name, value in keywords.items():
            setattr(self, name, value)

    def run(self, operations: Any) -> Any:
        """Call the directive on `operations`."""
        names = [name for name in self.parameters if name != self.variadic]
        values = [getattr(self, name) for name in names]
        values += getattr(self, self.variadic) or () if self.variadic else ()
        return getattr(operations, self.directive)(*values, **self.kw)


class AlterTableOp(StandardOp):
    directive = "batch_alter_table"
    parameters = ("table_name",)


class AddColumnOp(StandardOp):
    directive = "add_column"
    parameters = ("table_name", "column")


class AlterColumnOp(StandardOp):
    directive = "alter_column"
    parameters = ("table_name", "column_name")

    def run(self, operations: Any) -> Any:
        """With `modify_type` and its like as the directive calls them."""
        spelled = {"modify_name": "new_column_name", "modify_type": "type_"}
        keywords = {spelled.get(name, name.removeprefix("modify_")): value for name, value in self.kw.items()}
        return operations.alter_column(self.table_name, self.column_name, **keywords)  # type: ignore[attr-defined]


class BulkInsertOp(StandardOp):
    directive = "bulk_insert"
    parameters = ("table", "rows")


class AddConstraintOp(StandardOp):
    """Base class of the operations that add a constraint."""


class CreateCheckConstraintOp(AddConstraintOp):
    directive = "create_check_constraint"
    parameters = ("constraint_name", "table_name", "condition")


class CreateForeignKeyOp(AddConstraintOp):
    directive = "create_foreign_key"
    parameters = ("constraint_name", "source_table", "referent_table", "local_cols", "remote_cols")


class CreatePrimaryKeyOp(AddConstraintOp):
    directive = "create_primary_key"
    parameters = ("constraint_name", "table_name", "columns")


class CreateUniqueConstraintOp(AddConstraintOp):
    directive = "create_unique_constraint"
    parameters = ("constraint_name", "table_name", "columns")


class CreateIndexOp(StandardOp):
    directive = "create_index"
    parameters = ("index_name", "table_name", "columns")


class CreateTableOp(StandardOp):
    directive = "create_table"
    parameters = ("table_name", "columns")
    variadic = "columns"


class CreateTableCommentOp(StandardOp):
    directive = "create_table_comment"
    parameters = ("table_name", "comment")


class DropColumnOp(StandardOp):
    directive = "drop_column"
    parameters = ("table_name", "column_name")


class DropConstraintOp(StandardOp):
    directive = "drop_constraint"
    parameters = ("constraint_name", "table_name", "type_")


class DropIndexOp(StandardOp):
    directive = "drop_index"
    parameters = ("index_name", "table_name")


class DropTableOp(StandardOp):
    directive = "drop_table"
    parameters = ("table_name",)


class DropTableCommentOp(StandardOp):
    directive = "drop_table_comment"
    parameters = ("table_name",)


class ExecuteSQLOp(StandardOp):
    directive = "execute"
    parameters = ("sqltext",)


class RenameTableOp(StandardOp):
    directive = "rename_table"
    parameters = ("table_name", "new_table_name")


class OpContainer(MigrateOperation):
    """A list of operations."""

    def __init__(self, ops: Any = ()) -> None:
        self.ops: list[MigrateOperation] = list(ops)

    def is_empty(self) -> bool:
        return not any(not isinstance(op, OpContainer) or not op.is_empty() for op in self.ops)

    def as_diffs(self) -> list[Any]:
        return [op.to_diff_tuple() for op in _flat(self)]


class ModifyTableOps(OpContainer):
    """The operations of one table."""

    def __init__(self, table_name: str, ops: Any = (), *, schema: str | None = None) -> None:
        super().__init__(ops)
        self.table_name = table_name
        self.schema = schema


class UpgradeOps(OpContainer):
    def __init__(self, ops: Any = (), upgrade_token: str = "upgrades") -> None:
        super().__init__(ops)
        self.upgrade_token = upgrade_token


class DowngradeOps(OpContainer):
    def __init__(self, ops: Any = (), downgrade_token: str = "downgrades") -> None:
        super().__init__(ops)
        self.downgrade_token = downgrade_token


class MigrationScript(MigrateOperation):
    """A new revision as autogenerate hooks see it; the attributes are the keywords it was made with."""

    def __init__(
        self,
        rev_id: str | None,
        upgrade_ops: UpgradeOps,
        downgrade_ops: DowngradeOps,
        *,
        message: str | None = None,
        imports: Any = (),
        **keywords: Any,
    ) -> None:
        self.rev_id = rev_id
        self.message = message
        self.imports: set[str] = set(imports)
        self.upgrade_ops = upgrade_ops
        self.downgrade_ops = downgrade_ops
        for name, value in keywords.items():
            setattr(self, name, value)

    @property
    def upgrade_ops_list(self) -> list[UpgradeOps]:
        return [self.upgrade_ops]

    @property
    def downgrade_ops_list(self) -> list[DowngradeOps]:
        return [self.downgrade_ops]


def _flat(container: OpContainer) -> Iterator[MigrateOperation]:
    for op in container.ops:
        if isinstance(op, OpContainer):
            yield from _flat(op)
        else:
            yield op
