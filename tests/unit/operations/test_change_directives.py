"""The directives that change tables: what they become, and what they refuse."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from asyncmig.dialects.registry import dialect_for
from asyncmig.errors import OperationError
from asyncmig.operations.alter_column import KEEP, AlterColumn
from asyncmig.operations.base import Operation
from asyncmig.operations.batch import BatchTable
from asyncmig.operations.columns import AddColumn
from asyncmig.operations.comments import SetTableComment
from asyncmig.operations.constraints import AddConstraint, DropConstraint
from asyncmig.operations.facade import op
from asyncmig.operations.recorder import Recorder, record
from asyncmig.operations.sql import Execute
from asyncmig.schema.model import Check, ForeignKey, Identity, PrimaryKey, Ref, Unique
from asyncmig.schema.types import sql_literal, sql_type

CONVENTION = {
    "uq": "uq_%(table_name)s_%(column_0_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
T = Ref("t")


def said(body: Callable[[], object], convention: dict[str, Any] | None = None) -> list[Operation]:
    recorder = Recorder("script.py", dialect_for("postgresql").sqlalchemy, naming_convention=convention)
    return [item.operation for item in record(body, recorder).items]


def one(body: Callable[[], object], convention: dict[str, Any] | None = None) -> Any:
    (operation,) = said(body, convention)
    return operation


def test_alter_column_keeps_what_is_not_said() -> None:
    operation = one(lambda: op.alter_column("t", "a", nullable=False))
    assert operation == AlterColumn(T, "a", nullable=False)
    assert (operation.type, operation.default, operation.comment, operation.new_name) == (None, KEEP, KEEP, None)


def test_alter_column_tells_none_from_not_said() -> None:
    operation = one(lambda: op.alter_column("t", "a", server_default=None, comment=None, existing_server_default="x"))
    assert (operation.default, operation.comment) == (None, None)
    assert operation.existing.default == sql_literal("x")


def test_alter_column_takes_types_as_class_or_instance() -> None:
    assert one(lambda: op.alter_column("t", "a", type_=sa.Integer)).type == sql_type(sa.Integer())
    assert one(lambda: op.alter_column("t", "a", server_default=sa.Identity(always=True))).default == Identity(
        always=True
    )


def test_alter_column_to_the_same_name_renames_nothing() -> None:
    assert one(lambda: op.alter_column("t", "a", new_column_name="a", nullable=True)).new_name is None


def test_the_check_of_a_type_is_about_the_new_name() -> None:
    kind = sa.Enum("p", name="kind", native_enum=False, create_constraint=True)
    operation = one(lambda: op.alter_column("t", "a", type_=kind, new_column_name="b", existing_type=kind))
    assert [check.column for check in operation.checks] == ["b"]
    assert [check.column for check in operation.existing.checks] == ["a"]


CONSTRAINTS: list[tuple[Callable[[], object], Operation]] = [
    (lambda: op.create_unique_constraint(None, "t", ["a"]), AddConstraint(T, Unique(("a",), "uq_t_a"))),
    (lambda: op.create_primary_key(None, "t", ["a"]), AddConstraint(T, PrimaryKey(("a",), "pk_t"))),
    (
        lambda: op.create_foreign_key(None, "t", "o", ["a"], ["id"]),
        AddConstraint(T, ForeignKey(("a",), Ref("o"), ("id",), "fk_t_a_o")),
    ),
    (
        lambda: op.create_foreign_key("k", "t", "t", ["a"], ["id"], source_schema="s", referent_schema="s"),
        AddConstraint(Ref("t", "s"), ForeignKey(("a",), Ref("t", "s"), ("id",), "k")),
    ),
    (lambda: op.create_table_comment("t", "x", existing_comment="y"), SetTableComment(T, "x", "y")),
    (lambda: op.drop_table_comment("t", schema="s"), SetTableComment(Ref("t", "s"), None)),
]


@pytest.mark.parametrize(("body", "expected"), CONSTRAINTS)
def test_directive_becomes_its_operation(body: Callable[[], object], expected: Operation) -> None:
    assert one(body, CONVENTION) == expected


@pytest.mark.parametrize(
    ("name", "kind", "dropped"),
    [
        ("low", "check", "ck_t_low"),
        (op.f("low"), "check", "low"),
        ("low", None, "low"),
        ("uq", "unique", "uq"),
        ("k", "foreignkey", "k"),
    ],
)
def test_a_dropped_constraint_has_the_name_that_it_got(name: str, kind: str | None, dropped: str) -> None:
    operation = one(lambda: op.drop_constraint(name, "t", kind), CONVENTION)
    assert isinstance(operation, DropConstraint)
    assert (operation.name, operation.kind) == (dropped, kind)


def test_a_check_is_named_by_the_convention() -> None:
    operation = one(lambda: op.create_check_constraint("low", "t", sa.column("a") > 1), CONVENTION)
    assert isinstance(operation.constraint, Check)
    assert operation.constraint.name == "ck_t_low"


def test_a_batch_is_one_operation_and_its_sql_comes_first() -> None:
    def body() -> None:
        with op.batch_alter_table("t", schema="s", recreate="always", partial_reordering=[("b", "a")]) as batch_op:
            batch_op.add_column(sa.Column("n", sa.Integer), insert_after="a")
            batch_op.execute("SELECT 1")
            batch_op.drop_constraint("k", type_="unique")

    first, batch = said(body)
    assert isinstance(first, Execute)
    assert isinstance(batch, BatchTable)
    assert (batch.ref, batch.recreate, batch.orders) == (Ref("t", "s"), "always", (("b", "a"),))
    added, dropped = batch.operations
    assert isinstance(added, AddColumn)
    assert (added.ref, added.after) == (Ref("t", "s"), "a")
    assert dropped == DropConstraint(Ref("t", "s"), "k", "unique")


def test_a_batch_that_fails_is_not_done() -> None:
    def body() -> None:
        try:
            with op.batch_alter_table("t") as batch_op:
                batch_op.drop_column("a")
                raise ValueError
        except ValueError:
            op.drop_table("t")

    assert [operation.describe() for operation in said(body)] == ["Drop table t"]


def test_table_args_and_kwargs_are_kept_for_a_table_that_is_made_again() -> None:
    def body() -> None:
        arguments = (sa.UniqueConstraint("a", name="uq"), sa.CheckConstraint("a > 0", name="ck"))
        with op.batch_alter_table("t", table_args=arguments, table_kwargs={"sqlite_strict": True}):
            pass

    batch = one(body)
    assert [part.constraint.name for part in batch.extra] == ["uq", "ck"]
    assert batch.options == (("sqlite_strict", True),)


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "misspelt keyword": (lambda: op.alter_column("t", "a", nulable=True), "no keyword 'nulable'"),
    "a default of no kind": (lambda: op.alter_column("t", "a", server_default=5), "takes no int as server_default"),
    "kind of constraint": (lambda: op.drop_constraint("a", "t", type_="foreign"), "'foreign'"),
    "no name": (lambda: op.drop_constraint(None, "t"), "wants the name"),  # type: ignore[arg-type]
    "a string for columns": (lambda: op.create_unique_constraint("u", "t", "ab"), "list of column names"),
    "unequal keys": (lambda: op.create_foreign_key("k", "t", "o", ["a", "b"], ["id"]), "2 columns with 1"),
    "keyword of a constraint": (lambda: op.create_check_constraint("c", "t", "x", defferable=True), "'deferrable'"),
    "recreate": (lambda: op.batch_alter_table("t", recreate="yes").__enter__(), "recreate="),  # type: ignore[arg-type]
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_wrong_call_is_refused(case: str) -> None:
    body, message = REFUSED[case]
    with pytest.raises(OperationError, match=message):
        said(body)
