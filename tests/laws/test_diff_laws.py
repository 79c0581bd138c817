"""Laws of the difference between random schemas: it is empty for equal ones, and applied it leads to the other."""

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from asyncmig.autogenerate.diff import diff
from asyncmig.autogenerate.order import creation_order
from asyncmig.operations.base import Operation
from asyncmig.operations.constraints import AddConstraint, DropConstraint
from asyncmig.operations.policies import CreatePolicy, DropPolicy
from asyncmig.operations.recorder import replay
from asyncmig.operations.routines import CreateFunction, CreateTrigger, DropFunction, DropTrigger
from asyncmig.operations.tables import CreateTable, DropTable
from asyncmig.operations.views import CreateView, DropView
from asyncmig.schema.dependence import names_in
from asyncmig.schema.model import (
    Check,
    Column,
    Computed,
    Constraint,
    EnumType,
    Extension,
    ForeignKey,
    Function,
    Identity,
    Index,
    Policy,
    PrimaryKey,
    Ref,
    Schema,
    Sequence,
    Table,
    Trigger,
    Unique,
    View,
)
from asyncmig.schema.types import SqlText, SqlType, sql_literal

NAMES = ("a", "b", "c", "Größe", "select")
TABLES = ("t", "u", "v", "w")
SCHEMAS = (None, "s")
TYPES = tuple(SqlType(engine) for engine in (sa.Integer(), sa.String(10), sa.Boolean(), sa.Numeric(8, 2)))
DEFAULTS = (None, sql_literal("x"), SqlText(sa.text("now()")))


@st.composite
def columns(draw: st.DrawFn, name: str) -> Column:
    filling: dict[str, Any] = draw(
        st.sampled_from(
            (
                *({"default": default} for default in DEFAULTS),
                {"identity": Identity(start=5)},
                {"computed": Computed(SqlText(sa.text("1 + 1")), persisted=True)},
            )
        )
    )
    comment = draw(st.sampled_from((None, "said")))
    return Column(name, draw(st.sampled_from(TYPES)), nullable=draw(st.booleans()), comment=comment, **filling)


@st.composite
def constraints(draw: st.DrawFn, table: str, names: list[str], number: int) -> Constraint:
    own = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    chosen = tuple(own)
    name = draw(st.sampled_from((None, f"k{number}")))
    match draw(st.sampled_from(("unique", "check", "foreign"))):
        case "unique":
            return Unique(chosen, name)
        case "check":
            return Check(SqlText(sa.text(" AND ".join(f'"{column}" IS NOT NULL' for column in chosen))), name)
        case _:
            return ForeignKey(chosen, Ref(draw(st.sampled_from(TABLES))), chosen, name)


@st.composite
def tables(draw: st.DrawFn, name: str, schema: str | None) -> Table:
    own = draw(
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True).flatmap(
            lambda names: st.tuples(*(columns(n) for n in names))
        )
    )
    names = [column.name for column in own]
    key = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    kept = tuple(Column(**{**_fields(c), "nullable": False}) if c.name in key else c for c in own)
    others = [draw(constraints(name, names, n)) for n in range(draw(st.integers(0, 3)))]
    elements = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True).map(tuple)
    indexes = [Index(f"ix_{name}_{n}", draw(elements), draw(st.booleans())) for n in range(draw(st.integers(0, 2)))]
    first = (PrimaryKey(tuple(key), draw(st.sampled_from((None, "pk")))),) if key else ()
    return Table(
        name, kept, schema, (*first, *_distinct(others)), tuple(indexes), draw(st.sampled_from((None, "said")))
    )


def _fields(column: Column) -> dict[str, Any]:
    return {name: getattr(column, name) for name in Column.__dataclass_fields__}


def _distinct(found: list[Constraint]) -> list[Constraint]:
    """Two that say the same, one of them without a name, are told apart by nobody."""
    seen: list[Constraint] = []
    for constraint in found:
        if not any(_said(constraint) == _said(other) for other in seen):
            seen.append(constraint)
    return seen


def _said(constraint: Constraint) -> tuple[object, ...]:
    return (
        type(constraint),
        *(getattr(constraint, name) for name in constraint.__dataclass_fields__ if name not in ("name", "rule")),
    )


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    refs = draw(st.lists(st.tuples(st.sampled_from(TABLES), st.sampled_from(SCHEMAS)), max_size=4, unique=True))
    found = [draw(tables(name, schema)) for name, schema in refs]
    there = {table.ref for table in found}
    found = [_without_dangling(table, there) for table in found]
    values = draw(st.lists(st.sampled_from("pqrs"), max_size=4, unique=True))
    enums = [EnumType("kind", tuple(values))] if values else []
    sequences = [Sequence("numbers", increment=n) for n in draw(st.sampled_from(((), (1,), (2,))))]
    return Schema(
        tables={table.ref: table for table in found},
        enums={enum.ref: enum for enum in enums},
        sequences={sequence.ref: sequence for sequence in sequences},
        **draw(objects(there)),
    )


@st.composite
def objects(draw: st.DrawFn, tables: set[Ref]) -> dict[str, Any]:
    """Views that may read a table, a function or one another; triggers and policies of the tables."""
    known = [f"{ref.name}" for ref in sorted(tables, key=str)]
    columns = st.sampled_from(NAMES[:3])
    texts = st.sampled_from(
        [f"SELECT {column} FROM {source}" for column in "ab" for source in (*known, "f()", "y", "z")]
    )
    names = draw(st.sampled_from(("", "x", "y", "xy", "xyz")))
    # The one reads those after it: views never read each other in a circle.
    views = [
        View(n, draw(texts.filter(lambda text, n=n: text[-1] not in "yz" or text[-1] > n)), materialized=n == "z")
        for n in names
    ]
    returns = st.sampled_from(["integer", "text", *(f"SETOF {name}" for name in known)])
    functions = [
        Function("f", draw(st.sampled_from(("", "n integer"))), f"RETURNS {draw(returns)} LANGUAGE sql AS 'x'")
    ]
    homes = draw(st.lists(st.sampled_from(sorted(tables, key=str)), unique=True)) if tables else []
    triggers = [Trigger("tr", ref, f"AFTER UPDATE OF {draw(columns)}", "EXECUTE FUNCTION f()") for ref in homes]
    policies = [Policy("p", ref, using=f"{draw(columns)} = f()") for ref in homes]
    return {
        "views": {one.ref: one for one in views},
        "functions": {one.ref: one for one in draw(st.sampled_from(((), functions)))},
        "triggers": {one.ref: one for one in triggers},
        "policies": {one.ref: one for one in policies},
        "extensions": {one.ref: one for one in (Extension(n) for n in draw(st.sampled_from(("", "e", "eg"))))},
        "secured": frozenset(homes),
    }


def _without_dangling(table: Table, there: set[Ref]) -> Table:
    kept = tuple(c for c in table.constraints if not isinstance(c, ForeignKey) or c.target in there)
    return Table(table.name, table.columns, table.schema, kept, table.indexes, table.comment)


def shape(schema: Schema) -> object:
    """A schema without the order of columns, constraints and indexes, and without names that were not given."""
    tables = {
        ref: (
            frozenset(table.columns),
            frozenset(map(_said, table.constraints)),
            frozenset(table.indexes),
            table.comment,
        )
        for ref, table in schema.tables.items()
    }
    beside = schema.views, schema.functions, schema.triggers, schema.policies, schema.extensions
    return tables, dict(schema.enums), dict(schema.sequences), *map(dict, beside)


@given(schemas())
def test_equal_schemas_show_no_difference(schema):
    again = replace(schema, enums=dict(schema.enums), sequences=dict(schema.sequences), views=dict(schema.views))
    copied = {
        ref: Table(t.name, t.columns[:], t.schema, t.constraints, t.indexes, t.comment)
        for ref, t in schema.tables.items()
    }
    assert diff(schema, replace(again, tables=copied)) == []


@given(schemas(), schemas())
def test_the_difference_applied_leads_to_the_other_schema(before, after):
    operations = diff(before, after)
    reached = replay(operations, before)
    assert shape(reached) == shape(after)
    assert diff(reached, after) == []


@given(schemas(), schemas())
def test_no_operation_finds_its_table_missing_or_its_foreign_key_pointing_nowhere(before, after):
    """Every step of the way is a schema that a database would accept."""
    state = before
    for operation in diff(before, after):
        _check(operation, state)
        state = operation.apply(state)
        for table in state.tables.values():
            for constraint in table.constraints:
                if isinstance(constraint, ForeignKey):
                    assert constraint.target in state.tables, operation.describe()


def _check(operation: Operation, state: Schema) -> None:
    match operation:
        case CreateTable():
            assert operation.table.ref not in state.tables
        case DropTable():
            assert operation.ref in state.tables
            _check_nothing_hangs_on(operation, state)
        case AddConstraint() | DropConstraint():
            assert operation.ref in state.tables
        case DropView() | DropTrigger() | DropPolicy() | DropFunction():
            assert operation.reverse(state)
            _check_nothing_hangs_on(operation, state)
        case CreateView(view=view):
            assert view.ref not in state.views
        case CreateFunction(function=function):
            assert operation.replace or function.ref not in state.functions
        case CreateTrigger(trigger=Trigger() as made) | CreatePolicy(policy=Policy() as made):
            assert made.table in state.tables
        case _:
            pass


def _check_nothing_hangs_on(operation: Operation, state: Schema) -> None:
    """No view, trigger or policy reads what goes; but a function goes last where another one has its name."""
    if isinstance(operation, DropView | DropTable):
        assert not [view for view in state.views.values() if operation.ref.name in names_in(view) - {view.name}]


@given(schemas(), schemas())
def test_a_table_is_created_after_those_it_points_to(before, after):
    seen: set[Ref] = set()
    for table, late in creation_order(after.tables.values()):
        seen.add(table.ref)
        early = [c for c in table.constraints if isinstance(c, ForeignKey) and c not in late]
        assert all(key.target in seen for key in early)
    assert seen == set(after.tables)
