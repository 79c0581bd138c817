"""What models declare beside tables, on real databases: create_all, what is compared at all, who decides, what is asked."""

import json
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import servers
import sqlalchemy as sa
from change_cases import table
from comparing import compared, connected, told
from object_changes import NOTE, ROW, T, U, a, b, both, function, own_policy, policy, sql, stored, trigger, view
from projects import Project

from asyncmig import Extension, Function, MaterializedView, Policy, Trigger, View
from asyncmig.dialects.registry import dialect_for
from asyncmig.operations.schemas import AlterExtension
from asyncmig.schema.model import Schema

TEMPLATE = Path(__file__).parents[2] / "templates" / "async" / "migrations" / "script.py.mako"
KINDS = frozenset({"view", "function", "trigger", "policy"})


def metadata(*fills: Any) -> sa.MetaData:
    made = sa.MetaData()
    both(*fills)(made)
    return made


def everything() -> sa.MetaData:
    """Each kind, in an order in which nothing could be created, spelled as no database would."""
    m = sa.MetaData()
    View("b_ids", "SELECT id FROM z_active WHERE id % 2 = 0;", metadata=m)
    MaterializedView("totals", "select active, count(*) as n from account group by 1 order by n desc", metadata=m)
    Function(
        "is_even", "a int, b text = 'X'", "RETURNS bool LANGUAGE sql IMMUTABLE AS $$ SELECT a % 2 = 0 $$", metadata=m
    )
    Function("size", "", "RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT count(*) FROM z_active $$", metadata=m)
    Function("note", "", NOTE.replace("NEW.a", "NEW.email"), metadata=m)
    Extension("plpgsql", metadata=m)
    event = "BEFORE INSERT OR UPDATE OF email"
    when = "FOR EACH ROW WHEN (NEW.email <> 'A' AND NEW.id IN (1, 2)) EXECUTE PROCEDURE note()"
    Trigger("tr", "account", event, when, metadata=m, dialect="postgresql")
    Trigger("tr", "account", "AFTER UPDATE", "BEGIN UPDATE account SET email = '5%'; END", metadata=m, dialect="sqlite")
    even = sa.CheckConstraint("is_even(id) IS NOT NULL", name="ck").ddl_if(dialect="postgresql")
    account = sa.Table(
        "account",
        m,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.String(50)),
        sa.Column("active", sa.Boolean, server_default=sa.true()),
        even,
    )
    chosen = sa.select(account.c.id, account.c.email).where(account.c.active, account.c.email == "it's 5%")
    View("z_active", chosen, metadata=m, options={"security_barrier": True})
    View("named", sa.text("SELECT id, email FROM account"), metadata=m, columns=("x", "Y"))
    Trigger("ins", "named", "INSTEAD OF INSERT", ROW, metadata=m, dialect="postgresql")
    Trigger("con", account, "AFTER INSERT", f"DEFERRABLE {ROW}", constraint=True, dialect="postgresql")
    Policy("own", account, using="email = current_user AND EXISTS (SELECT 1 FROM account b WHERE b.id = account.id)")
    Policy("few", account, command="INSERT", check=account.c.id > 5, permissive=False, roles=("pg_monitor",))
    return m


@pytest.mark.subset
async def test_a_database_made_by_create_all_shows_no_difference(database_url: str) -> None:
    async with connected(database_url) as connection:
        await connection.run_sync(everything().create_all)
        await connection.run_sync(everything().create_all)  # what is there stays
        found = await compared(connection, everything())
        assert (told(found), found.uncertain) == ([], ())
        await connection.run_sync(everything().drop_all)
        left = await compared(connection, metadata(view("x", "SELECT 1")), compare_objects=KINDS)
        assert told(left) == ["Create view x"]


async def test_create_all_of_some_tables_makes_what_belongs_to_them(postgres_url: str) -> None:
    m = metadata(T, function("note", "", NOTE), trigger("tr", "BEFORE INSERT"), view("v", "SELECT id FROM u"))
    sa.Table("u", m, sa.Column("id", sa.Integer))
    async with connected(postgres_url, f"CREATE FUNCTION note() {NOTE}") as connection:
        await connection.run_sync(m.create_all, tables=[m.tables["t"]])
        assert told(await compared(connection, m)) == ["Create table u with column id", "Create view v"]


def test_create_all_can_be_written_down() -> None:
    written: list[str] = []

    def keep(element: Any, *_: Any, **__: Any) -> None:
        written.append(str(element.compile(dialect=engine.dialect)).strip())

    engine = sa.create_mock_engine("postgresql+psycopg://", keep)
    metadata(T, view("v", "SELECT id % 2 FROM t")).create_all(engine, checkfirst=False)
    assert written[-1] == "CREATE VIEW v AS\nSELECT id %% 2 FROM t"  # psycopg makes one percent sign of two


async def test_objects_that_nobody_declared_are_left_alone(database_url: str) -> None:
    there = metadata(
        T,
        view("v", "SELECT id FROM t"),
        view("w", "SELECT 1 AS one"),
        trigger("tr", "AFTER DELETE", "BEGIN SELECT 1; END", dialect="sqlite"),
    )
    async with connected(database_url) as connection:
        await connection.run_sync(there.create_all)
        assert told(await compared(connection, metadata(T))) == []
        assert told(await compared(connection, metadata(T, view("v", "SELECT id FROM t")))) == ["Drop view w"]
        assert told(await compared(connection, metadata(T), compare_objects=frozenset({"view"}))) == [
            "Drop view w",
            "Drop view v",
        ]


async def test_filters_see_what_stands_beside_tables(database_url: str) -> None:
    seen: set[Any] = set()

    def include_object(item: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
        seen.add((name, type_, reflected, getattr(compare_to, "definition", None)))
        return name != "w"

    def include_name(name: str | None, type_: str, parents: Any) -> bool:
        seen.add((name, type_, parents.get("table_name")))
        return name != "v"

    body = "BEGIN SELECT 1; END"
    there = metadata(
        T,
        view("v", "SELECT id FROM t"),
        view("w", "SELECT 1 AS one"),
        trigger("tr", "AFTER DELETE", body, dialect="sqlite"),
    )
    wanted = metadata(
        T, view("w", "SELECT 2 AS one"), view("new", "SELECT 3"), trigger("tr", "AFTER DELETE", body, dialect="sqlite")
    )
    async with connected(database_url) as connection:
        await connection.run_sync(there.create_all)
        found = await compared(connection, wanted, include_object=include_object, include_name=include_name)
    assert told(found) == ["Create view new"]
    assert ("new", "view", False, None) in seen
    assert {one[:3] for one in seen} >= {("w", "view", False), ("v", "view", None)}
    assert (("tr", "trigger", "t") in seen) == database_url.startswith("sqlite")


async def test_without_a_right_to_temporary_objects_texts_decide_and_it_is_said(
    postgres_server: servers.PostgresServer, postgres_url: str
) -> None:
    database = sa.make_url(postgres_url).database
    wanted = metadata(
        T, view("same", "SELECT   a FROM t"), view("v", "SELECT id FROM t WHERE b IN (1, 2)"), sql("", "int", "1")
    )
    async with connected(postgres_url) as connection:
        await connection.run_sync(wanted.create_all)
        await connection.exec_driver_sql(f'REVOKE TEMP ON DATABASE "{database}" FROM PUBLIC, CURRENT_USER')
        await connection.commit()
        found = await compared(connection, wanted)
        assert found.uncertain == ("function f()", "view v")
        assert told(found) == ["Create or replace function f()", "Replace view v"]


async def test_asking_about_objects_leaves_nothing_behind(postgres_url: str) -> None:
    wanted = metadata(
        T, view("v", "SELECT id FROM t WHERE b IN (1, 2)"), sql("", "int", "1"), policy("p", "b IN (1, 2)")
    )
    count = "SELECT count(*) FROM pg_class WHERE relname LIKE 'asyncmig_%%' OR relnamespace = pg_my_temp_schema()"
    async with connected(postgres_url) as connection:
        await connection.run_sync(wanted.create_all)
        await connection.commit()
        assert told(await compared(connection, wanted)) == []
        assert (await connection.exec_driver_sql(count)).scalar() == 0


async def test_a_text_of_several_statements_is_not_put_to_the_database(postgres_url: str) -> None:
    texts = [
        view("v", "SELECT 2 AS one; COMMIT; DROP TABLE t"),
        policy("p", "b > 2); COMMIT; DROP TABLE t; SELECT (1"),
        sql("x int); COMMIT; DROP TABLE t; CREATE FUNCTION f(", "int", "1"),
    ]
    there = [view("v", "SELECT 1 AS one"), policy("p", "b > 1"), sql("", "int", "2")]
    async with connected(postgres_url) as connection:
        await connection.run_sync(metadata(T, *there).create_all)
        await connection.commit()
        found = await compared(connection, metadata(T, *texts))
        assert set(found.uncertain) == {"view v", "policy p on t", found.uncertain[0]}
        assert told(await compared(connection, metadata(T, *there))) == []


async def test_what_is_made_anew_keeps_its_indexes_and_its_comment(postgres_url: str) -> None:
    models = [stored("m", "SELECT b, a FROM t"), view("v", "SELECT a FROM t")]
    wanted = metadata(
        lambda m: sa.Table(
            "t", m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Text), sa.Column("b", sa.Integer)
        ),
        *models,
    )
    index, comment = "CREATE UNIQUE INDEX one ON m USING btree (b) WHERE b > 1", "COMMENT ON VIEW v IS 'it''s so'"
    async with connected(postgres_url) as connection:
        await connection.run_sync(metadata(T, *models).create_all)
        await connection.exec_driver_sql(index)
        await connection.exec_driver_sql(comment)
        found = await compared(connection, wanted)
    executed = [operation.sql for operation in found.operations if hasattr(operation, "sql")]
    assert executed == [index, comment]
    assert [operation.sql for operation in found.back if hasattr(operation, "sql")] == executed


async def test_other_schemas_hold_objects_too(postgres_url: str) -> None:
    m = sa.MetaData(schema="apart")
    sa.Table("t", m, sa.Column("id", sa.Integer, primary_key=True))
    View("v", "SELECT id FROM apart.t", metadata=m)
    Function("note", "", NOTE, metadata=m)
    Trigger("tr", "t", "BEFORE INSERT", "FOR EACH ROW EXECUTE FUNCTION apart.note()", metadata=m)
    Policy("p", "apart.t", metadata=m, using="id IN (1, 2)")
    async with connected(
        postgres_url, "CREATE SCHEMA apart", "CREATE VIEW apart.other AS SELECT 1 AS one"
    ) as connection:
        await connection.run_sync(m.create_all)
        assert told(await compared(connection, m)) == []
        assert told(await compared(connection, m, include_schemas=True)) == ["Drop view apart.other"]


async def test_the_default_schema_may_be_named(postgres_url: str) -> None:
    m = sa.MetaData(schema="public")
    sa.Table("t", m, sa.Column("id", sa.Integer, primary_key=True))
    View("v", "SELECT id FROM t", metadata=m)
    Function("note", "", NOTE, metadata=m)
    Trigger("tr", "t", "BEFORE INSERT", ROW, metadata=m)
    async with connected(postgres_url) as connection:
        await connection.run_sync(m.create_all)
        assert told(await compared(connection, m)) == []


async def test_extensions_come_go_and_hide_what_is_theirs(
    postgres_server: servers.PostgresServer, postgres_url: str
) -> None:
    url = postgres_server.superuser_url(postgres_url.rpartition("/")[2])
    (name,) = servers.rows(
        postgres_url,
        "SELECT name FROM pg_available_extensions WHERE name <> 'plpgsql' ORDER BY name = 'vector' DESC LIMIT 1",
    )[0]
    m = sa.MetaData()
    Extension(name, metadata=m, schema="extras")
    moved = sa.MetaData()
    Extension(name, metadata=moved, schema="elsewhere", version="9999")
    async with connected(url, "CREATE SCHEMA extras") as connection:
        assert told(await compared(connection, m))[-1] == f"Create extension {name}"
        await connection.run_sync(m.create_all)
        assert told(await compared(connection, m, compare_objects=KINDS, include_schemas=True)) == []
        found = await compared(connection, moved)
        assert told(found) == ["Create schema elsewhere", f"Alter extension {name}: version 9999, schema elsewhere"]
        back = found.back[0]
        assert isinstance(back, AlterExtension)
        assert (back.schema, back.version is not None) == ("extras", True)
        left = await compared(connection, sa.MetaData(), compare_objects=frozenset({"extension"}))
        assert told(left) == [f"Drop extension {name}"]
        await connection.exec_driver_sql("CREATE SCHEMA elsewhere")
        (statement,) = dialect_for("postgresql").statements(AlterExtension(name, schema="elsewhere"), Schema())
        await connection.exec_driver_sql(statement.sql)


ENV = """\
from asyncmig import Environment
import models_under_test

environment = Environment(target_metadata=models_under_test.METADATA, on_autogenerate=models_under_test.HOOK)
"""


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Any:
    module: Any = ModuleType("models_under_test")
    module.HOOK = None
    monkeypatch.setitem(sys.modules, "models_under_test", module)
    return module


@pytest.fixture
def shop(database_project: Project) -> Project:
    shutil.copy(TEMPLATE, database_project.folder / "migrations")
    return database_project.env(ENV)


async def generate(project: Project) -> str:
    async with project.migrator() as migrator:
        (path,) = await migrator.revision("change", autogenerate=True, allow_drops=True)
        await migrator.upgrade("head")
        await migrator.check()
        assert (await migrator.differences(offline=True)).items == ()
    return path.read_text()


def own(kind: str, renamed: bool = False) -> sa.MetaData:
    """A table with what hangs on it, whatever the database."""
    on = "u" if renamed else "t"
    postgresql = [
        function("note", "", NOTE),
        trigger("tr", "BEFORE INSERT", on=on),
        lambda m: Policy("p", on, metadata=m, using="b > 1"),
    ]
    sqlite = [trigger("tr", "AFTER DELETE", "BEGIN SELECT 1; END", on=on)]
    columns = sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.String(20)), sa.Column("b", sa.Integer)
    return metadata(
        lambda m: sa.Table(on, m, *columns),
        *(postgresql if kind == "postgresql" else sqlite),
        view("v", f"SELECT b FROM {on}"),
    )


async def test_a_renamed_table_keeps_what_hangs_on_it(shop: Project, models: Any, database_kind: str) -> None:
    models.METADATA = own(database_kind)
    await generate(shop)
    models.METADATA = own(database_kind, renamed=True)
    async with shop.migrator() as migrator:
        (path,) = await migrator.revision("change", autogenerate=True, renames=["t:u"])
        await migrator.upgrade("head")
        await migrator.check()
        await migrator.downgrade("-1")
    models.METADATA, models.HOOK = own(database_kind), None
    async with shop.migrator() as migrator:
        assert (await migrator.differences()).items == ()
    assert "trigger" not in path.read_text()
    assert "policy" not in path.read_text()


HUNG = {
    "postgresql": (
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION note()",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t FORCE ROW LEVEL SECURITY",
        "CREATE POLICY p ON t USING (b > 1)",
    ),
    "sqlite": ("CREATE TRIGGER tr AFTER DELETE ON t BEGIN SELECT 1; END",),
}
HANGS = {
    "postgresql": "SELECT relname::text || relrowsecurity || relforcerowsecurity, tgname::text, polname::text FROM pg_class c"
    " JOIN pg_trigger ON tgrelid = c.oid JOIN pg_policy ON polrelid = c.oid",
    "sqlite": "SELECT tbl_name, name, replace(replace(sql, '\"', ''), char(10), ' ') FROM sqlite_schema WHERE type = 'trigger'",
}


@pytest.mark.parametrize("change", ["goes", "is renamed", "is none of the project's"])
async def test_what_nobody_declared_comes_back_with_its_table(
    shop: Project, models: Any, database_url: str, database_kind: str, change: str
) -> None:
    models.METADATA = metadata(T, U)
    await generate(shop)
    servers.execute(database_url, *HUNG[database_kind])
    there = servers.rows(database_url, HANGS[database_kind])
    assert len(there) == 1
    if change == "is none of the project's":
        keep = "include_object=lambda thing, name, kind, reflected, other: (kind, name) != ('table', 't'), "
        shop.env(ENV.replace("on_autogenerate", f"{keep}on_autogenerate"))
    models.METADATA = metadata(table(a, b, name="renamed"), U) if change == "is renamed" else metadata(U)
    async with shop.migrator() as migrator:
        if change == "is none of the project's":
            assert (await migrator.differences()).items == ()
            return
        renames = ["t:renamed"] if change == "is renamed" else []
        (path,) = await migrator.revision("change", autogenerate=True, allow_drops=True, renames=renames)
        await migrator.upgrade("head")
        await migrator.check()
        await migrator.downgrade("-1")
    assert servers.rows(database_url, HANGS[database_kind]) == there
    assert ("create_trigger" in path.read_text()) is (change == "goes")


# What the models say before and after, whether FORCE is there before (by hand), after the upgrade and after the downgrade.
FORCES = {
    "said by nobody": (policy("p", "b > 1"), policy("p", "b > 2"), "f", "f", "f"),
    "by hand": (policy("p", "b > 1"), policy("p", "b > 2"), "t", "t", "t"),
    "by hand, the table goes": (policy("p", "b > 1"), None, "t", "", "t"),
    "said now": (policy("p", "b > 1"), policy("p", "b > 1", force=True), "f", "t", "f"),
    "said now, and there": (policy("p", "b > 1"), policy("p", "b > 2", force=True), "t", "t", "t"),
    "said no more": (policy("p", "b > 1", force=True), policy("p", "b > 2"), "t", "t", "t"),
    "said with the first policy": (lambda m: None, policy("p", "b > 2", force=True), "f", "t", "f"),
}


@pytest.mark.parametrize("case", FORCES)
async def test_force_is_switched_on_where_it_is_said_and_off_by_no_change(
    project: Project, models: Any, postgres_url: str, case: str
) -> None:
    before, after, *forced = FORCES[case]
    shop = project.env(ENV).config(url=postgres_url)
    shutil.copy(TEMPLATE, shop.folder / "migrations")
    models.METADATA = metadata(T, U, own_policy("u"), before)
    models.HOOK = None
    seen = []

    def look() -> None:
        found = servers.rows(postgres_url, "SELECT relforcerowsecurity FROM pg_class WHERE relname = 't'")
        seen.append("".join("t" if flag else "f" for (flag,) in found))

    await generate(shop)
    if forced[0] == "t":
        servers.execute(postgres_url, "ALTER TABLE t FORCE ROW LEVEL SECURITY")
    look()
    async with shop.migrator() as migrator:
        assert (await migrator.differences()).items == ()
    models.METADATA = metadata(U, own_policy("u"), *([T, after] if after is not None else []))
    async with shop.migrator() as migrator:
        await migrator.revision("change", autogenerate=True, allow_drops=True)
        await migrator.upgrade("head")
        await migrator.check()
        look()
        await migrator.downgrade("-1")
        look()
    assert seen == forced


async def test_a_hook_may_take_a_part_of_what_was_found(shop: Project, models: Any, database_kind: str) -> None:
    """The way back is then that of each operation by itself."""
    models.METADATA = own(database_kind)
    await generate(shop)
    models.METADATA = metadata(T, view("v", "SELECT b FROM t WHERE b > 1"), view("w", "SELECT 1 AS one"))
    models.HOOK = lambda operations: [one for one in operations if "view w" not in one.describe()]
    async with shop.migrator() as migrator:
        assert len(await migrator.revision("change", autogenerate=True)) == 1
        await migrator.upgrade("head")
        assert [one.description for one in (await migrator.differences()).items] == ["Create view w"]
        await migrator.downgrade("-1")
    models.METADATA, models.HOOK = own(database_kind), None
    async with shop.migrator() as migrator:
        assert (await migrator.differences()).items == ()


def test_check_tells_what_differs_beside_tables(shop: Project) -> None:
    shop.file(
        "models_under_test.py",
        "import sqlalchemy as sa\nfrom asyncmig import View\nHOOK = None\nMETADATA = sa.MetaData()\nView('v', 'SELECT 1 AS one', metadata=METADATA)\n",
    )
    assert "+ Create view v" in shop.run("check").expect(1).output
    (found,) = json.loads(shop.run("check", "--json", "--offline").expect(1).stdout)["items"]
    assert (found["operation"], found["sign"], found["objects"]) == ("create_view", "+", ["v"])
    shop.run("revision", "--autogenerate", "-m", "view").expect(0)
    shop.run("upgrade", "head").expect(0)
    shop.run("check").expect(0)
    shop.run("check", "--offline").expect(0)


def named(kind: str, name: str) -> sa.MetaData:
    """A table with a column of that name, used by everything that can hang on it."""
    columns = sa.Column("id", sa.Integer, primary_key=True), sa.Column(name, sa.String(20)), sa.Column("b", sa.Integer)
    postgresql = [
        function("note", "", NOTE),
        trigger("tr", f"BEFORE UPDATE OF {name}", f"FOR EACH ROW WHEN (NEW.{name} <> 'x') EXECUTE FUNCTION note()"),
        policy("p", f"{name} IN (SELECT u.{name} FROM t u)"),
    ]
    sqlite = [trigger("tr", f"AFTER UPDATE OF {name}", f"BEGIN UPDATE t SET {name} = NEW.{name}; END")]
    return metadata(
        lambda m: sa.Table("t", m, *columns),
        *(postgresql if kind == "postgresql" else sqlite),
        view("v", f"SELECT id, {name} FROM t"),
        view("w", f"SELECT {name} AS kept, b FROM t WHERE {name} <> 'x'"),
    )


async def test_a_renamed_column_keeps_what_uses_it(shop: Project, models: Any, database_kind: str) -> None:
    models.METADATA = named(database_kind, "a")
    await generate(shop)
    models.METADATA = named(database_kind, "said")
    async with shop.migrator() as migrator:
        assert len(await migrator.revision("change", autogenerate=True, renames=["t.a:said"])) == 1
        await migrator.upgrade("head")
        await migrator.check()
        assert (await migrator.differences(offline=True)).items == ()
        await migrator.downgrade("-1")
    models.METADATA = named(database_kind, "a")
    async with shop.migrator() as migrator:
        assert (await migrator.differences()).items == ()
        await migrator.upgrade("head")
        await migrator.downgrade("base")
