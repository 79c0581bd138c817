"""The models with the connection's default schema called None, as it is read."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from asyncmig.schema.enums import brought_types
from asyncmig.schema.model import Column, ForeignKey, Ref, Schema, Table
from asyncmig.schema.types import SqlType

__all__ = ["relocated"]


def relocated(schema: Schema, default: str | None) -> Schema:
    """The schema with None for the name of the connection's default schema, as it is read."""
    kinds = (schema.tables, schema.enums, schema.sequences, schema.views, schema.functions)
    attached = (schema.triggers, schema.policies)
    if default is None or not (
        default in schema.schemas
        or any(ref.schema == default for kind in (*kinds, *attached) for ref in kind)
        or any(one.schema == default for one in schema.extensions.values())
    ):
        return schema
    views = (replace(view, schema=_at(view.schema, default)) for view in schema.views.values())
    functions = (replace(one, schema=_at(one.schema, default)) for one in schema.functions.values())
    triggers = (replace(one, table=_moved_ref(one.table, default)) for one in schema.triggers.values())
    policies = (replace(one, table=_moved_ref(one.table, default)) for one in schema.policies.values())
    extensions = (replace(one, schema=_at(one.schema, default)) for one in schema.extensions.values())
    types = _Types(default)
    tables = (_moved(table, default, types) for table in schema.tables.values())
    enums = (replace(e, schema=_at(e.schema, default)) for e in schema.enums.values())
    sequences = (replace(s, schema=_at(s.schema, default)) for s in schema.sequences.values())
    return replace(
        schema,
        tables={table.ref: table for table in tables},
        enums={enum.ref: enum for enum in enums},
        sequences={sequence.ref: sequence for sequence in sequences},
        views={one.ref: one for one in views},
        functions={one.ref: one for one in functions},
        triggers={one.ref: one for one in triggers},
        policies={one.ref: one for one in policies},
        extensions={one.ref: one for one in extensions},
        schemas=schema.schemas - {default},
        secured=frozenset(_moved_ref(ref, default) for ref in schema.secured),
        forced=frozenset(_moved_ref(ref, default) for ref in schema.forced),
    )


def _moved(table: Table, default: str, types: _Types) -> Table:
    constraints = tuple(
        replace(c, target=_moved_ref(c.target, default))
        if isinstance(c, ForeignKey) and c.target.schema == default
        else c
        for c in table.constraints
    )
    columns = tuple(types.column(column) for column in table.columns)
    return replace(table, schema=_at(table.schema, default), columns=columns, constraints=constraints)


class _Types:
    """Types of columns without the default schema's name: what they are called must be what is read."""

    def __init__(self, default: str) -> None:
        self.default = default
        self._moved: dict[int, tuple[SqlType, SqlType]] = {}  # with the type itself, so that nothing else gets its id

    def column(self, column: Column) -> Column:
        type_ = column.type
        if id(type_) not in self._moved:
            named = any(found.schema == self.default for found in brought_types((column,)))
            engine = self._engine(type_.engine) if named else type_.engine
            self._moved[id(type_)] = (type_, replace(type_, engine=engine, _memo={}) if named else type_)
        moved = self._moved[id(type_)][1]
        return column if moved is type_ else replace(column, type=moved)

    def _engine(self, engine: Any) -> Any:
        """A copy, also of what the type is over; SQLAlchemy's own copy() has its way with each kind."""
        copied = copy(engine)
        for kept in ("dispatch", "_static_cache_key", "impl_instance"):
            copied.__dict__.pop(kept, None)
        for inner in ("impl", "item_type", "data_type"):
            if isinstance(copied.__dict__.get(inner), sa.types.TypeEngine):
                setattr(copied, inner, self._engine(getattr(engine, inner)))
        if engine._variant_mapping:
            variants = {name: self._engine(variant) for name, variant in engine._variant_mapping.items()}
            copied._variant_mapping = type(engine._variant_mapping)(variants)
        if getattr(engine, "schema", None) == self.default:
            copied.schema = None
        return copied


def _moved_ref(ref: Ref, default: str) -> Ref:
    return replace(ref, schema=_at(ref.schema, default))


def _at(schema: str | None, default: str) -> str | None:
    return None if schema == default else schema
