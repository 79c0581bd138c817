"""Declared extensions."""

from __future__ import annotations

import sqlalchemy as sa

from asyncmig.declared.attaching import attach, checked
from asyncmig.schema import objects
from asyncmig.schema.declared import Declared

__all__ = ["Extension"]


class Extension(Declared):
    """An extension that the models need, on PostgreSQL; on SQLite, where connections load theirs, it is left out.

        Extension("pg_trgm", metadata=Base.metadata)

    Without `version` and `schema` any will do.
    """

    def __init__(
        self, name: str, *, metadata: sa.MetaData, schema: str | None = None, version: str | None = None
    ) -> None:
        self.name = checked("Extension", "name", name)
        self.schema = schema
        self.version = version
        attach(self, metadata)

    def value(self, dialect: str) -> objects.Extension:
        return objects.Extension(self.name, self.schema, self.version)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Extension) and self.name == other.name

    def __hash__(self) -> int:
        return hash(self.name)

    def __repr__(self) -> str:
        return f"Extension({self.name!r})"
