"""Laws of operations over random schemas: undone they restore, they touch what they say, they can be told."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.recorder import replay
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.sql import Execute
from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
from asyncmig.schema.model import Check, Column, Constraint, ForeignKey, Index, PrimaryKey, Ref, Schema, Table, Unique
from asyncmig.schema.types import SqlText, SqlType

NAMES = ("a", "b", "c", "d", "Größe", "select")
TYPES = tuple(SqlType(engine) for engine in (sa.Integer(), sa.String(10), sa.Boolean()))
SCHEMAS = (None, "s")


def columns() -> st.SearchStrategy[Column]:
    return st.builds(Column, st.sampled_from(NAMES), st.sampled_from(TYPES), nullable=st.booleans())


@st.composite
def constraints(draw: st.DrawFn, names: list[str], name: str) -> Constraint:
    chosen = tuple(draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)))
    match draw(st.sampled_from(("unique", "check", "foreign"))):
        case "unique":
            return Unique(chosen, name)
        case "check":
            return Check(SqlText(sa.text(" AND ".join(f'"{column}" IS NOT NULL' for column in chosen))), name)
        case _:
            target = Ref(draw(st.sampled_from(NAMES)), draw(st.sampled_from(SCHEMAS)))
            return ForeignKey(chosen, target, chosen, name)


def indexes(names: list[str], name: str) -> st.SearchStrategy[Index]:
    element = st.sampled_from(names).flatmap(lambda n: st.sampled_from([n, SqlText(sa.func.lower(sa.column(n)))]))
    return st.builds(Index, st.just(name), st.lists(element, min_size=1, max_size=2).map(tuple), st.booleans())


@st.composite
def tables(draw: st.DrawFn) -> Table:
    name, schema = draw(st.sampled_from(NAMES)), draw(st.sampled_from(SCHEMAS))
    own = draw(st.lists(columns(), min_size=1, max_size=4, unique_by=lambda column: column.name))
    names = [column.name for column in own]
    key = [PrimaryKey(tuple(names[: draw(st.integers(1, len(names)))]))] if draw(st.booleans()) else []
    others = [draw(constraints(names, f"k{n}")) for n in range(draw(st.integers(0, 3)))]
    some = [draw(indexes(names, f"ix_{name}_{n}")) for n in range(draw(st.integers(0, 2)))]
    return Table(name, tuple(own), schema, (*key, *others), tuple(some))


@dataclass(frozen=True)
class Change:
    before: Schema
    operation: Operation


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """A schema and an operation that a database would accept on it."""
    drawn = draw(st.lists(tables(), min_size=1, max_size=4, unique_by=lambda table: table.ref))
    before = Schema(tables={table.ref: table for table in drawn})
    table = draw(st.sampled_from(drawn))
    free = [name for name in NAMES if Ref(name, table.schema) not in before.tables]
    new = [name for name in NAMES if name not in {column.name for column in table.columns}]
    possible: list[st.SearchStrategy[Operation]] = [
        st.just(DropTable(table.ref)),
        st.builds(DropColumn, st.just(table.ref), st.sampled_from([c.name for c in table.columns])),
        st.builds(CreateIndex, st.just(table.ref), indexes([c.name for c in table.columns], "new")),
        st.builds(AddColumn, st.just(table.ref), columns().filter(lambda column: column.name in new)),
        st.just(CreateTable(table, if_not_exists=True)),
    ]
    if free:
        # Nothing may already point to the new name: a rename would adopt such a key, which no database lets happen.
        pointed = {c.target for t in drawn for c in t.constraints if isinstance(c, ForeignKey)}
        names = [name for name in free if Ref(name, table.schema) not in pointed]
        possible += [st.just(RenameTable(table.ref, name)) for name in names]
        possible += [tables().filter(lambda t: t.ref not in before.tables).map(CreateTable)]
    possible += [
        st.just(DropIndex(index.name or "", ref, table.schema)) for index in table.indexes for ref in (None, table.ref)
    ]
    return Change(before, draw(st.one_of(possible)))


def unordered(schema: Schema) -> dict[Ref, object]:
    """A schema without the order of columns, constraints and indexes, which no undo restores."""
    return {
        ref: (frozenset(table.columns), frozenset(table.constraints), frozenset(table.indexes))
        for ref, table in schema.tables.items()
    }


@given(changes())
def test_undoing_an_operation_restores_the_schema(change):
    after = change.operation.apply(change.before)
    assert unordered(replay(change.operation.reverse(change.before), after)) == unordered(change.before)


@given(changes())
def test_undoing_the_undoing_is_the_operation_again(change):
    after = change.operation.apply(change.before)
    state = after
    for operation in change.operation.reverse(change.before):
        again = operation.reverse(state)
        state = operation.apply(state)
        assert unordered(replay(again, state)) == unordered(after)


@given(changes())
def test_an_operation_touches_what_it_changes(change):
    """The table, or an index of it, or what its foreign keys name."""
    after = change.operation.apply(change.before)
    touched = change.operation.touches()
    for ref in {*change.before.tables, *after.tables}:
        old, new = change.before.tables.get(ref), after.tables.get(ref)
        if old == new:
            continue
        related = {ref}
        for table in filter(None, (old, new)):
            related |= {Ref(index.name, table.schema, "index") for index in table.indexes if index.name}
            related |= {key.target for key in table.constraints if isinstance(key, ForeignKey)}
        assert related & touched


@given(changes(), st.text(max_size=90))
def test_every_operation_can_be_told_in_one_line(change, text):
    for operation in (change.operation, Execute(text), BulkInsert(sa.table("t"), ({"a": text},))):
        sentence = operation.describe()
        assert sentence[0].isupper()
        assert len(sentence.splitlines()) == 1
        assert operation.sign in {"+", "-", "~"}


@given(changes())
def test_applying_leaves_the_schema_before_as_it_was(change):
    tables_before = dict(change.before.tables)
    change.operation.apply(change.before)
    assert change.before.tables == tables_before
