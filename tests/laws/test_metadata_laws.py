"""A table that went through our values compiles to what it compiled to before, and is the same value again."""

import string
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from schema_cases import CASES, CONVENTION, CUSTOM, GENERIC, POSTGRESQL_TYPES, Case
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.asyncpg import dialect as asyncpg_dialect
from sqlalchemy.schema import (
    AddConstraint,
    CreateIndex,
    CreateTable,
    SetColumnComment,
    SetConstraintComment,
    SetTableComment,
)

from asyncmig.schema.metadata import from_sqlalchemy, schema_from_metadata, to_sqlalchemy

DIALECTS = [postgresql.dialect(), asyncpg_dialect(), sqlite.dialect()]


def compiled(element: Any, dialect: Any) -> str:
    try:
        return str(element.compile(dialect=dialect))
    except Exception as error:  # what cannot be compiled must fail alike
        return f"{type(error).__name__}"


def ddl(table: sa.Table, dialect: Any) -> list[str]:
    elements: list[Any] = [CreateTable(table), SetTableComment(table)]
    elements += [CreateIndex(index) for index in sorted(table.indexes, key=lambda index: str(index.name))]
    elements += [SetColumnComment(column) for column in table.columns if column.comment is not None]
    if dialect.name == "postgresql":
        ordered = sorted(table.constraints, key=lambda c: c._creation_order)
        elements += [SetConstraintComment(c) for c in ordered if c.comment is not None]
        elements += [added(c) for c in ordered if getattr(c, "use_alter", False)]
    return [compiled(element, dialect) for element in elements]


def added(constraint: Any) -> AddConstraint:
    """ALTER TABLE ... ADD, without leaving the constraint out of CREATE TABLE ever after as SQLAlchemy does."""
    rule = constraint._create_rule
    element = AddConstraint(constraint)
    constraint._create_rule = rule
    return element


def assert_law(metadata: sa.MetaData) -> None:
    for table in list(metadata.tables.values()):
        value = from_sqlalchemy(table)
        for dialect in DIALECTS:
            assert ddl(to_sqlalchemy(value), dialect) == ddl(table, dialect)
        assert from_sqlalchemy(to_sqlalchemy(value)) == value
        assert hash(from_sqlalchemy(table)) == hash(value)


@pytest.mark.filterwarnings("ignore:Computed column")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_round_trip_compiles_to_the_same_ddl(case: Case) -> None:
    assert_law(case.metadata())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_reading_leaves_the_models_alone(case: Case) -> None:
    metadata = case.metadata()
    before = {t: (len(t.constraints), len(t.indexes)) for t in metadata.tables.values()}
    for table in schema_from_metadata(metadata).tables.values():
        to_sqlalchemy(table)
    assert {t: (len(t.constraints), len(t.indexes)) for t in metadata.tables.values()} == before


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_two_readings_are_equal(case: Case) -> None:
    assert schema_from_metadata(case.metadata()) == schema_from_metadata(case.metadata())


names = st.text(string.ascii_letters + " %'\"_ü", min_size=1, max_size=12).filter(lambda name: name.strip() == name)
types = st.sampled_from(
    [*GENERIC, *CUSTOM, *POSTGRESQL_TYPES, sa.Enum("a", "b", name="kind"), sa.Boolean(create_constraint=True, name="b")]
)
defaults = st.none() | st.text("a'%:\\", max_size=4) | st.sampled_from([sa.text("1"), sa.func.now(), sa.literal(3)])


@st.composite
def metadatas(draw: st.DrawFn) -> sa.MetaData:
    metadata = sa.MetaData(naming_convention=draw(st.sampled_from([None, CONVENTION])))
    sa.Table(
        "target", metadata, sa.Column("id", sa.Integer, primary_key=True), schema=draw(st.sampled_from([None, "far"]))
    )
    target = next(iter(metadata.tables.values()))
    columns = draw(st.lists(names, min_size=2, max_size=5, unique=True))
    parts: list[Any] = []
    for name in columns:
        key = (
            [sa.ForeignKey(target.c.id, ondelete=draw(st.sampled_from([None, "CASCADE"])))]
            if draw(st.booleans())
            else []
        )
        parts.append(
            sa.Column(
                name,
                draw(types),
                *key,
                nullable=draw(st.booleans()),
                server_default=draw(defaults),
                unique=draw(st.sampled_from([None, True])),
                index=draw(st.sampled_from([None, True])),
                comment=draw(st.none() | st.text("a'%", max_size=4)),
                quote=draw(st.sampled_from([None, True])),
            )
        )
    some = st.lists(st.sampled_from(columns), min_size=1, max_size=3, unique=True)
    if draw(st.booleans()):
        parts.append(sa.PrimaryKeyConstraint(*draw(some)))
    for number in range(draw(st.integers(0, 2))):
        parts.append(
            sa.UniqueConstraint(*draw(some), name=f"uq{number}", deferrable=draw(st.sampled_from([None, True, False])))
        )
        parts.append(sa.CheckConstraint("1 = 1", name=draw(names)))
    table = sa.Table(draw(names), metadata, *parts, comment=draw(st.none() | names), schema=draw(st.none() | names))
    for number in range(draw(st.integers(0, 2))):
        column = table.c[draw(st.sampled_from(columns))]
        sa.Index(
            f"ix{number}",
            draw(st.sampled_from([column, column.desc(), sa.func.lower(column)])),
            unique=draw(st.booleans()),
        )
    return metadata


@pytest.mark.filterwarnings("ignore:Type object:sqlalchemy.exc.SADeprecationWarning")  # descending HSTORE
@given(metadatas())
def test_round_trip_holds_for_combinations(metadata: sa.MetaData) -> None:
    assert_law(metadata)
