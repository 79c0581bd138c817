"""Which object of the one side is which of the other: by address, and functions by name and arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from asyncmig.autogenerate.object_likeness import ObjectLikeness
from asyncmig.schema.model import Function, Ref, Schema, Table, View

__all__ = ["FunctionMatch", "match_functions", "with_same_objects"]

V = TypeVar("V")


def with_same_objects(current: Schema, wanted: Schema, likeness: ObjectLikeness) -> Schema:
    """`current` with the very object of `wanted` wherever nothing differs."""
    table: Callable[[Ref], Table | None] = lambda ref: _table(ref, current, wanted)  # noqa: E731
    match = match_functions(current, wanted, likeness)
    functions = dict(current.functions)
    for old, new in match.same:
        del functions[old.ref]
        functions[new.ref] = new
    return replace(
        current,
        functions=functions,
        views={ref: _with_held(view, current.views[ref]) for ref, view in _views(current, wanted, likeness)},
        triggers=_laid_aside(
            current.triggers, wanted.triggers, lambda old, new: likeness.trigger(old, new, table(new.table))
        ),
        policies=_laid_aside(
            current.policies, wanted.policies, lambda old, new: likeness.policy(old, new, table(new.table))
        ),
        extensions=_laid_aside(current.extensions, wanted.extensions, likeness.extension),
    )


def _views(current: Schema, wanted: Schema, likeness: ObjectLikeness) -> Iterator[tuple[Ref, View]]:
    return iter(_laid_aside(current.views, wanted.views, likeness.view).items())


def _with_held(view: View, held: View) -> View:
    """What only the database knows of it stays."""
    return view if view is held else replace(view, shape=held.shape, attached=held.attached)


def _laid_aside(current: Mapping[Ref, V], wanted: Mapping[Ref, V], same: Callable[[V, V], bool]) -> Mapping[Ref, V]:
    return {
        ref: wanted[ref] if ref in wanted and (wanted[ref] == old or same(old, wanted[ref])) else old
        for ref, old in current.items()
    }


def _table(ref: Ref, current: Schema, wanted: Schema) -> Table | None:
    return wanted.tables.get(ref) or current.tables.get(ref)


@dataclass(frozen=True, slots=True)
class FunctionMatch:
    """`changed` take the same arguments and do something else."""

    same: tuple[tuple[Function, Function], ...]
    changed: tuple[tuple[Function, Function], ...]
    gone: tuple[Function, ...]
    new: tuple[Function, ...]


def match_functions(current: Schema, wanted: Schema, likeness: ObjectLikeness) -> FunctionMatch:
    """Two texts of arguments may mean the same types, so the address alone does not tell."""
    left: dict[tuple[str, str | None], list[Function]] = {}
    for function in current.functions.values():
        left.setdefault((function.name, function.schema), []).append(function)
    same, rest = _paired(list(wanted.functions.values()), left, lambda o, n: o is n or likeness.function(o, n))
    changed, new = _paired(rest, left, likeness.arguments)
    gone = tuple(function for functions in left.values() for function in functions)
    return FunctionMatch(tuple(same), tuple(changed), gone, tuple(new))


def _paired(
    wanted: list[Function],
    left: dict[tuple[str, str | None], list[Function]],
    fits: Callable[[Function, Function], bool],
) -> tuple[list[tuple[Function, Function]], list[Function]]:
    """Pairs, whose first ones are taken out of `left`, and the functions that found none."""
    pairs: list[tuple[Function, Function]] = []
    alone: list[Function] = []
    for function in wanted:
        candidates = left.get((function.name, function.schema), [])
        found = next((one for one in _nearest(candidates, function) if fits(one, function)), None)
        if found is None:
            alone.append(function)
        else:
            candidates.remove(found)
            pairs.append((found, function))
    return pairs, alone


def _nearest(candidates: list[Function], function: Function) -> Iterator[Function]:
    """The one with the same address first: nobody need be asked then."""
    return iter(sorted(candidates, key=lambda one: one.ref != function.ref))
