"""Objects beside tables, as values: views, functions, triggers, policies, extensions. Their SQL is kept as written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from asyncmig.schema.ref import Kind, Ref

__all__ = ["OBJECT_KINDS", "Extension", "Function", "ObjectValue", "Policy", "Trigger", "View", "view_options"]

OBJECT_KINDS: tuple[Kind, ...] = ("extension", "function", "view", "trigger", "policy")
"""The kinds of these objects, those first that others may need."""


@dataclass(frozen=True, slots=True)
class View:
    """`definition` is the query; `with_data` counts for materialized views only.

    `options` are what WITH (...) says, sorted. Where a database told them, `shape` are the columns with their types, and
    `attached` the statements that give back what goes with the view: its comment, the indexes of a materialized one.
    """

    name: str
    definition: str
    schema: str | None = None
    columns: tuple[str, ...] = ()
    materialized: bool = False
    with_data: bool = True
    options: tuple[tuple[str, str], ...] = ()
    shape: tuple[str, ...] | None = field(default=None, compare=False, repr=False)
    attached: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def ref(self) -> Ref:
        return Ref(self.name, self.schema, "view")


@dataclass(frozen=True, slots=True)
class Function:
    """`definition` is all that follows the arguments: RETURNS ... LANGUAGE ... AS ...; overloads differ in `arguments`."""

    name: str
    arguments: str
    definition: str
    schema: str | None = None

    @property
    def ref(self) -> Ref:
        return function_ref(self.name, self.arguments, self.schema)


@dataclass(frozen=True, slots=True)
class Trigger:
    """CREATE TRIGGER name <event> ON table <action>: "AFTER UPDATE OF email", "FOR EACH ROW EXECUTE FUNCTION note()"."""

    name: str
    table: Ref
    event: str
    action: str
    constraint: bool = field(default=False)  # CREATE CONSTRAINT TRIGGER

    @property
    def ref(self) -> Ref:
        return on_table_ref(self.name, self.table, "trigger")


@dataclass(frozen=True, slots=True)
class Policy:
    """A row security policy; `using` and `check` are SQL expressions.

    `force` is what a declared one says of its table: the owner is held to the policies too.
    """

    name: str
    table: Ref
    command: str = "ALL"
    roles: tuple[str, ...] = ("PUBLIC",)
    using: str | None = None
    check: str | None = None
    permissive: bool = True
    force: bool = field(default=False, compare=False, repr=False)

    @property
    def ref(self) -> Ref:
        return on_table_ref(self.name, self.table, "policy")


@dataclass(frozen=True, slots=True)
class Extension:
    """`schema` is where its objects go; an extension itself belongs to none."""

    name: str
    schema: str | None = None
    version: str | None = None

    @property
    def ref(self) -> Ref:
        return Ref(self.name, None, "extension")


ObjectValue = View | Function | Trigger | Policy | Extension


def function_ref(name: str, arguments: str, schema: str | None) -> Ref:
    """Overloads of a function have addresses of their own, by their arguments as written."""
    return Ref(f"{name}({' '.join(arguments.split())})", schema, "function")


def on_table_ref(name: str, table: Ref, kind: str) -> Ref:
    """Triggers and policies are named within their table."""
    return Ref(f"{table.name}.{name}", table.schema, "policy" if kind == "policy" else "trigger")


def view_options(options: Mapping[str, object] | None) -> tuple[tuple[str, str], ...]:
    """The options of WITH (...) as PostgreSQL keeps them: True is "true"."""
    pairs = sorted((options or {}).items())
    return tuple((name, str(value).lower() if isinstance(value, bool) else str(value)) for name, value in pairs)
