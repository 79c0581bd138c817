"""On SQLite a step may leave foreign keys without the key that they point at, until it ends."""

import pytest
import servers
from projects import Project

from asyncmig import MigrationFailed

TABLES = """
op.create_table("model", sa.Column("name", sa.String(20), primary_key=True), sa.Column("space", sa.String(20)))
op.create_table("version", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20), sa.ForeignKey("model.name")))
op.execute("insert into model values ('m', 's')")
op.execute("insert into version values (1, 'm')")
"""
NEW_KEY = 'op.create_primary_key("model_pk", "model", ["space", "name"])\n'


@pytest.mark.parametrize(
    "mend",
    [
        'op.create_unique_constraint("uq", "model", ["name"])',
        'op.drop_table("version")',
        'op.drop_column("version", "name")',
    ],
)
async def test_what_is_mended_in_the_step_is_taken(project: Project, sqlite_url: str, mend: str) -> None:
    project.config(url=sqlite_url).revision("a1", upgrade=TABLES).revision("b2", "a1", upgrade=NEW_KEY + mend)
    await project.migrator().upgrade("head")
    assert servers.rows(sqlite_url, "PRAGMA foreign_key_check") == []
    assert servers.rows(sqlite_url, "SELECT * FROM model") == [("m", "s")]


async def test_what_is_left_is_refused_at_the_end(project: Project, sqlite_url: str) -> None:
    project.config(url=sqlite_url).revision("a1", upgrade=TABLES).revision("b2", "a1", upgrade=NEW_KEY)
    with pytest.raises(MigrationFailed, match="model cannot be changed: the foreign key of table version uses it"):
        await project.migrator().upgrade("head")
    assert servers.rows(sqlite_url, "SELECT version_num FROM asyncmig_version") == [("a1",)]
    assert servers.rows(sqlite_url, "SELECT name FROM pragma_table_info('model') WHERE pk = 1") == [("name",)]


async def test_rows_without_a_parent_are_refused_at_the_end(project: Project, sqlite_url: str) -> None:
    body = f"""{NEW_KEY}op.execute("update model set name = 'other'")\nop.create_unique_constraint("uq", "model", ["name"])"""
    project.config(url=sqlite_url).revision("a1", upgrade=TABLES).revision("b2", "a1", upgrade=body)
    with pytest.raises(MigrationFailed, match="1 rows of version have no row in model"):
        await project.migrator().upgrade("head")
    assert servers.rows(sqlite_url, "SELECT name FROM model") == [("m",)]
