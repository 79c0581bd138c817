"""The journal: every column of every row, and in whose transaction it is written."""

import getpass
import hashlib
import socket
from datetime import UTC, datetime, timedelta

import pytest
import servers
from projects import Project

from asyncmig import __version__
from asyncmig.errors import MigrationFailed

pytestmark = pytest.mark.subset

COLUMNS = (
    "id, revision, down_revision, direction, outcome, checksum, file_hash, started_at, finished_at, duration_ms, "
    "statements_done, statements, database_user, host, asyncmig_version, error"
)


def journal(url: str) -> list[dict[str, object]]:
    names = COLUMNS.split(", ")
    return [
        dict(zip(names, row, strict=True))
        for row in servers.rows(url, f"SELECT {COLUMNS} FROM asyncmig_version_journal ORDER BY id")
    ]


def when(value: object) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(str(value))


async def test_every_column_of_an_upgrade(at_driver: Project, driver_url: str) -> None:
    at_driver.revision("a1").revision("b2", "a1").revision("c3", "a1")
    at_driver.revision(
        "d4",
        ("b2", "c3"),
        upgrade='op.create_table("t", sa.Column("i", sa.Integer))\nop.execute("INSERT INTO t VALUES (1)")',
    )
    before = datetime.now(UTC) - timedelta(seconds=1)
    await at_driver.migrator().upgrade("head")
    rows = journal(driver_url)
    assert [row["revision"] for row in rows] == ["a1", "c3", "b2", "d4"]
    assert [row["down_revision"] for row in rows] == ["", "a1", "a1", "b2 c3"]
    last = rows[-1]
    (path,) = at_driver.versions.glob("d4_*")
    assert last["direction"] == "upgrade"
    assert last["outcome"] == "applied"
    assert last["file_hash"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert last["checksum"]
    assert last["checksum"] != last["file_hash"]
    started, finished = when(last["started_at"]), when(last["finished_at"])
    assert before <= started <= finished <= datetime.now(UTC) + timedelta(seconds=1)
    assert last["duration_ms"] == pytest.approx((finished - started).total_seconds() * 1000, abs=2)
    assert last["statements_done"] == 2
    assert len(str(last["statements"]).split()) == 2
    assert last["database_user"] == (getpass.getuser() if driver_url.startswith("sqlite") else "keeper")
    assert last["host"] == socket.gethostname()
    assert last["asyncmig_version"] == __version__
    assert last["error"] is None


async def test_downgrade_and_stamp_are_rows_too(database_project: Project, database_url: str) -> None:
    database_project.revision("a1").revision("b2", "a1", downgrade='op.execute("SELECT 1")')
    migrator = database_project.migrator()
    await migrator.upgrade("head")
    await migrator.downgrade("-1")
    await migrator.stamp("head")
    rows = journal(database_url)
    found = [(row["revision"], row["direction"], row["outcome"], row["statements_done"]) for row in rows]
    assert found == [
        ("a1", "upgrade", "applied", 0),
        ("b2", "upgrade", "applied", 0),
        ("b2", "downgrade", "applied", 1),
        ("b2", "stamp", "applied", 0),
    ]
    assert rows[3]["checksum"] == rows[1]["checksum"]


async def test_the_log_gives_typed_values_newest_first(database_project: Project) -> None:
    database_project.revision("a1").revision("b2", "a1", upgrade="raise RuntimeError('on purpose')")
    migrator = database_project.migrator()
    with pytest.raises(MigrationFailed):
        await migrator.upgrade("head")
    newest, oldest = await migrator.log()
    assert (newest.revision, newest.outcome, newest.error) == ("b2", "failed", "on purpose")
    assert newest.down_revisions == ("a1",)
    assert newest.started_at is not None
    assert newest.started_at.utcoffset() == timedelta(0)
    assert oldest.down_revisions == ()
    assert [entry.revision for entry in await migrator.log(limit=1)] == ["b2"]


async def test_the_row_is_written_in_the_step_s_own_transaction(database_project: Project, database_url: str) -> None:
    """PostgreSQL's xmin names the transaction that wrote a row; SQLite's trigger sees both tables at once."""
    if database_url.startswith("postgres"):
        database_project.revision(
            "a1", upgrade='op.execute("CREATE TABLE mine AS SELECT 1 AS i")\nop.execute("INSERT INTO mine VALUES (2)")'
        )
        await database_project.migrator().upgrade("head")
        sql = """
            SELECT count(DISTINCT x) FROM (SELECT xmin::text AS x FROM mine
            UNION ALL SELECT xmin::text FROM asyncmig_version UNION ALL SELECT xmin::text FROM asyncmig_version_journal) AS all_of_it
        """
        assert servers.rows(database_url, sql) == [(1,)]
        return
    database_project.revision("a1")
    await database_project.migrator().upgrade("head")
    servers.execute(
        database_url,
        "CREATE TRIGGER no_journal BEFORE INSERT ON asyncmig_version_journal WHEN NEW.revision = 'b2' AND NEW.outcome = 'applied' "
        "BEGIN SELECT RAISE(ABORT, 'journal refused'); END",
    )
    database_project.revision("b2", "a1", upgrade='op.create_table("mine", sa.Column("i", sa.Integer))')
    with pytest.raises(MigrationFailed, match="journal refused"):
        await database_project.migrator().upgrade("head")
    assert "mine" not in servers.tables(database_url)
    assert servers.rows(database_url, "SELECT * FROM asyncmig_version") == [("a1",)]


async def test_a_password_never_reaches_the_journal(at_postgres: Project, postgres_url: str) -> None:
    at_postgres.revision(
        "a1", upgrade="raise RuntimeError(str(op.get_bind().engine.url.render_as_string(hide_password=False)))"
    )
    with pytest.raises(MigrationFailed) as caught:
        await at_postgres.migrator().upgrade("head")
    assert servers.PASSWORD not in str(journal(postgres_url)[0]["error"])
    assert servers.PASSWORD not in str(caught.value)
