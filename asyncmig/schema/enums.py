"""The enum types that columns bring along where the database has such types."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import sqlalchemy as sa

from asyncmig.schema.model import Column, EnumType, Ref, Schema
from asyncmig.schema.spelling import spelling_dialect

__all__ = ["brought_types", "created_types", "is_used", "leftover_enums", "named_types"]


def named_types(engine: sa.types.TypeEngine[Any], dialect: sa.engine.Dialect) -> Iterator[Any]:
    """The types with a CREATE TYPE or CREATE DOMAIN of their own inside `engine`, those needed first.

    They are SQLAlchemy's NamedType objects for PostgreSQL (ENUM, DOMAIN), seen through TypeDecorators,
    variants and arrays.
    """
    if _is_plain(engine):
        return
    from sqlalchemy.dialects.postgresql.named_types import DOMAIN, NamedType

    # SQLAlchemy 2.0 cannot copy a DOMAIN with a default, and loses its collation.
    impl: Any = engine if isinstance(engine, DOMAIN) else engine.dialect_impl(dialect)
    while isinstance(impl, sa.types.TypeDecorator):
        impl = impl.impl_instance
    if isinstance(impl, sa.ARRAY):
        yield from named_types(impl.item_type, dialect)
    elif isinstance(impl, NamedType):
        if isinstance(impl, DOMAIN):
            yield from named_types(impl.data_type, dialect)
        yield impl


def brought_types(columns: Iterable[Column]) -> tuple[EnumType, ...]:
    """The types that are created with the columns, each once, in order; a DOMAIN is one without values."""
    found: dict[Any, EnumType] = {}
    for column in columns:
        if _is_plain(column.type.engine):
            continue
        for named in named_types(column.type.engine, spelling_dialect("postgresql")):
            value = _value(named, brought=False)
            found.setdefault(value.ref, value)
    return tuple(found.values())


def created_types(columns: Iterable[Column]) -> tuple[EnumType, ...]:
    """Those of `brought_types` that really are created with the columns: not with create_type=False or a metadata=."""
    found: dict[Ref, EnumType] = {}
    for column in columns:
        if column.type.apart or _is_plain(column.type.engine):
            continue
        for named in named_types(column.type.engine, spelling_dialect("postgresql")):
            if named.create_type:
                value = _value(named, brought=True)
                found.setdefault(value.ref, value)
    return tuple(found.values())


def is_used(enum: EnumType, schema: Schema) -> bool:
    """Whether something uses the type: as the database said, else by the columns that `schema` knows."""
    return enum.in_use if enum.in_use is not None else enum.ref in _used_refs(schema)


def leftover_enums(before: Schema, after: Schema) -> tuple[EnumType, ...]:
    """The types that came with columns of `before` and that no column of `after` uses any more.

    A column with create_type=False leaves its type to somebody else, on the way out too. Domains come first, the last
    one made before the others: each may be over another of them, or over an enum.
    """
    known = [enum for ref, enum in after.enums.items() if enum.brought and ref in before.enums]
    candidates = [*(e for e in reversed(known) if e.domain), *(e for e in known if e.values)]
    if not candidates:
        return ()
    brought = {enum.ref for table in before.tables.values() for enum in created_types(table.columns)}
    still = _used_refs(after)
    return tuple(enum for enum in candidates if enum.ref in brought and enum.ref not in still)


def _value(named: Any, *, brought: bool) -> EnumType:
    domain = named.__visit_name__ == "DOMAIN"
    return EnumType(str(named.name), tuple(getattr(named, "enums", ())), named.schema, brought=brought, domain=domain)


def _used_refs(schema: Schema) -> frozenset[Ref]:
    return frozenset(enum.ref for table in schema.tables.values() for enum in brought_types(table.columns))


def _is_plain(engine: sa.types.TypeEngine[Any]) -> bool:
    """Most types: known to hold no named type without asking a dialect."""
    special = isinstance(engine, sa.Enum | sa.types.TypeDecorator | sa.ARRAY) or engine.__visit_name__ == "DOMAIN"
    return not special and not engine._variant_mapping
