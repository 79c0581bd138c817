"""Normal forms: what a database spells in several ways has one."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from asyncmig.dialects.normal import normal_for
from asyncmig.schema.metadata import from_sqlalchemy
from asyncmig.schema.model import Index
from asyncmig.schema.serial import serial_column
from asyncmig.schema.types import sql_text, sql_type

SAME_TYPES = [
    (sa.Float(), sa.DOUBLE_PRECISION()),
    (sa.Float(24), sa.REAL()),
    (sa.Float(25), sa.DOUBLE_PRECISION()),
    (sa.DECIMAL(8, 2), sa.NUMERIC(8, 2)),
    (sa.NUMERIC(8), sa.NUMERIC(8, 0)),
    (sa.CHAR(), sa.CHAR(1)),
    (pg.ARRAY(sa.String(5), dimensions=2), pg.ARRAY(sa.VARCHAR(5))),
    (sa.DateTime(), pg.TIMESTAMP(timezone=False)),
    (pg.BIT(), pg.BIT(1)),
]
SAME_TEXTS = {
    "postgresql": [
        ("'x'", "'x'::character varying"),
        ("'x'", "('x'::text)"),
        ("a > 0", "(a > 0)"),
        ("A > 0", '("a" > 0)'),
        ("'2026-01-01'", "'2026-01-01 00:00:00'::timestamp without time zone".replace(" 00:00:00", "")),
        ("nextval('s')", "nextval('s'::regclass)"),
    ],
    "sqlite": [
        ("'x'", "('x')"),
        ("a>0", '( "a"  > 0 )'),
        ("CURRENT_TIMESTAMP", "(current_timestamp)"),
        ("[a] IS NULL", "a is null"),
    ],
}
OTHER_TEXTS = [("'x'", "'X'"), ("a > 0", "a > 1"), ("(a) + (b)", "a) + (b"), ('"A"', "a b"), ("a", "'a'")]


@pytest.mark.parametrize(("one", "other"), SAME_TYPES, ids=repr)
def test_postgresql_types_of_several_spellings_are_one(one: Any, other: Any) -> None:
    normal = normal_for("postgresql")
    assert normal.type(sql_type(one)) == normal.type(sql_type(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sa.Integer(), sa.BigInteger()),
        (sa.String(5), sa.String(6)),
        (sa.Text(), sa.String()),
        (sa.DateTime(), sa.DateTime(timezone=True)),
        (pg.JSON(), pg.JSONB()),
    ],
    ids=repr,
)
def test_types_that_differ_stay_different(one: Any, other: Any) -> None:
    normal = normal_for("postgresql")
    assert normal.type(sql_type(one)) != normal.type(sql_type(other))


@pytest.mark.parametrize(("name", "one", "other"), [(n, *pair) for n, pairs in SAME_TEXTS.items() for pair in pairs])
def test_texts_of_one_meaning_have_one_form(name: str, one: str, other: str) -> None:
    assert normal_for(name).form(one) == normal_for(name).form(other)


@pytest.mark.parametrize("name", ["postgresql", "sqlite"])
@pytest.mark.parametrize(("one", "other"), OTHER_TEXTS)
def test_texts_of_other_meaning_have_other_forms(name: str, one: str, other: str) -> None:
    assert normal_for(name).form(one) != normal_for(name).form(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a ASC", "a"),
        ("a DESC", "a DESC NULLS FIRST"),
        ("a NULLS LAST", "a"),
        ('lower(b) COLLATE "C" DESC', 'lower( b ) COLLATE "C" desc'.replace("( b )", "(b)")),
    ],
)
def test_an_index_element_says_its_order_in_one_way(one: str, other: str) -> None:
    forms = [normal_for("postgresql").index(Index("ix", (sql_text(text),))) for text in (one, other)]
    assert forms[0] == forms[1]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([lambda: sa.Column("a", sa.Integer, primary_key=True)], "a"),
        ([lambda: sa.Column("a", sa.String(5), primary_key=True)], None),
        ([lambda: sa.Column("a", sa.Integer, primary_key=True, autoincrement=False)], None),
        ([lambda: sa.Column("a", sa.Integer, sa.Sequence("s"), primary_key=True, autoincrement=True)], None),
        ([lambda: sa.Column("a", sa.Integer, sa.Sequence("s", optional=True), primary_key=True)], "a"),
        ([lambda: sa.Column("a", sa.Integer, sa.Identity(), primary_key=True)], None),
        ([lambda: sa.Column("a", sa.Integer, primary_key=True, server_default="5")], None),
        ([lambda: sa.Column("a", sa.ForeignKey("o.id"), primary_key=True)], None),
        ([lambda: sa.Column("a", sa.Integer, primary_key=True), lambda: sa.Column("b", sa.Integer, primary_key=True)], None),
        ([lambda: sa.Column("a", sa.Integer, primary_key=True), lambda: sa.Column("b", sa.Integer, primary_key=True, autoincrement=True)], "b"),
        ([lambda: sa.Column("a", sa.Integer)], None),
    ],
)  # fmt: skip
def test_the_serial_column_is_sqlalchemys(columns: list[Any], expected: str | None) -> None:
    metadata = sa.MetaData()
    sa.Table("o", metadata, sa.Column("id", sa.Integer, primary_key=True))
    table = sa.Table("t", metadata, *(make() for make in columns))
    ddl = str(sa.schema.CreateTable(table).compile(dialect=pg.dialect()))
    assert serial_column(from_sqlalchemy(table)) == expected
    assert ("SERIAL" in ddl) == (expected is not None)
