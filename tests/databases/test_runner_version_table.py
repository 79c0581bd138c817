"""The version table: its name, its schema, an `alembic_version` that is there already, ids of any length."""

from pathlib import Path

import pytest
import servers
import sqlalchemy as sa
from projects import Project
from sqlalchemy.ext.asyncio import create_async_engine

from asyncmig.errors import VersionTableError

LONG = "an_id_" + "x" * 249  # 255 characters

pytestmark = pytest.mark.subset


def type_of(url: str, table: str) -> str:
    """The type of version_num as the database spells it."""
    if url.startswith("postgres"):
        sql = "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'version_num'"
        return str(servers.rows(url, sql, (table,))[0][0])
    return str(servers.rows(url, "SELECT type FROM pragma_table_info(?) WHERE name = 'version_num'", (table,))[0][0])


async def make_alembic_version(url: str, *versions: str) -> None:
    """The table as Alembic itself makes it."""
    from alembic.migration import MigrationContext

    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(lambda sync: MigrationContext.configure(sync)._ensure_version_table())
        for version in versions:
            await connection.execute(sa.text("INSERT INTO alembic_version VALUES (:v)"), {"v": version})
    await engine.dispose()


async def test_name_and_schema_are_configurable(project: Project, postgres_url: str) -> None:
    servers.execute(postgres_url, 'CREATE SCHEMA "Ledgers of us"')
    project.config(url=postgres_url, version_table="Shop version", version_table_schema="Ledgers of us")
    project.revision("a1").revision("b2", "a1")
    await project.migrator().upgrade("head")
    assert servers.tables(postgres_url) == []
    assert servers.tables(postgres_url, "Ledgers of us") == ["Shop version", "Shop version_journal"]
    assert servers.rows(postgres_url, 'SELECT * FROM "Ledgers of us"."Shop version"') == [("b2",)]
    assert len(await project.migrator().log()) == 2
    await project.migrator().downgrade("base")
    assert servers.rows(postgres_url, 'SELECT * FROM "Ledgers of us"."Shop version"') == []


async def test_the_name_is_configurable(project: Project, database_url: str) -> None:
    project.config(url=database_url, version_table="Shop version").revision("a1")
    await project.migrator().upgrade("head")
    assert servers.tables(database_url) == ["Shop version", "Shop version_journal"]
    assert (await project.migrator().upgrade("head")).applied == ()


async def test_a_missing_schema_is_an_error_before_anything_is_applied(project: Project, postgres_url: str) -> None:
    project.config(url=postgres_url, version_table_schema="nowhere").revision(
        "a1", upgrade='op.execute("CREATE TABLE t (i int)")'
    )
    assert "correct version_table_schema" in project.run("upgrade").expect(3).stderr
    assert servers.tables(postgres_url) == []


def test_a_table_that_is_no_version_table_is_said(database_project: Project, database_url: str) -> None:
    database_project.revision("a1", upgrade='op.execute("CREATE TABLE theirs (other INTEGER)")').run("upgrade").expect(
        0
    )
    for command in ("current", "upgrade"):
        said = database_project.run(command, env={"ASYNCMIG_VERSION_TABLE": "theirs"}).expect(3).stderr
        assert "correct version_table" in said


def test_a_role_that_only_reads_is_told_once(
    project: Project, postgres_url: str, postgres_server: servers.PostgresServer
) -> None:
    project.config(url=postgres_url).revision("a1").run("upgrade").expect(0)
    project.revision("b2", "a1", upgrade='op.create_table("t", sa.Column("id", sa.Integer))')
    name = postgres_url.rpartition("/")[2]
    role = f"reader_{name}"
    grant = f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}"
    servers.execute(postgres_server.superuser_url(name), f"CREATE ROLE {role} LOGIN PASSWORD 'reading'", grant)
    try:
        url = postgres_server.url(name, user=role, password="reading")
        said = project.run("upgrade", "--url", url).expect(3).stderr
        assert "permission denied" in said and "Check the rights" in said
        assert said.count("warning: ") == 1  # the journal; the connection is left as it was
    finally:
        servers.execute(postgres_server.superuser_url(name), f"DROP OWNED BY {role}", f"DROP ROLE {role}")


async def test_ids_of_255_characters_are_taken(database_project: Project, database_url: str) -> None:
    database_project.revision("a1").script(
        "long.py",
        f'"""long"""\nrevision = {LONG!r}\ndown_revision = "a1"\ndef upgrade(): pass\ndef downgrade(): pass\n',
    )
    await database_project.migrator().upgrade("head")
    assert servers.rows(database_url, "SELECT version_num FROM asyncmig_version") == [(LONG,)]
    assert [entry.revision for entry in await database_project.migrator().log()] == [LONG, "a1"]
    await database_project.migrator().downgrade("-1")
    assert servers.rows(database_url, "SELECT version_num FROM asyncmig_version") == [("a1",)]


async def test_an_existing_alembic_version_is_used_as_it_is(project: Project, database_url: str) -> None:
    await make_alembic_version(database_url, "a1")
    project.config(url=database_url, version_table="alembic_version")
    project.revision("a1", upgrade="raise RuntimeError('applied already')")
    project.revision("b2", "a1", upgrade='op.create_table("b", sa.Column("id", sa.Integer))')
    before = type_of(database_url, "alembic_version")
    assert (await project.migrator().current()).revisions[0].revision == "a1"
    assert (await project.migrator().upgrade("head")).applied == ("b2",)
    assert type_of(database_url, "alembic_version") == before
    assert servers.rows(database_url, "SELECT * FROM alembic_version") == [("b2",)]
    assert servers.tables(database_url) == ["alembic_version", "alembic_version_journal", "b"]


async def test_looking_at_an_alembic_version_needs_no_journal(project: Project, database_url: str) -> None:
    await make_alembic_version(database_url, "a1")
    project.config(url=database_url, version_table="alembic_version").revision("a1")
    migrator = project.migrator()
    assert (await migrator.upgrade("head")).applied == ()
    assert (await migrator.status()).clean
    assert await migrator.log() == ()
    assert (await migrator.plan()).steps == ()
    assert servers.tables(database_url) == ["alembic_version"]


async def test_an_id_too_long_for_the_column_is_refused_and_ensure_version_widens_it(
    project: Project, postgres_url: str
) -> None:
    await make_alembic_version(postgres_url, "a1")
    project.config(url=postgres_url, version_table="alembic_version").revision("a1")
    project.revision("b2", "a1", upgrade='op.create_table("b", sa.Column("id", sa.Integer))')
    long = "c" * 33
    project.revision(long, "b2")
    with pytest.raises(VersionTableError, match=r"33 characters.*takes 32") as caught:
        await project.migrator().upgrade("head")
    assert "ensure-version" in str(caught.value)
    assert "b" not in servers.tables(postgres_url)
    assert servers.rows(postgres_url, "SELECT * FROM alembic_version") == [("a1",)]

    await project.migrator().ensure_version()
    assert type_of(postgres_url, "alembic_version") == "character varying(255)"
    assert servers.rows(postgres_url, "SELECT * FROM alembic_version") == [("a1",)]
    assert (await project.migrator().upgrade("head")).applied == ("b2", long)


async def test_an_id_too_long_is_refused_by_stamp_too(project: Project, postgres_url: str) -> None:
    await make_alembic_version(postgres_url)
    project.config(url=postgres_url, version_table="alembic_version").revision("c" * 33)
    with pytest.raises(VersionTableError):
        await project.migrator().stamp("head")
    assert servers.rows(postgres_url, "SELECT * FROM alembic_version") == []


async def test_ensure_version_creates_both_tables_and_is_harmless_again(
    database_project: Project, database_url: str
) -> None:
    database_project.revision("a1")
    await database_project.migrator().ensure_version()
    assert servers.tables(database_url) == ["asyncmig_version", "asyncmig_version_journal"]
    await database_project.migrator().upgrade("head")
    await database_project.migrator().ensure_version()
    assert servers.rows(database_url, "SELECT * FROM asyncmig_version") == [("a1",)]


async def test_the_text_of_ensure_version_makes_the_same_tables(
    database_project: Project, database_url: str, run_sql, tmp_path: Path
) -> None:
    database_project.revision("a1")
    text = await database_project.migrator().ensure_version(sql=True)
    assert text
    if database_url.startswith("sqlite"):
        servers.sqlite_path(database_url).touch()
    run_sql(database_url, text)
    assert servers.tables(database_url) == ["asyncmig_version", "asyncmig_version_journal"]
    assert (await database_project.migrator().upgrade("head")).applied == ("a1",)


async def test_several_heads_are_several_rows(database_project: Project, database_url: str) -> None:
    database_project.revision("a1").revision("b2", "a1").revision("c3", "a1").revision("d4", ("b2", "c3"))
    migrator = database_project.migrator()
    await migrator.upgrade("b2")
    await migrator.upgrade("c3")
    assert sorted(servers.rows(database_url, "SELECT * FROM asyncmig_version")) == [("b2",), ("c3",)]
    await migrator.upgrade("heads")
    assert servers.rows(database_url, "SELECT * FROM asyncmig_version") == [("d4",)]
    await migrator.downgrade("b2")
    assert sorted(servers.rows(database_url, "SELECT * FROM asyncmig_version")) == [("b2",), ("c3",)]


async def test_a_role_without_create_is_told_before_anything_is_applied(
    project: Project, postgres_url: str, postgres_server: servers.PostgresServer
) -> None:
    """PostgreSQL 15 and later keep CREATE on public to its owner; the revoke makes earlier ones alike."""
    name = postgres_url.rpartition("/")[2]
    role = f"reader_{name}"
    admin = postgres_server.superuser_url(name)
    servers.execute(
        admin,
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
        f"CREATE ROLE {role} LOGIN PASSWORD 'reading'",
        "CREATE SCHEMA theirs",
        f"GRANT ALL ON SCHEMA theirs TO {role}",
    )
    try:
        project.config(url=postgres_server.url(name, user=role, password="reading"))
        project.revision("a1", upgrade='op.execute("CREATE TABLE theirs.made (id int)")')
        with pytest.raises(VersionTableError, match=r"asyncmig_version.*may not be created.*Nothing was applied"):
            await project.migrator().upgrade("head")
        assert servers.tables(postgres_url, "theirs") == []
        # The version table alone is there: then it is the journal that cannot be made.
        servers.execute(
            admin,
            "CREATE TABLE public.asyncmig_version (version_num varchar(255) PRIMARY KEY)",
            f"GRANT ALL ON public.asyncmig_version TO {role}",
        )
        with pytest.raises(VersionTableError, match=r"asyncmig_version_journal.*may not be created") as caught:
            await project.migrator().upgrade("head")
        assert caught.value.exit_code == 3
        assert servers.tables(postgres_url, "theirs") == []
        assert servers.rows(admin, "SELECT * FROM public.asyncmig_version") == []
    finally:
        servers.execute(admin, f"DROP OWNED BY {role}", f"DROP ROLE {role}")
