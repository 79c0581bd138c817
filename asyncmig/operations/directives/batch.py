"""`op.batch_alter_table` and the `batch_op` that it gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import sqlalchemy as sa

from asyncmig.errors import OperationError
from asyncmig.operations.base import Operation
from asyncmig.operations.batch import BatchTable, Recreate
from asyncmig.operations.columns import AddColumn
from asyncmig.operations.constraints import AddConstraint
from asyncmig.operations.directives.alter_column import AlterColumnDirectives, ServerDefault, TypeGiven
from asyncmig.operations.directives.base import Directives, check_name
from asyncmig.operations.directives.batch_listeners import column_listeners, told_types
from asyncmig.operations.directives.build import build_table
from asyncmig.operations.directives.columns import ColumnDirectives
from asyncmig.operations.directives.constraints import ConstraintDirectives
from asyncmig.operations.directives.extensions import ExtensionDirectives, Impl
from asyncmig.operations.directives.indexes import IndexDirectives
from asyncmig.operations.directives.sql import SqlDirectives
from asyncmig.operations.indexes import CreateIndex
from asyncmig.operations.sink import origin_in
from asyncmig.schema.metadata import from_sqlalchemy
from asyncmig.schema.model import Check, PrimaryKey, Ref
from asyncmig.schema.options import freeze_options

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ColumnElement, TextClause

__all__ = ["BatchDirectives", "BatchOperations"]


class BatchDirectives(Directives):
    __slots__ = ()

    @contextmanager
    def batch_alter_table(
        self,
        table_name: str,
        schema: str | None = None,
        recreate: Recreate = "auto",
        partial_reordering: Sequence[Sequence[str]] = (),
        copy_from: sa.Table | None = None,
        table_args: Sequence[Any] = (),
        table_kwargs: Mapping[str, Any] | None = None,
        reflect_args: Sequence[Any] = (),
        reflect_kwargs: Mapping[str, Any] | None = None,
        naming_convention: Mapping[str, Any] | None = None,
    ) -> Iterator[BatchOperations]:
        """Collect changes to one table; when the block ends SQLite makes them in one go, PostgreSQL one by one.

        Of `reflect_args` the types of columns count, and of `reflect_kwargs` those that listeners give to columns: else
        the table's own stored text is edited. When the block ends with an error, nothing is done.
        """
        sink = self._step()
        name = check_name("batch_alter_table", "table name", table_name)
        if recreate not in get_args(Recreate):
            raise OperationError(f'batch_alter_table takes recreate="auto", "always" or "never", not {recreate!r}.')
        ref = Ref(name, schema)
        listeners = column_listeners(reflect_kwargs or {})
        origin = origin_in(sink.script, 3)
        batch = BatchOperations(ref)
        yield batch
        operation = BatchTable(
            ref,
            batch.collected,
            recreate=recreate,
            orders=tuple(tuple(names) for names in partial_reordering),
            source=None if copy_from is None else from_sqlalchemy(copy_from),
            extra=_extra(ref, table_args),
            options=freeze_options(table_kwargs or {}),
            convention=tuple((naming_convention or {}).items()),
        )
        known = [item for item in reflect_args if isinstance(item, sa.Column)]
        if listeners and copy_from is None and operation.makes_anew and not sink.sqlalchemy_dialect.supports_alter:
            known += told_types(listeners, sa.inspect(sink.bind(origin)), ref)
        if known:
            table = from_sqlalchemy(build_table("batch_alter_table", ref.name, known, sink.naming_convention, {}))
            checks = tuple(c for c in table.constraints if isinstance(c, Check) and c.type_bound)
            operation = replace(operation, columns=table.columns, checks=checks)
        sink.emit(operation, origin)


class _Collector(ColumnDirectives, AlterColumnDirectives, IndexDirectives, ConstraintDirectives):
    """The directives on a table, kept instead of handed to the step."""

    __slots__ = ("operations",)

    def __init__(self) -> None:
        self.operations: list[Operation] = []

    def _emit(self, operation: Operation) -> None:
        self.operations.append(operation)


class BatchOperations(ExtensionDirectives, SqlDirectives):
    """The directives of one table: the same names and parameters, without the table.

    `execute` and `get_bind` are not part of the batch: they work at once, before it is carried out.
    """

    __slots__ = ("_collector", "_ref")

    def __init__(self, ref: Ref) -> None:
        self._ref = ref
        self._collector = _Collector()

    @property
    def collected(self) -> tuple[Operation, ...]:
        return tuple(self._collector.operations)

    @property
    def impl(self) -> BatchImpl:
        """What batch directives of plug-ins ask for the table."""
        return BatchImpl(self._step(), self._ref)

    def invoke(self, operation: Any) -> Any:
        """Put an operation of ours into the batch; another one runs at once by its implementation."""
        if isinstance(operation, Operation):
            return self._collector._emit(operation)
        return super().invoke(operation)

    def add_column(
        self,
        column: sa.Column[Any],
        *,
        insert_before: str | None = None,
        insert_after: str | None = None,
        if_not_exists: bool | None = None,
        inline_references: bool | None = None,
        inline_primary_key: bool | None = None,
    ) -> None:
        """Add a column, on SQLite beside a neighbour where one is named; PostgreSQL puts it last."""
        self._collector.add_column(
            self._ref.name,
            column,
            schema=self._ref.schema,
            if_not_exists=if_not_exists,
            inline_references=inline_references,
            inline_primary_key=inline_primary_key,
        )
        added = self._collector.operations[-1]
        assert isinstance(added, AddColumn)
        self._collector.operations[-1] = replace(added, before=insert_before, after=insert_after)

    def alter_column(
        self,
        column_name: str,
        *,
        nullable: bool | None = None,
        comment: str | Literal[False] | None = False,
        server_default: ServerDefault = False,
        new_column_name: str | None = None,
        type_: TypeGiven = None,
        existing_type: TypeGiven = None,
        existing_server_default: ServerDefault = False,
        existing_nullable: bool | None = None,
        existing_comment: str | None = None,
        insert_before: str | None = None,
        insert_after: str | None = None,
        **kw: Any,
    ) -> None:
        """As op.alter_column; on SQLite the column can move beside another one."""
        self._collector.alter_column(
            self._ref.name,
            column_name,
            nullable=nullable,
            comment=comment,
            server_default=server_default,
            new_column_name=new_column_name,
            type_=type_,
            existing_type=existing_type,
            existing_server_default=existing_server_default,
            existing_nullable=existing_nullable,
            existing_comment=existing_comment,
            schema=self._ref.schema,
            insert_before=insert_before,
            insert_after=insert_after,
            **kw,
        )

    def drop_column(self, column_name: str, **kw: Any) -> None:
        self._collector.drop_column(self._ref.name, column_name, schema=self._ref.schema, **kw)

    def create_check_constraint(
        self, constraint_name: str | None, condition: str | ColumnElement[bool] | TextClause, **kw: Any
    ) -> None:
        self._collector.create_check_constraint(
            constraint_name, self._ref.name, condition, schema=self._ref.schema, **kw
        )

    def create_exclude_constraint(self, constraint_name: str, *elements: Any, **kw: Any) -> None:
        self._collector.create_exclude_constraint(
            constraint_name, self._ref.name, *elements, schema=self._ref.schema, **kw
        )

    def create_foreign_key(
        self,
        constraint_name: str | None,
        referent_table: str,
        local_cols: Sequence[str],
        remote_cols: Sequence[str],
        *,
        referent_schema: str | None = None,
        onupdate: str | None = None,
        ondelete: str | None = None,
        deferrable: bool | None = None,
        initially: str | None = None,
        match: str | None = None,
        **dialect_kw: Any,
    ) -> None:
        self._collector.create_foreign_key(
            constraint_name,
            self._ref.name,
            referent_table,
            local_cols,
            remote_cols,
            onupdate=onupdate,
            ondelete=ondelete,
            deferrable=deferrable,
            initially=initially,
            match=match,
            source_schema=self._ref.schema,
            referent_schema=referent_schema,
            **dialect_kw,
        )

    def create_index(
        self, index_name: str | None, columns: Sequence[str | TextClause | ColumnElement[Any]], **kw: Any
    ) -> None:
        self._collector.create_index(index_name, self._ref.name, columns, schema=self._ref.schema, **kw)

    def create_primary_key(self, constraint_name: str | None, columns: Sequence[str]) -> None:
        """Make columns the primary key; SQLite gives up the one that is there for it."""
        self._collector.create_primary_key(constraint_name, self._ref.name, columns, schema=self._ref.schema)

    def create_unique_constraint(self, constraint_name: str | None, columns: Sequence[str], **kw: Any) -> None:
        self._collector.create_unique_constraint(
            constraint_name, self._ref.name, columns, schema=self._ref.schema, **kw
        )

    def create_table_comment(self, comment: str | None, *, existing_comment: str | None = None) -> None:
        self._collector.create_table_comment(
            self._ref.name, comment, existing_comment=existing_comment, schema=self._ref.schema
        )

    def drop_table_comment(self, *, existing_comment: str | None = None) -> None:
        self._collector.drop_table_comment(self._ref.name, existing_comment=existing_comment, schema=self._ref.schema)

    def drop_constraint(self, constraint_name: str, type_: str | None = None) -> None:
        """Drop a constraint; on SQLite also one without a name, by the name that naming_convention would give it."""
        self._collector.drop_constraint(constraint_name, self._ref.name, type_, schema=self._ref.schema)

    def drop_index(self, index_name: str, **kw: Any) -> None:
        self._collector.drop_index(index_name, self._ref.name, schema=self._ref.schema, **kw)


class BatchImpl(Impl):
    """The table of a batch, for directives that plug-ins register on BatchOperations."""

    __slots__ = ("schema", "table_name")

    def __init__(self, sink: Any, ref: Ref) -> None:
        super().__init__(sink)
        self.table_name = ref.name
        self.schema = ref.schema


def _extra(ref: Ref, items: Sequence[Any]) -> tuple[Operation, ...]:
    """What table_args add: constraints and indexes, by the names that they have: a naming convention is for the models' own."""
    if not items:
        return ()
    names = {column for item in items for column in _columns_of(item)}
    columns = [sa.Column(name, sa.types.NullType()) for name in sorted(names)]
    keywords = {"schema": ref.schema} if ref.schema else {}
    table = from_sqlalchemy(build_table("batch_alter_table", ref.name, [*columns, *items], None, keywords))
    constraints = [c for c in table.constraints if not isinstance(c, PrimaryKey) or _has_key(items)]
    return (
        *(AddConstraint(ref, constraint) for constraint in constraints),
        *(CreateIndex(ref, index) for index in table.indexes),
    )


def _has_key(items: Sequence[Any]) -> bool:
    return any(isinstance(item, sa.PrimaryKeyConstraint) for item in items)


def _columns_of(item: Any) -> Iterator[str]:
    """The columns that a constraint or an index names by string, before it belongs to a table."""
    pending = getattr(item, "_pending_colargs", ()) or getattr(item, "column_keys", ()) or ()
    yield from (name for name in pending if isinstance(name, str))
