"""What becomes of SQLAlchemy's tables and columns beyond the laws: unresolved targets, parts of a column, schemas."""

import pytest
import sqlalchemy as sa
from schema_cases import CONVENTION
from sqlalchemy.schema import CreateTable

from asyncmig.schema.metadata import column_from_sqlalchemy, from_sqlalchemy, schema_from_metadata, to_sqlalchemy
from asyncmig.schema.model import Check, EnumType, ForeignKey, Index, Ref, Sequence, Unique


def test_foreign_key_to_a_table_that_is_not_there_keeps_its_names() -> None:
    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("a", sa.Integer, sa.ForeignKey("gone.id")),
        sa.Column("b", sa.Integer),
        sa.ForeignKeyConstraint(["a", "b"], ["far.away.x", "far.away.y"], name="fk_far"),
    )
    keys = [c for c in from_sqlalchemy(table).constraints if isinstance(c, ForeignKey)]
    assert {(key.target, key.target_columns) for key in keys} == {
        (Ref("gone"), ("id",)),
        (Ref("away", "far"), ("x", "y")),
    }
    assert "REFERENCES far.away (x, y)" in str(CreateTable(to_sqlalchemy(from_sqlalchemy(table))))


def test_target_without_schema_is_in_the_schema_of_the_metadata() -> None:
    table = sa.Table("t", sa.MetaData(schema="home"), sa.Column("a", sa.ForeignKey("other.id")))
    (key,) = from_sqlalchemy(table).constraints
    assert isinstance(key, ForeignKey)
    assert key.target == Ref("other", "home")


def test_stub_of_a_target_is_shared_within_a_metadata() -> None:
    source = sa.MetaData()
    target = sa.Table("target", source, sa.Column("id", sa.Integer, primary_key=True), sa.Column("k", sa.Integer))
    first = from_sqlalchemy(sa.Table("a", source, sa.Column("x", sa.ForeignKey(target.c.id))))
    second = from_sqlalchemy(sa.Table("b", source, sa.Column("x", sa.ForeignKey(target.c.k))))
    metadata = sa.MetaData()
    to_sqlalchemy(first, metadata)
    to_sqlalchemy(second, metadata)
    assert sorted(metadata.tables) == ["a", "b", "target"]
    assert metadata.tables["target"].c.keys() == ["id", "k"]


def test_self_reference_to_a_missing_column_is_refused() -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer, sa.ForeignKey("t.gone")))
    with pytest.raises(sa.exc.NoReferencedColumnError, match="gone"):
        to_sqlalchemy(from_sqlalchemy(table))


def test_names_stay_as_they_are_in_a_metadata_with_a_convention() -> None:
    source = sa.MetaData()
    table = sa.Table("t", source, sa.Column("a", sa.Integer), sa.CheckConstraint("a > 0", name="mine"))
    rebuilt = to_sqlalchemy(from_sqlalchemy(table), sa.MetaData(naming_convention=CONVENTION))
    assert "CONSTRAINT mine CHECK" in str(CreateTable(rebuilt))


def test_plain_column_brings_nothing_along() -> None:
    column = sa.Column("a", sa.Integer, nullable=False, comment="c")
    parts = column_from_sqlalchemy(column, Ref("t"))
    assert (parts.constraints, parts.indexes, parts.primary_key) == ((), (), False)
    assert (parts.column.nullable, parts.column.comment) == (False, "c")
    assert column.table is None


def test_column_brings_what_it_says_under_the_naming_convention() -> None:
    column = sa.Column("a", sa.Integer, sa.ForeignKey("other.id", ondelete="CASCADE"), index=True)
    parts = column_from_sqlalchemy(column, Ref("t", "s"), CONVENTION)
    (key,) = parts.constraints
    assert isinstance(key, ForeignKey)
    assert (key.name, key.target, key.ondelete) == ("fk_t_a_other", Ref("other"), "CASCADE")
    assert parts.indexes == (Index("ix_s_t_a", ("a",)),)


@pytest.mark.parametrize(
    ("column", "kind", "name"),
    [
        (lambda: sa.Column("a", sa.Integer, unique=True), Unique, "uq_t_a"),
        (lambda: sa.Column("a", sa.Boolean(create_constraint=True, name="flag")), Check, "ck_t_flag"),
        (lambda: sa.Column("a", sa.Integer, sa.CheckConstraint("a > 0", name="pos")), Check, "ck_t_pos"),
    ],
)
def test_column_constraint_is_named_by_the_convention(column, kind, name) -> None:
    (constraint,) = column_from_sqlalchemy(column(), Ref("t"), CONVENTION).constraints
    assert (type(constraint), constraint.name) == (kind, name)


def test_column_of_a_table_is_copied() -> None:
    table = sa.Table("t", sa.MetaData(), sa.Column("a", sa.Integer, index=True))
    parts = column_from_sqlalchemy(table.c.a, Ref("u"))
    assert parts.indexes == (Index("ix_u_a", ("a",)),)
    assert table.c.a.table is table


def test_schema_holds_tables_enums_and_sequences() -> None:
    metadata = sa.MetaData()
    sa.Table(
        "t",
        metadata,
        sa.Column("a", sa.Enum("x", "y", name="kind", schema="s")),
        sa.Column("b", sa.ARRAY(sa.Enum("u", name="item"))),
        sa.Column("c", sa.Enum("x", native_enum=False)),
        sa.Column("d", sa.Integer, sa.Sequence("seq", start=3)),
    )
    schema = schema_from_metadata(metadata, sa.MetaData())
    assert list(schema.tables) == [Ref("t")]
    assert set(schema.enums.values()) == {EnumType("kind", ("x", "y"), "s"), EnumType("item", ("u",))}
    assert schema.sequences == {Ref("seq", None, "sequence"): Sequence("seq", start=3)}


def test_equal_plain_types_of_a_schema_share_one_value() -> None:
    metadata = sa.MetaData()
    sa.Table("t", metadata, sa.Column("a", sa.String(5)), sa.Column("b", sa.String(5)), sa.Column("c", sa.String(6)))
    a, b, c = schema_from_metadata(metadata).tables[Ref("t")].columns
    assert a.type is b.type
    assert a.type != c.type
