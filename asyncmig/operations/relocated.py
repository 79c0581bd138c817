"""An operation as it is in another schema: what schema_translate_map is to SQLAlchemy's own statements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import cache
from typing import TypeVar

from asyncmig.schema.types import SqlText, SqlType

__all__ = ["relocated"]

T = TypeVar("T")


def relocated(value: T, schemas: Mapping[str, str]) -> T:
    """The value with each schema that it names by a key of `schemas` called as there; itself where it names none.

    Types and expressions are left alone: they hold SQLAlchemy's objects, not names of ours.
    """
    moved: T
    if isinstance(value, tuple):
        parts = [relocated(part, schemas) for part in value]
        moved = value if all(new is old for new, old in zip(parts, value, strict=True)) else type(value)(parts)
        return moved
    if not is_dataclass(value) or isinstance(value, type | SqlType | SqlText):
        return value
    changes = {}
    for name in _names(type(value)):
        old = getattr(value, name)
        new = schemas.get(old, old) if name == "schema" and isinstance(old, str) else relocated(old, schemas)
        if new is not old:
            changes[name] = new
    moved = replace(value, **changes) if changes else value
    return moved


@cache
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.init)
