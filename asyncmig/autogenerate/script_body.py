"""The text of a script: upgrade, downgrade and the imports they need."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from asyncmig.autogenerate.render_code import WIDTH, laid_out
from asyncmig.autogenerate.render_context import RenderContext, Unrenderable
from asyncmig.autogenerate.render_operations import Block, render_operation
from asyncmig.autogenerate.script_plain import batched, plain
from asyncmig.autogenerate.steps import Step
from asyncmig.operations.base import Operation

__all__ = ["ScriptBody", "render_script"]

_INDENT = "    "


@dataclass(frozen=True, slots=True)
class ScriptBody:
    """Python as script.py.mako takes it: bodies indented, but for their first line."""

    upgrades: str
    downgrades: str
    imports: str


def render_script(up: Sequence[Step], down: Sequence[Step], context: RenderContext) -> ScriptBody:
    """Unrenderable for a step up that no script can say; a step down then becomes a remark."""
    upgrades = "\n".join(_lines(_arranged(up, context), context))
    downgrades = "\n".join(_lines(_arranged(down, context), context, forgiving=True))
    return ScriptBody(upgrades.strip(), downgrades.strip(), context.imports.text())


def _arranged(steps: Iterable[Step], context: RenderContext) -> Iterator[Step]:
    """One call a step; runs of steps without data between them are put into batches where those are worth it."""
    split = [
        replace(step, operation=one, notes=step.notes if n == 0 else ())
        for step in steps
        for n, one in enumerate(_pieces(step))
    ]
    if not context.batches:
        yield from split
        return
    notes = {id(step.operation): step.notes for step in split if step.operation is not None}
    run: list[Step] = []
    for step in [*split, None]:
        if step is not None and step.operation is not None and not step.data:
            run.append(step)
            continue
        for made in batched(one.operation for one in run if one.operation is not None):
            inside = getattr(made, "operations", (made,))
            yield Step(made, tuple(note for one in inside for note in notes.get(id(one), ())))
        run = []
        if step is not None:
            yield step


def _pieces(step: Step) -> list[Operation | None]:
    return [None] if step.operation is None else list(plain([step.operation]))


def _lines(steps: Iterable[Step], context: RenderContext, *, forgiving: bool = False) -> Iterator[str]:
    only_remarks = True
    before: Step | None = None
    for step in steps:
        goes_on = step.committed and before is not None and before.committed
        for note in step.notes:
            if not goes_on:
                yield from _comment(note)
        if step.operation is None:
            continue
        try:
            made = render_operation(step.operation, context)
        except Unrenderable as error:
            if not forgiving:
                raise
            yield from _comment(error.message)
            continue
        only_remarks, before = False, step
        if step.committed and not goes_on:
            yield f"{_INDENT}with op.autocommit_block():"
        if isinstance(made, Block):
            yield from laid_out(made.head, _INDENT, prefix="with ", suffix=" as batch_op:")
            for inner in made.body:
                yield from laid_out(inner, _INDENT * 2)
        else:
            yield from laid_out(made, _INDENT * (1 + step.committed))
    if only_remarks:
        yield f"{_INDENT}pass"


def _comment(text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"{_INDENT}# ",
        subsequent_indent=f"{_INDENT}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )
