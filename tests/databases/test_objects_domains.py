"""DOMAIN types on PostgreSQL: created before the first column of theirs, dropped after the last."""

import pytest
import servers
from projects import Project

ID = 'sa.Column("id", sa.Integer, primary_key=True)'
EMAIL = 'pg.DOMAIN("email", sa.Text, check="VALUE LIKE \'%@%\'", not_null=True, default="a@b")'
KEPT = 'pg.DOMAIN("email", sa.Text, create_type=False)'
OVER = 'pg.DOMAIN("mood_set", sa.Enum("x", "y", name="mood"))'
TABLE = f'op.create_table("a", {ID}, sa.Column("v", {EMAIL}))'
TWO = f'd = {EMAIL}\nop.create_table("a", {ID}, sa.Column("v", d), sa.Column("w", d))\nop.create_table("b", {ID}, sa.Column("v", d))'

# The script up, the script down, the types between, the types that stay.
CASES = {
    "create_table": (TABLE, 'op.drop_table("a")', ["email"], []),
    "add_column": (
        f'op.create_table("a", {ID})\nop.add_column("a", sa.Column("v", {EMAIL}))',
        'op.drop_column("a", "v")\nop.drop_table("a")',
        ["email"],
        [],
    ),
    "alter_column": (
        f'op.create_table("a", {ID}, sa.Column("v", sa.Text))\nop.alter_column("a", "v", type_={EMAIL})',
        'op.alter_column("a", "v", type_=sa.Text())\nop.drop_table("a")',
        ["email"],
        [],
    ),
    "array": (
        f'op.create_table("a", {ID}, sa.Column("v", pg.ARRAY({EMAIL})))',
        'op.drop_table("a")',
        ["email"],
        [],
    ),
    "shared by tables and columns": (TWO, 'op.drop_table("a")\nop.drop_table("b")', ["email"], []),
    "over an enum": (
        f'op.create_table("a", {ID}, sa.Column("v", {OVER}))',
        'op.drop_table("a")',
        ["mood", "mood_set"],
        [],
    ),
    "one column left": (TWO, 'op.drop_table("a")\nop.drop_column("b", "id")', ["email"], ["email"]),
    "not the column's own": (
        f'op.execute("CREATE DOMAIN email AS text")\nop.create_table("a", {ID}, sa.Column("v", {KEPT}))',
        'op.drop_table("a")',
        ["email"],
        ["email"],
    ),
    "made by SQL of the script": (
        f'op.execute("CREATE DOMAIN email AS text")\n{TABLE}',
        'op.drop_table("a")',
        ["email"],
        ["email"],
    ),
    "used by a function": (
        f"{TABLE}\nop.execute(\"CREATE FUNCTION f(email) RETURNS int LANGUAGE sql AS 'SELECT 1'\")",
        'op.drop_table("a")',
        ["email"],
        ["email"],
    ),
    "dropped by the script": (TABLE, 'op.drop_table("a")\nop.execute("DROP DOMAIN email")', ["email"], []),
}


def types(url: str) -> list[str]:
    found = servers.rows(
        url, "SELECT typname FROM pg_type WHERE typtype IN ('d', 'e') AND typnamespace = 'public'::regnamespace"
    )
    return sorted(name for (name,) in found)


@pytest.mark.parametrize("case", CASES)
async def test_the_domain_comes_and_goes_with_its_columns(project: Project, postgres_url: str, case: str) -> None:
    upgrade, downgrade, between, left = CASES[case]
    project.config(url=postgres_url).revision(
        "a1", before="from sqlalchemy.dialects import postgresql as pg", upgrade=upgrade, downgrade=downgrade
    )
    async with project.migrator() as migrator:
        await migrator.upgrade("head")
        assert types(postgres_url) == between
        await migrator.downgrade("base")
        assert types(postgres_url) == left
        if not left:
            await migrator.upgrade("head")
            assert types(postgres_url) == between


async def test_an_upgrade_drops_it_and_sql_says_the_same(project: Project, postgres_databases, run_sql) -> None:  # type: ignore[no-untyped-def]
    live, later = postgres_databases(), postgres_databases()
    project.config(url=live).revision(
        "a1",
        before="from sqlalchemy.dialects import postgresql as pg",
        upgrade=f'op.create_table("a", {ID}, sa.Column("v", {OVER}))',
    )
    project.revision("b2", "a1", upgrade='op.drop_column("a", "v")')
    async with project.migrator() as migrator:
        await migrator.upgrade("a1")
        text = (await migrator.upgrade("b2", sql=True)).sql or ""
        assert text.index("DROP DOMAIN mood_set") < text.index("DROP TYPE mood")
        run_sql(later, text)
        await migrator.upgrade("b2")
    assert types(live) == types(later) == []
