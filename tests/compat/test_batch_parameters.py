"""What the parameters of batch_alter_table say of a SQLite table, beside Alembic: the same table, and the rows kept."""

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from both_tools import carry_out, recorded, reflected, sqlite_database, through_alembic, through_asyncmig

from asyncmig.dialects.registry import dialect_for
from asyncmig.errors import ConflictingRows, UnsupportedOperation
from asyncmig.operations.tables import CreateTable
from asyncmig.schema.metadata import schema_from_metadata
from asyncmig.schema.model import Schema

pytest.importorskip("alembic")

BEFORE = (
    "CREATE TABLE p (id INTEGER PRIMARY KEY)",
    "INSERT INTO p VALUES (1)",
    (
        "CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a VARCHAR(5) DEFAULT 'x' NOT NULL, n INTEGER, f BOOLEAN, "
        "pid INTEGER REFERENCES p (id), CONSTRAINT uq_a UNIQUE (a), UNIQUE (n), CHECK (n > 0), "
        "CONSTRAINT ck_f CHECK (f IN (0, 1)))"
    ),
    "CREATE INDEX ix_n ON t (n)",
    "INSERT INTO t VALUES (1, 'one', 5, 1, 1), (2, 'two', NULL, 0, NULL)",
)
ID = "sa.Column('id', sa.Integer, primary_key=True)"
A = "sa.Column('a', sa.String(5), server_default='x', nullable=False)"
N = "sa.Column('n', sa.Integer)"
F = "sa.Column('f', sa.Boolean)"
PID = "sa.Column('pid', sa.Integer, sa.ForeignKey('p.id'))"
UQ_A = "sa.UniqueConstraint('a', name='uq_a')"
UQ_N = "sa.UniqueConstraint('n')"
CK_N = "sa.CheckConstraint('n > 0')"
CK_F = "sa.CheckConstraint('f IN (0, 1)', name='ck_f')"
IX_N = "sa.Index('ix_n', 'n')"
WHOLE = (ID, A, N, F, PID, UQ_A, UQ_N, CK_N, CK_F, IX_N)
TEXT_A = "sa.Column('a', sa.Text(), server_default='x', nullable=False)"


def copied(
    *items: str,
    left_out: tuple[str, ...] = (),
    body: str = "batch_op.alter_column('n', nullable=True)",
    arguments: str = "",
) -> str:
    """A batch whose copy_from is the table, but for the items: each in the place of the column that it names."""
    parts = [part for part in WHOLE if part not in left_out]
    for item in items:
        named = item.split(",")[0]
        places = [place for place, part in enumerate(parts) if part.split(",")[0].rstrip(")") == named.rstrip(")")]
        parts = (
            [item if place in places[:1] else part for place, part in enumerate(parts)] if places else [*parts, item]
        )
    return (
        f"m = sa.MetaData()\nsa.Table('p', m, {ID})\nc = sa.Table('t', m, {', '.join(parts)})\n"
        f"with op.batch_alter_table('t', copy_from=c{arguments}) as batch_op:\n    {body}"
    )


def batch(arguments: str, body: str = "batch_op.alter_column('f', nullable=True)") -> str:
    return f"with op.batch_alter_table('t', {arguments}) as batch_op:\n    {body}"


ADDED = "batch_op.add_column(sa.Column('z', sa.Integer))"
ALIKE = {
    "copy_from says the same": copied(),
    "copy_from: types": copied("sa.Column('n', sa.BigInteger)", "sa.Column('f', sa.SmallInteger)", TEXT_A),
    "copy_from: NULL and defaults": copied(
        "sa.Column('a', sa.String(5), server_default='y')", "sa.Column('n', sa.Integer, server_default='3')"
    ),
    "copy_from: NOT NULL": copied("sa.Column('f', sa.Boolean, nullable=False)"),
    "copy_from: no constraints": copied(left_out=(UQ_A, UQ_N, CK_N, CK_F)),
    "copy_from: names": copied("sa.UniqueConstraint('n', name='uq_n')", "sa.CheckConstraint('n > 0', name='ck_n')"),
    "copy_from: other names": copied(
        "sa.UniqueConstraint('a', name='uq_b')", "sa.CheckConstraint('f IN (0, 1)', name='ck_g')", left_out=(UQ_A, CK_F)
    ),
    "copy_from: another CHECK": copied("sa.CheckConstraint('n > 1')", left_out=(CK_N,)),
    "copy_from: a type's CHECK": copied(
        "sa.Column('f', sa.Boolean(create_constraint=True, name='ck_f'))", left_out=(CK_F,)
    ),
    "copy_from: ON DELETE": copied(
        "sa.Column('pid', sa.Integer, sa.ForeignKey('p.id', ondelete='CASCADE', name='fk_p'))"
    ),
    "copy_from: no foreign key": copied("sa.Column('pid', sa.Integer)"),
    "copy_from: a collation": copied(
        "sa.Column('a', sa.String(5, collation='NOCASE'), server_default='x', nullable=False)"
    ),
    "copy_from: not needed for a new column": copied(TEXT_A, body=ADDED),
    "copy_from: not needed for nothing": copied(TEXT_A, body="pass"),
    "copy_from: nothing, always": copied(TEXT_A, body="pass", arguments=", recreate='always'"),
    "copy_from: never": copied(TEXT_A, body=ADDED, arguments=", recreate='never'"),
    "copy_from: changed in the batch": copied(
        TEXT_A, body="batch_op.alter_column('a', type_=sa.String(99), new_column_name='b')"
    ),
    "copy_from: a UNIQUE dropped by its name there": copied(
        "sa.UniqueConstraint('n', name='uq_n')", body="batch_op.drop_constraint('uq_n', type_='unique')"
    ),
    "copy_from: a foreign key dropped by its name there": copied(
        "sa.Column('pid', sa.Integer, sa.ForeignKey('p.id', name='fk_p'))",
        body="batch_op.drop_constraint('fk_p', type_='foreignkey')",
    ),
    "copy_from: AUTOINCREMENT": copied("sqlite_autoincrement=True"),
    "table_kwargs, not needed": batch("table_kwargs={'sqlite_strict': True}", ADDED),
    "table_args, not needed": batch("table_args=(sa.UniqueConstraint('f', name='uq_f'),)", ADDED),
    "table_args say an unnamed CHECK again": batch("table_args=[sa.CheckConstraint('n > 0')]"),
    "table_args name an unnamed CHECK": batch(
        "table_args=(sa.CheckConstraint('n > 0', name='again'), sa.UniqueConstraint('f', name='uq_f'))"
    ),
    "reflect_args, not needed": batch(f"reflect_args=[{TEXT_A}]", ADDED),
    "never, renamed": batch("recreate='never'", "batch_op.alter_column('n', new_column_name='m')"),
    "never, dropped": batch("recreate='never'", "batch_op.drop_column('pid')"),
}
KEEPING_THE_CHECK = {
    "reflect_args: a type's CHECK": batch(
        "reflect_args=[sa.Column('f', sa.Boolean(create_constraint=True, name='more'))]",
        "batch_op.alter_column('n', nullable=True)",
    ),
    "table_kwargs": batch("table_kwargs={'sqlite_autoincrement': True}"),
    "reflect_args": batch(
        f"reflect_args=[{TEXT_A}, sa.Column('f', sa.Boolean())]", "batch_op.alter_column('n', nullable=True)"
    ),
}
"""Alembic loses the CHECK without a name, with a warning."""

Outcome = tuple[dict[str, Any], list[tuple[Any, ...]]]


def done(through: Callable[..., None], code: str) -> Outcome:
    with sqlite_database() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for statement in BEFORE:
            connection.exec_driver_sql(statement)
        through(connection, code)
        rows = connection.exec_driver_sql("SELECT * FROM t ORDER BY id").fetchall()
        return reflected(connection)["(None, 't')"], [tuple(row) for row in rows]


@pytest.mark.parametrize("name", ALIKE)
def test_the_table_is_what_alembic_makes_of_it(name: str) -> None:
    assert done(through_asyncmig, ALIKE[name]) == done(through_alembic, ALIKE[name])


@pytest.mark.parametrize("name", KEEPING_THE_CHECK)
def test_the_unnamed_check_stays(name: str) -> None:
    theirs, ours = done(through_alembic, KEEPING_THE_CHECK[name]), done(through_asyncmig, KEEPING_THE_CHECK[name])
    assert len(ours[0].pop("checks")) == len(theirs[0].pop("checks")) + 1
    assert ours == theirs


def test_a_column_that_copy_from_leaves_out_keeps_its_values_and_constraints() -> None:
    table, rows = done(through_asyncmig, copied(left_out=(F, CK_F, PID, UQ_N)))
    assert len(table["columns"]) == 5
    assert [len(table[kind]) for kind in ("checks", "foreign keys", "unique")] == [2, 1, 1]
    assert rows == [(1, "one", 5, 1, 1), (2, "two", None, 0, None)]


def test_another_expression_of_copy_from_computes_the_values() -> None:
    copy = copied("sa.Column('g', sa.Integer, sa.Computed('n * 3'))")
    with sqlite_database() as connection:
        for statement in BEFORE:
            connection.exec_driver_sql(statement)
        connection.exec_driver_sql("ALTER TABLE t ADD COLUMN g INTEGER GENERATED ALWAYS AS (n * 2)")
        through_asyncmig(connection, copy)
        assert connection.exec_driver_sql("SELECT g FROM t ORDER BY id").scalars().all() == [15, None]


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (copied("sa.Column('new', sa.Integer)"), UnsupportedOperation),
        (
            copied("sa.Column('n', sa.Integer, primary_key=True)", body="batch_op.alter_column('f', nullable=True)"),
            ConflictingRows,
        ),
        (batch("table_args=(sa.ForeignKeyConstraint(['n'], ['p.id'], name='fk_n'),)"), ConflictingRows),
    ],
)
def test_what_does_not_fit_is_refused(code: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        done(through_asyncmig, code)


def applied(code: str) -> Schema:
    """The tables of BEFORE, and what the recorded batch makes of them."""
    metadata = sa.MetaData()
    exec(f"sa.Table('p', m, {ID})\nsa.Table('t', m, {', '.join(WHOLE)})", {"sa": sa, "m": metadata})
    schema = schema_from_metadata(metadata)
    for item in recorded(code, dialect_for("sqlite")):
        schema = item.operation.apply(schema)
    return schema


@pytest.mark.parametrize("name", [name for name in ALIKE if name.startswith("copy_from")])
def test_apply_says_of_copy_from_what_the_database_has_then(name: str) -> None:
    with sqlite_database() as connection, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for table in applied(ALIKE[name]).tables.values():
            carry_out(connection, CreateTable(table))
        assert reflected(connection)["(None, 't')"] == done(through_asyncmig, ALIKE[name])[0]


def test_copy_from_leaves_out_a_constraint_that_the_table_has_twice() -> None:
    with sqlite_database() as connection:
        twice = "CONSTRAINT uq_a UNIQUE (a), CONSTRAINT uq_a UNIQUE (a)"
        connection.exec_driver_sql(
            f"CREATE TABLE t (id INTEGER NOT NULL PRIMARY KEY, a VARCHAR(5), n INTEGER, {twice})"
        )
        through_asyncmig(
            connection,
            f"c = sa.Table('t', sa.MetaData(), {ID}, sa.Column('a', sa.String(5)), {N})\n"
            "with op.batch_alter_table('t', copy_from=c) as batch_op:\n"
            "    batch_op.create_unique_constraint('uq_an', ['a', 'n'])",
        )
        (stored,) = connection.exec_driver_sql("SELECT sql FROM sqlite_schema WHERE name = 't'").scalars()
        assert "uq_a " not in stored and "uq_an UNIQUE (a, n)" in stored
