"""Indexes made and dropped CONCURRENTLY: whatever fails, the rerun reaches head with valid indexes and one journal."""

import contextlib
import signal
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
import servers
from projects import Project

from asyncmig.errors import MigrationFailed

pytestmark = pytest.mark.subset

TABLE = """
op.create_table("account", sa.Column("id", sa.Integer, primary_key=True), sa.Column("email", sa.String(50)))
op.execute("INSERT INTO account SELECT i, 'user' || i FROM generate_series(1, 50) AS i")
"""
CREATE = 'op.create_index("ix_email", "account", ["email"], postgresql_concurrently=True)'
UNIQUE = 'op.create_index("ix_email", "account", ["email"], unique=True, postgresql_concurrently=True)'
IF_NOT_EXISTS = CREATE.replace("True)", "True, if_not_exists=True)")
DROP = 'op.drop_index("ix_email", "account", postgresql_concurrently=True)'
IMPATIENT = "op.execute(\"SET lock_timeout = '100ms'\")"
NOTE = 'op.execute("INSERT INTO note VALUES ({})")'


def prepared(project: Project, body: str, *, downgrade: str = "pass") -> Project:
    return project.revision("a1", upgrade=TABLE).revision("b2", "a1", upgrade=body, downgrade=downgrade)


def indexes(url: str) -> dict[str, bool]:
    """The indexes of the table, primary key aside, and whether each is valid."""
    found = servers.rows(
        url,
        "SELECT c.relname, i.indisvalid FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid "
        "WHERE i.indrelid = 'account'::regclass AND NOT i.indisprimary",
    )
    return {str(name): bool(valid) for name, valid in found}


def versions(url: str) -> list[str]:
    return [str(row[0]) for row in servers.rows(url, "SELECT version_num FROM asyncmig_version ORDER BY 1")]


def journal(url: str) -> list[tuple[str, str, int]]:
    return servers.rows(url, "SELECT revision, outcome, statements_done FROM asyncmig_version_journal ORDER BY id")


@contextlib.contextmanager
def writing(url: str) -> Iterator[Callable[[], None]]:
    """A transaction that has written to the table and stays open: CONCURRENTLY waits for it. Gives what ends it."""
    with psycopg.connect(servers.libpq_url(url)) as connection:
        connection.execute("INSERT INTO account VALUES (1000, 'late')")
        yield connection.rollback
        connection.rollback()


def waiting(url: str) -> bool:
    found = servers.rows(
        url,
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' "
        "AND query LIKE '%INDEX CONCURRENTLY%' AND state = 'active'",
    )
    return bool(found[0][0])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen within 20 seconds"
        time.sleep(0.02)


# outside the transaction, by itself


async def test_it_runs_outside_the_transaction_and_is_journaled(at_postgres: Project, postgres_url: str) -> None:
    prepared(at_postgres, CREATE, downgrade=DROP)
    await at_postgres.migrator().upgrade("head")
    assert indexes(postgres_url) == {"ix_email": True}
    await at_postgres.migrator().downgrade("a1")
    assert indexes(postgres_url) == {}
    assert [row[1] for row in journal(postgres_url)] == ["applied", "applied", "applied"]
    assert servers.rows(postgres_url, "SELECT count(*) FROM asyncmig_version_journal WHERE cursor IS NOT NULL") == [
        (0,)
    ]


async def test_on_sqlite_it_is_an_index_like_any_other(at_sqlite: Project, sqlite_url: str) -> None:
    at_sqlite.revision("a1", upgrade='op.create_table("account", sa.Column("email", sa.Text))')
    at_sqlite.revision("b2", "a1", upgrade=CREATE, downgrade=DROP)
    await at_sqlite.migrator().upgrade("head")
    assert servers.rows(sqlite_url, "SELECT name FROM sqlite_schema WHERE type = 'index' AND name LIKE 'ix%'") == [
        ("ix_email",)
    ]
    await at_sqlite.migrator().downgrade("a1")
    assert [row[1:] for row in servers.rows(sqlite_url, "SELECT 1, outcome FROM asyncmig_version_journal")] == [
        ("applied",)
    ] * 3


async def test_sql_that_cannot_run_in_the_transaction_is_told_where_to_go(at_postgres: Project) -> None:
    prepared(at_postgres, 'op.execute("CREATE INDEX CONCURRENTLY ix_email ON account (email)")')
    with pytest.raises(MigrationFailed, match="cannot run inside a transaction block") as caught:
        await at_postgres.migrator().upgrade("head")
    assert "autocommit_block" in str(caught.value.hint)
    prepared(
        at_postgres,
        'with op.autocommit_block(): op.execute("CREATE INDEX CONCURRENTLY ix_email ON account (email)")',
    )
    await at_postgres.migrator().upgrade("head")


async def test_an_index_that_was_there_before_is_an_error(at_postgres: Project, postgres_url: str) -> None:
    prepared(at_postgres, CREATE)
    await at_postgres.migrator().upgrade("a1")
    servers.execute(postgres_url, "CREATE INDEX ix_email ON account (id)")
    with pytest.raises(MigrationFailed, match='"ix_email" already exists'):
        await at_postgres.migrator().upgrade("head")
    # and still is on the rerun: another index of the same name is not what the script makes
    with pytest.raises(MigrationFailed, match='"ix_email" already exists'):
        await at_postgres.migrator().upgrade("head")
    assert versions(postgres_url) == ["a1"]


# a try that left an INVALID index


FAILED_TRIES = {"concurrently": CREATE, "with if_not_exists": IF_NOT_EXISTS}


@pytest.mark.parametrize("case", FAILED_TRIES)
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_an_invalid_index_of_a_lock_timeout_is_made_anew(
    project: Project, postgres_url: str, case: str, driver: str
) -> None:
    at_postgres = project.config(url=postgres_url.replace("asyncpg", driver))
    prepared(at_postgres, f"{IMPATIENT}\n{FAILED_TRIES[case]}")
    await at_postgres.migrator().upgrade("a1")
    with writing(postgres_url), pytest.raises(MigrationFailed, match="lock timeout") as caught:
        await at_postgres.migrator().upgrade("head")
    assert caught.value.exit_code == 4
    assert indexes(postgres_url) == {"ix_email": False}
    assert journal(postgres_url)[-1] == ("b2", "incomplete", 1)
    await at_postgres.migrator().upgrade("head")
    assert indexes(postgres_url) == {"ix_email": True}
    assert journal(postgres_url)[-1] == ("b2", "applied", 2)


async def test_an_invalid_index_of_a_unique_violation_is_made_anew(at_postgres: Project, postgres_url: str) -> None:
    prepared(at_postgres, UNIQUE)
    await at_postgres.migrator().upgrade("a1")
    servers.execute(postgres_url, "UPDATE account SET email = 'same' WHERE id < 3")
    for _ in range(2):
        with pytest.raises(MigrationFailed, match=r"could not create unique index|duplicate"):
            await at_postgres.migrator().upgrade("head")
        assert indexes(postgres_url) == {"ix_email": False}
    servers.execute(postgres_url, "UPDATE account SET email = 'user' || id")
    await at_postgres.migrator().upgrade("head")
    assert indexes(postgres_url) == {"ix_email": True}


@pytest.mark.parametrize("script", [IF_NOT_EXISTS, IF_NOT_EXISTS.replace("postgresql_concurrently=True, ", "")])
async def test_if_not_exists_does_not_take_an_invalid_index_for_one(
    at_postgres: Project, postgres_url: str, script: str
) -> None:
    prepared(at_postgres, script)
    await at_postgres.migrator().upgrade("a1")
    with psycopg.connect(servers.libpq_url(postgres_url), autocommit=True) as other, writing(postgres_url):
        other.execute("SET lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            other.execute("CREATE INDEX CONCURRENTLY ix_email ON account (email)")
    assert indexes(postgres_url) == {"ix_email": False}
    await at_postgres.migrator().upgrade("head")
    assert indexes(postgres_url) == {"ix_email": True}


async def test_if_not_exists_keeps_a_valid_index(at_postgres: Project, postgres_url: str) -> None:
    prepared(at_postgres, IF_NOT_EXISTS)
    await at_postgres.migrator().upgrade("a1")
    servers.execute(postgres_url, "CREATE INDEX ix_email ON account (email)")
    before = servers.rows(postgres_url, "SELECT 'ix_email'::regclass::oid")
    await at_postgres.migrator().upgrade("head")
    assert servers.rows(postgres_url, "SELECT 'ix_email'::regclass::oid") == before


async def test_a_drop_that_timed_out_is_repeated(at_postgres: Project, postgres_url: str) -> None:
    prepared(at_postgres, f"{CREATE}\n{IMPATIENT}\n{DROP}")
    at_postgres.revision("b2", "a1", upgrade=CREATE).revision("c3", "b2", upgrade=f"{IMPATIENT}\n{DROP}")
    await at_postgres.migrator().upgrade("b2")
    with writing(postgres_url), pytest.raises(MigrationFailed, match="lock timeout"):
        await at_postgres.migrator().upgrade("head")
    assert versions(postgres_url) == ["b2"]
    await at_postgres.migrator().upgrade("head")
    assert indexes(postgres_url) == {}


async def test_a_quoted_name_in_a_schema_is_recognised(at_postgres: Project, postgres_url: str) -> None:
    at_postgres.revision(
        "a1",
        upgrade="""
        op.create_schema("Other")
        op.create_table("Account", sa.Column("id", sa.Integer), schema="Other")
        op.execute('INSERT INTO "Other"."Account" VALUES (1), (1)')
        """,
    )
    index = """
        op.create_index('Ix "id"', "Account", ["id"], unique=True, schema="Other", postgresql_concurrently=True)
        """
    at_postgres.revision("b2", "a1", upgrade=index)
    with pytest.raises(MigrationFailed):
        await at_postgres.migrator().upgrade("head")
    servers.execute(
        postgres_url, 'DELETE FROM "Other"."Account" WHERE ctid = (SELECT min(ctid) FROM "Other"."Account")'
    )
    await at_postgres.migrator().upgrade("head")
    assert servers.rows(
        postgres_url, 'SELECT indisvalid FROM pg_index WHERE indrelid = \'"Other"."Account"\'::regclass'
    ) == [(True,)]


# failures around it, at each point


PARTS = [
    'op.execute("CREATE TABLE note (id integer)")',
    NOTE.format(1),
    CREATE,
    NOTE.format(2),
    CREATE.replace("ix_email", "ix_second"),
    NOTE.format(3),
    DROP.replace("ix_email", "ix_second"),
    NOTE.format(4),
]
COMMITTED_AT = {0: 0, 1: 0, 2: 0, 3: 3, 4: 3, 5: 5, 6: 5, 7: 7, 8: 7}
"""How many parts stand when the failure comes before part n: nothing before the first CONCURRENTLY."""


@pytest.mark.parametrize("point", range(len(PARTS) + 1))
@pytest.mark.parametrize("failure", ['raise RuntimeError("injected")', 'op.execute("SELECT nothing_like_it")'])
async def test_after_a_failure_at_any_point_version_journal_and_database_agree(
    at_postgres: Project, postgres_url: str, point: int, failure: str
) -> None:
    prepared(at_postgres, "\n".join([*PARTS[:point], failure, *PARTS[point:]]))
    with pytest.raises(MigrationFailed) as caught:
        await at_postgres.migrator().upgrade("head")
    standing = COMMITTED_AT[point]
    assert caught.value.exit_code == 4
    assert versions(postgres_url) == ["a1"]
    assert journal(postgres_url)[-1] == ("b2", "incomplete" if standing else "failed", standing)
    assert ("note" in servers.tables(postgres_url)) is bool(standing)

    prepared(at_postgres, "\n".join(PARTS))
    report = await at_postgres.migrator().upgrade("head")
    assert report.applied == ("b2",)
    assert versions(postgres_url) == ["b2"]
    assert journal(postgres_url)[-1] == ("b2", "applied", len(PARTS))
    assert indexes(postgres_url) == {"ix_email": True}
    assert servers.rows(postgres_url, "SELECT id FROM note ORDER BY 1") == [(1,), (2,), (3,), (4,)]


UNRECORDED = {"created": ([CREATE], {"ix_email": True}), "dropped": ([CREATE, DROP], {})}


@pytest.mark.parametrize("case", UNRECORDED)
async def test_a_statement_that_was_carried_out_but_not_journaled_is_not_repeated(
    at_postgres: Project, postgres_url: str, case: str
) -> None:
    """The process died after the server's answer and before the journal row."""
    parts, expected = UNRECORDED[case]
    prepared(at_postgres, "\n".join([*parts, "raise RuntimeError('injected')"]))
    with pytest.raises(MigrationFailed):
        await at_postgres.migrator().upgrade("head")
    servers.execute(
        postgres_url,
        "UPDATE asyncmig_version_journal SET statements_done = statements_done - 1, "
        r"statements = nullif(regexp_replace(statements, '\s?\S+$', ''), '') WHERE outcome = 'incomplete'",
    )
    prepared(at_postgres, "\n".join(parts))
    before = servers.rows(postgres_url, "SELECT to_regclass('ix_email')::oid")
    await at_postgres.migrator().upgrade("head")
    assert indexes(postgres_url) == expected
    assert servers.rows(postgres_url, "SELECT to_regclass('ix_email')::oid") == before
    assert journal(postgres_url)[-1] == ("b2", "applied", len(parts))


async def test_a_table_with_a_new_enum_before_it_is_not_made_twice(at_postgres: Project, postgres_url: str) -> None:
    """What was found missing then is there now: the statements of the operation would be others."""
    at_postgres.revision("a1", upgrade=TABLE)
    enum = 'op.create_table("t", sa.Column("id", sa.Integer), sa.Column("kind", sa.Enum("a", name="kind")))'
    at_postgres.revision("b2", "a1", upgrade=f"{enum}\n{CREATE}\nraise RuntimeError('injected')")
    with pytest.raises(MigrationFailed):
        await at_postgres.migrator().upgrade("head")
    at_postgres.revision("b2", "a1", upgrade=f"{enum}\n{CREATE}")
    await at_postgres.migrator().upgrade("head")
    assert indexes(postgres_url) == {"ix_email": True}
    with pytest.raises(MigrationFailed):
        at_postgres.revision("c3", "b2", upgrade=f"{enum}")
        await at_postgres.migrator().upgrade("head")


# processes that die


def test_a_killed_process_leaves_what_the_rerun_finishes(at_postgres: Project, postgres_url: str) -> None:
    prepared(at_postgres, f"{CREATE}\n{NOTE.format(1)}")
    at_postgres.revision("a1", upgrade=f"{TABLE}\nop.execute('CREATE TABLE note (id integer)')")
    at_postgres.run("upgrade", "a1").expect(0)
    with writing(postgres_url) as let_go:
        process = at_postgres.start("upgrade", "head")
        until(lambda: waiting(postgres_url))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert journal(postgres_url)[-1] == ("b2", "incomplete", 0)
        let_go()
    # The server may have gone on to the end without its client, or not.
    at_postgres.run("upgrade", "head").expect(0)
    assert indexes(postgres_url) == {"ix_email": True}
    assert servers.rows(postgres_url, "SELECT id FROM note") == [(1,)]
    assert journal(postgres_url)[-1] == ("b2", "applied", 2)


def test_a_backend_that_was_terminated_leaves_what_the_rerun_finishes(at_postgres: Project, postgres_url: str) -> None:
    prepared(at_postgres, CREATE).run("upgrade", "a1").expect(0)
    with writing(postgres_url):
        process = at_postgres.start("upgrade", "head")
        until(lambda: waiting(postgres_url))
        servers.execute(
            postgres_url,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE query LIKE '%INDEX CONCURRENTLY%' AND pid <> pg_backend_pid() AND datname = current_database()",
        )
        process.communicate(timeout=30)
    assert process.returncode in (3, 4)
    assert indexes(postgres_url) == {"ix_email": False}
    assert versions(postgres_url) == ["a1"]
    at_postgres.run("upgrade", "head").expect(0)
    assert indexes(postgres_url) == {"ix_email": True}


async def test_a_plan_shows_an_invalid_index_being_dropped_first(at_postgres: Project, postgres_url: str) -> None:
    prepared(at_postgres, UNIQUE)
    await at_postgres.migrator().upgrade("a1")
    servers.execute(postgres_url, "UPDATE account SET email = 'same'")
    with pytest.raises(MigrationFailed):
        await at_postgres.migrator().upgrade("head")
    (operation,) = (await at_postgres.migrator().plan("head")).steps[0].operations
    assert [sql.split(" ON ")[0] for sql in operation.sql] == [
        "DROP INDEX CONCURRENTLY IF EXISTS ix_email",
        "CREATE UNIQUE INDEX CONCURRENTLY ix_email",
    ]
    assert not operation.transactional
