"""Listeners in `reflect_kwargs` of batch_alter_table: on SQLite they say what type a column has, as with Alembic."""

import pytest
import servers
from projects import Project

from asyncmig.errors import DynamicScript, MigrationFailed

TABLE = """
op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("f", sa.Integer), sa.Column("n", sa.Integer))
op.execute("INSERT INTO t VALUES (1, 1, 5)")
"""
BATCH = """
NAMES = ["f"]

def said(inspector, table, column):
    assert inspector.has_table(table.name) and NAMES
    {body}

with op.batch_alter_table("t", reflect_kwargs=dict({keywords}){more}) as batch_op:
    {change}
"""
LISTENERS = "listeners=[('column_reflect', said)]"
A_BOOLEAN = "if column['name'] == 'f': column['type'] = sa.Boolean(create_constraint=True, name='ck_f')"
NULLABLE = "batch_op.alter_column('n', nullable=False)"


def batch(body: str, change: str = NULLABLE, keywords: str = LISTENERS, more: str = "") -> str:
    return BATCH.format(body=body, change=change, keywords=keywords, more=more)


def stored(url: str) -> str:
    ((sql,),) = servers.rows(url, "SELECT sql FROM sqlite_schema WHERE name = 't'")
    return " ".join(sql.split())


@pytest.mark.parametrize(
    ("code", "has", "has_not"),
    [
        (batch(A_BOOLEAN), "f BOOLEAN", "f INTEGER"),
        (batch(A_BOOLEAN), "CONSTRAINT ck_f CHECK (f IN (0, 1))", "n INTEGER,"),
        (batch("column['type'] = sa.BigInteger()", "batch_op.drop_column('n')"), "f BIGINT", "n "),
        (batch(A_BOOLEAN, "batch_op.add_column(sa.Column('z', sa.Integer))"), "f INTEGER", "BOOLEAN"),
        (batch("column['comment'] = 'nothing to SQLite'"), "f INTEGER", "nothing"),
        (
            batch(A_BOOLEAN, more=", copy_from=sa.Table('t', sa.MetaData(), sa.Column('n', sa.Integer))"),
            "f INTEGER",
            "BOOLEAN",
        ),
    ],
    ids=["type", "its CHECK", "dropped", "not made anew", "comment", "copy_from says it"],
)
async def test_a_listener_says_the_type(at_sqlite: Project, sqlite_url: str, code: str, has: str, has_not: str) -> None:
    at_sqlite.revision("a1", upgrade=TABLE).revision("b2", "a1", upgrade=code)
    await at_sqlite.migrator().upgrade("head")
    assert has in stored(sqlite_url) and has_not not in stored(sqlite_url)
    assert servers.rows(sqlite_url, "SELECT id, f FROM t") == [(1, 1)]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (batch("column['nullable'] = False"), "changed the nullable of column"),
        (batch("column['name'] = 'other'"), "only its type"),
        (batch("pass", keywords="listeners=[('after_parent_attach', said)]"), "not after_parent_attach"),
        (batch("pass", keywords="include_columns=['id']"), "not include_columns"),
    ],
    ids=["nullable", "name", "another event", "another keyword"],
)
async def test_what_a_listener_cannot_say_is_an_error(
    at_sqlite: Project, sqlite_url: str, code: str, words: str
) -> None:
    at_sqlite.revision("a1", upgrade=TABLE).revision("b2", "a1", upgrade=code)
    with pytest.raises(MigrationFailed, match=words):
        await at_sqlite.migrator().upgrade("head")
    assert "f INTEGER, n INTEGER" in stored(sqlite_url)


async def test_without_a_database_nobody_can_be_told(at_sqlite: Project) -> None:
    at_sqlite.revision("a1", upgrade=TABLE).revision("b2", "a1", upgrade=batch(A_BOOLEAN))
    with pytest.raises(DynamicScript):
        await at_sqlite.migrator().upgrade("head", sql=True)


async def test_postgresql_makes_no_table_again_and_asks_nobody(at_postgres: Project) -> None:
    at_postgres.revision("a1", upgrade=TABLE).revision("b2", "a1", upgrade=batch("raise ValueError"))
    assert "SET NOT NULL" in (await at_postgres.migrator().upgrade("head", sql=True)).sql
    await at_postgres.migrator().upgrade("head")
