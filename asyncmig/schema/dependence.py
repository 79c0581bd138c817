"""Which objects need which: by the names that stand in their SQL, since that is text."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator
from typing import TypeVar

from asyncmig.schema.default_names import words
from asyncmig.schema.objects import Extension, Function, ObjectValue, Policy, Trigger, View

__all__ = ["bound_names", "early_functions", "in_order", "names_in", "placed"]

N = TypeVar("N", bound=Hashable)
_IN_SQL = re.compile(r"\bLANGUAGE\s+'?sql\b", re.IGNORECASE)
_QUOTED = re.compile(r"\$(\w*)\$.*?\$\1\$|'(?:[^']|'')*'", re.DOTALL)
V = TypeVar("V", bound=View | Function)


def names_in(value: ObjectValue) -> frozenset[str]:
    """All that may be a name of something needed to create it, in lower case."""
    match value:
        case View():
            return words(value.definition)
        case Function():
            # Only a body in SQL is looked into when it is created.
            body = value.definition.replace("'", " ") if _IN_SQL.search(value.definition) else ""
            return bound_names(value) | words(body)
        case Trigger():
            return words(f"{value.event} {value.action}")
        case Policy():
            return words(f"{value.using or ''} {value.check or ''}")
        case Extension():
            return frozenset()


def bound_names(value: ObjectValue) -> frozenset[str]:
    """Those of what cannot be dropped while it is there: a body in quotes binds nothing."""
    if not isinstance(value, Function):
        return names_in(value)
    return words(f"{value.arguments} {_QUOTED.sub(' ', value.definition)}")


def in_order(values: Collection[V], names: Callable[[V], frozenset[str]] = names_in) -> list[V]:
    """Each after those that it names; as they come where nothing else decides."""
    by_name: dict[str, list[V]] = {}
    for value in values:
        by_name.setdefault(value.name.lower(), []).append(value)

    def needed(value: V) -> Iterator[V]:
        own = value.name.lower()
        return (one for name in sorted(names(value) & by_name.keys() - {own}) for one in by_name[name])

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
