"""The operations that lead from one schema to another, in an order that runs.

What stands in the way goes first (policies, triggers and views, foreign keys, then constraints and indexes), then what
is new is made (types, functions, tables, columns, constraints, foreign keys, and what is built on them), and what nobody
uses any more goes last.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from asyncmig.autogenerate.domain_diff import diff_domains
from asyncmig.autogenerate.enum_diff import EnumDiff, diff_enums
from asyncmig.autogenerate.filters import EVERYTHING, Filters
from asyncmig.autogenerate.likeness import Exact, Likeness
from asyncmig.autogenerate.new_names import Names, names_of
from asyncmig.autogenerate.object_diff import ObjectDiff, diff_objects, has_objects
from asyncmig.autogenerate.object_likeness import ExactObjects, ObjectLikeness
from asyncmig.autogenerate.order import Ordered, creation_order, without_keys
from asyncmig.autogenerate.sequence_diff import SequenceDiff, diff_sequences
from asyncmig.autogenerate.standing_keys import StandingKeys, has_key
from asyncmig.autogenerate.table_changes import table_changes
from asyncmig.autogenerate.table_diff import TableDiff, added_constraint, diff_table, drop_constraint
from asyncmig.operations.base import Operation
from asyncmig.operations.recorder import replay
from asyncmig.operations.schemas import CreateSchema
from asyncmig.operations.tables import CreateTable, DropTable
from asyncmig.schema.model import ForeignKey, Kind, Schema, Table
from asyncmig.schema.objects import OBJECT_KINDS

__all__ = ["DiffOptions", "diff"]


@dataclass(frozen=True, slots=True)
class DiffOptions:
    """What counts as the same, and what is left alone. `managed` are the kinds beside tables that are compared at all.

    `whole` is the current schema before the tables that do not differ were laid aside.
    """

    likeness: Likeness = field(default_factory=Exact)
    filters: Filters = EVERYTHING
    objects: ObjectLikeness = field(default_factory=ExactObjects)
    managed: frozenset[Kind] = frozenset(OBJECT_KINDS)
    whole: Schema | None = None


def diff(current: Schema, wanted: Schema, options: DiffOptions | None = None) -> list[Operation]:
    """Empty where nothing differs."""
    return list(_Diff(current, wanted, options or DiffOptions()).operations())


class _Diff:
    def __init__(self, current: Schema, wanted: Schema, options: DiffOptions) -> None:
        self.enums = diff_enums(current, wanted, options.filters)
        current = replay([*self.enums.in_the_way, *self.enums.as_text], current)
        self.current = current
        self.wanted = wanted
        self.likeness = options.likeness
        self.filters = options.filters
        self.objects = options.objects
        has = self.filters.has_table
        self.names = Names(current.tables.values(), wanted.tables.values())
        self.new = [t for r, t in wanted.tables.items() if r not in current.tables and has(t, None, reflected=False)]
        self.gone = [t for r, t in current.tables.items() if r not in wanted.tables and has(t, None, reflected=True)]
        self.changes = [change for table in wanted.tables.values() if (change := self._change(table)) is not None]
        self.keys = StandingKeys(current, self.changes, options.whole, options.likeness.compares)

    def _change(self, wanted: Table) -> TableDiff | None:
        current = self.current.tables.get(wanted.ref)
        if current is None or current is wanted:
            return None
        found = diff_table(current, wanted, self.likeness, self.filters, self.names)
        return found if found is not None and self.filters.has_table(wanted, current, reflected=False) else None

    def operations(self) -> Iterator[Operation]:
        enums = self.enums
        sequences = diff_sequences(self.current, self.wanted, self.likeness)
        keyed = self.keys.after_drops()
        created = [(table, (*late, *self._waiting(table, keyed))) for table, late in creation_order(self.new)]
        in_the_way, again = self.keys.around(self.gone) if not self.likeness.references_ahead else ([], [])
        beside = self._beside(enums)
        yield from self._schemas()
        yield from beside.extensions
        yield from beside.dropped
        yield from self._before(enums, sequences)
        yield from beside.early
        early, late = self._drops()
        for change in self.changes:
            yield from change.dropped_keys
        yield from in_the_way
        yield from early
        for change in self.changes:
            yield from change.dropped
        yield from self._creates(created)
        for change in self.changes:
            yield from change.changed
            yield from change.added
        yield from self._keys(created)
        yield from again
        yield from late
        yield from beside.added
        yield from (*beside.last, *enums.last, *sequences.last, *beside.extensions_last)

    def _beside(self, enums: EnumDiff) -> ObjectDiff:
        """Views, functions, triggers, policies, extensions."""
        if not (has_objects(self.current) or has_objects(self.wanted)):
            return ObjectDiff()
        tables = [one for change in self.changes for one in (*change.dropped, *change.changed, *change.added)]
        changes = table_changes(self.gone, self.new, [*enums.first, *tables], binds=self.objects.binds)
        return diff_objects(self.current, self.wanted, changes, self.objects, self.filters)

    def _schemas(self) -> Iterator[Operation]:
        """None is dropped: it may hold what nobody told us of."""
        return (CreateSchema(name) for name in sorted(self.wanted.schemas - self.current.schemas))

    def _before(self, enums: EnumDiff, sequences: SequenceDiff) -> Iterator[Operation]:
        yield from enums.in_the_way
        yield from diff_domains(self.current, self.wanted, self.likeness)
        yield from enums.first
        yield from sequences.first

    def _drops(self) -> tuple[list[Operation], list[Operation]]:
        """Dropped tables, those last that others point to; at once where a name of theirs is wanted again."""
        if not self.gone:
            return [], []
        ordered = creation_order(self.gone)
        keys = [drop_constraint(table, key) for table, late in ordered for key in late if key.target != table.ref]
        if not self.likeness.references_ahead:
            keys += [drop_constraint(table, key) for table, _ in ordered for key in self._keyless(table)]
        drops = [DropTable(table.ref, table=table) for table, _ in reversed(ordered)]
        taken = names_of(self.gone)
        clash = any(name in taken for name in names_of([*self.new, *self.wanted.tables.values()]))
        return ([*keys, *drops], []) if clash else (list[Operation](keys), list[Operation](drops))

    def _keyless(self, table: Table) -> list[ForeignKey]:
        """The foreign keys of a table that goes which are in the way before that."""
        keyless = _keyless(table, self.wanted)
        keys = [key for key in table.constraints if isinstance(key, ForeignKey) and key not in keyless]
        return [*keyless, *(key for key in keys if self.keys.stands_on_lost(key) or self.keys.has_retyped(table, key))]

    def _waiting(self, table: Table, keyed: Schema) -> list[ForeignKey]:
        """The foreign keys of a new table that wait until an old one is as they need it."""
        keyless = _keyless(table, keyed)
        keys = [key for key in table.constraints if isinstance(key, ForeignKey) and key not in keyless]
        return [*keyless, *(key for key in keys if self.keys.has_retyped(table, key))]

    def _creates(self, created: Ordered) -> Iterator[Operation]:
        for table, late in created:
            yield CreateTable(table if self.likeness.references_ahead else without_keys(table, late))

    def _keys(self, created: Ordered) -> Iterator[Operation]:
        if not self.likeness.references_ahead:
            for table, late in created:
                for key in late:
                    yield added_constraint(table, key, self.likeness)
        for change in self.changes:
            yield from change.added_keys


def _keyless(table: Table, schema: Schema) -> list[ForeignKey]:
    """The foreign keys that point to a table of `schema` which has not, or no more, the key that they need."""
    keys = [key for key in table.constraints if isinstance(key, ForeignKey) and key.target in schema.tables]
    return [key for key in keys if not has_key(schema.tables[key.target], key)]
