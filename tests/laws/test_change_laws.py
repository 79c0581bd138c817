"""Laws of changes to columns, constraints and comments, alone and in batches, over random schemas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from asyncmig.errors import Irreversible
from asyncmig.operations.alter_column import KEEP, AlterColumn, Existing
from asyncmig.operations.base import Operation
from asyncmig.operations.batch import BatchTable, flattened
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.comments import SetTableComment
from asyncmig.operations.constraints import AddConstraint, DropConstraint, kind_of
from asyncmig.operations.recorder import replay
from asyncmig.operations.renames import renamed_text
from asyncmig.schema.model import (
    Check,
    Column,
    Computed,
    ForeignKey,
    Identity,
    Index,
    PrimaryKey,
    Ref,
    Schema,
    Table,
    Unique,
)
from asyncmig.schema.types import SqlText, sql_literal, sql_text, sql_type

NAMES = ["a", "b", "c", "Odd name"]
TYPES = [sql_type(t) for t in (sa.Integer(), sa.String(5), sa.Text(), sa.Numeric(5, 2), sa.DateTime())]
DEFAULTS = [
    None,
    sql_literal("x"),
    sql_text("1"),
    Identity(),
    Identity(always=True, start=5),
    Computed(sql_text("1 + 1")),
]


def named(prefix: str) -> st.SearchStrategy[str]:
    return st.sampled_from([f"{prefix}_1", f"{prefix}_2"])


@st.composite
def columns(draw: st.DrawFn, name: str) -> Column:
    comment = draw(st.sampled_from([None, "said"]))
    return Column(
        name, draw(st.sampled_from(TYPES)), draw(st.booleans()), draw(st.sampled_from(DEFAULTS[:3])), comment=comment
    )


def condition(names: list[str]) -> SqlText:
    """Half text, half a construct, both of which a rename has to reach."""
    first = sa.column(names[0]).is_not(None)
    return SqlText(sa.and_(first, *(sa.text(f'"{name}" > 0') for name in names[1:])) if len(names) > 1 else first)


@st.composite
def constraints(draw: st.DrawFn, names: list[str], name: str) -> Unique | Check | ForeignKey:
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    match draw(st.sampled_from(["unique", "check", "foreign"])):
        case "unique":
            return Unique(tuple(chosen), name)
        case "check":
            return Check(condition(chosen), name)
        case _:
            return ForeignKey(tuple(chosen), Ref("t"), tuple(chosen), name, ondelete="CASCADE")


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    """The table t, and another one whose foreign keys may point to it."""
    names = draw(st.lists(st.sampled_from(NAMES), min_size=2, max_size=4, unique=True))
    own = tuple(draw(columns(name)) for name in names)
    key = [PrimaryKey((names[0],), draw(st.sampled_from([None, "pk"])))] if draw(st.booleans()) else []
    if key:
        own = (replace(own[0], nullable=False), *own[1:])
    some = [draw(constraints(names, f"k{n}")) for n in range(draw(st.integers(0, 3)))]
    index = [Index("ix", (names[0], SqlText(sa.func.lower(sa.column(names[1])))))] if draw(st.booleans()) else []
    comment = draw(st.sampled_from([None, "old"]))
    table = Table("t", own, None, (*key, *some), tuple(index), comment)
    other = Table("other", (Column("x", TYPES[0]),), None, (ForeignKey(("x",), Ref("t"), (names[0],), "fk_other"),))
    return Schema(tables={table.ref: table, other.ref: other})


def alterations(table: Table) -> st.SearchStrategy[AlterColumn]:
    names = [column.name for column in table.columns]
    return st.builds(
        AlterColumn,
        st.just(table.ref),
        st.sampled_from(names),
        type=st.sampled_from([None, *TYPES]),
        nullable=st.sampled_from([None, True, False]),
        default=st.sampled_from([KEEP, *DEFAULTS]),
        comment=st.sampled_from([KEEP, None, "new"]),
        new_name=st.sampled_from([None, "renamed"]),
    )


def operations(table: Table) -> st.SearchStrategy[Operation]:
    """What a database would accept on the table."""
    names = [column.name for column in table.columns]
    possible: list[st.SearchStrategy[Operation]] = [
        alterations(table),
        st.builds(AddConstraint, st.just(table.ref), constraints(names, "added")),
        st.builds(SetTableComment, st.just(table.ref), st.sampled_from([None, "new"])),
        columns("new").map(lambda column: AddColumn(table.ref, column)),
    ]
    found = [c for c in table.constraints if c.name]
    if found:
        possible.append(st.sampled_from(found).map(lambda c: DropConstraint(table.ref, c.name or "", kind_of(c))))
    if len(names) > 2:
        possible.append(st.sampled_from(names[2:]).map(lambda name: DropColumn(table.ref, name)))
    return st.one_of(possible)


@dataclass(frozen=True)
class Change:
    before: Schema
    operation: Operation


@st.composite
def changes(draw: st.DrawFn) -> Change:
    before = draw(schemas())
    if draw(st.booleans()):
        return Change(before, draw(operations(before.tables[Ref("t")])))
    parts: list[Operation] = []
    state = before
    for _ in range(draw(st.integers(1, 3))):
        part = draw(operations(state.tables[Ref("t")]))
        taken = [c.name for c in state.tables[Ref("t")].columns] + [c.name for c in state.tables[Ref("t")].constraints]
        fresh = {"renamed", "new", "added"} & {getattr(part, "new_name", None), *_names(part)}
        if fresh & set(taken):
            continue
        parts.append(part)
        state = part.apply(state)
    order = draw(st.permutations([c.name for c in state.tables[Ref("t")].columns])) if draw(st.booleans()) else None
    return Change(before, BatchTable(Ref("t"), tuple(parts), orders=(tuple(order),) if order else ()))


def _names(part: Operation) -> set[str | None]:
    if isinstance(part, AddColumn):
        return {part.column.name}
    return {part.constraint.name} if isinstance(part, AddConstraint) else set()


def unordered(schema: Schema) -> dict[Ref, object]:
    return {
        ref: (frozenset(t.columns), frozenset(t.constraints), frozenset(t.indexes), t.comment)
        for ref, t in schema.tables.items()
    }


@given(changes())
def test_undoing_restores_or_says_that_it_cannot(change: Change) -> None:
    after = change.operation.apply(change.before)
    try:
        undone = change.operation.reverse(change.before)
    except Irreversible:
        return
    assert unordered(replay(undone, after)) == unordered(change.before)


@given(changes())
def test_what_is_known_can_be_undone(change: Change) -> None:
    """On a schema that is known, all but a constraint without a name."""
    change.operation.reverse(change.before)


@given(changes())
def test_undoing_without_the_schema_is_right_or_irreversible(change: Change) -> None:
    """From what the script says alone."""
    after = change.operation.apply(change.before)
    try:
        undone = change.operation.reverse(Schema())
    except Irreversible:
        return
    known = set(flattened([change.operation]))
    if all(isinstance(part, AddConstraint | AddColumn) for part in known):
        if isinstance(change.operation, BatchTable) and change.operation.orders:
            return
        assert unordered(replay(undone, after)) == unordered(change.before)


@given(changes())
def test_it_is_told_in_one_line(change: Change) -> None:
    sentence = change.operation.describe()
    assert sentence[0].isupper()
    assert len(sentence.splitlines()) == 1
    assert change.operation.sign in {"+", "-", "~"}
    assert Ref("t") in change.operation.touches()


@given(changes())
def test_a_batch_is_its_parts(change: Change) -> None:
    parts = list(flattened([change.operation]))
    assert unordered(replay(parts, change.before)) == unordered(change.operation.apply(change.before))


@given(schemas(), st.data())
def test_a_column_keeps_what_is_not_changed(before: Schema, data: st.DataObject) -> None:
    operation = data.draw(alterations(before.tables[Ref("t")]))
    old = before.tables[Ref("t")].column(operation.name)
    new = operation.apply(before).tables[Ref("t")].column(operation.new_name or operation.name)
    keeps: list[tuple[object, Callable[[Column], object]]] = [
        (operation.type is None, lambda c: c.type),
        (operation.nullable is None, lambda c: c.nullable),
        (operation.comment is KEEP, lambda c: c.comment),
        (operation.default is KEEP, lambda c: (c.default, c.identity, c.computed)),
    ]
    for kept, of in keeps:
        assert not kept or of(new) == of(old)


@given(schemas(), st.sampled_from(["renamed", "Odd other", "select"]))
def test_a_renamed_column_is_named_nowhere_by_its_old_name(before: Schema, new: str) -> None:
    old = before.tables[Ref("t")].columns[0].name
    after = AlterColumn(Ref("t"), old, new_name=new).apply(before)
    table = after.tables[Ref("t")]
    for constraint in table.constraints:
        assert old not in getattr(constraint, "columns", ())
        if isinstance(constraint, Check):
            assert renamed_text(constraint.text, old, "zzz") is constraint.text
    assert after.tables[Ref("other")].constraints == (ForeignKey(("x",), Ref("t"), (new,), "fk_other"),)
    back = AlterColumn(Ref("t"), new, new_name=old).apply(after)
    assert unordered(back) == unordered(before)


def test_existing_says_the_way_back() -> None:
    existing = Existing(TYPES[0], True, sql_literal("x"), "c")
    operation = AlterColumn(
        Ref("t"), "a", type=TYPES[1], nullable=False, default=None, comment="new", new_name="b", existing=existing
    )
    (undone,) = operation.reverse(Schema())
    assert isinstance(undone, AlterColumn)
    assert (undone.name, undone.new_name) == ("b", "a")
    assert (undone.type, undone.nullable, undone.default, undone.comment) == (TYPES[0], True, sql_literal("x"), "c")
    assert undone.reverse(Schema()) == (replace(operation, existing=undone.reverse(Schema())[0].existing),)
