"""Models as one database will hold them: without what SQLAlchemy leaves out there, with names as it shortens them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex
from sqlalchemy.sql.elements import quoted_name

from asyncmig.schema.metadata import to_sqlalchemy
from asyncmig.schema.model import Check, Column, Constraint, ForeignKey, Index, Ref, Schema, Sequence, Table
from asyncmig.schema.options import DDL_IF, option
from asyncmig.schema.spelling import spelling_dialect

__all__ = ["held"]

_SHORT = 55  # names up to here are never shortened, by either database's limit


def held(schema: Schema, dialect: str) -> Schema:
    """The schema that `create_all` of the models would leave; values that stay as they are, are the same objects."""
    holder = _Holder(dialect)
    schema = _without_given(schema) if holder.has_types else _with_views_alone(schema)
    kinds = (schema.tables, schema.enums, schema.sequences, schema.views, schema.functions)
    used = {ref.schema for kind in kinds for ref in kind} | {one.schema for one in schema.extensions.values()}
    return replace(
        schema,
        schemas=schema.schemas | {name for name in used if name is not None} if holder.has_types else frozenset(),
        tables={ref: holder.table(table) for ref, table in schema.tables.items() if not holder.is_temporary(table)},
        enums=schema.enums if holder.has_types else {},
        sequences=dict(holder.sequences(schema.sequences)),
    )


def _without_given(schema: Schema) -> Schema:
    """Every database of PostgreSQL has this one; it is neither created nor dropped."""
    extensions = {ref: one for ref, one in schema.extensions.items() if one.name != "plpgsql"}
    return schema if len(extensions) == len(schema.extensions) else replace(schema, extensions=extensions)


def _with_views_alone(schema: Schema) -> Schema:
    """As SQLite holds it: plain views and triggers, and nothing else beside tables."""
    if schema.functions or schema.policies or schema.extensions or schema.secured:
        schema = replace(schema, functions={}, policies={}, extensions={}, secured=frozenset(), forced=frozenset())
    if any(view.materialized for view in schema.views.values()):
        schema = replace(schema, views={ref: view for ref, view in schema.views.items() if not view.materialized})
    return schema


class _Holder:
    def __init__(self, dialect: str) -> None:
        self.dialect = spelling_dialect(dialect)
        self.has_types = dialect == "postgresql"
        compiler: Any = self.dialect.ddl_compiler
        self.compiler = compiler(self.dialect, None)

    def is_temporary(self, table: Table) -> bool:
        """A TEMPORARY table is gone when its connection is."""
        return any(prefix.upper() in ("TEMP", "TEMPORARY") for prefix in table.prefixes)

    def sequences(self, sequences: Mapping[Ref, Sequence]) -> Iterator[tuple[Ref, Sequence]]:
        if self.has_types:
            yield from ((ref, sequence) for ref, sequence in sequences.items() if not sequence.optional)

    def table(self, table: Table) -> Table:
        constraints = table.constraints
        if not self.has_types:
            # A key to another file is left out: SQLite has none.
            inside = tuple(c for c in constraints if type(c) is not ForeignKey or c.target.schema == table.schema)
            constraints = constraints if len(inside) == len(constraints) else inside
        if any(self._is_special(c) for c in constraints):
            constraints = tuple(self._named(c) for c in constraints if self._is_created(c, table))
        indexes = table.indexes
        if any(self._is_special(i) for i in indexes):
            indexes = tuple(self._index(i) for i in indexes if self._is_indexed(i, table))
        columns = table.columns
        if not self.has_types or any(column.system or type(column.name) is quoted_name for column in columns):
            columns = tuple([self._column(column) for column in columns if not column.system])
        if columns is table.columns and constraints is table.constraints and indexes is table.indexes:
            return table
        return replace(table, columns=columns, constraints=constraints, indexes=indexes)

    def _column(self, column: Column) -> Column:
        """SQLite has no sequences, so SQLAlchemy leaves IDENTITY out there."""
        if self.has_types:
            folds = type(column.name) is quoted_name and column.name.quote is False
            return replace(column, name=column.name.lower()) if folds else column
        if column.identity is None and column.sequence is None:
            return column
        return replace(column, identity=None, sequence=None)

    def _is_special(self, item: Constraint | Index) -> bool:
        if item.name is not None and len(item.name) > _SHORT:
            return True
        if type(item) is Check and item.rule is not None:
            return True
        return bool(item.options) and option(item.options, DDL_IF) is not None

    def _is_created(self, constraint: Constraint, table: Table) -> bool:
        if type(constraint) is Check and constraint.rule is not None and not constraint.rule(self.compiler):
            return False
        condition = option(constraint.options, DDL_IF)
        if condition is None:
            return True
        built = to_sqlalchemy(replace(table, constraints=(constraint,), indexes=()))
        made = next((c for c in built.constraints if getattr(c, "_ddl_if", None) is not None), None)
        return made is None or bool(
            condition._should_execute(sa.schema.AddConstraint(made), made, None, compiler=self.compiler)
        )

    def _is_indexed(self, index: Index, table: Table) -> bool:
        condition = option(index.options, DDL_IF)
        if condition is None:
            return True
        made = next(iter(to_sqlalchemy(replace(table, constraints=(), indexes=(index,))).indexes))
        return bool(condition._should_execute(CreateIndex(made), made, None, compiler=self.compiler))

    def _named(self, constraint: Constraint) -> Constraint:
        name = constraint.name
        if name is None or len(name) <= _SHORT:
            return constraint
        preparer: Any = self.dialect.identifier_preparer
        return replace(constraint, name=_bare(preparer.truncate_and_render_constraint_name(name), name))

    def _index(self, index: Index) -> Index:
        if index.name is None or len(index.name) <= _SHORT:
            return index
        preparer: Any = self.dialect.identifier_preparer
        return replace(index, name=_bare(preparer.truncate_and_render_index_name(index.name), index.name))


def _bare(rendered: str, name: str) -> str:
    """The rendered name without quotes; the name itself, which knows its kind, where nothing was shortened."""
    text = rendered[1:-1].replace('""', '"') if rendered[:1] == '"' else rendered
    return name if text == name else text
