"""What happens to functions: which are created, replaced and dropped, and which of the drops cannot wait."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace

from asyncmig.autogenerate.filters import Filters
from asyncmig.autogenerate.object_likeness import ObjectLikeness
from asyncmig.autogenerate.object_matching import match_functions
from asyncmig.operations.base import Operation
from asyncmig.operations.routines import CreateFunction, DropFunction
from asyncmig.schema.dependence import bound_names, in_order, names_in
from asyncmig.schema.model import Function, Schema
from asyncmig.schema.objects import ObjectValue

__all__ = ["FunctionDiff", "diff_functions", "drop_function"]


@dataclass(slots=True)
class FunctionDiff:
    """`created` are the operations by function. `leaving` are dropped before the tables change, `waiting` after it.

    `staying` are pairs of what is there and what is wanted in its place, as far as nothing has to be dropped for it.
    """

    created: dict[Function, Operation] = field(default_factory=dict)
    leaving: list[Function] = field(default_factory=list)
    waiting: list[Function] = field(default_factory=list)
    staying: list[tuple[Function, Function]] = field(default_factory=list)

    def make_way(self, names: Collection[str]) -> bool:
        """Let those go first that are bound to something with such a name; whether there were any."""
        gone = [one for one in self.waiting if bound_names(one) & set(names)]
        again = [pair for pair in self.staying if bound_names(pair[0]) & set(names)]
        self.waiting = [one for one in self.waiting if one not in gone]
        self.staying = [pair for pair in self.staying if pair not in again]
        self.leaving += [*gone, *(old for old, _ in again)]
        self.created.update((new, CreateFunction(new)) for _, new in again)
        return bool(gone or again)

    @property
    def last(self) -> list[Operation]:
        return [drop_function(one) for one in reversed(in_order(self.waiting, bound_names))]


def diff_functions(current: Schema, wanted: Schema, likeness: ObjectLikeness, filters: Filters) -> FunctionDiff:
    """By themselves; what stands in the way of others is told by `make_way`."""
    match = match_functions(current, wanted, likeness)
    has = filters.has_object
    result = FunctionDiff({one: CreateFunction(one) for one in match.new if has(one, None, reflected=False)})
    result.staying += match.same
    for old, new in match.changed:
        if not has(new, old, reflected=False):
            continue
        if likeness.function_fits(old, new):
            # By the arguments as they were written before: it is found by them.
            result.created[new] = CreateFunction(replace(new, arguments=old.arguments), replace=True)
            result.staying.append((old, new))
        else:
            result.created[new] = CreateFunction(new)
            result.leaving.append(old)
    names = {one.name for one in match.new}
    for one in match.gone:
        if has(one, None, reflected=True):
            # Tables may call it, so it goes last, unless its callers have to turn to another one of that name.
            turned = one.name in names and _is_called(one, current)
            (result.leaving if turned else result.waiting).append(one)
    return result


def _is_called(function: Function, schema: Schema) -> bool:
    """Whether something that can be made again names it."""
    callers: tuple[ObjectValue, ...] = (
        *schema.views.values(),
        *schema.triggers.values(),
        *schema.policies.values(),
    )
    return any(function.name.lower() in names_in(one) for one in callers)


def drop_function(function: Function) -> DropFunction:
    return DropFunction(function.name, function.arguments, function.schema, function=function)
