"""A rendered script, run again, does what it was rendered from: over random operations, on tables of every shape."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from rendering import form, recorded, rendered

from asyncmig.autogenerate.render_code import flat, string
from asyncmig.autogenerate.render_context import RenderContext
from asyncmig.autogenerate.render_sql import multiline, text_of
from asyncmig.autogenerate.script_plain import plain
from asyncmig.operations.alter_column import KEEP, AlterColumn, Existing
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.comments import SetTableComment
from asyncmig.operations.constraints import AddConstraint, DropConstraint, kind_of
from asyncmig.operations.enums import AddEnumValue, CreateEnum, RenameEnumValue
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.renaming import RenameColumn, RenameConstraint, RenameIndex
from asyncmig.operations.sequences import CreateSequence
from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
from asyncmig.operations.views import CreateView
from asyncmig.schema.model import (
    Check,
    Column,
    Computed,
    Constraint,
    EnumType,
    ForeignKey,
    Identity,
    Index,
    PrimaryKey,
    Ref,
    Sequence,
    Table,
    Unique,
    View,
)
from asyncmig.schema.spelling import spell_text
from asyncmig.schema.types import SqlText, sql_literal, sql_text, sql_type

PLAIN = st.text(st.characters(exclude_characters="\x00", exclude_categories=("Cs",)), max_size=30)
NAMES = st.one_of(
    st.sampled_from(("account", "id", "name", "select", "Größe", "it's", 'say "x"', "50%", "a:b", "with space")),
    st.text("abc_", min_size=1, max_size=40),
)
TYPES = (
    sa.Integer(), sa.String(10), sa.Boolean(), sa.Numeric(10, 2), sa.DateTime(timezone=True), sa.Text(), sa.Uuid(),
    sa.Enum("a", "it's", name="mood"), sa.LargeBinary(), sa.JSON(), sa.Text().with_variant(sa.String(9), "sqlite"),
)  # fmt: skip
SQL = ("now()", "a > 5", "it's ':x'", "x::int", "'50%' || \"a\"", "lower(name)", "a = 'a:b'", "(1 + 1)", "'\\:a'")
EXPRESSIONS = st.one_of(
    st.sampled_from(SQL).map(sql_text), st.text("abc:'\\ x%()", min_size=1, max_size=20).map(sql_text)
)
DEFAULTS = st.one_of(
    st.none(), EXPRESSIONS, PLAIN.map(sql_literal), st.just(SqlText(sa.func.now())), st.just(SqlText(sa.true()))
)


@st.composite
def columns(draw: st.DrawFn) -> Column:
    column = Column(draw(NAMES), sql_type(draw(st.sampled_from(TYPES))), nullable=draw(st.booleans()))
    filling = draw(st.integers(0, 3))
    if filling == 1:
        column = replace(column, default=draw(DEFAULTS))
    elif filling == 2:
        column = replace(
            column, identity=Identity(draw(st.booleans()), start=draw(st.one_of(st.none(), st.integers())))
        )
    elif filling == 3:
        column = replace(column, computed=Computed(draw(EXPRESSIONS), draw(st.sampled_from((None, True, False)))))
    return replace(column, comment=draw(st.one_of(st.none(), PLAIN)))


@st.composite
def constraints(draw: st.DrawFn, names: list[str], name: str | None) -> Constraint:
    chosen = tuple(draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)))
    match draw(st.integers(0, 2)):
        case 0:
            return Unique(chosen, name, deferrable=draw(st.sampled_from((None, True))))
        case 1:
            return Check(draw(EXPRESSIONS), name)
        case _:
            remote = tuple(f"r{n}" for n, _ in enumerate(chosen))
            rule = draw(st.sampled_from((None, "CASCADE", "SET NULL")))
            return ForeignKey(chosen, Ref("elsewhere", draw(SCHEMAS)), remote, name, ondelete=rule)


SCHEMAS = st.sampled_from((None, "other"))
REFS = st.builds(Ref, NAMES.filter(lambda name: "." not in name), SCHEMAS)


@st.composite
def indexes(draw: st.DrawFn, names: list[str], name: str) -> Index:
    element: Any = st.one_of(st.sampled_from(names), EXPRESSIONS)
    options = draw(st.sampled_from(((), (("postgresql_using", "gin"),), (("postgresql_where", sql_text("a > 5")),))))
    elements = draw(st.lists(element, min_size=1, max_size=2, unique_by=str))
    return Index(name, tuple(elements), draw(st.booleans()), options)


@st.composite
def tables(draw: st.DrawFn) -> Table:
    ref = draw(REFS)
    own = draw(st.lists(columns(), min_size=1, max_size=4, unique_by=lambda column: column.name))
    names = [column.name for column in own]
    keyed = draw(st.lists(st.sampled_from(names), max_size=2, unique=True))
    if keyed:
        own = [replace(column, nullable=False) if column.name in keyed else column for column in own]
    key = [PrimaryKey(tuple(keyed), draw(st.sampled_from((None, "pk"))))] if keyed else []
    others = [draw(constraints(names, draw(st.sampled_from((None, f"k{n}"))))) for n in range(draw(st.integers(0, 3)))]
    some = [draw(indexes(names, f"ix_{n}")) for n in range(draw(st.integers(0, 2)))]
    comment = draw(st.one_of(st.none(), PLAIN.filter(bool)))
    return Table(ref.name, tuple(own), ref.schema, (*key, *others), tuple(some), comment)


@st.composite
def alterations(draw: st.DrawFn) -> AlterColumn:
    types = st.one_of(st.none(), st.sampled_from(TYPES).map(sql_type))
    truth = st.sampled_from((None, True, False))
    default = st.one_of(st.just(KEEP), DEFAULTS)
    known = Existing(draw(types), draw(truth), draw(default), draw(st.one_of(st.none(), PLAIN)))
    return AlterColumn(
        draw(REFS),
        draw(NAMES),
        type=draw(types),
        nullable=draw(truth),
        default=draw(default),
        comment=draw(st.one_of(st.just(KEEP), st.none(), PLAIN)),
        using=draw(st.sampled_from((None, "name::int"))),
        existing=known,
    )


def operations() -> st.SearchStrategy[Operation]:
    enum = st.builds(Ref, NAMES, SCHEMAS, st.just("enum"))
    named = constraints(["a", "b"], "named")
    return st.one_of(
        tables().map(CreateTable),
        REFS.map(DropTable),
        st.builds(RenameTable, REFS, NAMES),
        st.builds(AddColumn, REFS, columns()),
        st.builds(DropColumn, REFS, NAMES),
        alterations(),
        st.builds(AddConstraint, REFS, constraints(["a", "b"], None)),
        st.builds(AddConstraint, REFS, named),
        named.flatmap(lambda c: st.builds(DropConstraint, REFS, st.just("named"), st.just(kind_of(c)))),
        st.builds(CreateIndex, REFS, indexes(["a", "b"], "ix")),
        REFS.map(lambda ref: DropIndex("ix", ref, ref.schema)),
        st.builds(SetTableComment, REFS, PLAIN),
        st.builds(RenameColumn, REFS, NAMES, NAMES),
        st.builds(RenameConstraint, REFS, NAMES, NAMES),
        REFS.map(lambda ref: RenameIndex("ix_a", "ix_b", ref, ref.schema)),
        st.builds(CreateEnum, st.builds(EnumType, NAMES, st.lists(NAMES, unique=True).map(tuple), SCHEMAS)),
        st.builds(AddEnumValue, enum, NAMES, st.just("x")),
        st.builds(RenameEnumValue, enum, NAMES, NAMES),
        st.builds(CreateSequence, st.builds(Sequence, NAMES, SCHEMAS, st.integers(), st.integers())),
        st.builds(
            CreateView, st.builds(View, NAMES, st.sampled_from(("SELECT 1", "SELECT 1,\n  ':x'\nFROM a")), SCHEMAS)
        ),
    )


@given(st.lists(operations(), max_size=3), st.sampled_from(("postgresql", "sqlite")))
@settings(max_examples=300)
def test_a_rendered_script_does_the_same_operations(done: list[Operation], dialect: str) -> None:
    context = RenderContext(dialect)
    wanted = list(plain(done))
    text = rendered(wanted, context)
    assert form(recorded(text, context), dialect) == form(wanted, dialect), text


@given(st.text())
def test_a_string_is_read_back_as_it_was(text: str) -> None:
    text = text.encode("utf-8", "replace").decode()
    assert eval(flat(string(text))) == text
    assert eval(flat(multiline(text))) == text


@given(st.text("ab:'\\ \n%x\"", max_size=30))
def test_sql_text_is_read_back_as_it_was(text: str) -> None:
    spelled = sql_text(text).spelling("postgresql")
    assert spell_text(sa.text(eval(flat(text_of(spelled)))), "postgresql") == spelled
