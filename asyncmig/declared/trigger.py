"""Declared triggers."""

from __future__ import annotations

import sqlalchemy as sa

from asyncmig.declared.attaching import Relation, attach, checked, metadata_of, relation_ref
from asyncmig.schema import objects
from asyncmig.schema.declared import Declared

__all__ = ["Trigger"]


class Trigger(Declared):
    """A trigger that belongs to the models.

        Trigger("touch", Account, "BEFORE UPDATE", "FOR EACH ROW EXECUTE FUNCTION touch()", dialect="postgresql")
        Trigger("touch", Account, "AFTER UPDATE", "BEGIN UPDATE ...; END", dialect="sqlite")

    `table` is a mapped class, a Table, or the name of a table or view, which needs `metadata`. `dialect` limits the
    declaration to one database: PostgreSQL and SQLite have no action in common.
    """

    def __init__(
        self,
        name: str,
        table: Relation,
        event: str,
        action: str,
        *,
        metadata: sa.MetaData | None = None,
        schema: str | None = None,
        constraint: bool = False,
        dialect: str | None = None,
    ) -> None:
        home = metadata_of("Trigger", table, metadata)
        self.name = checked("Trigger", "name", name)
        self.table = relation_ref(table, schema, home)
        self.event = checked("Trigger", "event", event)
        self.action = checked("Trigger", "action", action)
        self.constraint = constraint
        self.dialect = dialect
        attach(self, home)

    def value(self, dialect: str) -> objects.Trigger:
        return objects.Trigger(self.name, self.table, self.event, self.action, self.constraint)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Trigger) and (self.name, self.table) == (other.name, other.table)

    def __hash__(self) -> int:
        return hash((self.name, self.table))

    def __repr__(self) -> str:
        return f"Trigger({self.name!r}, {str(self.table)!r})"
