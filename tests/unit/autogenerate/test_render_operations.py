"""What operations look like in a script: tables of (operation, what a person would have written)."""

import enum
import sys
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from rendering import rendered
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.sql.elements import conv

from asyncmig.autogenerate.diff import diff
from asyncmig.autogenerate.render_code import flat
from asyncmig.autogenerate.render_context import RenderContext, Unrenderable
from asyncmig.autogenerate.render_operations import OperationRenderer, render_operation
from asyncmig.autogenerate.render_types import render_type
from asyncmig.autogenerate.script_body import render_script
from asyncmig.autogenerate.script_plain import batched
from asyncmig.autogenerate.steps import Step, steps_of, undone
from asyncmig.operations.alter_column import AlterColumn, Existing
from asyncmig.operations.backfills import Backfill
from asyncmig.operations.base import Operation
from asyncmig.operations.batch import BatchTable
from asyncmig.operations.columns import AddColumn, DropColumn
from asyncmig.operations.constraints import AddConstraint
from asyncmig.operations.enums import AddEnumValue
from asyncmig.operations.indexes import CreateIndex, DropIndex
from asyncmig.operations.rows import BulkInsert
from asyncmig.operations.sql import Execute
from asyncmig.operations.tables import CreateTable, DropTable
from asyncmig.schema.metadata import schema_from_metadata
from asyncmig.schema.model import Check, Column, EnumType, ForeignKey, Index, PrimaryKey, Ref, Schema, Table, Unique
from asyncmig.schema.types import sql_literal, sql_text, sql_type

ACCOUNT = Ref("account")


class Money(sa.TypeDecorator[Any]):
    """A type of the application: always the same in the database, whatever its arguments."""

    impl = sa.Numeric(10, 2)
    cache_ok = True


class AutoString(sa.TypeDecorator[str]):
    """As SQLModel has it: the argument is its implementation's."""

    impl = sa.String
    cache_ok = True


class Precise(sa.types.UserDefinedType[Any]):
    cache_ok = True

    def __init__(self, digits: int, unit: str = "m") -> None:
        self.digits = digits
        self.unit = unit

    def get_col_spec(self, **_: Any) -> str:
        return f"PRECISE({self.digits}, {self.unit})"


class Plan(enum.Enum):
    FREE = 1


class Choice(sa.TypeDecorator[Any]):
    """As sqlalchemy-utils has it: an argument says what it stands on."""

    impl = sa.Unicode(255)
    cache_ok = True

    def __init__(self, choices: Any, impl: Any = None) -> None:
        self.choices = choices
        if impl is not None:
            self.impl = impl


class Forgetful(sa.TypeDecorator[Any]):
    impl = sa.String(7)
    cache_ok = True

    def __init__(self, key: str) -> None:
        super().__init__()


class Outer:
    class Nested(sa.TypeDecorator[Any]):
        impl = sa.Text
        cache_ok = True


TYPES = [
    (sa.Integer(), "sa.Integer()"),
    (sa.String(50), "sa.String(length=50)"),
    (sa.Numeric(10, 2), "sa.Numeric(precision=10, scale=2)"),
    (sa.DateTime(timezone=True), "sa.DateTime(timezone=True)"),
    (sa.Enum("a", "b", name="mood"), 'sa.Enum("a", "b", name="mood")'),
    (sa.Enum("a", name="m", schema="s", native_enum=False), 'sa.Enum("a", name="m", schema="s", native_enum=False)'),
    (pg.JSONB(), "postgresql.JSONB()"),
    (pg.ARRAY(sa.String(5)), "postgresql.ARRAY(sa.String(length=5))"),
    (sa.Text().with_variant(pg.JSONB(), "postgresql"), 'sa.Text().with_variant(postgresql.JSONB(), "postgresql")'),
    (sa.Uuid(), "sa.Uuid()"),
    (sa.PickleType(), "sa.PickleType()"),
    (pg.TIMESTAMP(precision=2), "postgresql.TIMESTAMP(precision=2)"),
    (pg.INTERVAL(fields="YEAR TO MONTH"), 'postgresql.INTERVAL(fields="YEAR TO MONTH")'),
    (Money(), "Money()"),
    (AutoString(), "AutoString()"),
    (AutoString(255), "AutoString(length=255)"),
    (Precise(3), "Precise(3)"),
    (Precise(3, unit="ft"), 'Precise(3, unit="ft")'),
    (Outer.Nested(), "Outer.Nested()"),
    (Choice(("a", "b")), 'Choice(("a", "b"))'),
    (Choice(Plan, impl=sa.SmallInteger()), "Choice(Plan, impl=sa.SmallInteger())"),
    (Forgetful("k"), "sa.String(length=7)"),
]


@pytest.mark.parametrize(("engine", "text"), TYPES, ids=lambda value: value if isinstance(value, str) else "")
def test_a_type_is_written_as_a_person_would(engine: Any, text: str) -> None:
    assert flat(render_type(sql_type(engine), RenderContext("postgresql"))) == text


def test_a_type_that_no_script_can_import_is_an_error() -> None:
    class Here(sa.types.UserDefinedType[Any]):
        cache_ok = True

    with pytest.raises(Unrenderable, match="cannot be imported"):
        render_type(sql_type(Here()), RenderContext("sqlite"))


def test_a_decorator_that_no_script_can_import_is_written_as_what_it_is_in_the_database() -> None:
    class Here(sa.TypeDecorator[Any]):
        impl = sa.String(9)
        cache_ok = True

    assert flat(render_type(sql_type(Here()), RenderContext("sqlite"))) == "sa.String(length=9)"


def column(name: str, engine: Any, **options: Any) -> Column:
    return Column(name, sql_type(engine), **options)


CALLS = [
    (AddColumn(ACCOUNT, column("name", sa.String(50), nullable=False)),
     'op.add_column("account", sa.Column("name", sa.String(length=50), nullable=False))'),
    (AddColumn(Ref("account", "s"), column("at", sa.DateTime(), default=sql_text("now() + interval '1 day'"))),
     ('op.add_column("account", sa.Column("at", sa.DateTime(), nullable=True, '
      'server_default=sa.text("now() + interval \'1 day\'")), schema="s")')),
    (AddColumn(ACCOUNT, column("kind", sa.Text(), default=sql_literal("a"))),
     'op.add_column("account", sa.Column("kind", sa.Text(), nullable=True, server_default="a"))'),
    (DropColumn(ACCOUNT, "name"), 'op.drop_column("account", "name")'),
    (AlterColumn(ACCOUNT, "name", nullable=False, existing=Existing(sql_type(sa.Text()), True)),
     'op.alter_column("account", "name", existing_type=sa.Text(), existing_nullable=True, nullable=False)'),
    (AddConstraint(ACCOUNT, Unique(("a", "b"), conv("uq_account_a_b"))),
     'op.create_unique_constraint(op.f("uq_account_a_b"), "account", ["a", "b"])'),
    (AddConstraint(ACCOUNT, ForeignKey(("a",), Ref("b", "s"), ("id",), "fk", ondelete="CASCADE")),
     'op.create_foreign_key("fk", "account", "b", ["a"], ["id"], ondelete="CASCADE", referent_schema="s")'),
    (AddConstraint(ACCOUNT, Check(sql_text("a > 5"), "positive")),
     'op.create_check_constraint("positive", "account", "a > 5")'),
    (CreateIndex(ACCOUNT, Index("ix", ("a", sql_text("lower(b)")), True, (("postgresql_using", "gin"),))),
     'op.create_index("ix", "account", ["a", sa.text("lower(b)")], unique=True, postgresql_using="gin")'),
    (DropIndex("ix", ACCOUNT), 'op.drop_index("ix", table_name="account")'),
    (Execute("UPDATE account SET a = 1"), 'op.execute("UPDATE account SET a = 1")'),
    (BulkInsert(sa.table("account", sa.column("id")), ({"id": 1},)),
     'op.bulk_insert(sa.table("account", sa.column("id")), [{"id": 1}])'),
]  # fmt: skip


@pytest.mark.parametrize(("operation", "text"), CALLS, ids=lambda value: value if isinstance(value, str) else "")
def test_an_operation_is_written_as_a_person_would(operation: Operation, text: str) -> None:
    made = render_operation(operation, RenderContext("postgresql"))
    assert flat(made) == text  # type: ignore[arg-type]


def concrete(kind: type[Operation]) -> set[type[Operation]]:
    found = {kind} if not kind.__subclasses__() and kind.__module__.startswith("asyncmig.") else set()
    return found.union(*(concrete(one) for one in kind.__subclasses__()))


def test_every_operation_has_a_renderer() -> None:
    """Abstract methods say so too: a renderer that misses one cannot be made."""
    for kind in concrete(Operation):
        name = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind.__name__)[1:]
        assert callable(getattr(OperationRenderer, name)), kind
    OperationRenderer(RenderContext("sqlite"))


def test_a_backfill_says_why_no_script_can_hold_it() -> None:
    with pytest.raises(Unrenderable, match="its body is Python"):
        render_operation(Backfill(ACCOUNT, ("id",), 10), RenderContext("sqlite"))


def test_only_what_is_used_is_imported_and_each_name_once() -> None:
    table = Table("t", (column("a", Money()), column("b", pg.JSONB()), column("c", Money()), column("d", pg.UUID())))
    body = render_script([Step(CreateTable(table))], [], RenderContext("postgresql"))
    assert body.imports == f"from sqlalchemy.dialects import postgresql\n\nfrom {__name__} import Money"
    assert render_script([Step(DropTable(ACCOUNT))], [], RenderContext("postgresql")).imports == ""


def test_types_of_one_name_get_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    other = type("Money", (sa.TypeDecorator,), {"impl": sa.Integer, "cache_ok": True, "__module__": "other_types"})
    module: Any = type(sys)("other_types")
    module.Money = other
    monkeypatch.setitem(sys.modules, "other_types", module)
    table = Table("t", (column("a", Money()), column("b", other())))
    body = render_script([Step(CreateTable(table))], [], RenderContext("postgresql"))
    assert 'sa.Column("a", Money()' in body.upgrades
    assert 'sa.Column("b", Money_2()' in body.upgrades
    assert "from other_types import Money as Money_2" in body.imports


def test_render_item_has_the_first_word() -> None:
    def render_item(kind: str, item: Any, context: Any) -> str | bool:
        if kind == "type" and isinstance(item, Precise):
            context.imports.add("import exact")
            return "exact.Number()"
        return False

    context = RenderContext("postgresql", render_item=render_item)
    body = render_script([Step(AddColumn(ACCOUNT, column("a", Precise(3))))], [], context)
    assert body.upgrades == 'op.add_column("account", sa.Column("a", exact.Number(), nullable=True))'
    assert body.imports == "import exact"


@pytest.mark.parametrize("kind", ["column", "server_default", "primary_key", "unique", "check", "foreign_key"])
def test_render_item_is_asked_about_everything_that_alembic_asks(kind: str) -> None:
    asked: dict[str, Any] = {}

    def render_item(type_: str, item: Any, _: Any) -> bool:
        asked[type_] = item
        return False

    table = Table(
        "t",
        (column("a", sa.Integer(), default=sql_text("1")),),
        constraints=(PrimaryKey(("a",), "pk"), Unique(("a",)), Check(sql_text("a > 1")),
                     ForeignKey(("a",), Ref("b"), ("id",))),
    )  # fmt: skip
    render_operation(CreateTable(table), RenderContext("sqlite", render_item=render_item))
    assert isinstance(asked[kind], sa.sql.base.SchemaEventTarget)


def test_several_changes_of_one_table_share_a_batch_where_it_would_be_made_again() -> None:
    narrow = AlterColumn(ACCOUNT, "a", nullable=False)
    unique = AddConstraint(ACCOUNT, Unique(("a",), "uq"))
    other = AlterColumn(Ref("other"), "a", nullable=False)
    index = CreateIndex(ACCOUNT, Index("ix", ("a",)))
    assert batched([narrow, other, unique, index]) == [BatchTable(ACCOUNT, (narrow, unique)), index, other]
    assert batched([narrow, index]) == [narrow, index]
    drop = DropTable(ACCOUNT)
    assert batched([narrow, drop, unique]) == [narrow, drop, unique]


def test_a_batch_leaves_the_table_out() -> None:
    text = rendered(
        [AlterColumn(ACCOUNT, "a", nullable=False), AddConstraint(ACCOUNT, Unique(("a",), "uq"))],
        RenderContext("sqlite", batches=True),
    )
    assert 'with op.batch_alter_table("account") as batch_op:\n' in text
    assert '        batch_op.alter_column("a", nullable=False)\n' in text
    assert '        batch_op.create_unique_constraint("uq", ["a"])\n' in text


def schema(*tables: Table, **more: Any) -> Schema:
    return Schema(tables={table.ref: table for table in tables}, **more)


def test_the_way_back_restores_types_defaults_and_constraints() -> None:
    metadata = sa.MetaData()
    sa.Table(
        "account", metadata, sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("name", sa.String(50), server_default="x", nullable=False), sa.UniqueConstraint("name", name="uq"),
    )  # fmt: skip
    before = schema_from_metadata(metadata)
    up = steps_of(diff(before, Schema()))
    body = render_script(up, undone(up, before), RenderContext("sqlite"))
    assert body.upgrades == (
        "# Data is lost here: account goes with all its rows.\n"
        '    op.drop_table("account")'
    )  # fmt: skip
    assert body.downgrades == (
        "op.create_table(\n"
        '        "account",\n'
        '        sa.Column("id", sa.Integer(), primary_key=True),\n'
        '        sa.Column("name", sa.String(length=50), nullable=False, server_default="x"),\n'
        '        sa.UniqueConstraint("name", name="uq"),\n'
        "    )"
    )


def test_a_not_null_column_comes_back_with_a_value_for_the_rows() -> None:
    before = schema(Table("account", (column("kind", sa.String(5), nullable=False), column("id", sa.Integer()))))
    up = steps_of([DropColumn(ACCOUNT, "kind")])
    body = render_script(up, undone(up, before), RenderContext("postgresql"))
    assert body.downgrades.startswith("# The values of account.kind are gone: every row gets the same one.\n")
    assert 'sa.Column("kind", sa.String(length=5), nullable=False, server_default="")' in body.downgrades
    assert "server_default=None" in body.downgrades


def test_what_has_no_way_back_is_a_remark() -> None:
    ref = Ref("mood", None, "enum")
    up = steps_of([Execute("SELECT 1")])
    assert render_script(up, undone(up, Schema()), RenderContext("postgresql")).downgrades == (
        "# Execute SELECT 1: what SQL of a script undoes is not known.\n    pass"
    )
    before = Schema(enums={ref: EnumType("mood", ("a",))})
    up = steps_of([AddEnumValue(ref, "b")])
    assert (
        'op.create_enum("mood", ["a"])' in render_script(up, undone(up, before), RenderContext("postgresql")).downgrades
    )


def test_a_long_remark_is_wrapped(tmp_path: Path) -> None:
    body = render_script([Step(None, ("word " * 40,))], [], RenderContext("sqlite"))
    assert all(len(line) <= 88 for line in body.upgrades.splitlines())
