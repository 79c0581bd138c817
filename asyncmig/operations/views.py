"""Operations on views, plain and materialized."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from asyncmig.errors import Irreversible
from asyncmig.operations.attached import without_attached
from asyncmig.operations.base import Operation
from asyncmig.operations.irreversible import BY_HAND, unknown_before
from asyncmig.operations.routines import CreateTrigger
from asyncmig.schema.model import Ref, Schema, View

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["CreateView", "DropView", "ReplaceView"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CreateView(Operation):
    view: View
    if_not_exists: bool = False

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.create_view(self, before)

    def apply(self, schema: Schema) -> Schema:
        return schema if self._is_there(schema) else _with_view(schema, self.view)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Nothing when IF NOT EXISTS found the view in `before`."""
        return () if self._is_there(before) else (_drop_of(self.view),)

    def describe(self) -> str:
        return f"Create {_kind(self.view.materialized)} {self.view.ref}"

    def touches(self) -> frozenset[Ref]:
        """The view; what its query reads is text."""
        return frozenset({self.view.ref})

    @property
    def sign(self) -> str:
        return "+"

    def _is_there(self, schema: Schema) -> bool:
        return self.if_not_exists and self.view.ref in schema.views


@dataclass(frozen=True, slots=True)
class ReplaceView(Operation):
    """The view is created where there is none. Where CREATE OR REPLACE does not reach, it is dropped and created."""

    view: View

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.replace_view(self, before)

    def apply(self, schema: Schema) -> Schema:
        return _with_view(schema, self.view)

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """The view as `before` knows it: dropped and created, because OR REPLACE cannot take columns away."""
        former = before.views.get(self.view.ref)
        if former is None:
            raise unknown_before(self, "the view")
        return (_drop_of(self.view), CreateView(former), *_triggers(before, self.view.ref))

    def describe(self) -> str:
        return f"Replace {_kind(self.view.materialized)} {self.view.ref}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.view.ref})


@dataclass(frozen=True, slots=True)
class DropView(Operation):
    ref: Ref  # kind "view"
    materialized: bool = False
    if_exists: bool = False
    cascade: bool = False
    view: View | None = None  # what it was, when the script says so: makes reverse possible

    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        return visitor.drop_view(self, before)

    def apply(self, schema: Schema) -> Schema:
        views = {ref: view for ref, view in schema.views.items() if ref != self.ref}
        return without_attached(replace(schema, views=views), _as_table(self.ref))

    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """Create it as `before` knows it, else as the operation does; what CASCADE took is gone."""
        view = before.views.get(self.ref, self.view)
        if view is None:
            raise unknown_before(self, "the view")
        if self.cascade:
            raise Irreversible(f"{self.describe()} may drop others, which cannot be brought back.", hint=BY_HAND)
        return (CreateView(view), *_triggers(before, self.ref))

    def describe(self) -> str:
        return f"Drop {_kind(self.materialized)} {self.ref}"

    def touches(self) -> frozenset[Ref]:
        return frozenset({self.ref})

    @property
    def sign(self) -> str:
        return "-"


def _with_view(schema: Schema, view: View) -> Schema:
    return replace(schema, views={**schema.views, view.ref: view})


def _triggers(before: Schema, view: Ref) -> Iterator[CreateTrigger]:
    """Those of a view go with it where it is dropped."""
    return (CreateTrigger(one) for one in before.triggers.values() if one.table == _as_table(view))


def _as_table(view: Ref) -> Ref:
    """As triggers address what they are on."""
    return Ref(view.name, view.schema)


def _drop_of(view: View) -> DropView:
    return DropView(view.ref, view.materialized, view=view)


def _kind(materialized: bool) -> str:
    return "materialized view" if materialized else "view"
