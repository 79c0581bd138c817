"""What the dialects write is what the databases do: operations after operations, and values read back."""

import datetime as dt
import decimal
import uuid
from typing import Any

import pytest
import servers
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from asyncmig.dialects.registry import dialect_for
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
from asyncmig.schema.metadata import column_from_sqlalchemy, from_sqlalchemy
from asyncmig.schema.model import Index, Ref, Schema
from asyncmig.schema.types import sql_text

T = Ref("order 50%")


def added(column: sa.Column[Any]) -> AddColumn:
    parts = column_from_sqlalchemy(column, T)
    return AddColumn(T, parts.column, parts.constraints, parts.indexes, parts.primary_key)


def created(*items: Any, name: str = T.name) -> CreateTable:
    return CreateTable(from_sqlalchemy(sa.Table(name, sa.MetaData(), *items)))


def test_operations_run_in_order(database_kind: str, database_url: str) -> None:
    operations: list[Operation] = [
        created(sa.Column("id", sa.Integer, primary_key=True), name="other"),
        created(sa.Column("id", sa.Integer, primary_key=True), sa.Column("kind", sa.Enum("a", "b", name="kind"))),
        added(sa.Column("name", sa.String(20), nullable=False, server_default="it's 50%", comment="c", index=True)),
        added(sa.Column("flag", sa.Boolean(create_constraint=True, name="flag_bool"))),
        added(sa.Column("other_id", sa.Integer, sa.ForeignKey("other.id", name="fk_other", ondelete="CASCADE"))),
        added(sa.Column("again", sa.Enum("a", "b", name="kind"))),
        added(sa.Column("count", sa.Integer, sa.CheckConstraint("count > 0", name="positive"))),
        added(sa.Column("gone", sa.Integer)),
        CreateIndex(T, Index("ix_lower", (sql_text("lower(name)"), "count"), unique=True)),
        DropIndex("ix_order 50%_name", T),
        DropColumn(T, "gone"),
        RenameTable(T, "renamed"),
        BulkInsert(
            sa.table("renamed", sa.column("id"), sa.column("name")),
            ({"id": 1, "name": "it's 5%"}, {"id": 2, "name": ":x"}),
        ),
        created(sa.Column("id", sa.Integer), name="brief"),
        DropTable(Ref("brief")),
        DropTable(Ref("brief"), if_exists=True),
    ]
    if database_kind == "sqlite":
        servers.sqlite_path(database_url).touch()
    dialect = dialect_for(database_kind)
    before = Schema()
    for operation in operations:
        texts = [text for s in dialect.statements(operation, before) for text in dialect.literal(s)]
        servers.execute(database_url, *texts)
        before = operation.apply(before)
    assert servers.tables(database_url) == ["other", "renamed"]
    assert servers.columns(database_url, "renamed") == ["id", "kind", "name", "flag", "other_id", "again", "count"]
    found = servers.rows(database_url, "SELECT id, name FROM renamed ORDER BY id")
    assert [tuple(row) for row in found] == [(1, "it's 5%"), (2, ":x")]


VALUES: list[tuple[Any, Any]] = [
    (value, type_)
    for value, types in [
        ("it's 50% \\ :x\n", [None, sa.Text]),
        (True, [None, sa.Boolean]),
        (decimal.Decimal("1.50"), [None, sa.Numeric]),
        (dt.datetime(2020, 1, 2, 3, 4, 5, 6), [None, sa.DateTime]),
        (dt.datetime(2020, 1, 2, tzinfo=dt.UTC), [None, sa.DateTime(timezone=True)]),
        (dt.date(2020, 1, 2), [None, sa.Date]),
        (dt.time(3, 4, 5), [None, sa.Time]),
        (dt.timedelta(-3, 5, 7), [None, sa.Interval]),
        (uuid.UUID(int=7), [None, sa.Uuid]),
        (b"\x00'\\\xff", [None, sa.LargeBinary]),
        (float("-inf"), [None, sa.Float]),
        ([1, 2], [None, pg.ARRAY(sa.Integer)]),
        ({"a": ["it's", None, "\\"]}, [sa.JSON, pg.JSONB]),
    ]
    for type_ in types
]


@pytest.mark.parametrize(("value", "type_"), VALUES, ids=str)
def test_postgresql_reads_a_literal_back(value: Any, type_: Any, postgres_url: str) -> None:
    dialect = dialect_for("postgresql")
    kind = "text" if type_ is None else str(sa.types.to_instance(type_).compile(dialect=dialect.sqlalchemy))
    insert = BulkInsert(sa.table("t", sa.column("a", type_)), ({"a": value},))
    (statement,) = dialect.statements(insert, Schema())
    (text,) = dialect.literal(statement)
    if type_ is None:
        text = text.removeprefix("INSERT INTO t (a) VALUES (").removesuffix(")")
        ((found,),) = servers.rows(postgres_url, f"SELECT {text}")
    else:
        servers.execute(postgres_url, f"CREATE TABLE t (a {kind})", text)
        ((found,),) = servers.rows(postgres_url, "SELECT a FROM t")
    assert found == value
