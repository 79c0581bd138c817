"""The same scripts, unchanged, on SQLite and on PostgreSQL."""

from collections.abc import Callable

import pytest
from projects import Project
from servers import columns, execute, rows, tables

SCRIPTS = {
    "a00000000001": (
        None,
        """
        op.create_table(
            "customer",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("name", sa.String(80), nullable=False, unique=True),
            sa.Column("joined", sa.DateTime(timezone=True), server_default=sa.func.now()),
            sa.CheckConstraint("length(name) > 1", name="ck_customer_name"),
        )
        """,
        'op.drop_table("customer")',
    ),
    "a00000000002": (
        "a00000000001",
        """
        op.create_table(
            "invoice",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("customer_id", sa.Integer, sa.ForeignKey("customer.id", ondelete="CASCADE"), nullable=False),
            sa.Column("total", sa.Numeric(10, 2), server_default="0"),
            sa.Column("paid", sa.Boolean, nullable=False, server_default=sa.false()),
        )
        op.create_index("ix_invoice_customer", "invoice", ["customer_id"])
        """,
        """
        op.drop_index("ix_invoice_customer", table_name="invoice")
        op.drop_table("invoice")
        """,
    ),
    "a00000000003": (
        "a00000000002",
        """
        table = sa.table("customer", sa.column("id"), sa.column("name"))
        op.bulk_insert(table, [{"id": 1, "name": "ann"}, {"id": 2, "name": "it's bo: 100%"}])
        op.execute(sa.text("INSERT INTO invoice (id, customer_id, total) VALUES (:id, 1, 12.5)").bindparams(id=1))
        op.execute("UPDATE invoice SET paid = true WHERE id = 1")
        """,
        'op.execute("DELETE FROM invoice; DELETE FROM customer")',
    ),
    "a00000000004": (
        "a00000000003",
        """
        async def upgrade() -> None:
            op.add_column("customer", sa.Column("initial", sa.String(1)))
            connection = await op.connection()
            for id, name in (await connection.execute(sa.text("SELECT id, name FROM customer"))).all():
                await connection.execute(
                    sa.text("UPDATE customer SET initial = :initial WHERE id = :id"), {"initial": name[0], "id": id}
                )
        """,
        'op.drop_column("customer", "initial")',
    ),
    "a00000000005": ("a00000000004", 'op.rename_table("invoice", "bill")', 'op.rename_table("bill", "invoice")'),
}


def with_scripts(place: Project) -> Project:
    for revision, (down, upgrade, downgrade) in SCRIPTS.items():
        place.revision(revision, down, upgrade=upgrade, downgrade=downgrade)
    return place


@pytest.mark.subset
def test_the_same_scripts_go_up_and_down(database_project: Project, database_url: str) -> None:
    place = with_scripts(database_project)
    place.run("upgrade", "head").expect()
    assert columns(database_url, "customer") == ["id", "name", "joined", "initial"]
    assert rows(database_url, "SELECT id, name, initial FROM customer ORDER BY id") == [
        (1, "ann", "a"),
        (2, "it's bo: 100%", "i"),
    ]
    ((identity, owner, total, paid),) = rows(database_url, "SELECT id, customer_id, total, paid FROM bill")
    assert (identity, owner, float(total), bool(paid)) == (1, 1, 12.5, True)
    assert rows(database_url, "SELECT count(*) FROM customer WHERE joined IS NULL") == [(0,)]

    place.run("downgrade", "a00000000002", "--yes").expect()
    assert rows(database_url, "SELECT * FROM invoice") == []
    place.run("downgrade", "base", "--yes").expect()
    assert [name for name in tables(database_url) if not name.startswith("asyncmig_")] == []
    place.run("upgrade", "+2").expect()
    assert rows(database_url, "SELECT version_num FROM asyncmig_version") == [("a00000000002",)]
    execute(database_url, "INSERT INTO customer (id, name) VALUES (7, 'cy')")
    execute(database_url, "INSERT INTO invoice (id, customer_id) VALUES (1, 7)")


def test_the_sql_of_the_same_scripts_leaves_the_same_database(
    database_project: Project, databases: Callable[[], str], database_url: str, run_sql: Callable[[str, str], str]
) -> None:
    place = with_scripts(database_project)
    (place.versions / "a00000000004_revision.py").unlink()
    (place.versions / "a00000000005_revision.py").unlink()
    place.run("upgrade", "head").expect()
    other = databases()
    run_sql(other, place.run("upgrade", "head", "--sql").expect().stdout)
    for sql in (
        "SELECT id, name FROM customer ORDER BY id",
        "SELECT id, customer_id, total, paid FROM invoice",
        "SELECT version_num FROM asyncmig_version",
        "SELECT revision, direction, outcome FROM asyncmig_version_journal ORDER BY revision",
    ):
        assert rows(other, sql) == rows(database_url, sql), sql
    assert place.run("check", "--url", other).expect().code == 0


def test_the_sql_of_a_script_that_asks_the_database_is_refused_with_its_line(database_project: Project) -> None:
    place = with_scripts(database_project)
    path = place.versions / "a00000000004_revision.py"
    line = 1 + path.read_text().splitlines().index("    connection = await op.connection()")
    refused = place.run("upgrade", "head", "--sql").expect(3)
    assert refused.stdout == ""
    assert f"{path}:{line}: " in refused.stderr
