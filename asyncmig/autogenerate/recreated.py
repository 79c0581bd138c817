"""Notes on views and functions that are dropped and made again: rights on them are the database's, not the models'."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from asyncmig.autogenerate.steps import Step
from asyncmig.dialects.writing import Writing
from asyncmig.operations.base import Operation
from asyncmig.operations.routines import CreateFunction, DropFunction
from asyncmig.operations.views import CreateView, DropView
from asyncmig.schema.model import Ref

__all__ = ["with_rights_noted"]


def with_rights_noted(steps: Sequence[Step], writing: Writing) -> list[Step]:
    """The steps, with a note above each drop of what comes again, where the database has rights to lose."""
    if not writing.rights:
        return list(steps)
    made = {ref for step in steps for ref in _made(step.operation)}
    return [
        replace(step, notes=(*step.notes, f"{ref} is made again below: grant again what was granted on it."))
        if (ref := _dropped(step.operation)) is not None and replace(ref, name=_plain(ref)) in made
        else step
        for step in steps
    ]


def _made(operation: Operation | None) -> Iterator[Ref]:
    if isinstance(operation, CreateView):
        yield operation.view.ref
    elif isinstance(operation, CreateFunction) and not operation.replace:
        yield Ref(operation.function.name, operation.function.schema, "function")


def _dropped(operation: Operation | None) -> Ref | None:
    return operation.ref if isinstance(operation, DropView | DropFunction) else None


def _plain(ref: Ref) -> str:
    """A function's name without its arguments: they may be other ones now."""
    return ref.name.partition("(")[0] if ref.kind == "function" else ref.name
