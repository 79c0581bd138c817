"""The difference between the objects beside tables of two schemas, sorted by what has to happen when.

What stands in the way of a table's change is dropped before it and made again afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from asyncmig.autogenerate.filters import Filters
from asyncmig.autogenerate.function_diff import FunctionDiff, diff_functions, drop_function
from asyncmig.autogenerate.object_likeness import ObjectLikeness
from asyncmig.autogenerate.select_list import gives_all_of_one, has_star
from asyncmig.autogenerate.table_changes import TableChanges
from asyncmig.operations.base import Operation
from asyncmig.operations.policies import CreatePolicy, DropPolicy, SetRowSecurity
from asyncmig.operations.routines import CreateTrigger, DropTrigger
from asyncmig.operations.schemas import AlterExtension, CreateExtension, DropExtension
from asyncmig.operations.sql import Execute
from asyncmig.operations.views import CreateView, DropView, ReplaceView
from asyncmig.schema.dependence import bound_names, early_functions, in_order, names_in
from asyncmig.schema.model import Extension, Function, Policy, Ref, Schema, Trigger, View

__all__ = ["ObjectDiff", "diff_objects", "has_objects"]

V = TypeVar("V", View, Trigger, Policy, Extension)


@dataclass(slots=True)
class ObjectDiff:
    """Where each stands: `extensions` before everything, `dropped` and `early` before the tables, the others after them."""

    extensions: list[Operation] = field(default_factory=list)
    dropped: list[Operation] = field(default_factory=list)
    early: list[Operation] = field(default_factory=list)
    added: list[Operation] = field(default_factory=list)
    last: list[Operation] = field(default_factory=list)
    extensions_last: list[Operation] = field(default_factory=list)


def diff_objects(
    current: Schema, wanted: Schema, changes: TableChanges, likeness: ObjectLikeness, filters: Filters
) -> ObjectDiff:
    """What differs, and what is in the way of `changes`."""
    return _Assembly(current, wanted, changes, likeness, filters).diff()


def has_objects(schema: Schema) -> bool:
    beside = schema.views or schema.functions or schema.triggers or schema.policies or schema.extensions
    return bool(beside or schema.secured)


class _Matching(Generic[V]):
    """Both sides by address, as far as the project's filters let them differ."""

    def __init__(self, current: Mapping[Ref, V], wanted: Mapping[Ref, V], filters: Filters) -> None:
        self.current: Mapping[Ref, V] = current
        self.wanted: Mapping[Ref, V] = wanted
        has = filters.has_object
        self.new: list[V] = [
            one for ref, one in wanted.items() if ref not in current and has(one, None, reflected=False)
        ]
        self.gone: list[V] = [
            one for ref, one in current.items() if ref not in wanted and has(one, None, reflected=True)
        ]
        self.pairs: list[tuple[V, V]] = [
            (old, wanted[ref])
            for ref, old in current.items()
            if ref in wanted and old != wanted[ref] and has(wanted[ref], old, reflected=False)
        ]


class _Assembly:
    def __init__(
        self, current: Schema, wanted: Schema, changes: TableChanges, likeness: ObjectLikeness, filters: Filters
    ) -> None:
        self.schemas = (current, wanted)
        self.changes = changes
        self.likeness = likeness
        self.filters = filters
        self.result = ObjectDiff()

    def diff(self) -> ObjectDiff:
        self._extensions()
        functions = diff_functions(*self.schemas, self.likeness, self.filters)
        functions.make_way(self.changes.gone)
        dropped, made, lost = self._views(functions.leaving)
        while self.likeness.binds and functions.make_way({view.name.lower() for view in dropped}):
            dropped, made, lost = self._views(functions.leaving)
        self._triggers(functions.leaving, lost)
        self._policies(functions.leaving)
        self._order(functions, dropped, made)
        self.result.last += functions.last
        # What hangs on tables goes first and comes last.
        self.result.dropped.sort(key=lambda one: not isinstance(one, DropTrigger | DropPolicy))
        self.result.added.sort(key=lambda one: isinstance(one, CreateTrigger | CreatePolicy | SetRowSecurity))
        return self.result

    def _extensions(self) -> None:
        found = _Matching(self.schemas[0].extensions, self.schemas[1].extensions, self.filters)
        self.result.extensions += [CreateExtension(one) for one in found.new]
        for old, new in found.pairs:
            if not self.likeness.extension(old, new):
                version = None if new.version == old.version else new.version
                schema = None if new.schema == old.schema else new.schema
                self.result.extensions.append(AlterExtension(new.name, version, schema, old))
        self.result.extensions_last += [DropExtension(one.name, extension=one) for one in reversed(found.gone)]

    def _views(self, going: list[Function]) -> tuple[list[View], dict[View, Operation], frozenset[Ref]]:
        """Those to drop, those to make with their operations, and the addresses whose triggers are lost on the way."""
        found = _Matching(self.schemas[0].views, self.schemas[1].views, self.filters)
        changed = [(old, new) for old, new in found.pairs if not self.likeness.view(old, new)]
        unfit = [old for old, new in changed if not self._replaceable(old, new)]
        wider = self._wider(found, [new.name for _, new in changed])
        changed += [(old, new) for old, new in wider if gives_all_of_one(new.definition)]
        unfit += [old for old, new in wider if not gives_all_of_one(new.definition) or new.materialized]
        dropped = self._with_dependents([*found.gone, *unfit, *self._broken(found.current.values(), going)])
        refs = {view.ref for view in dropped}
        made: dict[View, Operation] = {view: CreateView(view) for view in found.new}
        made.update((new, CreateView(new)) for ref, new in found.wanted.items() if ref in refs)
        replaced = [new for old, new in changed if old.ref not in refs]
        made.update((new, ReplaceView(new)) for new in replaced)
        lost = refs if self.likeness.binds else refs | {view.ref for view in replaced}
        return dropped, made, frozenset(Ref(ref.name, ref.schema) for ref in lost)

    def _wider(self, found: _Matching[View], changed: list[str]) -> list[tuple[View, View]]:
        """Views that say `*` of something that has other columns now: the same text means more than it did."""
        grown = {*self.changes.grown, *(name.lower() for name in changed)}
        wider: list[tuple[View, View]] = []
        for new in in_order(list(found.wanted.values())) if grown and self.likeness.binds else ():
            old = found.current.get(new.ref)
            if old == new and has_star(new.definition) and names_in(new) & grown:
                wider.append((old, new))
                grown.add(new.name.lower())
        return wider

    def _replaceable(self, old: View, new: View) -> bool:
        if old.materialized or new.materialized:
            return old.materialized and new.materialized and not self._users({old.name.lower()})
        return self.likeness.view_fits(old, new)

    def _users(self, names: set[str]) -> list[View]:
        if not self.likeness.binds:
            return []
        return [view for view in self.schemas[0].views.values() if names & names_in(view) - {view.name.lower()}]

    def _broken(self, views: Iterable[View], going: list[Function]) -> Iterator[View]:
        tables = {ref.name.lower() for ref in self.changes.columns}
        return (
            view
            for view in views
            if self._breaks(names_in(view), going) or (tables & names_in(view) and has_star(view.definition))
        )

    def _breaks(self, names: frozenset[str], going: list[Function], home: Ref | None = None) -> bool:
        return self.changes.break_what_has(names, home) or any(one.name.lower() in names for one in going)

    def _with_dependents(self, views: list[View]) -> list[View]:
        """All that has to be dropped for these to be."""
        found = {view.ref: view for view in views}
        fresh = views
        while fresh:
            names = {view.name.lower() for view in fresh}
            fresh = [view for view in self._users(names) if view.ref not in found]
            found.update((view.ref, view) for view in fresh)
        return list(found.values())

    def _triggers(self, going: list[Function], lost: frozenset[Ref]) -> None:
        current, wanted = self.schemas
        found = _Matching(current.triggers, wanted.triggers, self.filters)
        changed = {
            old.ref for old, new in found.pairs if not self.likeness.trigger(old, new, wanted.tables.get(new.table))
        }
        for old in found.current.values():
            if old.ref in changed or old.table in lost or self._breaks(names_in(old), going, old.table):
                changed.add(old.ref)
        leaving = [
            *found.gone,
            *(one for ref, one in found.current.items() if ref in changed and ref in wanted.triggers),
        ]
        coming = [*found.new, *(one for ref, one in found.wanted.items() if ref in changed)]
        self.result.dropped += [DropTrigger(one.name, one.table, trigger=one) for one in leaving]
        self.result.added += [CreateTrigger(one) for one in coming]

    def _policies(self, going: list[Function]) -> None:
        current, wanted = self.schemas
        found = _Matching(current.policies, wanted.policies, self.filters)
        changed = {
            old.ref for old, new in found.pairs if not self.likeness.policy(old, new, wanted.tables.get(new.table))
        }
        for old in found.current.values():
            if self._breaks(names_in(old), going, old.table):
                changed.add(old.ref)
        leaving = [
            *found.gone,
            *(one for ref, one in found.current.items() if ref in changed and ref in wanted.policies),
        ]
        coming = [*found.new, *(one for ref, one in found.wanted.items() if ref in changed)]
        held = {one.table for one in (*coming, *(wanted.policies[r] for r in current.policies if r in wanted.policies))}
        held.update(ref for ref in wanted.secured if ref in wanted.tables and ref not in current.tables)
        self.result.dropped += [DropPolicy(one.name, one.table, policy=one) for one in leaving]
        unset = (wanted.secured - current.secured) | (wanted.forced - current.forced)
        self.result.added += [
            SetRowSecurity(ref, True, ref in wanted.forced - current.forced or None)
            for ref in sorted(held & unset & wanted.secured, key=str)
        ]
        self.result.added += [CreatePolicy(one) for one in coming]

    def _order(self, functions: FunctionDiff, dropped: list[View], made: dict[View, Operation]) -> None:
        created = functions.created
        leaving: list[View | Function] = [*dropped, *functions.leaving]
        self.result.dropped += [
            DropView(one.ref, one.materialized, view=one) if isinstance(one, View) else drop_function(one)
            for one in reversed(in_order(leaving, bound_names))
        ]
        early = early_functions(list(created), self.changes.touched | {view.name for view in made})
        self.result.early += [created[one] for one in early]
        late: list[View | Function] = [*(one for one in created if one not in early), *made]
        for one in in_order(late):
            self.result.added.append(made[one] if isinstance(one, View) else created[one])
            if isinstance(one, View):
                self.result.added += [Execute(text) for text in self._attached(one, made[one])]

    def _attached(self, view: View, operation: Operation) -> tuple[str, ...]:
        """What went with the view when it was dropped to be made again, or comes back with it on the way back."""
        if isinstance(operation, ReplaceView) and not view.materialized:
            return ()
        former = self.schemas[0].views.get(view.ref)
        return view.attached or (former.attached if former is not None else ())
