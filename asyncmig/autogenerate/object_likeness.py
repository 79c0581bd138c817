"""What counts as the same of views, functions, triggers, policies and extensions, and what can be replaced in place."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from asyncmig.autogenerate.canonical import Inquiry
from asyncmig.autogenerate.select_list import output_names
from asyncmig.dialects.asking import (
    CONSTRAINT,
    REFUSED,
    Question,
    arguments_and_definition,
    definition_and_shape,
)
from asyncmig.dialects.normal import Normal
from asyncmig.schema.model import Column, Extension, Function, Policy, Table, Trigger, View

__all__ = ["ExactObjects", "ObjectLikeness", "ObjectsAsHeld", "TurnedObjects"]


class ObjectLikeness(Protocol):
    """Of two objects with one address; `table` is the one that a trigger or policy hangs on, where it is known."""

    @property
    def binds(self) -> bool:
        """Whether what an object uses cannot be dropped or get another type under it."""

    def view(self, current: View, wanted: View) -> bool: ...

    def view_fits(self, current: View, wanted: View) -> bool:
        """Whether CREATE OR REPLACE leads from one to the other: columns are only added, at the end."""

    def function(self, current: Function, wanted: Function) -> bool: ...

    def arguments(self, current: Function, wanted: Function) -> bool:
        """Whether they take the same arguments: the two cannot be there together."""

    def function_fits(self, current: Function, wanted: Function) -> bool:
        """Whether CREATE OR REPLACE leads from one to the other: they return the same."""

    def trigger(self, current: Trigger, wanted: Trigger, table: Table | None) -> bool: ...

    def policy(self, current: Policy, wanted: Policy, table: Table | None) -> bool: ...

    def extension(self, current: Extension, wanted: Extension) -> bool: ...


class ExactObjects:
    """Values as they are."""

    binds = True

    def view(self, current: View, wanted: View) -> bool:
        return current == wanted

    def view_fits(self, current: View, wanted: View) -> bool:
        return _names_fit(current, wanted)

    def function(self, current: Function, wanted: Function) -> bool:
        return current == wanted

    def arguments(self, current: Function, wanted: Function) -> bool:
        return current.ref == wanted.ref

    def function_fits(self, current: Function, wanted: Function) -> bool:
        return _returned(current.definition) == _returned(wanted.definition)

    def trigger(self, current: Trigger, wanted: Trigger, table: Table | None) -> bool:
        return current == wanted

    def policy(self, current: Policy, wanted: Policy, table: Table | None) -> bool:
        return current == wanted

    def extension(self, current: Extension, wanted: Extension) -> bool:
        return current == wanted


@dataclass(slots=True)
class ObjectsAsHeld:
    """As the database sees them: the same text at once, else what `inquiry` was told; `current` was read from there.

    Where nobody could tell, normalised texts decide, and what differs then is uncertain.
    """

    normal: Normal
    inquiry: Inquiry

    @property
    def binds(self) -> bool:
        return self.normal.binds

    def view(self, current: View, wanted: View) -> bool:
        if (current.materialized, _switches(current)) != (wanted.materialized, _switches(wanted)):
            return False
        if (current.definition, current.columns) == (wanted.definition, wanted.columns):
            return True
        if not self.normal.canonical:
            columns = [[name.lower() for name in view.columns] for view in (current, wanted)]
            return columns[0] == columns[1] and self._same_text(current.definition, wanted.definition)
        told = self._of_view(wanted)
        if told:
            return told[0] == current.definition and not current.columns
        if told is not None:
            return False
        same = current.columns == wanted.columns and self._same_text(current.definition, wanted.definition)
        return same or self._doubted(f"view {wanted.ref}")

    def view_fits(self, current: View, wanted: View) -> bool:
        if not self.normal.canonical:
            return True  # OR REPLACE is a drop and a CREATE there
        old, new = (self._shape(view) for view in (current, wanted))
        if old is None or new is None:
            return _names_fit(current, wanted)
        return new[: len(old)] == old

    def _shape(self, view: View) -> tuple[str, ...] | None:
        told = None if view.shape is not None else self._of_view(view)
        return view.shape if not told else told[1]

    def _of_view(self, view: View) -> tuple[str, tuple[str, ...]] | tuple[()] | None:
        """Definition and shape; () where the database as it is has no use for it, None where nobody told."""
        columns = tuple((name, "") for name in view.columns)
        told = self.inquiry.answer(Question("view", view.definition, columns))
        return None if told is None else () if told == REFUSED else definition_and_shape(told)

    def function(self, current: Function, wanted: Function) -> bool:
        if (current.arguments, current.definition) == (wanted.arguments, wanted.definition):
            return True
        told = self._of_function(wanted)
        if told:
            return told == (current.arguments, current.definition)
        if told is not None:
            return False
        same = [
            " ".join(one.arguments.split()) == " ".join(other.arguments.split())
            and one.definition.split() == other.definition.split()
            for one, other in ((current, wanted),)
        ]
        return all(same) or self._doubted(f"function {wanted.ref}")

    def arguments(self, current: Function, wanted: Function) -> bool:
        told = self._of_function(wanted)
        if told:
            return told[0] == current.arguments
        return self._same_text(current.arguments, wanted.arguments)

    def function_fits(self, current: Function, wanted: Function) -> bool:
        told = self._of_function(wanted)
        types = [_returned(text) for text in (current.definition, told[1] if told else wanted.definition)]
        old, new = (None if type_ is None else self.normal.form_of_type(type_) for type_ in types)
        return old == new

    def _of_function(self, function: Function) -> tuple[str, str] | tuple[()] | None:
        told = self.inquiry.answer(Question("function", function.definition, type=function.arguments))
        return None if told is None else () if told == REFUSED else arguments_and_definition(told)

    def trigger(self, current: Trigger, wanted: Trigger, table: Table | None) -> bool:
        texts = [(one.event, one.action) for one in (current, wanted)]
        if current.constraint != wanted.constraint:
            return False
        if all(self._same_text(one, other) for one, other in zip(*texts, strict=True)):
            return True
        if not self.normal.canonical:
            return False
        event = f"{CONSTRAINT if wanted.constraint else ''}{wanted.event}"
        columns = self.inquiry.described(f"{wanted.event} {wanted.action}", _columns(table))
        told = self.inquiry.answer(Question("trigger", wanted.action, columns, event))
        if told is None:
            return self._doubted(f"trigger {wanted.name} on {wanted.table}")
        return told != REFUSED and arguments_and_definition(told) == texts[0]

    def policy(self, current: Policy, wanted: Policy, table: Table | None) -> bool:
        plain = [(one.command, one.permissive, {_role(role) for role in one.roles}) for one in (current, wanted)]
        return plain[0] == plain[1] and all(
            self._same_condition(old, new, wanted, table)
            for old, new in ((current.using, wanted.using), (current.check, wanted.check))
        )

    def _same_condition(self, current: str | None, wanted: str | None, policy: Policy, table: Table | None) -> bool:
        if current is None or wanted is None or self._same_text(current, wanted):
            return current is wanted or None not in (current, wanted)
        columns = self.inquiry.described(wanted, _columns(table))
        told = self.inquiry.answer(Question("policy", wanted, columns, policy.table.name))
        if told is None:
            return self._doubted(f"policy {policy.name} on {policy.table}")
        return told != REFUSED and self._same_text(told, current)

    def extension(self, current: Extension, wanted: Extension) -> bool:
        """What is not said may be anything."""
        return wanted.version in (None, current.version) and wanted.schema in (None, current.schema)

    def _same_text(self, one: str, other: str) -> bool:
        return one == other or self.normal.form(one) == self.normal.form(other)

    def _doubted(self, subject: str) -> bool:
        self.inquiry.uncertain[subject] = None
        return False


@dataclass(frozen=True, slots=True)
class TurnedObjects:
    """The likeness of the way there with its arguments exchanged, so that both ways agree on what is the same."""

    likeness: ObjectLikeness

    @property
    def binds(self) -> bool:
        return self.likeness.binds

    def view(self, current: View, wanted: View) -> bool:
        return self.likeness.view(wanted, current)

    def view_fits(self, current: View, wanted: View) -> bool:
        return self.likeness.view_fits(current, wanted)

    def function(self, current: Function, wanted: Function) -> bool:
        return self.likeness.function(wanted, current)

    def arguments(self, current: Function, wanted: Function) -> bool:
        return self.likeness.arguments(wanted, current)

    def function_fits(self, current: Function, wanted: Function) -> bool:
        return self.likeness.function_fits(wanted, current)

    def trigger(self, current: Trigger, wanted: Trigger, table: Table | None) -> bool:
        return self.likeness.trigger(wanted, current, table)

    def policy(self, current: Policy, wanted: Policy, table: Table | None) -> bool:
        return self.likeness.policy(wanted, current, table)

    def extension(self, current: Extension, wanted: Extension) -> bool:
        return self.likeness.extension(wanted, current)


_TRUE = frozenset({"true", "on", "yes", "1"})
_RETURNS = re.compile(
    r"\bRETURNS\s+(.*?)\s+(?:LANGUAGE|AS|IMMUTABLE|STABLE|VOLATILE|STRICT|CALLED|SECURITY|LEAKPROOF|NOT|PARALLEL|COST|ROWS"
    r"|SET|RETURN|BEGIN|WINDOW|TRANSFORM|SUPPORT|RETURNS\s+NULL|EXTERNAL)\b",
    re.IGNORECASE | re.DOTALL,
)


def _names_fit(current: View, wanted: View) -> bool:
    """By the names in the queries, where nobody told the columns: False where they do not tell either."""
    old, new = (list(view.columns) or output_names(view.definition) for view in (current, wanted))
    return old is not None and new is not None and new[: len(old)] == old


def _returned(definition: str) -> str | None:
    """The type that a function returns; None where that is said by its arguments."""
    match = _RETURNS.search(definition)
    return None if match is None else " ".join(match[1].lower().split())


def _switches(view: View) -> list[tuple[str, str | bool]]:
    return [(name, True if value.lower() in _TRUE else value.lower()) for name, value in view.options]


def _columns(table: Table | None) -> tuple[Column, ...]:
    return () if table is None else table.columns


def _role(name: str) -> str:
    return "PUBLIC" if name.upper() == "PUBLIC" else name
