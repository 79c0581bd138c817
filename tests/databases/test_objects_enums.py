"""Enums on PostgreSQL: made once before their first use, gone after the last, up, down and up again."""

import pytest
import servers
import sqlalchemy as sa
from projects import Project
from sqlalchemy.ext.asyncio import create_async_engine

from asyncmig.errors import MigrationFailed, OperationError, UnsupportedOperation

pytestmark = pytest.mark.subset

KIND = 'sa.Enum("red", "green", name="kind")'
ID = 'sa.Column("id", sa.Integer, primary_key=True)'
TABLE = 'op.create_table("{0}", sa.Column("id", sa.Integer, primary_key=True), sa.Column("kind", ' + KIND + "))"


def enums(url: str) -> dict[str, list[str]]:
    found = servers.rows(
        url,
        "SELECT n.nspname || '.' || t.typname, array_agg(e.enumlabel::text ORDER BY e.enumsortorder) FROM pg_type t "
        "JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_enum e ON e.enumtypid = t.oid GROUP BY 1",
    )
    return {str(name).removeprefix("public."): labels for name, labels in found}


async def up_down_up(project: Project, url: str, expected: dict[str, list[str]]) -> None:
    """Twice the way up leaves the types expected, the way down none."""
    for _ in range(2):
        await project.migrator().upgrade("head")
        assert enums(url) == expected
        await project.migrator().downgrade("base")
        assert enums(url) == {}


BOTH = {"kind": ["red", "green"]}
ROUND_TRIPS = {
    "create_table": (TABLE.format("a"), 'op.drop_table("a")', BOTH),
    "add_column": (
        f'op.create_table("a", {ID})\nop.add_column("a", sa.Column("kind", {KIND}))',
        'op.drop_column("a", "kind")\nop.drop_table("a")',
        BOTH,
    ),
    "alter_column": (
        (
            f'op.create_table("a", {ID}, sa.Column("kind", sa.String(9)))\n'
            f'op.alter_column("a", "kind", type_={KIND}, postgresql_using="kind::kind")'
        ),
        'op.alter_column("a", "kind", type_=sa.String(9))\nop.drop_table("a")',
        BOTH,
    ),
    "alter_column in a batch": (
        (
            f'op.create_table("a", {ID}, sa.Column("kind", sa.String(9)))\n'
            f'with op.batch_alter_table("a") as batch: batch.alter_column("kind", type_={KIND}, postgresql_using="kind::kind")'
        ),
        'with op.batch_alter_table("a") as batch: batch.drop_column("kind")\nop.drop_table("a")',
        BOTH,
    ),
    "shared by tables": (
        "\n".join(TABLE.format(name) for name in "abc"),
        'op.drop_table("a")\nop.drop_table("b")\nop.drop_table("c")',
        BOTH,
    ),
    "shared by columns": (
        f'kind = {KIND}\nop.create_table("a", {ID}, sa.Column("one", kind), sa.Column("two", kind))',
        'op.drop_column("a", "one")\nop.drop_column("a", "two")\nop.drop_table("a")',
        BOTH,
    ),
    "array": (
        (
            "from sqlalchemy.dialects import postgresql as pg\n"
            f'op.create_table("a", {ID}, sa.Column("kinds", pg.ARRAY({KIND})))'
        ),
        'op.drop_table("a")',
        BOTH,
    ),
    "schema": (
        (
            'op.create_schema("s")\n'
            f'op.create_table("a", {ID}, sa.Column("kind", sa.Enum("x", name="kind", schema="s")), schema="s")'
        ),
        'op.drop_table("a", schema="s")',
        {"s.kind": ["x"]},
    ),
    "dropped by the script itself": (
        TABLE.format("a"),
        'op.drop_table("a")\nsa.Enum(name="kind").drop(op.get_bind())',
        BOTH,
    ),
    "dropped by SQL of the script": (TABLE.format("a"), 'op.drop_table("a")\nop.execute("DROP TYPE kind")', BOTH),
    "created by the directive": (
        f'op.create_enum("kind", ["red", "green"])\n{TABLE.format("a")}',
        'op.drop_table("a")\nop.drop_enum("kind")',
        BOTH,
    ),
    "native_enum=False": (
        f'op.create_table("a", {ID}, sa.Column("k", sa.Enum("x", name="kind", native_enum=False, create_constraint=True)))',
        'op.drop_table("a")',
        {},
    ),
}


@pytest.mark.parametrize("case", ROUND_TRIPS)
async def test_the_type_comes_and_goes_with_its_columns(at_postgres: Project, postgres_url: str, case: str) -> None:
    upgrade, downgrade, expected = ROUND_TRIPS[case]
    if "create_schema" in upgrade:
        downgrade = f'{downgrade}\nop.drop_schema("s")'  # which the type would hold
    at_postgres.revision("a1", upgrade=upgrade, downgrade=downgrade)
    await up_down_up(at_postgres, postgres_url, expected)


async def test_a_type_in_a_schema_goes_with_its_last_column(at_postgres: Project, postgres_url: str) -> None:
    at_postgres.revision("a1", upgrade='op.create_schema("s")', downgrade='op.drop_schema("s")')
    at_postgres.revision(
        "b2",
        "a1",
        upgrade=f'op.create_table("a", {ID}, sa.Column("kind", sa.Enum("x", name="kind", schema="s")))',
        downgrade='op.drop_table("a")',
    )
    await up_down_up(at_postgres, postgres_url, {"s.kind": ["x"]})


async def test_a_shared_type_stays_until_the_last_table_is_gone(at_postgres: Project, postgres_url: str) -> None:
    at_postgres.revision("a1", upgrade=TABLE.format("a"), downgrade='op.drop_table("a")')
    at_postgres.revision("b2", "a1", upgrade=TABLE.format("b"), downgrade='op.drop_table("b")')
    migrator = at_postgres.migrator()
    await migrator.upgrade("head")
    await migrator.downgrade("a1")
    assert enums(postgres_url) == BOTH
    await migrator.downgrade("base")
    assert enums(postgres_url) == {}


async def test_an_upgrade_that_drops_the_last_column_drops_the_type(at_postgres: Project, postgres_url: str) -> None:
    at_postgres.revision("a1", upgrade=TABLE.format("a"), downgrade='op.drop_table("a")')
    at_postgres.revision("b2", "a1", upgrade='op.drop_table("a")', downgrade=TABLE.format("a"))
    for _ in range(2):
        await at_postgres.migrator().upgrade("head")
        assert enums(postgres_url) == {}
        await at_postgres.migrator().downgrade("a1")
        assert enums(postgres_url) == BOTH


async def test_scripts_written_for_alembic_keep_the_type_on_the_way_up(at_postgres: Project, postgres_url: str) -> None:
    at_postgres.config(url=postgres_url, alembic_compat=True)
    at_postgres.revision("a1", upgrade=TABLE.format("a"), downgrade='op.drop_table("a")')
    at_postgres.revision("b2", "a1", upgrade='op.drop_table("a")', downgrade=TABLE.format("a"))
    await at_postgres.migrator().upgrade("head")
    assert enums(postgres_url) == BOTH
    await at_postgres.migrator().downgrade("base")
    assert enums(postgres_url) == {}


KEPT = {
    "create_type=False": 'sa.Enum("red", "green", name="kind").create(op.get_bind())\n'
    "from sqlalchemy.dialects import postgresql as pg\n"
    f'op.create_table("a", {ID}, sa.Column("kind", pg.ENUM("red", "green", name="kind", create_type=False)))',
    "metadata=": "op.execute(\"CREATE TYPE kind AS ENUM ('red', 'green')\")\n"
    f'op.create_table("a", {ID}, sa.Column("kind", sa.Enum("red", "green", name="kind", metadata=sa.MetaData())))',
    "SQL": f"op.execute(\"CREATE TYPE kind AS ENUM ('red', 'green')\")\n{TABLE.format('a')}",
    "create_enum": f'op.create_enum("kind", ["red", "green"])\n{TABLE.format("a")}',
    "a function uses it": f"{TABLE.format('a')}\n"
    'op.create_function("f", "k kind", "RETURNS text LANGUAGE sql AS $$ SELECT k::text $$")',
    "another column uses it": f'{TABLE.format("a")}\nop.execute("CREATE TABLE other (kind kind)")',
}


@pytest.mark.parametrize("case", KEPT)
async def test_a_type_that_is_not_the_columns_own_stays(at_postgres: Project, postgres_url: str, case: str) -> None:
    at_postgres.revision("a1", upgrade=KEPT[case])
    at_postgres.revision("b2", "a1", upgrade='op.drop_table("a")', downgrade=TABLE.format("a"))
    await at_postgres.migrator().upgrade("head")
    assert enums(postgres_url) == BOTH


@pytest.mark.parametrize(
    "type_", ['pg.ENUM("x", name="kind", create_type=False)', 'sa.Enum("x", name="kind", metadata=m)']
)
async def test_a_type_of_its_own_is_never_created(at_postgres: Project, type_: str) -> None:
    before = "from sqlalchemy.dialects import postgresql as pg\nm = sa.MetaData()"
    at_postgres.revision("a1", upgrade=f'op.create_table("a", {ID}, sa.Column("kind", {type_}))', before=before)
    with pytest.raises(MigrationFailed, match='type "kind" does not exist'):
        await at_postgres.migrator().upgrade("head")


async def test_inherit_schema_puts_the_type_beside_its_table(at_postgres: Project, postgres_url: str) -> None:
    column = 'sa.Column("kind", sa.Enum("x", name="kind", inherit_schema=True))'
    before = "import warnings\nwarnings.simplefilter('ignore')"
    at_postgres.revision("a1", upgrade='op.create_schema("s")', downgrade='op.drop_schema("s")')
    at_postgres.revision(
        "b2",
        "a1",
        upgrade=f'op.create_table("a", {ID}, {column}, schema="s")',
        downgrade='op.drop_table("a", schema="s")',
        before=before,
    )
    await up_down_up(at_postgres, postgres_url, {"s.kind": ["x"]})


async def test_a_leftover_of_other_values_is_made_anew(at_postgres: Project, postgres_url: str) -> None:
    servers.execute(postgres_url, "CREATE TYPE kind AS ENUM ('old')")
    at_postgres.revision("a1", upgrade=TABLE.format("a"))
    await at_postgres.migrator().upgrade("head")
    assert enums(postgres_url) == BOTH


async def test_a_type_in_use_that_lacks_a_value_is_an_error(at_postgres: Project, postgres_url: str) -> None:
    servers.execute(postgres_url, "CREATE TYPE kind AS ENUM ('old')", "CREATE TABLE other (kind kind)")
    at_postgres.revision("a1", upgrade=TABLE.format("a"))
    with pytest.raises(MigrationFailed, match="enum kind is there already, in use, and without red, green"):
        await at_postgres.migrator().upgrade("head")


async def test_a_replaced_table_gets_the_new_values(at_postgres: Project, postgres_url: str) -> None:
    at_postgres.revision("a1", upgrade=TABLE.format("a"))
    other = TABLE.format("a").replace('"red", "green"', '"blue"')
    at_postgres.revision("b2", "a1", upgrade=f'op.drop_table("a")\n{other}')
    await at_postgres.migrator().upgrade("head")
    assert enums(postgres_url) == {"kind": ["blue"]}


async def test_values_are_added_without_a_rewrite(at_postgres: Project, postgres_url: str) -> None:
    at_postgres.revision("a1", upgrade=f"{TABLE.format('a')}\nop.execute(\"INSERT INTO a VALUES (1, 'red')\")")
    at_postgres.revision(
        "b2",
        "a1",
        upgrade="""
        op.add_enum_value("kind", "blue")
        op.add_enum_value("kind", "black", before="red")
        op.add_enum_value("kind", "grey", after="red")
        op.add_enum_value("kind", "it's", if_not_exists=True)
        op.add_enum_value("kind", "red", if_not_exists=True)
        op.rename_enum_value("kind", "green", "lime")
        """,
    )
    await at_postgres.migrator().upgrade("a1")
    before = servers.rows(postgres_url, "SELECT pg_relation_filenode('a')")
    await at_postgres.migrator().upgrade("head")
    assert enums(postgres_url) == {"kind": ["black", "red", "grey", "lime", "blue", "it's"]}
    assert servers.rows(postgres_url, "SELECT pg_relation_filenode('a')") == before
    assert servers.rows(postgres_url, "SELECT id, kind::text FROM a") == [(1, "red")]


USE = "op.execute(\"INSERT INTO a (kind) VALUES ('blue')\")"


async def test_a_value_used_in_the_transaction_that_added_it_is_explained(at_postgres: Project) -> None:
    at_postgres.revision("a1", upgrade=TABLE.format("a").replace("primary_key=True", "sa.Identity()"))
    at_postgres.revision("b2", "a1", upgrade=f'op.add_enum_value("kind", "blue")\n{USE}')
    with pytest.raises(MigrationFailed, match="added in this very transaction") as caught:
        await at_postgres.migrator().upgrade("head")
    assert "autocommit_block" in str(caught.value.hint)
    assert "revision of its own" in str(caught.value.hint)


async def test_the_way_out_works(at_postgres: Project, postgres_url: str) -> None:
    at_postgres.revision("a1", upgrade=TABLE.format("a").replace("primary_key=True", "sa.Identity()"))
    at_postgres.revision("b2", "a1", upgrade=f'with op.autocommit_block(): op.add_enum_value("kind", "blue")\n{USE}')
    await at_postgres.migrator().upgrade("head")
    assert servers.rows(postgres_url, "SELECT kind::text FROM a") == [("blue",)]


async def test_a_type_of_the_same_transaction_is_postgresqls_to_judge(
    at_postgres: Project, postgres_server: servers.PostgresServer
) -> None:
    at_postgres.revision(
        "a1",
        upgrade="""
        op.create_enum("k", ["a"])
        op.add_enum_value("k", "b")
        op.create_table("t", sa.Column("k", sa.Enum("a", "b", name="k"), server_default="b"))
        op.execute("INSERT INTO t DEFAULT VALUES")
        """,
    )
    if postgres_server.version >= 17:  # "E.5 Release 17": values of a type that the transaction created may be used
        await at_postgres.migrator().upgrade("head")
    else:
        with pytest.raises(MigrationFailed, match="added in this very transaction"):
            await at_postgres.migrator().upgrade("head")


BLUE = 'sa.Enum("red", "green", "blue", name="kind")'
SHOWN = {
    "a default": f'op.add_column("a", sa.Column("second", {BLUE}, server_default="blue"))',
    "a changed default": f'op.alter_column("a", "kind", existing_type={BLUE}, server_default="blue")',
    "a row": f'op.bulk_insert(sa.table("a", sa.column("kind", {BLUE})), [{{"kind": "blue"}}])',
}


@pytest.mark.parametrize("case", SHOWN)
async def test_a_use_that_operations_show_is_refused_before_it_is_sent(at_postgres: Project, case: str) -> None:
    at_postgres.revision("a1", upgrade=TABLE.format("a"))
    at_postgres.revision("b2", "a1", upgrade=f'op.add_enum_value("kind", "blue")\n{SHOWN[case]}')
    with pytest.raises(MigrationFailed, match=r"uses blue of enum kind: .*added in this very transaction") as caught:
        await at_postgres.migrator().upgrade("head")
    assert caught.value.sql is None
    with pytest.raises(OperationError, match="uses blue of enum kind"):
        await at_postgres.migrator().upgrade("head", sql=True)


async def test_a_value_that_was_added_but_not_journaled_is_not_added_again(
    at_postgres: Project, postgres_url: str
) -> None:
    add = 'with op.autocommit_block(): op.add_enum_value("kind", "blue")'
    at_postgres.revision("a1", upgrade=TABLE.format("a"))
    at_postgres.revision("b2", "a1", upgrade=f"{add}\nraise RuntimeError('injected')")
    with pytest.raises(MigrationFailed):
        await at_postgres.migrator().upgrade("head")
    servers.execute(
        postgres_url,
        "UPDATE asyncmig_version_journal SET statements_done = 0, statements = NULL WHERE outcome = 'incomplete'",
    )
    at_postgres.revision("b2", "a1", upgrade=add)
    await at_postgres.migrator().upgrade("head")
    assert enums(postgres_url) == {"kind": ["red", "green", "blue"]}


async def test_an_old_script_that_does_not_load_any_more_is_no_obstacle(
    at_postgres: Project, postgres_url: str
) -> None:
    at_postgres.revision("a1", upgrade="pass").revision("b2", "a1", upgrade=TABLE.format("a"))
    at_postgres.revision("c3", "b2", upgrade='op.drop_table("a")', downgrade=TABLE.format("a"))
    await at_postgres.migrator().upgrade("b2")
    at_postgres.config(url=postgres_url, checksums="off").revision("a1", before="import a_model_that_is_gone")
    await at_postgres.migrator().upgrade("head")
    assert enums(postgres_url) == {}


async def test_check_backed_types_come_and_go_with_their_column(database_project: Project, database_url: str) -> None:
    database_project.revision(
        "a1",
        upgrade=f"""
        op.create_table("a", {ID}, sa.Column("flag", sa.Boolean(create_constraint=True, name="ck_flag")))
        op.add_column("a", sa.Column("kind", sa.Enum("x", "y", name="ck_kind", native_enum=False, create_constraint=True)))
        """,
        downgrade="""
        with op.batch_alter_table("a") as batch: batch.drop_column("kind")
        with op.batch_alter_table("a") as batch: batch.drop_column("flag")
        op.drop_table("a")
        """,
    )
    for _ in range(2):
        await database_project.migrator().upgrade("head")
        servers.execute(database_url, "INSERT INTO a (id, kind) VALUES (1, 'x')")
        with pytest.raises(Exception, match=r"ck_kind|CHECK"):
            servers.execute(database_url, "INSERT INTO a (id, kind) VALUES (2, 'z')")
        await database_project.migrator().downgrade("base")
        assert "a" not in servers.tables(database_url)


async def test_sql_leaves_the_same_types(at_postgres: Project, postgres_url: str, run_sql) -> None:  # type: ignore[no-untyped-def]
    at_postgres.revision("a1", upgrade=TABLE.format("a"), downgrade='op.drop_table("a")')
    at_postgres.revision("b2", "a1", upgrade='op.drop_table("a")', downgrade=TABLE.format("a"))
    at_postgres.revision("c3", "b2", upgrade=TABLE.format("b"), downgrade='op.drop_table("b")')
    up = (await at_postgres.migrator().upgrade("head", sql=True)).sql
    assert up is not None
    assert (up.count("CREATE TYPE"), up.count("DROP TYPE")) == (2, 1)
    run_sql(postgres_url, up)
    assert enums(postgres_url) == BOTH
    down = (await at_postgres.migrator().downgrade("head:base", sql=True)).sql
    assert down is not None
    run_sql(postgres_url, down)
    assert enums(postgres_url) == {}


async def test_plan_shows_the_type_that_goes(at_postgres: Project) -> None:
    at_postgres.revision("a1", upgrade=TABLE.format("a"))
    at_postgres.revision("b2", "a1", upgrade='op.drop_table("a")', downgrade=TABLE.format("a"))
    report = await at_postgres.migrator().plan("head")
    assert [operation.description for operation in report.steps[1].operations] == ["Drop table a", "Drop enum kind"]


async def test_the_callers_transaction_sees_the_type_go(at_postgres: Project, postgres_url: str) -> None:
    at_postgres.revision("a1", upgrade=TABLE.format("a"), downgrade='op.drop_table("a")')
    engine = create_async_engine(postgres_url)
    async with engine.begin() as connection:
        migrator = at_postgres.migrator(connection=connection)
        await migrator.upgrade("head")
        await migrator.downgrade("base")
        assert (await connection.execute(sa.text("SELECT to_regtype('kind')"))).scalar() is None
    await engine.dispose()


async def test_sqlite_has_no_enums_and_says_so(at_sqlite: Project) -> None:
    for line in (
        'op.create_enum("kind", ["a"])',
        'op.drop_enum("kind")',
        'op.add_enum_value("kind", "b")',
        'op.rename_enum_value("kind", "a", "b")',
    ):
        at_sqlite.revision("a1", upgrade=line)
        with pytest.raises(MigrationFailed, match="SQLite has no enum types") as caught:
            await at_sqlite.migrator().upgrade("head")
        assert isinstance(caught.value.__cause__, UnsupportedOperation)
