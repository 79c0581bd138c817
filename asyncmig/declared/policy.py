"""Declared row security policies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import sqlalchemy as sa

from asyncmig.declared.attaching import Relation, attach, checked, metadata_of, relation_ref
from asyncmig.errors import UsageError
from asyncmig.schema import objects
from asyncmig.schema.declared import Declared
from asyncmig.schema.spelling import spell_text

__all__ = ["Policy"]

Condition = str | sa.ColumnElement[bool]
_COMMANDS = ("ALL", "SELECT", "INSERT", "UPDATE", "DELETE")


class Policy(Declared):
    """A row security policy that belongs to the models, on PostgreSQL; on SQLite, which has none, it is left out.

        Policy("own_rows", Account, using="owner = current_user")

    `using` says which rows are seen, `check` which may be written: text, or an expression over the table's columns.
    Row level security is enabled on the tables that have policies. `force` holds the table's owner to all of them.
    """

    def __init__(
        self,
        name: str,
        table: Relation,
        *,
        metadata: sa.MetaData | None = None,
        schema: str | None = None,
        command: Literal["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"] = "ALL",
        roles: str | Sequence[str] = "PUBLIC",
        using: Condition | None = None,
        check: Condition | None = None,
        permissive: bool = True,
        force: bool = False,
    ) -> None:
        if command.upper() not in _COMMANDS:
            raise UsageError(f"Policy {name}: the command is one of {', '.join(_COMMANDS)}, not {command!r}.")
        home = metadata_of("Policy", table, metadata)
        self.name = checked("Policy", "name", name)
        self.table = relation_ref(table, schema, home)
        self.command = command.upper()
        self.roles = (roles,) if isinstance(roles, str) else tuple(roles)
        self.using = using
        self.check = check
        self.permissive = permissive
        self.force = force
        attach(self, home)

    def value(self, dialect: str) -> objects.Policy:
        using, check = (_said(one, dialect) for one in (self.using, self.check))
        return objects.Policy(
            self.name, self.table, self.command, self.roles, using, check, self.permissive, self.force
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Policy) and (self.name, self.table) == (other.name, other.table)

    def __hash__(self) -> int:
        return hash((self.name, self.table))

    def __repr__(self) -> str:
        return f"Policy({self.name!r}, {str(self.table)!r})"


def _said(condition: Condition | None, dialect: str) -> str | None:
    if condition is None or isinstance(condition, str):
        return None if condition is None else condition.strip()
    return spell_text(condition, dialect)
