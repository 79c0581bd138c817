"""The statements of each operation, as they are sent, on both databases."""

import sqlite3
from typing import Any

import pytest
import sqlalchemy as sa
from schema_cases import CASES, Case
from sqlalchemy.dialects import postgresql as pg

from asyncmig.dialects.base import Dialect
from asyncmig.dialects.postgresql import must_autocommit
from asyncmig.dialects.registry import dialect_for, dialect_of
from asyncmig.errors import UnsupportedOperation, UsageError
from asyncmig.operations.alter_column import AlterColumn
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.constraints import AddConstraint, DropConstraint
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.sql import Execute
from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
from asyncmig.schema.metadata import Original, column_from_sqlalchemy, from_sqlalchemy
from asyncmig.schema.model import Index, Ref, Schema, Unique
from asyncmig.schema.types import sql_text

POSTGRESQL = dialect_for("postgresql")
SQLITE = dialect_for("sqlite")
T = Ref("t")
CONVENTION = {"ck": "ck_%(table_name)s_%(constraint_name)s", "fk": "fk_%(table_name)s_%(column_0_name)s"}


def told(value: object) -> str:
    """The id of a case, the same in every process: an operation by its sentence, whose repr holds addresses."""
    return value.describe() if isinstance(value, Operation) else str(value)


def sql(dialect: Dialect, operation: Operation, before: Schema | None = None) -> list[str]:
    return [statement.sql for statement in dialect.statements(operation, before or Schema())]


def table(*items: Any, name: str = "t", **keywords: Any) -> CreateTable:
    return CreateTable(from_sqlalchemy(sa.Table(name, sa.MetaData(), *items, **keywords)))


def add(column: sa.Column[Any], ref: Ref = T, convention: Any = None, **keywords: Any) -> AddColumn:
    parts = column_from_sqlalchemy(column, ref, convention)
    return AddColumn(ref, parts.column, parts.constraints, parts.indexes, parts.primary_key, **keywords)


ALIKE: list[tuple[Operation, list[str]]] = [
    (DropTable(T), ["DROP TABLE t"]),
    (DropTable(Ref("Mixed", "order"), if_exists=True), ['DROP TABLE IF EXISTS "order"."Mixed"']),
    (RenameTable(Ref("t", "s"), "User"), ['ALTER TABLE s.t RENAME TO "User"']),
    (DropColumn(T, "50%"), ['ALTER TABLE t DROP COLUMN "50%"']),
    (
        CreateIndex(T, Index("ix", ("a", sql_text("lower(b)")), unique=True)),
        ["CREATE UNIQUE INDEX ix ON t (a, lower(b))"],
    ),
    (CreateIndex(T, Index("ix", ("a",)), if_not_exists=True), ["CREATE INDEX IF NOT EXISTS ix ON t (a)"]),
    (DropIndex("ix", T), ["DROP INDEX ix"]),
    (DropIndex("ix", Ref("t", "s"), if_exists=True), ["DROP INDEX IF EXISTS s.ix"]),
    (DropIndex("ix", schema="s"), ["DROP INDEX s.ix"]),
    (
        add(sa.Column("a", sa.Integer, nullable=False, server_default="5%")),
        ["ALTER TABLE t ADD COLUMN a INTEGER DEFAULT '5%' NOT NULL"],
    ),
    (
        add(sa.Column("a", sa.Integer, sa.CheckConstraint("a > 0", name="pos")), convention=CONVENTION),
        ["ALTER TABLE t ADD COLUMN a INTEGER CONSTRAINT ck_t_pos CHECK (a > 0)"],
    ),
    (
        add(sa.Column("a", sa.Integer, index=True)),
        ["ALTER TABLE t ADD COLUMN a INTEGER", "CREATE INDEX ix_t_a ON t (a)"],
    ),
    (Execute("SELECT 1; SELECT ':x %'"), ["SELECT 1", "SELECT ':x %'"]),
    (Execute("  \n"), []),
    (Execute(sa.text(r"SELECT '\:x %', a FROM t; SELECT 2")), ["SELECT ':x %', a FROM t", "SELECT 2"]),
    (BulkInsert(sa.table("t", sa.column("a")), ()), []),
]

POSTGRESQL_ONLY: list[tuple[Operation, list[str]]] = [
    (DropColumn(T, "a", if_exists=True), ["ALTER TABLE t DROP COLUMN IF EXISTS a"]),
    (add(sa.Column("a", sa.Integer), if_not_exists=True), ["ALTER TABLE t ADD COLUMN IF NOT EXISTS a INTEGER"]),
    (
        add(sa.Column("a", sa.Integer, sa.ForeignKey("o.id", name="fk", ondelete="CASCADE"), comment="c's")),
        [
            "ALTER TABLE t ADD COLUMN a INTEGER",
            "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY(a) REFERENCES o (id) ON DELETE CASCADE",
            "COMMENT ON COLUMN t.a IS 'c''s'",
        ],
    ),
    (
        add(
            sa.Column("a", sa.Integer, sa.ForeignKey("s.o.id", deferrable=True, initially="DEFERRED", match="FULL")),
            inline_references=True,
        ),
        ["ALTER TABLE t ADD COLUMN a INTEGER REFERENCES s.o (id) MATCH FULL DEFERRABLE INITIALLY DEFERRED"],
    ),
    (
        add(sa.Column("a", sa.Integer, sa.ForeignKey("o.id"), sa.CheckConstraint("a > 0")), inline_references=True),
        ["ALTER TABLE t ADD COLUMN a INTEGER REFERENCES o (id) CHECK (a > 0)"],
    ),
    (
        add(sa.Column("a", sa.Integer, unique=True)),
        ["ALTER TABLE t ADD COLUMN a INTEGER", "ALTER TABLE t ADD UNIQUE (a)"],
    ),
    (add(sa.Column("a", sa.Boolean(create_constraint=True, name="b"))), ["ALTER TABLE t ADD COLUMN a BOOLEAN"]),
    (
        add(sa.Column("a", sa.Enum("x", native_enum=False, create_constraint=True, name="b"))),
        ["ALTER TABLE t ADD COLUMN a VARCHAR(1)", "ALTER TABLE t ADD CONSTRAINT b CHECK (a IN ('x'))"],
    ),
    (add(sa.Column("id", sa.Integer, primary_key=True)), ["ALTER TABLE t ADD COLUMN id SERIAL NOT NULL"]),
    (
        add(sa.Column("id", sa.Integer, primary_key=True), inline_primary_key=True),
        ["ALTER TABLE t ADD COLUMN id SERIAL NOT NULL PRIMARY KEY"],
    ),
    (
        add(sa.Column("a", sa.Enum("x", "y", name="kind"))),
        ["CREATE TYPE kind AS ENUM ('x', 'y')", "ALTER TABLE t ADD COLUMN a kind"],
    ),
    (
        add(sa.Column("a", sa.Integer, sa.Sequence("seq", start=5))),
        ["CREATE SEQUENCE IF NOT EXISTS seq START WITH 5", "ALTER TABLE t ADD COLUMN a INTEGER"],
    ),
    (
        CreateIndex(T, Index("ix", ("a",), options=(("postgresql_include", ("b",)), ("postgresql_using", "btree")))),
        ["CREATE INDEX ix ON t USING btree (a) INCLUDE (b)"],
    ),
]

SQLITE_ONLY: list[tuple[Operation, list[str]]] = [
    (
        add(sa.Column("a", sa.Integer, sa.ForeignKey("o.id", name="fk", ondelete="CASCADE"), comment="c")),
        ["ALTER TABLE t ADD COLUMN a INTEGER CONSTRAINT fk REFERENCES o (id) ON DELETE CASCADE"],
    ),
    (
        add(sa.Column("a", sa.Integer, sa.ForeignKey("s.o.id")), Ref("t", "s")),
        ["ALTER TABLE s.t ADD COLUMN a INTEGER REFERENCES o (id)"],
    ),
    (add(sa.Column("a", sa.Integer, sa.ForeignKey("s.o.id"))), ["ALTER TABLE t ADD COLUMN a INTEGER"]),
    (
        add(sa.Column("a", sa.Boolean(create_constraint=True, name="b"))),
        ["ALTER TABLE t ADD COLUMN a BOOLEAN CONSTRAINT b CHECK (a IN (0, 1))"],
    ),
    (add(sa.Column("a", sa.Enum("x", "yy", name="kind"))), ["ALTER TABLE t ADD COLUMN a VARCHAR(2)"]),
    (
        add(sa.Column("a", sa.Integer, index=True), Ref("t", "s")),
        ["ALTER TABLE s.t ADD COLUMN a INTEGER", "CREATE INDEX s.ix_s_t_a ON t (a)"],
    ),
    (CreateIndex(T, Index("ix", ("a",), options=(("postgresql_concurrently", True),))), ["CREATE INDEX ix ON t (a)"]),
    (DropIndex("ix", T, options=(("postgresql_concurrently", True),)), ["DROP INDEX ix"]),
]


@pytest.mark.parametrize(("operation", "expected"), [*ALIKE, *POSTGRESQL_ONLY], ids=told)
def test_postgresql_says(operation: Operation, expected: list[str]) -> None:
    statements = POSTGRESQL.statements(operation, Schema())
    assert [statement.sql for statement in statements] == expected
    assert all(statement.transactional and statement.operation is operation for statement in statements)


@pytest.mark.parametrize(("operation", "expected"), [*ALIKE, *SQLITE_ONLY], ids=told)
def test_sqlite_says(operation: Operation, expected: list[str]) -> None:
    statements = SQLITE.statements(operation, Schema())
    assert [statement.sql for statement in statements] == expected
    assert all(statement.transactional and statement.operation is operation for statement in statements)


@pytest.mark.parametrize(
    "operation", [o for o, _ in SQLITE_ONLY if isinstance(o, AddColumn) and o.ref.schema is None], ids=told
)
def test_sqlite_takes_the_added_column(operation: AddColumn) -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (z)")
    for text in sql(SQLITE, operation):
        connection.execute(text)
    assert [row[1] for row in connection.execute("PRAGMA table_info(t)")] == ["z", "a"]
    connection.close()


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ondelete": "SET NULL", "onupdate": "CASCADE"},
        {"deferrable": False},
        {"match": "FULL", "initially": "IMMEDIATE", "deferrable": True},
        {"name": sa.schema.conv("a_very_long_name_" * 5)},
        {"name": "Quoted 50%"},
    ],
    ids=str,
)
def test_added_foreign_key_is_what_sqlalchemy_writes(options: dict[str, Any]) -> None:
    metadata = sa.MetaData()
    sa.Table("O ther", metadata, sa.Column("id", sa.Integer), schema="s")
    host = sa.Table("t", metadata, sa.Column("a b", sa.Integer, sa.ForeignKey("s.O ther.id", **options)))
    (key,) = host.foreign_key_constraints
    parts = column_from_sqlalchemy(host.c["a b"], T)
    (_, ours) = sql(POSTGRESQL, AddColumn(T, parts.column, from_sqlalchemy(host).constraints))
    assert ours == str(sa.schema.AddConstraint(key).compile(dialect=POSTGRESQL.sqlalchemy))


@pytest.mark.parametrize("name", ["postgresql", "sqlite"])
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
@pytest.mark.filterwarnings("ignore:Computed column")
def test_table_that_was_read_needs_no_rebuilding(case: Case, name: str) -> None:
    dialect = dialect_for(name)
    for source in case.metadata().tables.values():
        value = from_sqlalchemy(source)
        assert _outcome(dialect, CreateTable(value, original=Original(value, source))) == _outcome(
            dialect, CreateTable(value)
        )


def _outcome(dialect: Dialect, operation: Operation) -> list[str] | type[Exception]:
    try:
        return sql(dialect, operation)
    except sa.exc.SQLAlchemyError as error:
        return type(error)
    except NotImplementedError as error:
        return type(error)


def test_original_of_another_table_is_not_used() -> None:
    old = from_sqlalchemy(source := sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer)))
    new = from_sqlalchemy(sa.Table("u", sa.MetaData(), sa.Column("b", sa.Integer)))
    assert sql(SQLITE, CreateTable(new, original=Original(old, source))) == ["CREATE TABLE u (\n\tb INTEGER\n)"]


def test_enum_that_is_there_is_not_created_again() -> None:
    kind = sa.Enum("x", name="kind")
    operation = table(
        sa.Column("a", kind),
        sa.Column("b", pg.ARRAY(kind)),
        sa.Column("c", pg.ENUM("x", name="other", create_type=False)),
    )
    assert POSTGRESQL.reads(operation) == {Ref("kind", None, "enum")}
    assert [text[:11] for text in sql(POSTGRESQL, operation)] == ["CREATE TYPE", "CREATE TABL"]
    after = operation.apply(Schema())
    assert [text[:11] for text in sql(POSTGRESQL, operation, after)] == ["CREATE TABL"]


def test_domain_is_created_once() -> None:
    domain = pg.DOMAIN("positive", sa.Integer, check="VALUE > 0")
    first, second = table(sa.Column("a", domain)), table(sa.Column("a", domain), name="u")
    assert [text[:13] for text in sql(POSTGRESQL, first)] == ["CREATE DOMAIN", "CREATE TABLE "]
    assert [text[:13] for text in sql(POSTGRESQL, second, first.apply(Schema()))] == ["CREATE TABLE "]


def test_sequence_that_is_there_is_not_created_again() -> None:
    operation = table(sa.Column("id", sa.Integer, sa.Sequence("seq"), primary_key=True))
    assert POSTGRESQL.reads(operation) == {Ref("seq", None, "sequence")}
    assert len(sql(POSTGRESQL, operation)) == 2
    assert len(sql(POSTGRESQL, operation, operation.apply(Schema()))) == 1
    assert SQLITE.reads(operation) == frozenset()


def test_table_if_not_exists_covers_its_indexes() -> None:
    operation = CreateTable(table(sa.Column("a", sa.Integer, index=True)).table, if_not_exists=True)
    for dialect in (POSTGRESQL, SQLITE):
        assert [text.split("EXISTS")[0] for text in sql(dialect, operation)] == [
            "CREATE TABLE IF NOT ",
            "CREATE INDEX IF NOT ",
        ]


@pytest.mark.parametrize(
    "operation",
    [
        CreateIndex(T, Index("ix", ("a",), unique=True, options=(("postgresql_concurrently", True),))),
        DropIndex("ix", T, options=(("postgresql_concurrently", True),)),
    ],
)
def test_concurrent_index_stands_outside_the_transaction(operation: Operation) -> None:
    (statement,) = POSTGRESQL.statements(operation, Schema())
    assert "INDEX CONCURRENTLY ix" in statement.sql
    assert not statement.transactional
    (statement,) = SQLITE.statements(operation, Schema())
    assert statement.transactional


def stored(*texts: str) -> Schema:
    """What SQLite stores after these statements."""
    connection = sqlite3.connect(":memory:")
    for text in texts:
        connection.execute(text)
    rows = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return Schema(stored={"main": tuple(rows)})


@pytest.mark.parametrize(
    "operation",
    [
        add(sa.Column("a", sa.Integer, unique=True)),
        add(sa.Column("a", sa.Integer, primary_key=True), inline_primary_key=True),
        AlterColumn(T, "a", nullable=False),
        AddConstraint(T, Unique(("a",))),
        DropConstraint(T, "uq"),
        DropColumn(T, "a", if_exists=True),
    ],
)
def test_sqlite_wants_to_see_the_table_that_it_changes(operation: Operation) -> None:
    assert SQLITE.reads(operation) == {T}
    with pytest.raises(UnsupportedOperation, match="has to be known"):
        SQLITE.statements(operation, Schema())


@pytest.mark.parametrize(
    "table",
    [
        "CREATE TABLE t (a INTEGER PRIMARY KEY, b INTEGER)",
        "CREATE TABLE t (a INTEGER, b INTEGER, UNIQUE (a, b))",
        "CREATE TABLE t (a INTEGER REFERENCES o (id), b INTEGER)",
        "CREATE TABLE t (a INTEGER, b INTEGER, CHECK (a > b))",
    ],
)
def test_sqlite_drops_a_column_in_use_with_what_uses_it(table: str) -> None:
    known = stored("CREATE TABLE o (id INTEGER PRIMARY KEY)", table)
    after = sqlite3.connect(":memory:")
    after.execute(table)
    for statement in SQLITE.statements(DropColumn(T, "a"), known):
        for text in SQLITE.literal(statement):
            after.execute(text)
    assert [row[1] for row in after.execute("PRAGMA table_info(t)")] == ["b"]
    after.close()


def test_sqlite_drops_a_column_with_a_check_of_its_own() -> None:
    known = stored("CREATE TABLE t (a INTEGER CHECK (a > 0), b INTEGER)")
    assert sql(SQLITE, DropColumn(T, "a"), known) == ["ALTER TABLE t DROP COLUMN a"]


def test_sqlite_looks_before_if_exists() -> None:
    known = stored("CREATE TABLE t (a INTEGER, b INTEGER)")
    there, missing = DropColumn(T, "a", if_exists=True), DropColumn(T, "z", if_exists=True)
    new = add(sa.Column("z", sa.Integer), if_not_exists=True)
    assert {SQLITE.reads(o) for o in (there, missing, new)} == {frozenset({T})}
    assert (sql(SQLITE, there, known), sql(SQLITE, missing, known)) == (["ALTER TABLE t DROP COLUMN a"], [])
    assert sql(SQLITE, new, known) == ["ALTER TABLE t ADD COLUMN z INTEGER"]
    assert sql(SQLITE, add(sa.Column("a", sa.Integer), if_not_exists=True), known) == []
    with pytest.raises(UnsupportedOperation, match="known"):
        SQLITE.statements(missing, Schema())


def test_construct_keeps_its_parameters_in_the_clause() -> None:
    clause = sa.update(sa.table("t", sa.column("a"))).values(a="it's")
    (statement,) = POSTGRESQL.statements(Execute(clause, {"x": 1}), Schema())
    assert (statement.sql, statement.clause, statement.parameters) == ("UPDATE t SET a=:a", clause, None)
    assert statement.execution_options == {"x": 1}


def test_text_with_values_is_a_construct() -> None:
    (statement,) = SQLITE.statements(Execute(sa.text("SELECT :x; ").bindparams(x=1)), Schema())
    assert statement.clause is not None


@pytest.mark.parametrize("multiinsert", [True, False])
def test_rows_are_parameters_or_one_statement_each(multiinsert: bool) -> None:
    rows = ({"a": 1, "b": "x"}, {"a": 2, "b": None})
    statements = SQLITE.statements(
        BulkInsert(sa.table("t", sa.column("a"), sa.column("b")), rows, multiinsert), Schema()
    )
    assert {s.sql for s in statements} == {"INSERT INTO t (a, b) VALUES (:a, :b)"}
    assert [s.parameters for s in statements] == ([rows] if multiinsert else [None, None])


def test_rows_with_expressions_are_one_statement_each() -> None:
    rows = ({"a": sa.func.now()}, {"a": sa.literal(1)})
    statements = SQLITE.statements(BulkInsert(sa.table("t", sa.column("a")), rows), Schema())
    assert statements[0].sql == "INSERT INTO t (a) VALUES (CURRENT_TIMESTAMP)"
    assert len(statements) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("VACUUM", True),
        ("-- why\n  vacuum full t", True),
        ("/* a */ CREATE UNIQUE INDEX CONCURRENTLY ix ON t (a)", True),
        ("CREATE INDEX ix ON t (a)", False),
        ("DROP INDEX CONCURRENTLY ix", True),
        ("REINDEX TABLE CONCURRENTLY t", True),
        ("REINDEX TABLE t", False),
        ("CREATE DATABASE x", True),
        ("CREATE SUBSCRIPTION s CONNECTION '' PUBLICATION p", True),
        ("ALTER SYSTEM SET x = 1", True),
        ("ALTER TABLE p DETACH PARTITION q CONCURRENTLY", True),
        ("ALTER TABLE p DETACH PARTITION q", False),
        ("REFRESH MATERIALIZED VIEW CONCURRENTLY v", False),
        ("SELECT 'VACUUM'", False),
        ("CREATE TABLE vacuum (a int)", False),
    ],
)
def test_statement_must_autocommit(text: str, expected: bool) -> None:
    assert must_autocommit(text) is expected


@pytest.mark.parametrize(
    ("ref", "expected"),
    [
        (Ref("t"), "t"),
        (Ref("t", "s"), "s.t"),
        (Ref("User", "My Schema"), '"My Schema"."User"'),
        (Ref('a"b'), '"a""b"'),
        (Ref("50%"), '"50%"'),
    ],
)
def test_address_is_quoted_where_it_needs_to_be(ref: Ref, expected: str) -> None:
    assert POSTGRESQL.qualify(ref) == expected
    assert SQLITE.qualify(ref) == expected


def test_old_server_gets_what_it_understands() -> None:
    operation = table(sa.Column("a", sa.Integer, sa.Identity()))
    assert "IDENTITY" not in sql(dialect_for("postgresql", server_version=(9, 6)), operation)[0]
    assert "IDENTITY" in sql(dialect_for("postgresql", server_version=(10,)), operation)[0]


def test_dialect_of_a_connection_knows_its_version() -> None:
    connected = pg.dialect()
    connected.server_version_info = (16, 4)
    assert dialect_of(connected).sqlalchemy.server_version_info == (16, 4)
    assert dialect_of(connected).sqlalchemy is not connected


def test_other_databases_are_refused() -> None:
    with pytest.raises(UsageError, match="not mysql"):
        dialect_for("mysql")
