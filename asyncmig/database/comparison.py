"""Models against a database: what autogenerate and check start from."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from asyncmig.autogenerate.as_held import AsHeld
from asyncmig.autogenerate.back import diff_back
from asyncmig.autogenerate.canonical import Inquiry
from asyncmig.autogenerate.diff import DiffOptions, diff
from asyncmig.autogenerate.domain_diff import domain_remarks
from asyncmig.autogenerate.filters import Filters
from asyncmig.autogenerate.narrow import narrowed
from asyncmig.autogenerate.object_likeness import ObjectsAsHeld
from asyncmig.autogenerate.objects import IncludeObject, Objects, compare_hooks, object_filters
from asyncmig.autogenerate.relocation import relocated
from asyncmig.database.asking import ask
from asyncmig.database.reading import read_schema
from asyncmig.dialects.holding import held
from asyncmig.dialects.normal import normal_for
from asyncmig.dialects.reading import IncludeName, Scope
from asyncmig.schema.declared import with_declared
from asyncmig.schema.kinds import ATTACHED, of_kind, with_attached, with_kinds_alone
from asyncmig.schema.metadata import schema_from_metadata
from asyncmig.schema.objects import OBJECT_KINDS

if TYPE_CHECKING:
    import sqlalchemy as sa

    from asyncmig.database.connection import Connection
    from asyncmig.operations.base import Operation
    from asyncmig.schema.model import EnumType, Kind, Ref, Schema

__all__ = ["CompareOptions", "Comparison", "compare", "compare_offline", "compare_schemas"]

_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """What env.py and the configuration say of comparing; `skipped` are the runner's own tables.

    `context` is what Alembic's callables get as their first argument; without one, an object with `dialect`.
    """

    include_schemas: bool = False
    include_object: IncludeObject | None = None
    include_name: IncludeName | None = None
    compare_type: Any = True
    compare_server_default: Any = True
    compare_objects: frozenset[Kind] = frozenset()
    skipped: frozenset[str] = frozenset()
    context: Any = None


@dataclass(frozen=True, slots=True)
class Comparison:
    """`operations` lead from `current` to `wanted`, which is the models as this database would hold them; `back` lead
    from there to `current` again, as a downgrade.

    `uncertain` names the comparisons that only texts decided, because the database could not be asked. Both schemas
    are whole: with a change of mind (a rename, say) `compare_schemas` compares again without reading again.
    """

    operations: tuple[Operation, ...]
    current: Schema
    wanted: Schema
    uncertain: tuple[str, ...] = ()
    back: tuple[Operation, ...] = ()


@dataclass(frozen=True, slots=True)
class _Context:
    dialect: Any
    connection: Any = None
    opts: dict[str, Any] = field(default_factory=dict)


async def compare(
    connection: Connection, metadatas: Sequence[sa.MetaData], options: CompareOptions | None = None
) -> Comparison:
    """Read the database and compare it with the models. Nothing in it is changed; no lock is taken."""
    return await connection.run_sync(_compare, tuple(metadatas), options or CompareOptions())


async def compare_schemas(
    connection: Connection,
    current: Schema,
    wanted: Schema,
    metadatas: Sequence[sa.MetaData] = (),
    options: CompareOptions | None = None,
    *,
    read: Schema | None = None,
) -> Comparison:
    """The same for schemas at hand: `wanted` as `Comparison.wanted` or `dialects.holding.held` gives it.

    `read` is the database as it is now, where `current` is what it will be.
    """
    return await connection.run_sync(
        _compare_schemas, current, wanted, tuple(metadatas), options or CompareOptions(), read
    )


def compare_offline(
    current: Schema, metadatas: Sequence[sa.MetaData], dialect: Any, options: CompareOptions | None = None
) -> Comparison:
    """Against a replayed history: nobody is asked, so expressions that differ in text are uncertain."""
    wanted = held(_declared(metadatas, dialect.name), dialect.name)
    return _settled(None, dialect, current, wanted, tuple(metadatas), options or CompareOptions())


def _compare(connection: sa.Connection, metadatas: tuple[sa.MetaData, ...], options: CompareOptions) -> Comparison:
    with without_collections():
        default = connection.dialect.default_schema_name or normal_for(connection.dialect.name).default_schema
        wanted = held(relocated(_declared(metadatas, connection.dialect.name), default), connection.dialect.name)
        current = _read(connection, wanted, options)
        return _compare_schemas(connection, current, wanted, metadatas, options)


def _read(connection: sa.Connection, wanted: Schema, options: CompareOptions) -> Schema:
    """What hangs on tables that go is read though nobody compares it: it goes with them, and is to come back with them."""
    scope = _scope(wanted, options)
    current = read_schema(connection, scope)
    going = current.tables.keys() - wanted.tables.keys()
    if not going or scope.objects >= ATTACHED:
        return current
    beside = read_schema(connection, replace(scope, objects=ATTACHED - scope.objects, include_name=None))
    return with_attached(current, beside, going)


def _scope(wanted: Schema, options: CompareOptions) -> Scope:
    kinds = (wanted.tables, wanted.enums, wanted.sequences, wanted.views)
    used = [(ref.schema, ref.name) for kind in kinds for ref in kind if ref.schema is not None]
    used += [(one.schema, one.name) for one in wanted.functions.values() if one.schema is not None]
    return Scope(
        all_schemas=options.include_schemas,
        schemas=wanted.schemas | {schema for schema, _ in used},
        named=frozenset(used),
        skipped=options.skipped,
        objects=managed_kinds(wanted, options),
        include_name=options.include_name,
    )


def _declared(metadatas: Sequence[sa.MetaData], dialect: str) -> Schema:
    return with_declared(schema_from_metadata(*metadatas), metadatas, dialect)


def managed_kinds(wanted: Schema, options: CompareOptions) -> frozenset[Kind]:
    """The kinds beside tables that are compared: those that the models declare, or that env.py names.

    Any other would be taken for dropped as a whole in a project that makes its views elsewhere.
    """
    return frozenset(kind for kind in OBJECT_KINDS if kind in options.compare_objects or of_kind(wanted, kind))


def _compare_schemas(
    connection: sa.Connection,
    current: Schema,
    wanted: Schema,
    metadatas: tuple[sa.MetaData, ...],
    options: CompareOptions,
    read: Schema | None = None,
) -> Comparison:
    return _settled(connection, connection.dialect, current, wanted, metadatas, options, read)


def _settled(
    connection: sa.Connection | None,
    dialect: Any,
    current: Schema,
    wanted: Schema,
    metadatas: tuple[sa.MetaData, ...],
    options: CompareOptions,
    read: Schema | None = None,
) -> Comparison:
    """Look, ask what is open, look again at the tables that still differ."""
    normal = normal_for(dialect.name, getattr(dialect, "server_version_info", None))
    objects = Objects(metadatas)
    hooks = compare_hooks(
        options.compare_type,
        options.compare_server_default,
        objects,
        (current, wanted),
        options.context or _Context(dialect, connection),
    )
    filters = object_filters(options.include_object, objects)
    managed = managed_kinds(wanted, options)
    answers: dict[Any, str | None] = {}
    going = _going(current, wanted, filters)
    left = with_attached(with_kinds_alone(current, managed), current, going)
    for _ in range(_ROUNDS):
        inquiry = Inquiry(normal, answers)
        looked = DiffOptions(AsHeld(normal, inquiry, hooks), filters, ObjectsAsHeld(normal, inquiry), managed)
        left = narrowed(left, wanted, looked)
        if not inquiry.asked:
            break
        enums = _changed_enums(read or current, wanted)
        answers.update(
            dict.fromkeys(inquiry.asked) if connection is None else ask(connection, normal, inquiry.asked, enums)
        )
    final = Inquiry(normal, answers)
    decided = DiffOptions(AsHeld(normal, final, hooks), filters, ObjectsAsHeld(normal, final), managed, current)
    operations = diff(left, wanted, decided)
    uncertain = (*final.uncertain, *domain_remarks(current, wanted, lambda a, b: normal.type(a) == normal.type(b)))
    back = diff_back(left, wanted, operations, decided) if operations else []
    return Comparison(tuple(operations), current, wanted, uncertain, tuple(back))


def _going(current: Schema, wanted: Schema, filters: Filters) -> set[Ref]:
    """The tables that go, of those on which something hangs."""
    hung = {one.table for kind in (current.triggers, current.policies) for one in kind.values()} | current.secured
    gone = (current.tables[ref] for ref in hung if ref in current.tables and ref not in wanted.tables)
    return {table.ref for table in gone if filters.has_table(table, None, reflected=True)}


def _changed_enums(read: Schema, wanted: Schema) -> list[EnumType]:
    """Those of the default schema: another one's are named with it, and so cannot stand in for anything."""
    changed = (enum for ref, enum in wanted.enums.items() if ref not in read.enums or read.enums[ref] != enum)
    return [enum for enum in changed if enum.schema is None and enum.values]


_comparisons = itertools.count()


@contextmanager
def without_collections() -> Iterator[None]:
    """Keep the garbage collector out: it was 40 % of building and comparing 3,000 tables, and finds nothing there.

    What is made here is kept, or goes when its last reference does. Other tasks of the process go without collections
    for that second, too. After the first time all of it counts as old: the next small collection would look at each
    value else, in a command that is about to end. Not again: what is made old so does not count towards the next full
    collection, and in a process that compares over and over its garbage would stay.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        # Where the application keeps something frozen, that is to stay so.
        if next(_comparisons) == 0 and gc.get_freeze_count() == 0:
            gc.freeze()
            gc.unfreeze()
        gc.enable()
