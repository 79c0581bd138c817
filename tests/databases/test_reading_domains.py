"""What of a DOMAIN no script can change is said in words; the rest of it has its cases among the changes."""

import pytest
import sqlalchemy as sa
from comparing import compared, connected, told
from sqlalchemy.dialects import postgresql as pg

MADE = """CREATE DOMAIN email AS varchar(20) COLLATE "C" CONSTRAINT email_check CHECK (VALUE LIKE '%@%')"""
TABLE = "CREATE TABLE t (a email)"
MORE = "ALTER DOMAIN email ADD CONSTRAINT more CHECK (length(VALUE) > 3)"

SAID = [
    ((MADE, TABLE), sa.String(20), "C", []),
    ((MADE, TABLE), sa.Text(), "C", ["domain email is VARCHAR(20) in the database and TEXT in the models, which nothing can change"]),
    ((MADE, TABLE), sa.String(20), "POSIX",
     ["domain email has the collation C in the database and POSIX in the models, which nothing can change"]),
    ((MADE, TABLE, MORE), sa.String(20), "C", ["domain email has more CHECKs than a model can say: more"]),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "base", "collation", "said"), SAID)
async def test_what_stays_otherwise_is_said(
    postgres_url: str, statements: tuple[str, ...], base: sa.types.TypeEngine[str], collation: str, said: list[str]
) -> None:
    metadata = sa.MetaData()
    domain = pg.DOMAIN("email", base, collation=collation, check="VALUE LIKE '%@%'")
    sa.Table("t", metadata, sa.Column("a", domain))
    async with connected(postgres_url, *statements) as connection:
        comparison = await compared(connection, metadata)
    assert told(comparison) == []
    assert list(comparison.uncertain) == said


async def test_an_enum_that_a_table_beside_the_models_has_is_left_alone(postgres_url: str) -> None:
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("a", sa.Text))
    sa.Table("known", metadata, sa.Column("a", sa.Integer), schema="s")
    statements = (
        "CREATE SCHEMA s",
        "CREATE TYPE mood AS ENUM ('x')",
        "CREATE TABLE s.other (a mood[])",
        "CREATE TABLE s.known (a int)",
        "CREATE TABLE t (a text)",
    )
    async with connected(postgres_url, *statements) as connection:
        assert told(await compared(connection, metadata)) == []
        await connection.exec_driver_sql("DROP TABLE s.other")
        assert told(await compared(connection, metadata)) == ["Drop enum mood"]
