"""What becomes of a list of operations when it is reduced: scripts, and the scripts that do the same with less."""

import pytest
import sqlalchemy as sa
from both_tools import recorded

from asyncmig.dialects.registry import dialect_for
from asyncmig.operations.base import Operation
from asyncmig.operations.columns import AddColumn
from asyncmig.operations.reduce import reduced
from asyncmig.operations.tables import CreateTable
from asyncmig.schema.model import Column, Ref, Table
from asyncmig.schema.types import sql_type

T = 'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Text))'
U = 'op.create_table("u", sa.Column("id", sa.Integer, primary_key=True))'

# fmt: off
SHORTER = {
    "a column folds into the table": (
        f'{T}\nop.add_column("t", sa.Column("b", sa.Text))',
        'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Text), sa.Column("b", sa.Text))',
    ),
    "an index folds into the table, past another table": (
        f'{T}\n{U}\nop.create_index("ix", "t", ["a"])',
        f'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", sa.Text), sa.Index("ix", "a"))\n{U}',
    ),
    "a key folds into the table, which waits for the other": (
        'op.create_table("t", sa.Column("a", sa.Integer))\n' + U + '\nop.create_foreign_key("fk", "t", "u", ["a"], ["id"])',
        U + '\nop.create_table("t", sa.Column("a", sa.Integer), sa.ForeignKeyConstraint(["a"], ["u.id"], "fk"))',
    ),
    "a table created and dropped is none": (f'{T}\nop.alter_column("t", "a", nullable=False)\nop.drop_table("t")', ""),
    "what changed a table that goes does not matter": (
        'op.add_column("t", sa.Column("b", sa.Text))\nop.create_index("ix", "t", ["b"])\nop.drop_table("t")',
        'op.drop_table("t")',
    ),
    "a column added and dropped is none, and its index neither": (
        'op.add_column("t", sa.Column("b", sa.Text))\nop.create_index("ix", "t", ["b"])\nop.drop_column("t", "b")', "",
    ),
    "an added column takes what it becomes": (
        'op.add_column("t", sa.Column("b", sa.Text))\nop.alter_column("t", "b", nullable=False, comment="c")\nop.rename_column("t", "b", "d")',
        'op.add_column("t", sa.Column("d", sa.Text, nullable=False, comment="c"))',
    ),
    "changes to a column meet": (
        'op.alter_column("t", "a", type_=sa.Text())\nop.alter_column("t", "a", nullable=False, new_column_name="b")',
        'op.alter_column("t", "a", type_=sa.Text(), nullable=False, new_column_name="b")',
    ),
    "renames make a chain": ('op.rename_table("a", "b")\nop.rename_table("b", "c")', 'op.rename_table("a", "c")'),
    "renames there and back are none": ('op.rename_column("t", "a", "b")\nop.rename_column("t", "b", "a")', ""),
    "an index is made by its last name": (
        'op.create_index("i", "t", ["a"])\nop.rename_index("i", "j", table_name="t")', 'op.create_index("j", "t", ["a"])',
    ),
    "a constraint is dropped by its first name": (
        'op.rename_constraint("t", "k", "l")\nop.drop_constraint("l", "t")', 'op.drop_constraint("k", "t")',
    ),
    "the last comment counts": (
        'op.create_table_comment("t", "one")\nop.create_table_comment("t", "two")', 'op.create_table_comment("t", "two")',
    ),
    "batches of a table are one": (
        'with op.batch_alter_table("t") as b:\n    b.drop_column("a")\nwith op.batch_alter_table("t") as b:\n    b.drop_column("b")',
        'with op.batch_alter_table("t") as b:\n    b.drop_column("a")\n    b.drop_column("b")',
    ),
    "a name may have been another's until then": (
        'op.create_table("t", sa.Column("a", sa.Text))\nop.drop_column("u", "a")\nop.create_index("ix", "t", ["a"])',
        'op.drop_column("u", "a")\nop.create_table("t", sa.Column("a", sa.Text), sa.Index("ix", "a"))',
    ),
    "a batch folds into its table": (
        f'{T}\nwith op.batch_alter_table("t") as b:\n    b.drop_column("a")',
        'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))',
    ),
    "an enum has its values from the start": (
        'op.create_enum("e", ["x"])\nop.add_enum_value("e", "y")', 'op.create_enum("e", ["x", "y"])',
    ),
    "a view made and dropped is none, and what stood around it meets": (
        f'{T}\nop.create_view("v", "SELECT 1")\nop.drop_view("v")\nop.drop_column("t", "a")',
        'op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))',
    ),
}
STAYS = {
    "past free SQL": f'{T}\nop.execute("SELECT 1")\nop.drop_table("t")',
    "past rows": f'{T}\nop.bulk_insert(sa.table("t", sa.column("a")), [{{"a": "x"}}])\nop.add_column("t", sa.Column("b", sa.Text))',
    "past a view, which may read the table": f'{T}\nop.create_view("v", "SELECT * FROM t")\nop.add_column("t", sa.Column("b", sa.Text))',
    "a default that filled the rows": 'op.add_column("t", sa.Column("b", sa.Text, server_default="x"))\nop.alter_column("t", "b", server_default=None)',
    "a type that the rows went through": 'op.alter_column("t", "a", type_=sa.Date())\nop.alter_column("t", "a", type_=sa.DateTime())',
    "rows that went": 'op.drop_column("t", "a")\nop.add_column("t", sa.Column("a", sa.Text))',
    "a key that would number its column": 'op.create_table("t", sa.Column("id", sa.Integer, nullable=False))\nop.create_primary_key("pk", "t", ["id"])',
    "a sequence that keeps its name": f'{T}\nop.rename_table("t", "s")',
    "a constraint that keeps the name it was given": 'op.create_table("t", sa.Column("a", sa.Integer, unique=True))\nop.rename_column("t", "a", "b")',
    "a table that may have been there": f'{T[:-1]}, if_not_exists=True)\nop.drop_table("t")',
    "an index that is made outside the transaction": f'{T}\nop.create_index("ix", "t", ["a"], postgresql_concurrently=True)',
    "a key over the columns of another, which CREATE TABLE leaves out": f'{T}\nop.create_unique_constraint("uq", "t", ["id"])',
    "a key in a circle": 'op.create_table("t", sa.Column("id", sa.Text, primary_key=True))\n'
        'op.create_table("u", sa.Column("id", sa.Text, sa.ForeignKey("t.id"), primary_key=True))\n'
        'op.create_foreign_key("fk", "t", "u", ["id"], ["id"])',
    "a type that the table brought": 'op.create_table("t", sa.Column("a", sa.Enum("x", name="e")))\nop.drop_table("t")',
    "an index of a table not named": 'op.alter_column("t", "a", nullable=False)\nop.drop_index("ix")\nop.alter_column("t", "a", type_=sa.Text())',
}
# fmt: on


def operations(code: str) -> tuple[Operation, ...]:
    return tuple(item.operation for item in recorded(code, dialect_for("postgresql")))


@pytest.mark.parametrize(("code", "expected"), SHORTER.values(), ids=SHORTER)
def test_operations_become_fewer(code: str, expected: str) -> None:
    short = reduced(operations(code))
    assert short == operations(expected)
    assert reduced(short) == short


@pytest.mark.parametrize("code", STAYS.values(), ids=STAYS)
def test_what_would_not_be_the_same_stays(code: str) -> None:
    found = operations(code)
    assert reduced(found) == found


def test_many_changes_of_many_tables_fold() -> None:
    """Each of a table's changes stands far from the last."""
    integer = sql_type(sa.Integer())
    tables = [Table(f"t{number}", (Column("id", integer),)) for number in range(500)]
    changes = [AddColumn(Ref(t.name), Column(f"c{number}", integer)) for number in range(3) for t in tables]
    short = reduced([*(CreateTable(table) for table in tables), *changes])
    assert len(short) == len(tables)
