"""What each operation does to a schema, how it is undone and how it is told."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from asyncmig.errors import Irreversible
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.recorder import replay
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.sql import Execute
from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
from asyncmig.schema.metadata import from_sqlalchemy
from asyncmig.schema.model import Check, Column, ForeignKey, Index, PrimaryKey, Ref, Schema, Table, Unique
from asyncmig.schema.types import SqlText, SqlType

ACCOUNT = from_sqlalchemy(
    sa.Table(
        "account",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("email", sa.String(20), unique=True),
        sa.Column("kind", sa.String(5)),
        sa.Column("size", sa.Integer),
        sa.CheckConstraint("size > 0 AND kind <> 'size'", name="positive"),
        sa.Index("ix_kind", "kind"),
        sa.Index("ix_lower", sa.text("lower(email)")),
        sa.Index("ix_partial", "kind", postgresql_where=sa.text("size > 3")),
    )
)
ORDER = Table(
    "order",
    (Column("id", SqlType(sa.Integer()), nullable=False), Column("account_id", SqlType(sa.Integer()))),
    constraints=(PrimaryKey(("id",)), ForeignKey(("account_id",), ACCOUNT.ref, ("id",))),
)
BEFORE = Schema().with_table(ACCOUNT).with_table(ORDER)
NOTE = Column("note", SqlType(sa.Text()))


def names(things) -> set[str | None]:
    return {thing.name for thing in things}


def kinds(table: Table) -> set[type]:
    return {type(constraint) for constraint in table.constraints}


def test_drop_column_takes_the_constraints_and_indexes_that_name_it():
    table = DropColumn(ACCOUNT.ref, "size").apply(BEFORE).tables[ACCOUNT.ref]
    assert kinds(table) == {PrimaryKey, Unique}
    assert names(table.indexes) == {"ix_kind", "ix_lower"}


def test_drop_column_reads_index_expressions():
    table = DropColumn(ACCOUNT.ref, "email").apply(BEFORE).tables[ACCOUNT.ref]
    assert kinds(table) == {PrimaryKey, Check}
    assert names(table.indexes) == {"ix_kind", "ix_partial"}


def test_drop_column_keeps_a_check_that_has_the_name_only_in_a_string():
    check = Check(SqlText(sa.text("kind <> 'note'")), "c")
    before = Schema().with_table(Table("t", (NOTE, ACCOUNT.column("kind")), constraints=(check,)))
    assert DropColumn(Ref("t"), "note").apply(before).tables[Ref("t")].constraints == (check,)


def test_drop_column_reverse_restores_what_went_with_it():
    (reverse,) = DropColumn(ACCOUNT.ref, "email").reverse(BEFORE)
    assert isinstance(reverse, AddColumn)
    assert [type(c) for c in reverse.constraints] == [Unique]
    assert names(reverse.indexes) == {"ix_lower"}


def test_rename_table_is_followed_by_foreign_keys():
    after = RenameTable(ACCOUNT.ref, "customer").apply(BEFORE)
    assert set(after.tables) == {Ref("customer"), ORDER.ref}
    (key,) = (c for c in after.tables[ORDER.ref].constraints if isinstance(c, ForeignKey))
    assert key.target == Ref("customer")


def test_rename_table_stays_in_its_schema_and_leaves_the_namesake():
    other = Table("account", (NOTE,), schema="s")
    after = RenameTable(other.ref, "b").apply(BEFORE.with_table(other))
    assert set(after.tables) == {ACCOUNT.ref, ORDER.ref, Ref("b", "s")}


def test_a_changed_table_forgets_its_stored_text():
    stored = Table("t", (NOTE, ACCOUNT.column("kind")), stored_sql="CREATE TABLE t (note, kind)")
    for operation in (RenameTable(Ref("t"), "u"), DropColumn(Ref("t"), "kind"), AddColumn(Ref("t"), ORDER.columns[0])):
        (table,) = operation.apply(Schema().with_table(stored)).tables.values()
        assert table.stored_sql is None


def test_add_column_makes_a_primary_key_only_when_it_stands_inline():
    column = Column("id", SqlType(sa.Integer()), nullable=False)
    before = Schema().with_table(Table("t", (NOTE,)))
    plain = AddColumn(Ref("t"), column, primary_key=True).apply(before).tables[Ref("t")]
    inline = AddColumn(Ref("t"), column, primary_key=True, inline_primary_key=True).apply(before).tables[Ref("t")]
    assert plain.primary_key is None
    assert inline.primary_key == PrimaryKey(("id",))


def test_columns_bring_their_enums_and_sequences():
    mood = sa.Column("mood", sa.Enum("good", "bad", name="mood", schema="s"))
    number = sa.Column("number", sa.Integer, sa.Sequence("numbers"))
    created = CreateTable(from_sqlalchemy(sa.Table("t", sa.MetaData(), mood)))
    added = AddColumn(Ref("t"), from_sqlalchemy(sa.Table("u", sa.MetaData(), number)).columns[0])
    after = replay([created, added])
    assert [enum.values for enum in after.enums.values()] == [("good", "bad")]
    assert set(after.sequences) == {Ref("numbers", None, "sequence")}
    assert Ref("mood", "s", "enum") in created.touches()
    assert Ref("numbers", None, "sequence") in added.touches()
    # The database keeps them when the table goes.
    assert replay([DropTable(Ref("t"))], after) == Schema(enums=after.enums, sequences=after.sequences)


def test_an_enum_that_is_there_keeps_its_values():
    """A second declaration does not change the type, so it must not change what we know of it."""

    def table(name: str, *values: str) -> CreateTable:
        return CreateTable(from_sqlalchemy(sa.Table(name, sa.MetaData(), sa.Column("m", sa.Enum(*values, name="m")))))

    after = replay([table("t", "a"), table("u", "a", "b")])
    assert [enum.values for enum in after.enums.values()] == [("a",)]


def test_drop_index_finds_the_table_by_the_index():
    after = DropIndex("ix_kind").apply(BEFORE)
    assert names(after.tables[ACCOUNT.ref].indexes) == {"ix_lower", "ix_partial"}


def test_drop_index_looks_in_its_own_schema_only():
    assert DropIndex("ix_kind", schema="s").apply(BEFORE) == BEFORE


UNKNOWN = Ref("unknown")


@pytest.mark.parametrize(
    "operation",
    [
        CreateTable(ACCOUNT, if_not_exists=True),
        AddColumn(ACCOUNT.ref, ACCOUNT.column("kind"), if_not_exists=True),
        CreateIndex(ACCOUNT.ref, Index("ix_kind", ("email",)), if_not_exists=True),
        DropColumn(ACCOUNT.ref, "nothing", if_exists=True),
        DropIndex("nothing", ACCOUNT.ref, if_exists=True),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_is_already_so_changes_nothing_and_has_nothing_to_undo(operation):
    assert operation.apply(BEFORE) == BEFORE
    assert operation.reverse(BEFORE) == ()


@pytest.mark.parametrize(
    "operation",
    [
        DropTable(UNKNOWN),
        RenameTable(UNKNOWN, "b"),
        AddColumn(UNKNOWN, NOTE),
        DropColumn(UNKNOWN, "a"),
        CreateIndex(UNKNOWN, Index("i", ("a",))),
        DropIndex("i", UNKNOWN),
        Execute("drop table account"),
        BulkInsert(sa.table("unknown"), ()),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_the_schema_does_not_know_is_left_alone(operation):
    assert operation.apply(BEFORE) == BEFORE


@pytest.mark.parametrize(
    "operation",
    [
        DropTable(UNKNOWN),
        DropColumn(UNKNOWN, "a"),
        DropColumn(ACCOUNT.ref, "nothing"),
        DropIndex("i"),
        CreateIndex(ACCOUNT.ref, Index(None, ("email",))),
        Execute("update account set kind = 'a'"),
        BulkInsert(sa.table("account"), ({"id": 1},)),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_cannot_be_known_is_irreversible_and_says_what_it_was(operation):
    with pytest.raises(Irreversible) as caught:
        operation.reverse(BEFORE)
    assert operation.describe() in caught.value.message


@pytest.mark.parametrize(
    ("operation", "reverse"),
    [
        (DropTable(UNKNOWN, table=ACCOUNT), CreateTable(ACCOUNT)),
        (DropColumn(UNKNOWN, "note", column=NOTE), AddColumn(UNKNOWN, NOTE)),
        (DropIndex("i", UNKNOWN, index=Index("i", ("a",))), CreateIndex(UNKNOWN, Index("i", ("a",)))),
    ],
)
def test_a_drop_that_says_what_it_drops_needs_no_schema(operation, reverse):
    assert operation.reverse(Schema()) == (reverse,)


def test_an_index_made_concurrently_is_dropped_concurrently():
    index = Index("i", ("a",), options=(("postgresql_concurrently", True), ("postgresql_using", "gin")))
    (reverse,) = CreateIndex(ACCOUNT.ref, index).reverse(Schema())
    assert isinstance(reverse, DropIndex)
    assert reverse.options == (("postgresql_concurrently", True),)


def test_replay_folds_operations():
    operations = [CreateTable(ACCOUNT), DropColumn(ACCOUNT.ref, "size"), RenameTable(ACCOUNT.ref, "customer")]
    (table,) = replay(operations).tables.values()
    assert table.name == "customer"
    assert names(table.columns) == {"id", "email", "kind"}
    assert replay([], BEFORE) == BEFORE


class Broken(sa.sql.expression.Executable, sa.ClauseElement):
    """A construct that nobody can compile."""

    inherit_cache = False


SENTENCES: list[tuple[Operation, str, str]] = [
    (CreateTable(ORDER), "+", "Create table order with columns id, account_id"),
    (CreateTable(Table("t", (NOTE,), schema="s")), "+", "Create table s.t with column note"),
    (CreateTable(Table("t", ())), "+", "Create table t"),
    (DropTable(ACCOUNT.ref), "-", "Drop table account"),
    (RenameTable(Ref("a", "s"), "b"), "~", "Rename table s.a to b"),
    (AddColumn(ACCOUNT.ref, NOTE), "+", "Add column account.note"),
    (DropColumn(ACCOUNT.ref, "email"), "-", "Drop column account.email"),
    (
        CreateIndex(ACCOUNT.ref, Index("i", ("a", SqlText(sa.text("lower(b)"))), unique=True)),
        "+",
        "Create unique index i on account (a, lower(b))",
    ),
    (CreateIndex(ACCOUNT.ref, Index(None, ("a",))), "+", "Create index on account (a)"),
    (DropIndex("i", ACCOUNT.ref), "-", "Drop index i on account"),
    (DropIndex("i", schema="s"), "-", "Drop index s.i"),
    (Execute("UPDATE account\n   SET kind = 'a'"), "~", "Execute UPDATE account SET kind = 'a'"),
    (Execute("SELECT " + "a" * 100), "~", "Execute SELECT " + "a" * 53 + "..."),
    (Execute(sa.text("SELECT 1")), "~", "Execute SELECT 1"),
    (Execute(Broken()), "~", "Execute Broken"),
    (BulkInsert(sa.table("account"), ({}, {})), "+", "Insert 2 rows into account"),
    (BulkInsert(sa.table("account", schema="s"), ({},)), "+", "Insert 1 row into s.account"),
]


@pytest.mark.parametrize(("operation", "sign", "sentence"), SENTENCES, ids=[sentence for *_, sentence in SENTENCES])
def test_describe_is_a_sentence_and_sign_its_kind(operation, sign, sentence):
    assert (operation.sign, operation.describe()) == (sign, sentence)


def test_touches_names_the_targets_of_foreign_keys_and_the_indexes():
    key = ForeignKey(("note",), ACCOUNT.ref, ("id",))
    assert CreateTable(ORDER).touches() == {ORDER.ref, ACCOUNT.ref}
    added = AddColumn(ORDER.ref, NOTE, (key,), (Index("i", ("note",)),))
    assert added.touches() == {ORDER.ref, ACCOUNT.ref, Ref("i", None, "index")}
