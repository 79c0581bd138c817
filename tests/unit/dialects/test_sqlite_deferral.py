"""SQLite defers foreign keys only; what else says so is refused in words."""

import pytest
import sqlalchemy as sa

from asyncmig.dialects.registry import dialect_for
from asyncmig.dialects.sqlite_deferral import check_deferral
from asyncmig.errors import UnsupportedOperation
from asyncmig.operations.tables import CreateTable
from asyncmig.schema.metadata import from_sqlalchemy
from asyncmig.schema.model import Check, Constraint, ForeignKey, PrimaryKey, Ref, Schema, Unique
from asyncmig.schema.types import sql_text

T, P = Ref("t"), Ref("p")


@pytest.mark.parametrize(
    "constraint",
    [
        ForeignKey(("a",), P, ("id",)),
        ForeignKey(("a",), P, ("id",), deferrable=True, initially="DEFERRED"),
        ForeignKey(("a",), P, ("id",), deferrable=False),
        Unique(("a",)),
        Unique(("a",), deferrable=False),
    ],
)
def test_what_sqlite_has_passes(constraint: Constraint) -> None:
    check_deferral(constraint, T)


@pytest.mark.parametrize(
    ("constraint", "hint"),
    [
        (Unique(("a",), "uq", deferrable=True), "Leave out"),
        (Check(sql_text("a > 0"), initially="DEFERRED"), "Leave out"),
        (PrimaryKey(("a",), deferrable=True), "Leave out"),
        (ForeignKey(("a",), P, ("id",), initially="DEFERRED"), "deferrable=True"),
    ],
)
def test_what_it_has_not_is_refused(constraint: Constraint, hint: str) -> None:
    with pytest.raises(UnsupportedOperation) as caught:
        check_deferral(constraint, T)
    assert hint in str(caught.value.hint)


def created(item: sa.schema.SchemaItem) -> list[str]:
    """CREATE TABLE of a table with the item, beside a foreign key that needs nothing to be said."""
    metadata = sa.MetaData()
    sa.Table("p", metadata, sa.Column("id", sa.Integer, primary_key=True))
    table = sa.Table("t", metadata, sa.Column("a", sa.ForeignKey("p.id")), item)
    return [each.sql for each in dialect_for("sqlite").statements(CreateTable(from_sqlalchemy(table)), Schema())]


@pytest.mark.parametrize(
    "item",
    [
        sa.UniqueConstraint("a", name="uq", deferrable=True),
        sa.UniqueConstraint("a", name="uq", deferrable=False),
        sa.CheckConstraint("a > 0", name="ck", initially="DEFERRED"),
        sa.PrimaryKeyConstraint("a", name="pk", deferrable=True, initially="DEFERRED"),
        sa.ForeignKeyConstraint(["a"], ["p.id"], name="fk", initially="DEFERRED"),
    ],
    ids=lambda item: type(item).__name__,
)
def test_a_new_table_is_refused_before_sqlite_stumbles_over_it(item: sa.schema.Constraint) -> None:
    with pytest.raises(UnsupportedOperation, match=f"{item.name} on t"):
        created(item)


def test_a_new_table_may_have_for_another_database_what_sqlite_has_not() -> None:
    assert "uq" not in "".join(
        created(sa.UniqueConstraint("a", name="uq", deferrable=True).ddl_if(dialect="postgresql"))
    )
