"""What of a DOMAIN no script can change is said in words; the rest of it has its cases among the changes."""

import pytest
import sqlalchemy as sa
from comparing import compared, connected, told
from sqlalchemy.dialects import postgresql as pg

from asyncmig.database.comparison import Comparison
from asyncmig.operations.sql import Execute

MADE = """CREATE DOMAIN email AS varchar(20) COLLATE "C" CONSTRAINT email_check CHECK (VALUE LIKE '%@%')"""
TABLE = "CREATE TABLE t (a email, b email)"
ARRAY = "ALTER TABLE t ALTER b TYPE email[] USING NULL"
MORE = "ALTER DOMAIN email ADD CONSTRAINT more CHECK (length(VALUE) > 3 AND VALUE <> 'x')"
LAST = "ALTER DOMAIN email ADD CONSTRAINT a_last CHECK (VALUE ~ '^a' OR VALUE ~ '^b')"
AT, LONG, BEGINS = "VALUE LIKE '%@%'", "length(VALUE) > 3 AND VALUE <> 'x'", "VALUE ~ '^a' OR VALUE ~ '^b'"
BY_HAND = (
    ", which no database can change; by hand: CREATE DOMAIN under another name, ALTER TABLE ... ALTER COLUMN ... TYPE for t.a, t.b, "
    "DROP DOMAIN email, ALTER DOMAIN ... RENAME TO email"
)

SAID = [
    (sa.String(20), "C", ""),
    (sa.String(20, collation="C"), None, ""),
    (sa.Text(), "C", "domain email is VARCHAR(20) in the database and TEXT in the models"),
    (sa.String(20), "POSIX", "domain email has the collation C in the database and the collation POSIX in the models"),
    (sa.Text(), None,
     "domain email is VARCHAR(20) in the database and TEXT in the models and has the collation C in the database and the type's collation in the models"),
]  # fmt: skip


@pytest.mark.parametrize(("base", "collation", "said"), SAID)
async def test_what_stays_otherwise_is_said(
    postgres_url: str, base: sa.types.TypeEngine[str], collation: str, said: str
) -> None:
    async with connected(postgres_url, MADE, TABLE) as connection:
        comparison = await compared(connection, models(AT, base, collation))
    assert told(comparison) == []
    assert list(comparison.uncertain) == ([said + BY_HAND] if said else [])


def models(
    check: str | None,
    base: sa.types.TypeEngine[str] | None = None,
    collation: str | None = "C",
    *,
    not_null: bool = False,
    in_arrays: bool = False,
) -> sa.MetaData:
    metadata = sa.MetaData()
    domain = pg.DOMAIN("email", base or sa.String(20), collation=collation, check=check, not_null=not_null)
    sa.Table("t", metadata, sa.Column("a", domain), sa.Column("b", pg.ARRAY(domain) if in_arrays else domain))
    return metadata


ALTER = "ALTER DOMAIN email "
# The CHECKs of the database, that of the models, what is dropped and added.
CHECKS = [
    ((), AT, [], []),
    ((), None, ["email_check"], []),
    ((MORE,), AT, ["more"], []),
    ((MORE,), LONG, ["email_check"], []),
    ((MORE,), f"{AT} AND {LONG}", [], []),
    ((MORE,), f"{AT} AND ({LONG})", [], []),
    ((MORE,), f"({LONG}) AND {AT}", [], []),
    ((MORE,), f"{LONG} AND value like '%@%'", [], []),
    ((MORE, LAST), f"({BEGINS}) AND ({LONG}) AND {AT}", [], []),
    ((MORE, LAST), f"({BEGINS}) AND {AT}", ["email_check", "more", "a_last"], ["email_check"]),
    ((MORE, LAST), None, ["email_check", "more", "a_last"], []),
    ((MORE, LAST), BEGINS, ["email_check", "more"], []),
]


async def test_several_checks_are_compared_by_what_they_mean_together(postgres_url: str) -> None:
    async with connected(postgres_url, MADE, TABLE) as connection:
        for more, check, dropped, added in CHECKS:
            for statement in more:
                await connection.exec_driver_sql(statement)
            comparison = await compared(connection, models(check))
            assert comparison.uncertain == ()
            alters = [f"{ALTER}DROP CONSTRAINT {name}" for name in dropped]
            alters += [f"{ALTER}ADD CONSTRAINT {name} CHECK ({check})" for name in added]
            assert sent(comparison) == alters, (more, check)
            await connection.exec_driver_sql("ALTER DOMAIN email DROP CONSTRAINT IF EXISTS more")
            await connection.exec_driver_sql("ALTER DOMAIN email DROP CONSTRAINT IF EXISTS a_last")


NAMED = """CREATE DOMAIN other.email AS text CHECK (VALUE <> '')"""
# Where the model says the domain is, what is sent.
PLACES = [
    ("other", "VALUE <> ''", []),
    ("other", None, ["ALTER DOMAIN other.email DROP CONSTRAINT email_check"]),
    ("public", "VALUE <> ''", []),
    ("public", None, ["ALTER DOMAIN email DROP CONSTRAINT email_check"]),
]


@pytest.mark.parametrize(("schema", "check", "expected"), PLACES)
async def test_a_domain_is_found_in_its_schema(
    postgres_url: str, schema: str, check: str | None, expected: list[str]
) -> None:
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("a", pg.DOMAIN("email", sa.Text, check=check, schema=schema)))
    made = NAMED.replace("other", schema)
    async with connected(postgres_url, "CREATE SCHEMA other", made, f"CREATE TABLE t (a {schema}.email)") as connection:
        comparison = await compared(connection, metadata)
    assert sent(comparison) == expected
    assert len(told(comparison)) == len(expected)
    assert comparison.uncertain == ()


def sent(comparison: Comparison) -> list[str]:
    return [str(operation.sql) for operation in comparison.operations if isinstance(operation, Execute)]


async def test_an_array_of_the_domain_is_in_the_way_of_not_null_and_of_a_look_at_the_rows(postgres_url: str) -> None:
    wanted = models("VALUE <> ''", not_null=True, in_arrays=True)
    async with connected(postgres_url, MADE, TABLE, ARRAY) as connection:
        comparison = await compared(connection, wanted)
        for statement in sent(comparison):
            await connection.exec_driver_sql(statement)
        after = await compared(connection, wanted)
    assert sent(comparison)[-1] == "ALTER DOMAIN email ADD CONSTRAINT email_check CHECK (VALUE <> '') NOT VALID"
    assert told(after) == []
    refused = "domain email is to be NOT NULL, which PostgreSQL refuses while arrays of it are columns: t.a, t.b"
    assert comparison.uncertain == after.uncertain == (refused,)


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
