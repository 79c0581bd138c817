"""Changes to tables through scripts and the runner: foreign keys, failures, resumed steps, --sql and plan."""

import sqlite3
from pathlib import Path

import pytest
import servers
import sqlalchemy as sa
from projects import Project
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from asyncmig.errors import MigrationFailed

TABLES = """
op.create_table("parent", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))
op.create_table(
    "child",
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("parent_id", sa.Integer, sa.ForeignKey("parent.id", ondelete="CASCADE")),
)
op.create_index("ix_name", "parent", ["name"])
op.execute("INSERT INTO parent VALUES (1, 'a'), (2, 'b')")
op.execute("INSERT INTO child VALUES (1, 1), (2, 2)")
"""
REBUILD = """
with op.batch_alter_table("parent") as batch_op:
    batch_op.alter_column("name", type_=sa.Integer(), postgresql_using="1")
    batch_op.add_column(sa.Column("kind", sa.String(5), nullable=False, server_default="x"), insert_after="id")
"""

pytestmark = pytest.mark.subset


def enforcing(url: str) -> AsyncEngine:
    """An engine as many applications have it: foreign_keys on for every connection."""
    engine = create_async_engine(url)

    @event.listens_for(engine.sync_engine, "connect")
    def switch_on(connection: sqlite3.Connection, record: object) -> None:
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


async def foreign_keys(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return int((await connection.exec_driver_sql("PRAGMA foreign_keys")).scalar_one())


@pytest.mark.parametrize("transaction", ["revision", "run"])
async def test_a_rebuild_keeps_the_rows_of_children(project: Project, sqlite_url: str, transaction: str) -> None:
    project.config(transaction=transaction).revision("a1", upgrade=TABLES).revision("b2", "a1", upgrade=REBUILD)
    engine = enforcing(sqlite_url)
    try:
        report = await project.migrator(engine=engine).upgrade("head")
        assert report.applied == ("a1", "b2")
        assert servers.columns(sqlite_url, "parent") == ["id", "kind", "name"]
        assert servers.rows(sqlite_url, "SELECT count(*) FROM child") == [(2,)]
        assert await foreign_keys(engine) == 1
    finally:
        await engine.dispose()


async def test_foreign_keys_are_on_again_after_a_failed_rebuild(project: Project, sqlite_url: str) -> None:
    project.revision("a1", upgrade=TABLES).revision("b2", "a1", upgrade=f"{REBUILD}\nraise RuntimeError('late')")
    engine = enforcing(sqlite_url)
    try:
        with pytest.raises(MigrationFailed, match="late"):
            await project.migrator(engine=engine).upgrade("head")
        assert servers.columns(sqlite_url, "parent") == ["id", "name"]
        assert servers.rows(sqlite_url, "SELECT count(*) FROM child") == [(2,)]
        assert await foreign_keys(engine) == 1
        async with engine.connect() as connection:
            for pragma in ("writable_schema", "legacy_alter_table"):
                assert (await connection.exec_driver_sql(f"PRAGMA {pragma}")).scalar_one() == 0
    finally:
        await engine.dispose()


async def test_a_script_cannot_swallow_the_restart(project: Project, sqlite_url: str) -> None:
    body = (
        f"try:\n{''.join(f'    {line}' + chr(10) for line in REBUILD.strip().splitlines())}except Exception:\n    pass"
    )
    project.revision("a1", upgrade=TABLES).revision("b2", "a1", upgrade=body)
    engine = enforcing(sqlite_url)
    try:
        await project.migrator(engine=engine).upgrade("head")
    finally:
        await engine.dispose()
    assert servers.columns(sqlite_url, "parent") == ["id", "kind", "name"]


UNGUARDED = {
    "a row of the other table goes": "op.execute('DELETE FROM parent WHERE id = 1')",
    "a row points nowhere": "op.bulk_insert(sa.table('child', sa.column('parent_id')), [{'parent_id': 9}])",
    "through the connection": "op.get_bind().execute(sa.text('UPDATE parent SET id = 3 WHERE id = 1'))",
    "the other table goes": "op.drop_table('other')",
}


@pytest.mark.parametrize("transaction", ["revision", "run"])
@pytest.mark.parametrize("case", UNGUARDED)
async def test_rows_that_lose_their_parent_while_keys_are_off_fail_the_step(
    project: Project, sqlite_url: str, case: str, transaction: str
) -> None:
    """ON DELETE CASCADE does nothing in such a step, so the rows would be left behind without a word."""
    tables = f"""{TABLES}
op.create_table("other", sa.Column("id", sa.Integer, primary_key=True))
op.create_table("its", sa.Column("other_id", sa.Integer, sa.ForeignKey("other.id", ondelete="CASCADE")))
op.execute("INSERT INTO other VALUES (1)")
op.execute("INSERT INTO its VALUES (1)")
"""
    project.config(transaction=transaction).revision("a1", upgrade=tables)
    for order in (f"{UNGUARDED[case]}\n{REBUILD}", f"{REBUILD}\n{UNGUARDED[case]}"):
        project.revision("b2", "a1", upgrade=order)
        engine = enforcing(sqlite_url)
        try:
            async with project.migrator(engine=engine) as migrator:
                await migrator.upgrade("a1")
                with pytest.raises(
                    MigrationFailed, match=r"1 rows of \w+ have no row in|FOREIGN KEY constraint failed"
                ):
                    await migrator.upgrade("head")
                assert await foreign_keys(engine) == 1
        finally:
            await engine.dispose()
        assert servers.columns(sqlite_url, "parent") == ["id", "name"]
        assert servers.rows(sqlite_url, "SELECT parent_id FROM child") == [(1,), (2,)]


DROPS = {
    "op.drop_table('parent')": None,
    "op.drop_table('parent')\nop.drop_table('child')": [],
    "op.execute('DELETE FROM child')\nop.drop_table('parent')": ["child"],
}


@pytest.mark.parametrize("body", DROPS)
async def test_a_dropped_table_takes_no_rows_of_others_along(project: Project, sqlite_url: str, body: str) -> None:
    """SQLite deletes its rows first, and with ON DELETE CASCADE those that point at them."""
    project.revision("a1", upgrade=TABLES).revision("b2", "a1", upgrade=body)
    engine = enforcing(sqlite_url)
    left = DROPS[body]
    try:
        async with project.migrator(engine=engine) as migrator:
            await migrator.upgrade("a1")
            if left is None:
                with pytest.raises(MigrationFailed, match="2 rows of child have no row in parent any more"):
                    await migrator.upgrade("b2")
                assert servers.rows(sqlite_url, "SELECT count(*) FROM child, parent") == [(4,)]
            else:
                await migrator.upgrade("b2")
                assert [t for t in servers.tables(sqlite_url) if "asyncmig" not in t] == left
            assert await foreign_keys(engine) == 1
    finally:
        await engine.dispose()


async def test_rows_without_parents_from_before_are_no_reason_to_fail(project: Project, sqlite_url: str) -> None:
    project.revision("a1", upgrade=f"{TABLES}\nop.execute('INSERT INTO child VALUES (3, 9)')")
    await project.config(url=sqlite_url).migrator().upgrade("head")
    body = f"op.execute('DELETE FROM child WHERE id = 2')\nop.execute('DELETE FROM parent WHERE id = 2')\n{REBUILD}"
    project.revision("b2", "a1", upgrade=body)
    engine = enforcing(sqlite_url)
    try:
        await project.migrator(engine=engine).upgrade("head")
    finally:
        await engine.dispose()
    assert servers.rows(sqlite_url, "SELECT parent_id FROM child") == [(1,), (9,)]


async def test_keys_are_on_again_behind_a_commit(project: Project, sqlite_url: str) -> None:
    body = f"op.execute('COMMIT')\n{REBUILD}\nop.execute('COMMIT')\nop.execute('DELETE FROM parent WHERE id = 1')"
    project.revision("a1", upgrade=TABLES).revision("b2", "a1", upgrade=body)
    engine = enforcing(sqlite_url)
    try:
        await project.migrator(engine=engine).upgrade("head")
    finally:
        await engine.dispose()
    assert servers.rows(sqlite_url, "SELECT parent_id FROM child") == [(2,)]


async def test_a_divided_step_makes_a_table_again(project: Project, sqlite_url: str) -> None:
    body = f"op.execute('INSERT INTO parent VALUES (3, NULL)')\nop.execute('COMMIT')\n{REBUILD}"
    project.revision("a1", upgrade=TABLES).revision("b2", "a1", upgrade=body)
    engine = enforcing(sqlite_url)
    try:
        await project.migrator(engine=engine).upgrade("head")
        assert await foreign_keys(engine) == 1
    finally:
        await engine.dispose()
    assert servers.columns(sqlite_url, "parent") == ["id", "kind", "name"]
    assert servers.rows(sqlite_url, "SELECT (SELECT count(*) FROM parent), (SELECT count(*) FROM child)") == [(3, 2)]


async def test_an_autocommit_block_makes_a_table_again(project: Project, sqlite_url: str) -> None:
    indented = "".join(f"    {line}\n" for line in REBUILD.strip().splitlines())
    project.revision("a1", upgrade=TABLES)
    project.revision("b2", "a1", upgrade=f"with op.autocommit_block():\n{indented}")
    engine = enforcing(sqlite_url)
    try:
        await project.migrator(engine=engine).upgrade("head")
        assert await foreign_keys(engine) == 1
    finally:
        await engine.dispose()
    assert servers.columns(sqlite_url, "parent") == ["id", "kind", "name"]
    assert servers.rows(sqlite_url, "SELECT count(*) FROM child") == [(2,)]


async def test_a_row_in_the_way_leaves_everything(database_project: Project, database_url: str) -> None:
    database_project.revision("a1", upgrade=TABLES)
    await database_project.migrator().upgrade("head")
    servers.execute(database_url, "INSERT INTO parent VALUES (3, NULL)")
    database_project.revision("b2", "a1", upgrade='op.alter_column("parent", "name", nullable=False)')
    with pytest.raises(MigrationFailed, match="name"):
        await database_project.migrator().upgrade("head")
    assert servers.rows(database_url, "SELECT count(*) FROM parent") == [(3,)]


SMALL = [
    'op.alter_column("parent", "name", nullable=False)',
    'op.alter_column("parent", "name", server_default="z")',
    'op.alter_column("parent", "name", type_=sa.String(50))',
    'op.alter_column("parent", "name", new_column_name="title")',
    'op.create_check_constraint("ck", "parent", "id > 0")',
    'op.create_unique_constraint("uq", "parent", ["name"])',
    'op.create_foreign_key("fk", "parent", "parent", ["id"], ["id"])',
    'op.drop_index("ix_name", "parent")\nop.drop_column("parent", "name")',
    'op.drop_column("parent", "name")',
    'op.rename_table("parent", "Parent")',  # to SQLite the same name
    'op.rename_column("parent", "name", "Name")',
    'with op.batch_alter_table("parent") as batch: batch.alter_column("name", new_column_name="NAME", nullable=False)',
]


@pytest.mark.parametrize("body", SMALL)
async def test_a_script_for_later_leaves_what_the_run_leaves(
    project: Project, sqlite_url: str, tmp_path: Path, body: str
) -> None:
    project.config(url=sqlite_url).revision("a1", upgrade=TABLES).revision("b2", "a1", upgrade=body)
    written = (await project.migrator().upgrade("head", sql=True)).sql
    assert written is not None
    await project.migrator().upgrade("head")
    later = tmp_path / "later.db"
    connection = sqlite3.connect(later, isolation_level=None)
    connection.executescript(written)
    connection.close()
    assert reflected(later) == reflected(servers.sqlite_path(sqlite_url))


@pytest.mark.parametrize("body", SMALL)
async def test_a_part_of_the_history_is_written_from_what_stands_before_it(
    project: Project, sqlite_url: str, body: str
) -> None:
    project.config(url=sqlite_url).revision("a1", upgrade=TABLES).revision("b2", "a1", upgrade=body)
    await project.migrator().upgrade("a1")
    written = (await project.migrator().upgrade("a1:b2", sql=True)).sql
    assert written is not None
    connection = sqlite3.connect(servers.sqlite_path(sqlite_url), isolation_level=None)
    connection.executescript(written)
    assert connection.execute("SELECT count(*) FROM parent").fetchall() == [(2,)]
    assert connection.execute("SELECT version_num FROM asyncmig_version").fetchall() == [("b2",)]
    connection.close()


async def test_plan_sees_the_table_as_the_steps_before_leave_it(project: Project, sqlite_url: str) -> None:
    project.config(url=sqlite_url).revision("a1", upgrade=TABLES)
    project.revision("b2", "a1", upgrade='op.alter_column("parent", "name", new_column_name="title")')
    project.revision("c3", "b2", upgrade='op.alter_column("parent", "title", nullable=False)')
    report = await project.migrator().plan("head")
    assert [o.description for step in report.steps[1:] for o in step.operations] == [
        "Rename column parent.name to title",
        "Alter column parent.title: not nullable",
    ]
    assert "title VARCHAR(20) NOT NULL" in report.steps[2].operations[0].sql[0]


async def test_a_resumed_step_knows_the_changes_that_it_did(project: Project, sqlite_url: str) -> None:
    project.config(url=sqlite_url).revision("a1", upgrade=TABLES)
    body = """
op.alter_column("parent", "name", nullable=False)
op.execute("COMMIT")
op.drop_column("parent", "name")
op.execute("INSERT INTO {} VALUES (3)")
"""
    project.revision("b2", "a1", upgrade=body.format("nowhere"))
    with pytest.raises(MigrationFailed, match="nowhere"):
        await project.migrator().upgrade("head")
    assert servers.columns(sqlite_url, "parent") == ["id", "name"]
    project.revision("b2", "a1", upgrade=body.format("parent"))
    await project.migrator().upgrade("head")
    assert servers.columns(sqlite_url, "parent") == ["id"]
    assert servers.rows(sqlite_url, "SELECT count(*) FROM parent") == [(3,)]


def reflected(path: Path) -> dict[str, object]:
    engine = sa.create_engine(f"sqlite:///{path}")
    inspector = sa.inspect(engine)
    found: dict[str, object] = {
        name: [
            [(c["name"], str(c["type"]), c["nullable"], c["default"]) for c in inspector.get_columns(name)],
            inspector.get_pk_constraint(name),
            inspector.get_foreign_keys(name),
            inspector.get_unique_constraints(name),
            inspector.get_check_constraints(name),
            inspector.get_indexes(name),
        ]
        for name in inspector.get_table_names()
        if not name.startswith("asyncmig")
    }
    engine.dispose()
    return found


async def test_postgresql_never_makes_a_table_again(project: Project, postgres_url: str) -> None:
    """recreate="always" loses nothing there: sequence, trigger, grant, comment, and what refers to the table."""
    setup = """
op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Text), comment="said")
op.create_table("child", sa.Column("t_id", sa.Integer, sa.ForeignKey("t.id")))
op.create_view("v", "SELECT id FROM t")
op.create_function("f", "", "RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'")
op.create_trigger("tr", "t", "BEFORE INSERT", "FOR EACH ROW EXECUTE FUNCTION f()")
op.execute("GRANT SELECT ON t TO PUBLIC")
op.execute("INSERT INTO t (a) VALUES ('x')")
op.execute("INSERT INTO child VALUES (1)")
"""
    change = """
with op.batch_alter_table("t", recreate="always", table_args=(sa.UniqueConstraint("a", name="uq_a"),)) as batch_op:
    batch_op.alter_column("a", type_=sa.String(9), nullable=False)
    batch_op.add_column(sa.Column("n", sa.Integer), insert_after="id")
"""
    project.config(url=postgres_url).revision("a1", upgrade=setup).revision("b2", "a1", upgrade=change)
    await project.migrator().upgrade("head")
    servers.execute(postgres_url, "INSERT INTO t (a) VALUES ('y')")
    assert servers.rows(postgres_url, "SELECT id, a, n FROM t ORDER BY id") == [(1, "x", None), (2, "y", None)]
    kept = (
        "SELECT obj_description('t'::regclass), has_table_privilege('public', 't', 'SELECT'), "
        "(SELECT count(*) FROM pg_trigger WHERE tgname = 'tr'), (SELECT count(*) FROM v), "
        "(SELECT count(*) FROM pg_constraint WHERE conname IN ('uq_a', 'child_t_id_fkey'))"
    )
    assert servers.rows(postgres_url, kept) == [("said", True, 1, 2, 2)]
