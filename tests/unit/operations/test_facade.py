"""What `op` makes of the arguments that a script gives, and which it refuses."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from asyncmig import op
from asyncmig.errors import NoMigrationRunning, OperationError
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.recorder import Recorder, record
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.sql import Execute
from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
from asyncmig.schema.model import Check, ForeignKey, PrimaryKey, Ref, Unique

CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s_%(referred_column_0_name)s",
    "pk": "pk_%(table_name)s",
}


def said(function, convention=None) -> Operation:
    """The one operation that `function` says."""
    recording = record(function, Recorder(__file__, postgresql.dialect(), naming_convention=convention))
    (operation,) = recording.operations
    return operation


@pytest.mark.parametrize(
    "name",
    [
        "add_column",
        "bulk_insert",
        "create_index",
        "create_table",
        "drop_column",
        "drop_index",
        "drop_table",
        "execute",
        "f",
        "get_bind",
        "get_context",
        "inline_literal",
        "rename_table",
        "run_async",
    ],
)
def test_parameters_are_alembics(name):
    """Names, kinds and defaults, read from an installed Alembic: what a script may pass by keyword."""
    theirs = pytest.importorskip("alembic.operations").Operations

    def parameters(facade):
        found = inspect.signature(getattr(facade, name)).parameters.values()
        return [(p.name, p.kind, p.default) for p in found if p.name != "self"]

    assert parameters(type(op)) == parameters(theirs)


def test_create_table_keeps_columns_constraints_indexes_and_options():
    operation = said(
        lambda: op.create_table(
            "account",
            sa.UniqueConstraint("email", name="uq"),
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("email", sa.String(20), index=True),
            None,
            sa.CheckConstraint("id > 0"),
            sa.Index("ix_both", "id", "email"),
            schema="s",
            comment="people",
            if_not_exists=True,
            sqlite_autoincrement=True,
        )
    )
    assert isinstance(operation, CreateTable)
    table = operation.table
    assert (table.ref, table.comment, operation.if_not_exists) == (Ref("account", "s"), "people", True)
    assert [column.name for column in table.columns] == ["id", "email"]
    assert {type(c) for c in table.constraints} == {PrimaryKey, Unique, Check}
    assert {index.name for index in table.indexes} == {"ix_both", "ix_s_account_email"}
    assert dict(table.options) == {"sqlite_autoincrement": True}


def test_create_table_returns_a_table_for_bulk_insert():
    tables = []

    def upgrade():
        tables.append(op.create_table("account", sa.Column("id", sa.Integer)))
        op.bulk_insert(tables[0], [{"id": 1}])

    _, inserted = record(upgrade, Recorder(__file__, sqlite.dialect())).operations
    assert isinstance(tables[0], sa.Table)
    assert isinstance(inserted, BulkInsert)
    assert (inserted.ref, inserted.rows, inserted.multiinsert) == (Ref("account"), ({"id": 1},), True)


def test_create_table_names_constraints_by_the_convention():
    operation = said(
        lambda: op.create_table(
            "account",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("email", sa.String(20), unique=True, index=True),
            sa.Column("owner_id", sa.Integer, sa.ForeignKey("s.owner.id")),
            sa.Column("flag", sa.Boolean(create_constraint=True, name="flag")),
            sa.CheckConstraint("id > 0", name="positive"),
            sa.CheckConstraint("id > 1", name=op.f("final")),
        ),
        CONVENTION,
    )
    assert isinstance(operation, CreateTable)
    assert {c.name for c in operation.table.constraints} == {
        "pk_account",
        "fk_account_owner_id_owner_id",
        "ck_account_flag",
        "ck_account_positive",
        "final",
    }
    # index=True together with unique=True is one unique index, as in SQLAlchemy
    (index,) = operation.table.indexes
    assert (index.name, index.unique) == ("ix_account_email", True)


def test_create_table_resolves_foreign_keys_to_tables_it_does_not_know_and_to_itself():
    operation = said(
        lambda: op.create_table(
            "node",
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("parent_id", sa.Integer, sa.ForeignKey("node.id")),
            sa.Column("a", sa.Integer),
            sa.Column("b", sa.Integer),
            sa.ForeignKeyConstraint(["a", "b"], ["s.other.x", "s.other.y"], ondelete="CASCADE"),
        ),
        CONVENTION,
    )
    assert isinstance(operation, CreateTable)
    keys = [c for c in operation.table.constraints if isinstance(c, ForeignKey)]
    assert {(key.name, key.target, key.target_columns) for key in keys} == {
        ("fk_node_parent_id_node_id", Ref("node"), ("id",)),
        ("fk_node_a_other_x", Ref("other", "s"), ("x", "y")),
    }


def test_columns_and_constraints_of_another_table_are_copied():
    source = sa.Table(
        "source",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("flag", sa.Boolean(create_constraint=True)),
        sa.UniqueConstraint("flag", name="uq"),
        sa.Index("ix_flag", "flag", unique=True),
    )
    operation = said(lambda: op.create_table("copy", *source.columns, *source.constraints, *source.indexes))
    assert isinstance(operation, CreateTable)
    assert sorted(type(c).__name__ for c in operation.table.constraints) == ["Check", "PrimaryKey", "Unique"]
    assert [(index.name, index.unique) for index in operation.table.indexes] == [("ix_flag", True)]
    assert source.c.id.table is source


def test_add_column_takes_apart_what_the_column_brings():
    column = sa.Column(
        "owner_id", sa.Integer, sa.ForeignKey("owner.id", ondelete="CASCADE"), index=True, nullable=False, comment="who"
    )
    operation = said(lambda: op.add_column("account", column, schema="s", if_not_exists=True), CONVENTION)
    assert isinstance(operation, AddColumn)
    assert (operation.ref, operation.column.name, operation.column.nullable) == (Ref("account", "s"), "owner_id", False)
    assert operation.column.comment == "who"
    (key,) = operation.constraints
    assert isinstance(key, ForeignKey)
    assert (key.name, key.ondelete) == ("fk_account_owner_id_owner_id", "CASCADE")
    assert [index.name for index in operation.indexes] == ["ix_s_account_owner_id"]
    assert operation.if_not_exists
    assert not operation.primary_key


def test_add_column_may_use_one_column_object_again():
    column = sa.Column("owner_id", sa.Integer, sa.ForeignKey("owner.id"), unique=True)

    def upgrade():
        op.add_column("a", column)
        op.add_column("b", column)

    first, second = record(upgrade, Recorder(__file__, sqlite.dialect())).operations
    assert isinstance(first, AddColumn)
    assert isinstance(second, AddColumn)
    assert first.constraints == second.constraints
    assert len(second.constraints) == 2


def test_add_column_passes_the_inline_flags_on():
    column = sa.Column("id", sa.Integer, primary_key=True)
    operation = said(lambda: op.add_column("a", column, inline_references=True, inline_primary_key=True))
    assert isinstance(operation, AddColumn)
    assert (operation.primary_key, operation.inline_references, operation.inline_primary_key) == (True, True, True)


def test_create_index_takes_names_text_and_expressions():
    model = sa.Table("account", sa.MetaData(), sa.Column("email", sa.String))
    operation = said(
        lambda: op.create_index(
            "ix",
            "account",
            ["name", sa.text("lower(kind)"), sa.func.upper(model.c.email), model.c.email.desc()],
            schema="s",
            unique=True,
            postgresql_where=sa.text("kind > 'a'"),
            postgresql_include=["size"],
        )
    )
    assert isinstance(operation, CreateIndex)
    assert (operation.ref, operation.index.unique) == (Ref("account", "s"), True)
    assert operation.describe() == "Create unique index ix on s.account (name, lower(kind), upper(email), email DESC)"
    assert [key for key, _ in operation.index.options] == ["postgresql_include", "postgresql_where"]


def test_create_index_without_a_name_takes_the_conventions():
    operation = said(lambda: op.create_index(None, "account", ["email"]), CONVENTION)
    assert isinstance(operation, CreateIndex)
    assert operation.index.name == "ix_account_email"


def test_create_index_without_a_name_where_nothing_gives_one_is_refused():
    with pytest.raises(OperationError, match="has no name"):
        said(lambda: op.create_index(None, "account", ["email"]), {"pk": "pk_%(table_name)s"})


def test_drops_and_renames_say_what_they_were_given():
    assert said(lambda: op.drop_table("a", schema="s", if_exists=True)) == DropTable(Ref("a", "s"), True)
    assert said(lambda: op.rename_table("a", "b", schema="s")) == RenameTable(Ref("a", "s"), "b")
    assert said(lambda: op.drop_column("a", "b", schema="s")) == DropColumn(Ref("a", "s"), "b")
    assert said(lambda: op.drop_column("a", "b", if_exists=True)) == DropColumn(Ref("a"), "b", True)
    assert said(lambda: op.drop_column("a", "b", mssql_drop_default=True)) == DropColumn(Ref("a"), "b")
    assert said(lambda: op.drop_index("i", "a", schema="s")) == DropIndex("i", Ref("a", "s"), "s")
    assert said(lambda: op.drop_index("i", postgresql_concurrently=True, if_exists=True)) == DropIndex(
        "i", if_exists=True, options=(("postgresql_concurrently", True),)
    )


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("select 1", "select 1"),
        (r"select '\:name'", "select ':name'"),
        ("select ':name', a::int, '12:30'", "select ':name', a::int, '12:30'"),
    ],
)
def test_execute_reads_text_as_sqlalchemys_text_does_but_without_parameters(given, kept):
    operation = said(lambda: op.execute(given, execution_options={"a": 1}))
    assert isinstance(operation, Execute)
    assert (operation.sql, operation.execution_options) == (kept, {"a": 1})


def test_execute_keeps_constructs():
    construct = sa.text("select :a").bindparams(a=1)
    operation = said(lambda: op.execute(construct))
    assert isinstance(operation, Execute)
    assert operation.sql is construct


@pytest.mark.parametrize("dialect", [postgresql.dialect(), sqlite.dialect()], ids=lambda dialect: dialect.name)
def test_inline_literal_is_written_into_the_statement(dialect):
    table = sa.table("t", sa.column("a"), sa.column("b"))
    statement = sa.update(table).values(a=op.inline_literal("it's"), b=op.inline_literal(3))
    compiled = statement.compile(dialect=dialect)
    assert str(compiled) == "UPDATE t SET a='it''s', b=3"
    assert compiled.params == {}


def test_inline_literals_do_not_share_a_cached_statement():
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        results = [connection.scalar(sa.select(op.inline_literal(value))) for value in (1, 2, "x")]
    engine.dispose()
    assert results == [1, 2, "x"]


def test_f_marks_a_name_as_final_without_a_migration():
    assert op.f("name") == "name"
    assert isinstance(op.f("name"), sa.sql.elements.conv)


WRONG = {
    "string as column": (lambda: op.create_table("t", "id"), r"create_table t takes Column.*not str"),
    "loose foreign key": (lambda: op.create_table("t", sa.ForeignKey("a.id")), r"not ForeignKey.*inside the sa.Column"),
    "table": (lambda: op.create_table("t", sa.table("a")), r"not TableClause"),
    "unknown table keyword": (
        lambda: op.create_table("t", sa.Column("a", sa.Integer), schemas="s"),
        r"create_table t:.*schemas",
    ),
    "same column twice": (
        lambda: op.create_table("t", sa.Column("a", sa.Integer), sa.Column("a", sa.Integer)),
        r"create_table t:.*a",
    ),
    "constraint on a missing column": (
        lambda: op.create_table("t", sa.Column("a", sa.Integer), sa.UniqueConstraint("b")),
        r"create_table t:.*b",
    ),
    "column as name": (lambda: op.add_column(sa.Column("a", sa.Integer), "t"), r"table name as a string, not Column"),
    "type as column": (lambda: op.add_column("t", sa.Integer()), r"one sa.Column, not Integer"),
    "empty name": (lambda: op.drop_table(""), r"not an empty string"),
    "column object to drop": (lambda: op.drop_column("t", sa.Column("a")), r"column name as a string, not Column"),
    "misspelt keyword": (lambda: op.drop_column("t", "a", if_exist=True), r"no keyword 'if_exist'.*'if_exists'"),
    "index of a string": (lambda: op.create_index("i", "t", "a"), r"wants a list"),
    "index of nothing": (lambda: op.create_index("i", "t", []), r"wants a list"),
    "index of a number": (lambda: op.create_index("i", "t", [1]), r"not int"),
    "index keyword": (lambda: op.create_index("i", "t", ["a"], uniqe=True), r"no keyword 'uniqe'.*'unique'"),
    "number as SQL": (lambda: op.execute(1), r"not int"),
    "expression as SQL": (lambda: op.execute(sa.column("a")), r"not ColumnClause"),
    "rows into a name": (lambda: op.bulk_insert("t", []), r"not str"),
    "one row": (lambda: op.bulk_insert(sa.table("t"), {"a": 1}), r"list of dictionaries"),
    "tuples": (lambda: op.bulk_insert(sa.table("t"), [(1,)]), r"list of dictionaries"),
}


@pytest.mark.parametrize(("wrong", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_does_not_belong_there_is_an_error_that_says_so(wrong, message):
    recorder = Recorder(__file__, sqlite.dialect())
    with pytest.raises(OperationError) as caught:
        record(wrong, recorder)
    assert caught.match(f"(?s){message}")
    assert recorder.items == []


@pytest.mark.parametrize(
    "use",
    [
        lambda: op.execute("select 1"),
        lambda: op.create_table("t"),
        lambda: op.add_column("t", sa.Column("a", sa.Integer)),
        lambda: op.create_index("i", "t", ["a"]),
        op.get_bind,
        op.get_context,
        op.connection,
        op.autocommit_block,
    ],
)
def test_op_outside_a_migration_says_how_it_is_meant(use):
    with pytest.raises(NoMigrationRunning, match=r"No migration is running .* inside upgrade\(\)"):
        use()


def test_an_operation_knows_the_line_of_the_script_also_through_a_helper():
    path = Path(__file__)

    def upgrade():
        helper_elsewhere(lambda: op.execute("select 1"))

    helper_elsewhere = eval(compile("lambda call: call()", "/elsewhere.py", "eval"))
    (item,) = record(upgrade, Recorder(path, sqlite.dialect()))
    assert item.origin is not None
    assert "op.execute" in path.read_text().splitlines()[item.origin.line - 1]
    assert str(item.origin) == f"{path}:{item.origin.line}"


def test_an_operation_from_nowhere_in_the_script_has_no_line():
    (item,) = record(lambda: op.execute("select 1"), Recorder("/another/script.py", sqlite.dialect()))
    assert item.origin is None
