"""Which objects need which: by the names that stand in their SQL, since that is text."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import TypeVar

from asyncmig.schema.default_names import words
from asyncmig.schema.objects import Extension, Function, ObjectValue, Policy, Trigger, View

__all__ = ["early_functions", "in_order", "names_in", "placed"]

N = TypeVar("N", bound=Hashable)
V = TypeVar("V", bound=View | Function)


def names_in(value: ObjectValue) -> frozenset[str]:
    """All that may be a name in the SQL of an object, in lower case; its own name is not meant."""
    match value:
        case View():
            return words(value.definition)
        case Function():
            # The body stands in quotes of one kind or another, and names in strings may be run.
            return words(f"{value.arguments} {value.definition}".replace("'", " "))
        case Trigger():
            return words(f"{value.event} {value.action}")
        case Policy():
            return words(f"{value.using or ''} {value.check or ''}")
        case Extension():
            return frozenset()


def in_order(values: Collection[V]) -> list[V]:
    """Each after those that it names; as they come where nothing else decides."""
    by_name: dict[str, list[V]] = {}
    for value in values:
        by_name.setdefault(value.name.lower(), []).append(value)

    def needed(value: V) -> Iterator[V]:
        own = value.name.lower()
        return (one for name in sorted(names_in(value) & by_name.keys() - {own}) for one in by_name[name])

    return placed(values, needed)


def early_functions(functions: Collection[Function], relations: Collection[str]) -> list[Function]:
    """In order, those that can be made before any of `relations` (names) is there: tables may call them."""
    late = {name.lower() for name in relations}
    left = in_order(functions)
    early: list[Function] = []
    for function in left:
        if names_in(function) & late:
            late.add(function.name.lower())
        else:
            early.append(function)
    return early


def placed(nodes: Iterable[N], targets: Callable[[N], Iterable[N]]) -> list[N]:
    """Every node after its targets, but for cycles: depth first, without recursion, since chains may be long."""
    done: dict[N, None] = {}
    for start in nodes:
        entered = {start}
        stack = [(start, iter(targets(start)))] if start not in done else []
        while stack:
            node, following = stack[-1]
            target = next((t for t in following if t not in done and t not in entered), None)
            if target is None:
                done[node] = None
                stack.pop()
            else:
                entered.add(target)
                stack.append((target, iter(targets(target))))
    return list(done)
