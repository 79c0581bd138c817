"""Types and expressions compare by what the databases call them."""

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from asyncmig.schema.options import FrozenMap, freeze_options, thaw_options
from asyncmig.schema.types import SqlType, sql_literal, sql_text, sql_type


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (sa.Integer(), sa.Integer, True),
        (sa.Integer(), sa.INTEGER(), True),
        (sa.Integer(), sa.BigInteger(), False),
        (sa.String(5), sa.VARCHAR(5), True),
        (sa.String(5), sa.String(6), False),
        (sa.DateTime(timezone=True), sa.DateTime(), False),  # the same on SQLite, not on PostgreSQL
        (sa.Text().with_variant(pg.JSONB(), "postgresql"), sa.Text(), False),
        (pg.INET(), pg.CIDR(), False),  # neither is anything on SQLite
        (sa.types.NullType(), sa.types.NullType(), True),
    ],
)
def test_types_are_equal_when_each_database_spells_them_the_same(left, right, equal) -> None:
    assert (sql_type(left) == sql_type(right)) is equal
    if equal:
        assert hash(sql_type(left)) == hash(sql_type(right))


def test_type_is_not_compiled_before_it_is_compared() -> None:
    compiled = []

    class Counting(sa.types.UserDefinedType[int]):
        def get_col_spec(self, **_: object) -> str:
            compiled.append(1)
            return "COUNTING"

    value = sql_type(Counting())
    assert compiled == []
    assert value == sql_type(Counting())
    assert len(compiled) == 4  # each of the two, once a database
    assert hash(value) == hash(value)
    assert len(compiled) == 4


@pytest.mark.parametrize(
    ("engine", "dialect", "spelling"),
    [
        (sa.String(5), "postgresql", "VARCHAR(5)"),
        (pg.JSONB(), "postgresql", "JSONB"),
        (pg.INET(), "sqlite", "<sqlalchemy.dialects.postgresql.types.INET>"),
        (sa.types.NullType(), "sqlite", "<sqlalchemy.sql.sqltypes.NullType>"),
    ],
)
def test_spelling_of_a_type(engine, dialect, spelling) -> None:
    assert SqlType(engine).spelling(dialect) == spelling


@pytest.mark.parametrize(
    ("left", "right", "equal"),
    [
        (sql_text("x > 5"), sql_text(sa.text("x > 5")), True),
        (sql_text("x > 5"), sql_text(sa.column("x") > 5), True),
        (sql_text("now()"), sql_text(sa.func.now()), False),  # CURRENT_TIMESTAMP on both
        (sql_literal("a"), sql_text("'a'"), True),
        (sql_literal("a"), sql_text("a"), False),
    ],
)
def test_expressions_are_equal_when_each_database_spells_them_the_same(left, right, equal) -> None:
    assert (left == right) is equal


@pytest.mark.parametrize("sql", ["x::int", "':a'", "'50%'", r"E'\:b'", ":name", "a[1:2]", "'::'", r"'\\:x'"])
def test_text_stands_as_it_is(sql: str) -> None:
    assert sql_text(sql).spelling("postgresql") == sql
    assert sql_text(sql).spelling("sqlite") == sql


def test_expression_does_not_hold_on_to_the_table() -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer))
    text = sql_text(sa.func.lower(table.c.a) == "x")
    sa.Index("ix", text.clause, _table=sa.Table("u", sa.MetaData(), sa.Column("a", sa.Integer)))
    assert table.indexes == set()
    assert text.spelling("sqlite") == "lower(a) = 'x'"


def test_options_are_compared_and_hashed_by_value() -> None:
    first = freeze_options({"postgresql_with": {"fillfactor": 50}, "postgresql_where": sa.column("a") > 5})
    second = freeze_options({"postgresql_where": sa.column("a") > 5, "postgresql_with": {"fillfactor": 50}})
    assert first == second
    assert hash(first) == hash(second)
    assert first != freeze_options({"postgresql_with": {"fillfactor": 51}, "postgresql_where": sa.column("a") > 5})


def test_options_thaw_into_what_sqlalchemy_takes() -> None:
    thawed = thaw_options(freeze_options({"postgresql_ops": {"a": "x"}, "postgresql_include": ["b"]}))
    assert thawed == {"postgresql_ops": {"a": "x"}, "postgresql_include": ["b"]}
    assert type(thawed["postgresql_ops"]) is dict


def test_frozen_map_equals_a_mapping_with_the_same_items() -> None:
    assert FrozenMap({"a": [1]}) == {"a": (1,)}
    assert FrozenMap({"a": 1}) != FrozenMap({"a": 2})
