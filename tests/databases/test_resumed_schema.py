"""A revision that failed behind CREATE INDEX CONCURRENTLY goes on where it was, also where a schema and its enums went before."""

import pytest
import servers
from projects import Project

from asyncmig.errors import MigrationFailed

MADE = """
op.create_table("account", sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", sa.String(50)))
op.create_schema("shop")
op.create_table("item", sa.Column("state", sa.Enum("new", "old", name="state", schema="shop")), schema="shop")
"""
GONE = """
op.drop_table("item", schema="shop")
op.drop_schema("shop")
"""
INDEX = 'op.create_index("ix_email", "account", ["email"], postgresql_concurrently=True)\n'
FAILS = 'op.execute("INSERT INTO nowhere VALUES (1)")'


@pytest.mark.parametrize("body", [GONE + INDEX, INDEX + GONE + INDEX.replace("ix_", "ix2_")], ids=["before", "between"])
async def test_a_schema_that_went_before_the_failure_is_not_missed(
    at_postgres: Project, postgres_url: str, body: str
) -> None:
    at_postgres.revision("a1", upgrade=MADE).revision("b2", "a1", upgrade=body + FAILS)
    with pytest.raises(MigrationFailed):
        await at_postgres.migrator().upgrade("head")
    assert servers.rows(postgres_url, "SELECT count(*) FROM pg_namespace WHERE nspname = 'shop'") == [(0,)]
    at_postgres.revision("b2", "a1", upgrade=body)
    await at_postgres.migrator().upgrade("head")
    assert servers.rows(postgres_url, "SELECT version_num FROM asyncmig_version") == [("b2",)]
    assert servers.rows(postgres_url, "SELECT bool_and(indisvalid) FROM pg_index") == [(True,)]
