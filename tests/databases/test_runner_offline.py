"""`--sql`: the text, run through psql or the sqlite3 shell, leaves what the online run leaves."""

import subprocess
from collections.abc import Callable

import pytest
import servers
from projects import Project

from asyncmig.errors import DynamicScript, ScriptError

pytestmark = pytest.mark.subset

# Without those that tell who ran it and when: times, user, host; and `statements`, which only a run writes.
JOURNAL = "revision, down_revision, direction, outcome, checksum, file_hash, statements_done, asyncmig_version, error"


def history(project: Project) -> Project:
    project.revision(
        "a1",
        upgrade="""
        op.create_table(
            "account",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("email", sa.String(50), nullable=False, server_default="it's"),
            sa.CheckConstraint("email <> ''", name="ck_email"),
        )
        op.execute("INSERT INTO account (id, email) VALUES (1, 'semi;colon'); INSERT INTO account (id, email) VALUES (2, 'b -- c')")
        """,
        downgrade='op.drop_table("account")',
        message="first; 'quoted' -- comment",
    )
    project.revision(
        "b2",
        "a1",
        upgrade="""
        account = sa.table("account", sa.column("id", sa.Integer), sa.column("email", sa.String))
        op.bulk_insert(account, [{"id": 3, "email": "o'clock :colon %percent"}, {"id": 4, "email": "back\\\\slash"}])
        op.execute(account.update().where(account.c.id == 1).values(email="changed"))
        op.add_column("account", sa.Column("more", sa.Integer))
        """,
        downgrade="""
        op.execute("DELETE FROM account WHERE id > 2")
        op.drop_column("account", "more")
        """,
    )
    project.revision(
        "c3",
        "a1",
        upgrade='op.create_index("ix_account_email", "account", ["email"])',
        downgrade='op.drop_index("ix_account_email", "account")',
    )
    return project.revision("d4", ("b2", "c3"))


def dump(url: str) -> dict[str, object]:
    found: dict[str, object] = {
        "tables": {table: servers.columns(url, table) for table in servers.tables(url)},
        "versions": sorted(servers.rows(url, "SELECT version_num FROM asyncmig_version")),
        "journal": servers.rows(url, f"SELECT {JOURNAL} FROM asyncmig_version_journal ORDER BY id"),
    }
    if url.startswith("sqlite"):
        found["sql"] = servers.rows(url, "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name")
    else:
        found["indexes"] = servers.rows(
            url, "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1"
        )
        found["constraints"] = servers.rows(
            url,
            "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid <> 0 AND connamespace = 'public'::regnamespace ORDER BY 1",
        )
        found["columns"] = servers.rows(
            url,
            "SELECT table_name, column_name, data_type, column_default, is_nullable FROM information_schema.columns "
            "WHERE table_schema = 'public' ORDER BY 1, 2",
        )
    if "account" in servers.tables(url):
        found["rows"] = servers.rows(url, "SELECT * FROM account ORDER BY id")
    return found


Databases = Callable[[], str]
RunSql = Callable[[str, str], str]


def empty(url: str) -> str:
    if url.startswith("sqlite"):
        servers.sqlite_path(url).touch()
    return url


@pytest.mark.parametrize("transaction", ["revision", "run"])
async def test_the_text_leaves_what_the_run_leaves(
    project: Project, databases: Databases, run_sql: RunSql, transaction: str
) -> None:
    online, offline = empty(databases()), empty(databases())
    history(project).config(url=online, transaction=transaction)
    migrator = project.migrator()
    await migrator.upgrade("head")
    report = await migrator.upgrade("head", sql=True)
    assert report.sql
    run_sql(offline, report.sql)
    assert dump(offline) == dump(online)

    await migrator.downgrade("a1")
    down = await migrator.downgrade("d4:a1", sql=True)
    assert down.sql
    run_sql(offline, down.sql)
    assert dump(offline) == dump(online)

    # The database that the text made is one that a run goes on with.
    project.config(url=offline)
    assert set((await project.migrator().upgrade("head")).applied) == {"b2", "c3", "d4"}


async def test_ranges_and_stamps(project: Project, databases: Databases, run_sql: RunSql) -> None:
    online, offline = empty(databases()), empty(databases())
    history(project).config(url=online)
    migrator = project.migrator()
    for target, text in (("b2", "b2"), ("d4", "b2:d4")):
        await migrator.upgrade(target)
        run_sql(offline, (await migrator.upgrade(text, sql=True)).sql or "")
        assert dump(offline)["versions"] == dump(online)["versions"]
    await migrator.stamp("a1")
    run_sql(offline, (await migrator.stamp("d4:a1", sql=True)).sql or "")
    assert dump(offline)["versions"] == dump(online)["versions"] == [("a1",)]


def test_the_command_prints_a_text_that_runs(project: Project, databases: Databases, run_sql: RunSql) -> None:
    url = empty(databases())
    history(project).config(url=url)
    done = project.run("upgrade", "head", "--sql").expect(0)
    assert servers.tables(url) == []
    run_sql(url, done.stdout)
    assert servers.rows(url, "SELECT version_num FROM asyncmig_version") == [("d4",)]


async def test_a_database_elsewhere_refuses_the_text(
    database_project: Project, database_url: str, run_sql: RunSql
) -> None:
    history(database_project)
    migrator = database_project.migrator()
    await migrator.upgrade("a1")
    before = dump(database_url)
    for text in ("d4:head", "b2:d4", "head"):
        sql = (await migrator.upgrade(text, sql=True)).sql or ""
        if "INSERT INTO" not in sql and "UPDATE" not in sql:
            continue
        with pytest.raises(AssertionError, match="asyncmig: the version table does not stand"):
            run_sql(database_url, sql)
        assert dump(database_url) == before


def test_a_shell_that_goes_on_behind_errors_stops_at_the_text_of_the_command(
    database_project: Project, database_url: str, postgres_server: servers.PostgresServer
) -> None:
    """psql and sqlite3 as they are without -v ON_ERROR_STOP and -bail."""
    history(database_project).run("upgrade", "a1").expect()
    database_project.revision(
        "e5", "d4", upgrade='op.create_index("ix", "account", ["id"], postgresql_concurrently=True)'
    )
    before = dump(database_url)
    shell = (
        ["sqlite3", str(servers.sqlite_path(database_url))]
        if database_url.startswith("sqlite")
        else [str(postgres_server.psql), "--no-psqlrc", servers.libpq_url(database_url)]
    )
    for text in ("b2:d4", "d4:head"):
        subprocess.run(
            shell, input=database_project.run("upgrade", text, "--sql").expect().stdout, text=True, check=False
        )
    assert dump(database_url)["versions"] == before["versions"]
    assert dump(database_url)["journal"] == before["journal"]
    assert dump(database_url)["rows"] == before["rows"]


@pytest.mark.parametrize(
    "body",
    [
        "op.get_bind().execute(sa.text('SELECT 1')).scalar()",
        "sa.inspect(op.get_bind())",
        "x = op.get_context().connection.execute(sa.text('SELECT 1'))",
        "async def upgrade():\n    await op.connection()",
    ],
)
async def test_a_script_that_needs_the_connection_is_an_error_with_its_line(
    database_project: Project, body: str
) -> None:
    database_project.revision("a1", upgrade=body)
    (path,) = database_project.versions.glob("a1_*")
    line = next(n for n, text in enumerate(path.read_text().splitlines(), 1) if "op." in text and "import" not in text)
    with pytest.raises((DynamicScript, ScriptError)) as caught:
        await database_project.migrator().upgrade("head", sql=True)
    assert (caught.value.path, caught.value.line) == (path, line)


async def test_concurrently_stands_outside_the_transaction(
    project: Project, postgres_url: str, run_sql: RunSql
) -> None:
    project.config(url=postgres_url).revision(
        "a1",
        upgrade="""
        op.create_table("t", sa.Column("id", sa.Integer))
        op.create_index("ix", "t", ["id"], postgresql_concurrently=True)
        with op.autocommit_block():
            op.execute("VACUUM t")
        op.execute("INSERT INTO t VALUES (1)")
        """,
    )
    run_sql(postgres_url, (await project.migrator().upgrade("head", sql=True)).sql or "")
    assert servers.rows(postgres_url, "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix'::regclass") == [(True,)]
    assert servers.rows(postgres_url, "SELECT id FROM t") == [(1,)]
    assert (await project.migrator().status()).clean


@pytest.mark.parametrize(
    ("command", "target"), [("upgrade", "current"), ("upgrade", "current+1"), ("stamp", "a1:current"), ("downgrade", ":base"), ("downgrade", "d4:")]
)  # fmt: skip
def test_a_text_needs_to_know_where_it_begins_and_ends(
    project: Project, sqlite_url: str, command: str, target: str
) -> None:
    history(project).config(url=sqlite_url)
    refused = project.run(command, target, "--sql").expect(2)
    assert refused.stdout == ""
    assert target.removeprefix("a1:") in refused.stderr
