"""What a comparison leaves out, what a project's own functions decide, and what it costs and needs."""

from typing import Any

import pytest
import servers
import sqlalchemy as sa
from comparing import compared, connected, told

from asyncmig.database.comparison import compare_offline
from asyncmig.database.connection import Connection
from asyncmig.database.reading import read_schema
from asyncmig.dialects.reading import Scope, reader_for
from asyncmig.schema.model import Kind, Ref, Schema
from asyncmig.schema.objects import OBJECT_KINDS

PERSON = "CREATE TABLE person (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(5))"


def people(*columns: Any) -> sa.MetaData:
    metadata = sa.MetaData()
    sa.Table("person", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False), *columns)
    return metadata


async def test_tables_of_the_runner_are_not_read(database_url: str) -> None:
    async with connected(database_url, "CREATE TABLE asyncmig_version (a INTEGER)") as connection:
        assert told(await compared(connection, sa.MetaData(), skipped=frozenset({"asyncmig_version"}))) == []
        assert told(await compared(connection, sa.MetaData())) == ["Drop table asyncmig_version"]


async def test_include_name_leaves_objects_unread(database_url: str) -> None:
    asked: list[tuple[str | None, str, str | None]] = []

    def include_name(name: str | None, type_: str, parents: Any) -> bool:
        asked.append((name, type_, parents.get("table_name")))
        return name != "other"

    statements = (PERSON, "CREATE TABLE other (a INTEGER)", "CREATE INDEX other_index ON person (name)")
    async with connected(database_url, *statements) as connection:
        found = await compared(connection, people(), include_name=include_name)
    assert told(found) == ["Drop column person.name"]
    assert set(found.current.tables) == {Ref("person")}
    assert {(None, "schema", None), ("other", "table", None), ("name", "column", "person")} <= set(asked)
    assert ("other_index", "index", "person") in asked


async def test_a_schema_that_include_name_hides_is_not_created_again(postgres_url: str) -> None:
    models = sa.MetaData()
    sa.Table("t", models, sa.Column("id", sa.Integer), schema="hidden")
    sa.Table("t", models, sa.Column("id", sa.Integer), schema="new")

    def include_name(name: str | None, type_: str, parents: Any) -> bool:
        return name != "hidden"

    async with connected(postgres_url, "CREATE SCHEMA hidden") as connection:
        operations = told(await compared(connection, models, include_name=include_name))
    assert [words for words in operations if words.startswith("Create schema")] == ["Create schema new"]


HELD = (
    "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
    (
        "CREATE TABLE person (id INTEGER PRIMARY KEY, gone INTEGER, parent INTEGER, CONSTRAINT uq UNIQUE (gone, parent), "
        "CONSTRAINT fk FOREIGN KEY (parent) REFERENCES parent (id), CONSTRAINT ck CHECK (gone > 1))"
    ),
    "CREATE INDEX ix ON person (gone)",
)


@pytest.mark.parametrize(
    ("hidden", "expected"),
    [
        (("gone", "column"), ["Drop foreign key fk on person"]),
        (("uq", "unique_constraint"), ["Drop check constraint ck on person", "Drop foreign key fk on person", "Drop index ix on person"]),
        (("fk", "foreign_key_constraint"),
         ["Drop check constraint ck on person", "Drop index ix on person", "Drop unique constraint uq on person"]),
    ],
)  # fmt: skip
async def test_include_name_leaves_constraints_alone_and_what_uses_a_column_with_it(
    database_url: str, hidden: tuple[str, str], expected: list[str]
) -> None:
    parents: list[Any] = []

    def include_name(name: str | None, type_: str, given: Any) -> bool:
        parents.append((type_, given.get("schema_qualified_table_name")))
        return (name, type_) != hidden

    metadata = people(
        sa.Column("parent", sa.Integer), *([] if hidden[0] == "gone" else [sa.Column("gone", sa.Integer)])
    )
    sa.Table("parent", metadata, sa.Column("id", sa.Integer, primary_key=True))

    def include_object(item: Any, *_: Any) -> bool:
        return item is not None

    async with connected(database_url, *HELD) as connection:
        options = {"include_name": include_name, "include_object": include_object, "compare_server_default": False}
        found = await compared(connection, metadata, **options)
    assert sorted(told(found)) == expected
    assert ("table", "person") in parents


async def test_include_object_gets_sqlalchemys_objects_and_leaves_changes_alone(database_url: str) -> None:
    seen: dict[tuple[str | None, str], Any] = {}

    def include_object(item: Any, name: str | None, type_: str, reflected: bool, compare_to: Any) -> bool:
        seen[name, type_] = (type(item).__name__, reflected, type(compare_to).__name__)
        return not (type_ == "column" and name == "name") and not (type_ == "table" and name == "other")

    metadata = people(sa.Column("name", sa.String(9)), sa.Column("age", sa.Integer))
    async with connected(database_url, PERSON, "CREATE TABLE other (a INTEGER)") as connection:
        assert told(await compared(connection, metadata, include_object=include_object)) == ["Add column person.age"]
    assert seen["other", "table"] == ("Table", True, "NoneType")
    assert seen["name", "column"] == ("Column", False, "Column")
    assert seen["age", "column"] == ("Column", False, "NoneType")
    assert seen["person", "table"] == ("Table", False, "Table")


@pytest.mark.parametrize(("answer", "expected"), [(True, 2), (False, 0), (None, 1)])
async def test_compare_type_decides_or_leaves_it_to_us(database_url: str, answer: Any, expected: int) -> None:
    def compare_type(context: Any, inspected: Any, column: Any, old: Any, new: Any) -> bool | None:
        assert context.dialect.name in ("postgresql", "sqlite")
        assert (inspected.name, type(old), type(new)) == (column.name, type(inspected.type), type(column.type))
        return answer

    metadata = people(sa.Column("name", sa.String(9)))
    async with connected(database_url, PERSON) as connection:
        found = await compared(connection, metadata, compare_type=compare_type)
        assert len(found.operations) == expected
        assert told(await compared(connection, metadata, compare_type=False)) == []


@pytest.mark.parametrize(("answer", "expected"), [(True, 1), (False, 0), (None, 1)])
async def test_compare_server_default_decides_or_leaves_it_to_us(database_url: str, answer: Any, expected: int) -> None:
    def compare_default(context: Any, inspected: Any, column: Any, old: Any, given: Any, new: Any) -> bool | None:
        assert column.name != "plain"
        if column.name != "name":
            return None
        assert (old, given.arg, new) == (None, "x", "x")
        return answer

    metadata = people(sa.Column("name", sa.String(5), server_default="x"), sa.Column("plain", sa.Integer))
    async with connected(database_url, PERSON, "ALTER TABLE person ADD plain INTEGER") as connection:
        found = await compared(connection, metadata, compare_server_default=compare_default)
        assert len(found.operations) == expected
        assert told(await compared(connection, metadata, compare_server_default=False)) == []


async def test_without_a_right_to_temporary_tables_texts_decide_and_it_is_said(
    postgres_server: servers.PostgresServer, postgres_url: str
) -> None:
    database = sa.make_url(postgres_url).database
    statements = ("CREATE TABLE person (id INTEGER PRIMARY KEY, CHECK (id = ANY (ARRAY[1, 2])))",)
    metadata = people(sa.CheckConstraint("id IN (1, 2)"))
    async with connected(
        postgres_url, *statements, f'REVOKE TEMP ON DATABASE "{database}" FROM PUBLIC, CURRENT_USER'
    ) as c:
        found = await compared(c, metadata)
        assert found.uncertain == ("check person_id_check of person",)
        await c.rollback()
        await c.exec_driver_sql(f'GRANT TEMP ON DATABASE "{database}" TO CURRENT_USER')
        await c.commit()
        found = await compared(c, metadata)
        assert (told(found), found.uncertain) == ([], ())


async def test_asking_leaves_nothing_behind(postgres_url: str) -> None:
    count = "SELECT count(*) FROM pg_class WHERE relname LIKE 'asyncmig_%%'"
    statements = ("CREATE TABLE person (id INTEGER PRIMARY KEY, CHECK (id = ANY (ARRAY[1, 2])))",)
    async with connected(postgres_url, *statements) as connection:
        assert told(await compared(connection, people(sa.CheckConstraint("id IN (1, 2)")))) == []
        assert (await connection.exec_driver_sql(count)).scalar() == 0


async def test_partitions_are_left_alone_and_their_parent_is_read(postgres_url: str) -> None:
    statements = (
        "CREATE TABLE part (id INTEGER NOT NULL, day DATE NOT NULL, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)",
        "CREATE TABLE part_2026 PARTITION OF part FOR VALUES FROM ('2026-01-01') TO ('2027-01-01')",
        "CREATE INDEX part_day ON part (day)",
    )
    metadata = sa.MetaData()
    sa.Table(
        "part",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("day", sa.Date, primary_key=True),
        sa.Index("part_day", "day"),
        postgresql_partition_by="RANGE (day)",
    )
    async with connected(postgres_url, *statements) as connection:
        assert told(await compared(connection, metadata)) == []


async def test_other_schemas_are_read_when_they_are_asked_for(postgres_url: str) -> None:
    statements = ("CREATE SCHEMA apart", "CREATE TABLE apart.a (id INTEGER)", "CREATE TABLE apart.b (id INTEGER)")
    metadata = sa.MetaData()
    sa.Table("a", metadata, sa.Column("id", sa.Integer), schema="apart")
    async with connected(postgres_url, *statements) as connection:
        assert told(await compared(connection, metadata)) == []
        assert told(await compared(connection, metadata, include_schemas=True)) == ["Drop table apart.b"]


async def test_the_default_schema_may_be_named_in_the_models(postgres_url: str) -> None:
    metadata = sa.MetaData(schema="public")
    sa.Table("person", metadata, sa.Column("id", sa.Integer, primary_key=True, autoincrement=False))
    sa.Table("child", metadata, sa.Column("up", sa.ForeignKey("public.person.id")))
    async with connected(postgres_url) as connection:
        await connection.run_sync(metadata.create_all)
        assert told(await compared(connection, metadata)) == []


@pytest.mark.parametrize(
    ("name", "kinds", "number"),
    [
        ("postgresql", (), 7),
        ("postgresql", ("trigger", "view"), 9),
        ("postgresql", OBJECT_KINDS, 12),
        ("sqlite", OBJECT_KINDS, 2),
    ],
)
def test_the_number_of_queries_is_fixed(name: str, kinds: tuple[Kind, ...], number: int) -> None:
    reading = reader_for(name).read(Scope(objects=frozenset(kinds)))
    queries = [next(reading)]
    try:
        while True:
            queries.append(reading.send([]))
    except StopIteration as done:
        assert done.value.tables == {}
    assert len(queries) == number


async def test_a_replayed_history_is_compared_without_a_database() -> None:
    metadata = people(sa.Column("name", sa.String(5)))
    dialect = sa.create_engine("sqlite://").dialect
    found = compare_offline(Schema(), [metadata], dialect)
    assert told(found) == ["Create table person with columns id, name"]
    assert told(compare_offline(found.wanted, [metadata], dialect)) == []


async def test_reading_a_whole_database_needs_no_transaction(database_url: str) -> None:
    async with connected(database_url, PERSON) as connection:
        schema = await Connection.given(connection).run_sync(read_schema)
        assert [column.name for column in schema.tables[Ref("person")].columns] == ["id", "name"]


async def test_identity_serves_models_that_only_want_numbers(postgres_url: str) -> None:
    metadata = sa.MetaData()
    sa.Table("person", metadata, sa.Column("id", sa.Integer, primary_key=True))
    statement = "CREATE TABLE person (id INTEGER GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY)"
    async with connected(postgres_url, statement) as connection:
        assert told(await compared(connection, metadata)) == []


async def test_a_column_that_has_to_number_itself_goes_on_behind_its_rows(postgres_url: str) -> None:
    metadata = sa.MetaData()
    sa.Table("person", metadata, sa.Column("id", sa.Integer, primary_key=True))
    statements = ("CREATE TABLE person (id INTEGER PRIMARY KEY)", "INSERT INTO person VALUES (41)")
    async with connected(postgres_url, *statements) as connection:
        found = await compared(connection, metadata)
    assert told(found) == [
        "Create sequence person_id_seq",
        "Alter column person.id: default nextval('person_id_seq'::regclass)",
        "Execute SELECT setval('person_id_seq', coalesce(max(id), 0) + 1, fal...",
    ]
