"""What the operations beside tables do to a schema as values, how they are undone and how they are told."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from asyncmig.errors import Irreversible
from asyncmig.operations.backfills import Backfill
from asyncmig.operations.base import Operation
from asyncmig.operations.enums import AddEnumValue, CreateEnum, DropEnum, RenameEnumValue
from asyncmig.operations.policies import CreatePolicy, DropPolicy, SetRowSecurity
from asyncmig.operations.recorder import replay
from asyncmig.operations.renaming import RenameColumn, RenameConstraint, RenameIndex, ValidateConstraint
from asyncmig.operations.routines import CreateFunction, CreateTrigger, DropFunction, DropTrigger
from asyncmig.operations.schemas import AlterExtension, CreateExtension, CreateSchema, DropExtension, DropSchema
from asyncmig.operations.sequences import AlterSequence, CreateSequence, DropSequence
from asyncmig.operations.tables import CreateTable, DropTable, RenameTable
from asyncmig.operations.views import CreateView, DropView, ReplaceView
from asyncmig.schema.model import (
    Check,
    Column,
    EnumType,
    Extension,
    ForeignKey,
    Function,
    Index,
    Policy,
    Ref,
    Schema,
    Sequence,
    Table,
    Trigger,
    View,
)
from asyncmig.schema.types import SqlType, sql_text

T = Ref("account")
KIND = Ref("kind", None, "enum")
TABLE = Table(
    "account",
    (Column("id", SqlType(sa.Integer())), Column("mail", SqlType(sa.Text()))),
    constraints=(Check(sql_text("mail <> ''"), "ck"),),
    indexes=(Index("ix", ("mail",)),),
)
OTHER = Table("other", (TABLE.columns[0],), constraints=(ForeignKey(("id",), T, ("mail",), "fk"),))
BEFORE = replay(
    [
        CreateTable(TABLE),
        CreateTable(OTHER),
        CreateEnum(EnumType("kind", ("a", "c"))),
        CreateSequence(Sequence("s", increment=1)),
        CreateView(View("v", "SELECT 1")),
        CreateFunction(Function("f", "n integer", "RETURNS integer")),
        CreateTrigger(Trigger("t", T, "AFTER INSERT", "BEGIN END")),
        CreatePolicy(Policy("p", T)),
        CreateSchema("there"),
        CreateExtension(Extension("e", "there", "1.0")),
    ]
)

REVERSIBLE: list[tuple[Operation, str]] = [
    (CreateEnum(EnumType("new", ("x", "y"), "s")), "+ Create enum s.new (x, y)"),
    (CreateEnum(EnumType("kind", ("x",)), if_not_exists=True), "+ Create enum kind (x)"),
    (DropEnum(KIND), "- Drop enum kind"),
    (AddEnumValue(KIND, "a", if_not_exists=True), "+ Add value a to enum kind"),
    (RenameEnumValue(KIND, "a", "z"), "~ Rename value a of enum kind to z"),
    (CreateSequence(Sequence("new")), "+ Create sequence new"),
    (AlterSequence(Ref("s", None, "sequence"), (("increment", 5),)), "~ Alter sequence s: increment 5"),
    (DropSequence(Ref("s", None, "sequence")), "- Drop sequence s"),
    (CreateView(View("new", "SELECT 2", materialized=True)), "+ Create materialized view new"),
    (ReplaceView(View("v", "SELECT 2")), "~ Replace view v"),
    (DropView(Ref("v", None, "view")), "- Drop view v"),
    (CreateFunction(Function("f", "n integer", "other"), replace=True), "+ Create or replace function f(n integer)"),
    (CreateFunction(Function("f", "n text", "other")), "+ Create function f(n text)"),
    (DropFunction("f"), "- Drop function f"),
    (DropFunction("f", "n  integer"), "- Drop function f(n integer)"),
    (CreateTrigger(Trigger("new", T, "AFTER DELETE", "BEGIN END")), "+ Create trigger new on account"),
    (DropTrigger("t", T), "- Drop trigger t on account"),
    (CreatePolicy(Policy("new", T)), "+ Create policy new on account"),
    (DropPolicy("p", T), "- Drop policy p on account"),
    (SetRowSecurity(T, True, True), "~ Enable row level security on account, forced for the owner"),
    (CreateSchema("new"), "+ Create schema new"),
    (CreateSchema("there", if_not_exists=True), "+ Create schema there"),
    (DropSchema("there"), "- Drop schema there"),
    (CreateExtension(Extension("new")), "+ Create extension new"),
    (AlterExtension("e", "1.1", "here"), "~ Alter extension e: version 1.1, schema here"),
    (DropExtension("e"), "- Drop extension e"),
    (RenameColumn(T, "mail", "email"), "~ Rename column account.mail to email"),
    (RenameIndex("ix", "ix2"), "~ Rename index ix to ix2"),
    (RenameConstraint(T, "ck", "ck2"), "~ Rename constraint ck of account to ck2"),
    (ValidateConstraint(T, "ck"), "~ Validate constraint ck of account"),
]


@pytest.mark.parametrize(("operation", "told"), REVERSIBLE, ids=lambda value: value if isinstance(value, str) else "")
def test_an_operation_is_told_and_its_reverse_restores_the_schema(operation: Operation, told: str) -> None:
    assert f"{operation.sign} {operation.describe()}" == told
    assert operation.touches()
    assert replay(operation.reverse(BEFORE), operation.apply(BEFORE)) == BEFORE


@pytest.mark.parametrize(
    "operation",
    [
        AddEnumValue(KIND, "b"),
        AlterSequence(Ref("s", None, "sequence"), restart=7),
        AlterSequence(Ref("s", None, "sequence"), (("cache", 5),)),
        AlterSequence(Ref("none", None, "sequence"), (("increment", 5),)),
        Backfill(T, ("id",), 10),
        ReplaceView(View("none", "SELECT 1")),
        DropView(Ref("v", None, "view"), cascade=True),
        DropView(Ref("none", None, "view")),
        DropEnum(Ref("none", None, "enum")),
        DropSequence(Ref("none", None, "sequence")),
        DropFunction("none"),
        DropTrigger("none", T),
        DropPolicy("none", T),
        DropSchema("there", cascade=True),
        DropExtension("e", cascade=True),
        AlterExtension("none", "1.1"),
        AlterExtension("none", schema="s", former=Extension("none", version="1.0")),
    ],
    ids=lambda operation: operation.describe(),
)
def test_what_is_not_known_is_irreversible_and_says_so(operation: Operation) -> None:
    with pytest.raises(Irreversible) as caught:
        operation.reverse(BEFORE)
    assert operation.describe() in caught.value.message


@pytest.mark.parametrize(
    ("operation", "values"),
    [
        (AddEnumValue(KIND, "b"), ("a", "c", "b")),
        (AddEnumValue(KIND, "b", before_value="c"), ("a", "b", "c")),
        (AddEnumValue(KIND, "b", after_value="a"), ("a", "b", "c")),
        (AddEnumValue(KIND, "b", before_value="a"), ("b", "a", "c")),
        (AddEnumValue(KIND, "b", after_value="nobody knows"), ("a", "c", "b")),
    ],
)
def test_a_value_goes_to_its_place(operation: AddEnumValue, values: tuple[str, ...]) -> None:
    assert operation.apply(BEFORE).enums[KIND].values == values


def test_foreign_keys_of_other_tables_follow_a_renamed_column() -> None:
    after = RenameColumn(T, "mail", "email").apply(BEFORE)
    (key,) = after.tables[Ref("other")].constraints
    assert isinstance(key, ForeignKey)
    assert key.target_columns == ("email",)


@pytest.mark.parametrize("operation", [operation for operation, _ in REVERSIBLE], ids=lambda o: o.describe())
def test_what_the_schema_does_not_know_is_left_alone(operation: Operation) -> None:
    after = operation.apply(Schema())
    assert operation.sign == "+" or isinstance(operation, ReplaceView | SetRowSecurity) or after == Schema()


def test_what_hangs_on_a_table_goes_where_it_goes() -> None:
    before = SetRowSecurity(T, True).apply(BEFORE)
    renamed = RenameTable(T, "person").apply(before)
    assert [one.table.name for one in (*renamed.triggers.values(), *renamed.policies.values())] == ["person", "person"]
    assert (set(renamed.triggers), renamed.secured) == ({Ref("person.t", None, "trigger")}, {Ref("person")})
    dropped = DropTable(T).apply(before)
    assert (dropped.triggers, dropped.policies, dropped.secured) == ({}, {}, frozenset())


def test_row_level_security_that_was_enabled_stays_so_on_the_way_back() -> None:
    before = SetRowSecurity(T, True).apply(BEFORE)
    assert SetRowSecurity(T, True).reverse(before) == ()
    assert SetRowSecurity(T, True, False).reverse(before) == (SetRowSecurity(T, True, True),)
    assert SetRowSecurity(T, True, True).reverse(before) == (SetRowSecurity(T, True, False),)
    forced = SetRowSecurity(T, True, True).apply(before)
    assert SetRowSecurity(T, True, True).reverse(forced) == ()
    assert RenameTable(T, "person").apply(forced).forced == {Ref("person")}
    assert DropTable(T).apply(forced).forced == SetRowSecurity(T, False, False).apply(forced).forced == frozenset()


def test_a_type_is_told_by_its_name() -> None:
    altered = AlterSequence(Ref("s", None, "sequence"), (("type", SqlType(sa.SmallInteger())),))
    assert altered.describe() == "Alter sequence s: type SMALLINT"
