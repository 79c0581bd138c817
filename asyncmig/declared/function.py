"""Declared functions."""

from __future__ import annotations

import sqlalchemy as sa

from asyncmig.declared.attaching import attach, checked
from asyncmig.schema import objects
from asyncmig.schema.declared import Declared

__all__ = ["Function"]


class Function(Declared):
    """A function that belongs to the models, on PostgreSQL; on SQLite, where applications register theirs, it is left out.

        Function("touch", "", "RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ... END $$", metadata=Base.metadata)

    `arguments` is what stands in the parentheses, `definition` all that follows them. Overloads differ in `arguments`.
    """

    def __init__(
        self, name: str, arguments: str, definition: str, *, metadata: sa.MetaData, schema: str | None = None
    ) -> None:
        self.name = checked("Function", "name", name)
        self.arguments = arguments.strip()
        self.definition = checked("Function", "definition", definition)
        self.schema = schema or metadata.schema
        attach(self, metadata)

    def value(self, dialect: str) -> objects.Function:
        return objects.Function(self.name, self.arguments, self.definition, self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Function) and self.value("").ref == other.value("").ref

    def __hash__(self) -> int:
        return hash(self.value("").ref)

    def __repr__(self) -> str:
        return f"Function({self.name!r}, {self.arguments!r})"
