"""Values written into the text of --sql: what the database then reads is the value that a parameter would have been."""

import datetime as dt
import decimal
import enum
import math
import sqlite3
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import postgresql as pg

from asyncmig.dialects.base import Dialect
from asyncmig.dialects.registry import dialect_for
from asyncmig.errors import UnsupportedOperation
from asyncmig.operations.base import Operation
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.sql import Execute, InlineLiteral
from asyncmig.schema.model import Schema

POSTGRESQL = dialect_for("postgresql")
SQLITE = dialect_for("sqlite")


def told(value: object) -> str:
    """The id of a case, the same in every process: an operation by its sentence, whose repr holds addresses."""
    return value.describe() if isinstance(value, Operation) else str(value)


class Kind(enum.Enum):
    OLD = "o"


class Shouted(sa.TypeDecorator[str]):
    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> Any:
        return value.upper()


class Unspeakable:
    pass


def literal(dialect: Dialect, operation: Operation) -> list[str]:
    return [text for s in dialect.statements(operation, Schema()) for text in dialect.literal(s)]


def value_text(dialect: Dialect, value: Any, type_: Any) -> str:
    (text,) = literal(dialect, BulkInsert(sa.table("t", sa.column("a", type_)), ({"a": value},)))
    return text.removeprefix("INSERT INTO t (a) VALUES (").removesuffix(")")


CASES: list[tuple[Any, Any, str | None, str | None]] = [
    (None, sa.Integer, "NULL", "NULL"),
    (5, sa.Integer, "5", "5"),
    ("it's 50% \\ :x", sa.String, "'it''s 50% \\ :x'", "'it''s 50% \\ :x'"),
    (True, sa.Boolean, "true", "1"),
    (decimal.Decimal("1.50"), sa.Numeric(10, 2), "1.50", "1.50"),
    (math.inf, sa.Float, "'inf'::float8", "9e999"),
    (math.nan, sa.Float, "'nan'::float8", "NULL"),
    (dt.date(2020, 1, 2), sa.Date, "'2020-01-02'", "'2020-01-02'"),
    (dt.datetime(2020, 1, 2, 3, 4), sa.DateTime, "'2020-01-02 03:04:00'", "'2020-01-02 03:04:00.000000'"),
    ("2020-01-02", sa.Date, "'2020-01-02'", "'2020-01-02'"),
    (dt.timedelta(1, 2), sa.Interval, "make_interval(secs=>86402.0)", "'1970-01-02 00:00:02.000000'"),
    (b"\x00a'", sa.LargeBinary, "'\\x006127'::bytea", "X'006127'"),
    (b"\xff", sa.VARBINARY(3), None, "X'ff'"),
    ([1], sa.PickleType(protocol=0), None, None),
    (uuid.UUID(int=1), sa.Uuid, "'00000000-0000-0000-0000-000000000001'", "'00000000000000000000000000000001'"),
    ({"a": "it's"}, sa.JSON, "'{\"a\": \"it''s\"}'", "'{\"a\": \"it''s\"}'"),
    (["it's", 1], pg.JSONB, "'[\"it''s\", 1]'", "'[\"it''s\", 1]'"),
    ("a", sa.JSON, "'\"a\"'", "'\"a\"'"),
    (True, sa.JSON, "'true'", "'true'"),
    (None, sa.JSON, "'null'", "'null'"),
    (None, sa.JSON(none_as_null=True), "NULL", "NULL"),
    (Kind.OLD, sa.Enum(Kind), "'OLD'", "'OLD'"),
    ("loud", Shouted, "'LOUD'", "'LOUD'"),
    (["a", "b"], pg.ARRAY(sa.Text), "ARRAY['a', 'b']", None),
    ([], pg.ARRAY(sa.Text), "ARRAY[]::TEXT[]", None),
    (["OLD"], pg.ARRAY(sa.Enum("OLD", name="kind")), "ARRAY['OLD']::kind[]", None),
    (["10.0.0.1"], pg.ARRAY(pg.INET), "ARRAY['10.0.0.1']::INET[]", None),
    # columns whose type the script does not give
    ("it's", None, "'it''s'", "'it''s'"),
    (True, None, "true", "1"),
    (1.5, None, "1.5", "1.5"),
    (decimal.Decimal("1.50"), None, "1.50", "1.50"),
    (b"\x00", None, "'\\x00'::bytea", "X'00'"),
    (dt.datetime(2020, 1, 2), None, "'2020-01-02 00:00:00'::timestamp", "'2020-01-02 00:00:00'"),
    (
        dt.datetime(2020, 1, 2, tzinfo=dt.UTC),
        None,
        "'2020-01-02 00:00:00+00:00'::timestamptz",
        "'2020-01-02 00:00:00+00:00'",
    ),
    (dt.date(2020, 1, 2), None, "'2020-01-02'::date", "'2020-01-02'"),
    (dt.time(3, 4), None, "'03:04:00'::time", "'03:04:00'"),
    (dt.timedelta(-1, 5, 7), None, "'-1 days 5.000007 seconds'::interval", None),
    (uuid.UUID(int=1), None, "'00000000-0000-0000-0000-000000000001'::uuid", "'00000000000000000000000000000001'"),
    ({"a": 1}, None, "'{\"a\": 1}'", "'{\"a\": 1}'"),
    ([1, None, "x"], None, "ARRAY[1, NULL, 'x']", "'[1, null, \"x\"]'"),
    (Kind.OLD, None, "'OLD'", "'OLD'"),
]


@pytest.mark.parametrize(("value", "type_", "postgresql", "sqlite"), CASES, ids=str)
def test_value_is_written_as_the_database_spells_it(
    value: Any, type_: Any, postgresql: str | None, sqlite: str | None
) -> None:
    if postgresql is not None:
        assert value_text(POSTGRESQL, value, type_) == postgresql
    if sqlite is not None:
        assert value_text(SQLITE, value, type_) == sqlite


def test_pickled_value_is_pickled_in_the_text_too() -> None:
    import pickle

    text = value_text(SQLITE, [1, "x"], sa.PickleType)
    assert pickle.loads(bytes.fromhex(text[2:-1])) == [1, "x"]
    assert value_text(POSTGRESQL, [1, "x"], sa.PickleType) == f"'\\x{text[2:-1]}'::bytea"


@given(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.binary(max_size=8)
    | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
)
def test_sqlite_reads_the_value_back(value: Any) -> None:
    connection = sqlite3.connect(":memory:")
    (found,) = connection.execute(f"SELECT {value_text(SQLITE, value, None)}").fetchone()
    connection.close()
    # SQLite reads decimal text to 15 digits or so ("Datatypes In SQLite", 2.1): at the ends of the range the last bit differs.
    assert found == (pytest.approx(value, rel=1e-14) if isinstance(value, float) else value)
    assert type(found) is (int if isinstance(value, bool) else type(value))


@pytest.mark.parametrize("dialect", [POSTGRESQL, SQLITE], ids=["postgresql", "sqlite"])
@pytest.mark.parametrize("type_", [None, sa.Integer, sa.LargeBinary, sa.DateTime])
def test_value_without_literal_form_is_an_error_that_names_its_type(dialect: Dialect, type_: Any) -> None:
    with pytest.raises(UnsupportedOperation, match="type Unspeakable"):
        value_text(dialect, Unspeakable(), type_)


@pytest.mark.parametrize("dialect", [POSTGRESQL, SQLITE], ids=["postgresql", "sqlite"])
def test_each_row_is_a_statement_of_its_own(dialect: Dialect) -> None:
    table = sa.table("t", sa.column("a", sa.Integer), sa.column("b", sa.String))
    assert literal(dialect, BulkInsert(table, ({"a": 1, "b": "x"}, {"a": 2, "b": None}))) == [
        "INSERT INTO t (a, b) VALUES (1, 'x')",
        "INSERT INTO t (a, b) VALUES (2, NULL)",
    ]


def test_defaults_of_the_client_are_written_out() -> None:
    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("a", sa.Integer),
        sa.Column("b", sa.String, default="x"),
        sa.Column("c", sa.Integer, default=lambda: 7),
    )
    assert literal(SQLITE, BulkInsert(table, ({"a": 1}, {"a": 2, "b": "y"}))) == [
        "INSERT INTO t (a, b, c) VALUES (1, 'x', 7)",
        "INSERT INTO t (a, b, c) VALUES (2, 'y', 7)",
    ]


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (
            Execute("CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; SELECT ':x'; END; SELECT 2"),
            ["CREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; SELECT ':x'; END", "SELECT 2"],
        ),
        (Execute(sa.text("UPDATE t SET a = :x").bindparams(x="it's")), ["UPDATE t SET a = 'it''s'"]),
        (
            Execute(sa.update(sa.table("t", sa.column("a"))).values(a=InlineLiteral(None, "50%"))),
            ["UPDATE t SET a='50%'"],
        ),
        (
            Execute(sa.schema.CreateTable(sa.Table("u", sa.MetaData(), sa.Column("a", sa.Integer)))),
            ["CREATE TABLE u (\n\ta INTEGER\n)"],
        ),
    ],
    ids=told,
)
def test_statement_is_written_as_text(operation: Operation, expected: list[str]) -> None:
    assert literal(SQLITE, operation) == expected
