"""Objects beside tables that models declare: kept in `MetaData.info`, read from there as values."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa

from asyncmig.errors import UsageError
from asyncmig.schema.model import Schema
from asyncmig.schema.objects import Extension, Function, ObjectValue, Policy, Trigger, View, view_options
from asyncmig.schema.spelling import spelled_query

if TYPE_CHECKING:
    from asyncmig.schema.ref import Ref

__all__ = ["Declared", "declared_in", "has_declared", "register", "with_declared"]

_KEY = "asyncmig_objects"

V = TypeVar("V", View, Function, Trigger, Policy, Extension)


class Declared(ABC):
    """What every declaration has; `dialect` names the only database that it is for, None means every one."""

    dialect: str | None = None

    @abstractmethod
    def value(self, dialect: str) -> ObjectValue:
        """The object in the SQL of `dialect`."""


def register(declared: Declared, metadata: sa.MetaData) -> bool:
    """Keep it in `metadata`; whether it is the first there. UsageError where its like was declared for the same database."""
    known: list[Declared] = metadata.info.setdefault(_KEY, [])
    for other in known:
        if _clash(declared, other):
            raise UsageError(f"{declared!r} is declared twice for the same database.")
    known.append(declared)
    return len(known) == 1


def _clash(one: Declared, other: Declared) -> bool:
    dialects = {one.dialect, other.dialect} - {None}
    return type(one) is type(other) and len(dialects) < 2 and one == other


def declared_in(metadata: sa.MetaData, dialect: str) -> Iterator[ObjectValue]:
    """Those for one database, in the order in which they were declared."""
    found: list[Declared] = metadata.info.get(_KEY, [])
    return (one.value(dialect) for one in found if one.dialect in (None, dialect))


def has_declared(metadata: sa.MetaData) -> bool:
    """Whether anything beside tables is declared, for whichever database."""
    return bool(metadata.info.get(_KEY))


def with_declared(schema: Schema, metadatas: Sequence[sa.MetaData], dialect: str) -> Schema:
    """The schema with the declared objects of all metadata, and with SQLAlchemy's own views."""
    found = [value for metadata in metadatas for value in declared_in(metadata, dialect)]
    found += [value for metadata in metadatas for value in _views(metadata, dialect)]
    if not found:
        return schema
    policies = _of(found, Policy)
    return replace(
        schema,
        views={**schema.views, **_of(found, View)},
        functions={**schema.functions, **_of(found, Function)},
        triggers={**schema.triggers, **_of(found, Trigger)},
        policies={**schema.policies, **policies},
        extensions={**schema.extensions, **_of(found, Extension)},
        secured=schema.secured | {policy.table for policy in policies.values()},
        forced=schema.forced | {policy.table for policy in policies.values() if policy.force},
    )


def _of(found: Sequence[ObjectValue], kind: type[V]) -> dict[Ref, V]:
    return {value.ref: value for value in found if isinstance(value, kind)}


def _views(metadata: sa.MetaData, dialect: str) -> Iterator[View]:
    """SQLAlchemy 2.1 keeps a CREATE VIEW among the tables."""
    for table in metadata.tables.values():
        created: Any = table._creator_ddl if getattr(table, "is_view", False) else None
        if created is not None and not created.temporary:
            definition = spelled_query(created.selectable, dialect)
            options = view_options(created.dialect_kwargs.get(f"{dialect}_with"))
            yield View(table.name, definition, table.schema, materialized=created.materialized, options=options)
