"""Values as the SQLAlchemy objects that a project's own functions are called with, under Alembic's signatures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from asyncmig.autogenerate.as_held import CompareHooks, TypeHook
from asyncmig.autogenerate.filters import Filters, Part
from asyncmig.schema.metadata import to_sqlalchemy
from asyncmig.schema.model import (
    Check,
    Column,
    Constraint,
    Exclude,
    ForeignKey,
    Index,
    PrimaryKey,
    Ref,
    Schema,
    Table,
    Unique,
)
from asyncmig.schema.objects import ObjectValue
from asyncmig.schema.types import SqlText

__all__ = ["IncludeObject", "Objects", "compare_hooks", "constraint_of", "object_filters"]

IncludeObject = Callable[[Any, str | None, str, bool, Any], bool]
"""include_object(object, name, type_, reflected, compare_to)."""

_KINDS: dict[type, str] = {
    Table: "table",
    Column: "column",
    Index: "index",
    Unique: "unique_constraint",
    ForeignKey: "foreign_key_constraint",
    PrimaryKey: "primary_key_constraint",
    Check: "check_constraint",
    Exclude: "exclude_constraint",
}


@dataclass(slots=True)
class Objects:
    """The tables of both sides as sa.Table: the models' own, and one made of what was read."""

    metadatas: Sequence[sa.MetaData]
    _made: dict[Ref, sa.Table] = field(default_factory=dict)
    _found: sa.MetaData = field(default_factory=sa.MetaData)

    def table(self, table: Table, *, reflected: bool) -> sa.Table:
        if not reflected:
            own = self._of_models(table.ref)
            if own is not None:
                return own
        made = self._made.get(table.ref)
        if made is None:
            made = self._made[table.ref] = to_sqlalchemy(table)
        return made

    def part(self, table: Table, part: Part, *, reflected: bool) -> Any:
        whole = self.table(table, reflected=reflected)
        match part:
            case Table():
                return whole
            case Column():
                return whole.columns.get(part.name) if reflected else _by_name(whole.columns, part.name)
            case Index():
                return _by_name(whole.indexes, part.name)
            case _:
                return constraint_of(whole, part)

    def _of_models(self, ref: Ref) -> sa.Table | None:
        for metadata in self.metadatas:
            for table in (metadata.tables.get(str(ref)), metadata.tables.get(ref.name)):
                if table is not None:
                    return table
        return None


def _by_name(items: Any, name: str | None) -> Any:
    return next((item for item in items if item.name == name), None)


def constraint_of(table: sa.Table, part: Constraint) -> Any:
    """The constraint of `table` that `part` is the value of: by name, else by its columns; None where there is none."""
    names = getattr(part, "columns", None)
    same_kind = [
        c for c in table.constraints if _PARTS.get(type(part), sa.Constraint) is type(c) or type(part) is Exclude
    ]
    named = next((c for c in same_kind if part.name is not None and c.name == part.name), None)
    if named is not None or names is None:
        return named
    return next((c for c in same_kind if tuple(column.name for column in getattr(c, "columns", ())) == names), None)


_PARTS: dict[type, type[sa.Constraint]] = {
    PrimaryKey: sa.PrimaryKeyConstraint,
    Unique: sa.UniqueConstraint,
    ForeignKey: sa.ForeignKeyConstraint,
    Check: sa.CheckConstraint,
}


def object_filters(include_object: IncludeObject | None, objects: Objects) -> Filters:
    """The filters of a comparison; asked only about what differs."""
    if include_object is None:
        return Filters()
    call = include_object

    def include(table: Table, part: Part, other: Part | None, reflected: bool) -> bool:
        found = objects.part(table, part, reflected=reflected)
        compared = (
            None if other is None else objects.part(other if isinstance(other, Table) else table, other, reflected=True)
        )
        return bool(call(found, part.name, _KINDS[type(part)], reflected, compared))

    def include_value(value: ObjectValue, other: ObjectValue | None, reflected: bool) -> bool:
        return bool(call(value, value.name, value.ref.kind, reflected, other))

    return Filters(include, include_value)


def compare_hooks(
    compare_type: Any, compare_server_default: Any, objects: Objects, schemas: tuple[Schema, Schema], context: Any
) -> CompareHooks:
    """What env.py says of types and defaults; its functions get Alembic's arguments."""

    def columns(ref: Ref, current: Column, wanted: Column) -> tuple[Any, Any]:
        old, new = schemas[0].tables[ref], schemas[1].tables[ref]
        return objects.part(old, current, reflected=True), objects.part(new, wanted, reflected=False)

    def types(ref: Ref, current: Column, wanted: Column) -> bool | None:
        old, new = columns(ref, current, wanted)
        return _told(compare_type(context, old, new, old.type, new.type))

    def defaults(ref: Ref, current: Column, wanted: Column) -> bool | None:
        old, new = columns(ref, current, wanted)
        name = context.dialect.name
        texts = [_default_text(c.default, name) for c in (current, wanted)]
        return _told(compare_server_default(context, old, new, texts[0], new.server_default, texts[1]))

    return CompareHooks(
        bool(compare_type),
        bool(compare_server_default),
        _hook(compare_type, types),
        _hook(compare_server_default, defaults),
    )


def _hook(given: Any, adapted: TypeHook) -> TypeHook | None:
    return adapted if callable(given) else None


def _told(answer: Any) -> bool | None:
    return None if answer is None else bool(answer)


def _default_text(default: SqlText | None, dialect: str) -> str | None:
    """As Alembic gives it: a string of the models without quotes, everything else as SQL."""
    if default is None:
        return None
    return default.spelling(dialect) if default.literal is None else default.literal
