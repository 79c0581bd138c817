"""Pairs of models, before and after a change: what autogenerate has to see, do and undo.

A case is two functions that fill a MetaData, and sentences that must be among the operations' descriptions.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

Fill = Callable[[sa.MetaData], object]

BOTH = frozenset({"postgresql", "sqlite"})
POSTGRESQL = frozenset({"postgresql"})
SQLITE = frozenset({"sqlite"})


@dataclass(frozen=True)
class Change:
    name: str
    before: Fill
    after: Fill
    told: tuple[str, ...]
    runs_on: frozenset[str] = BOTH

    def metadata(self, fill: Fill) -> sa.MetaData:
        metadata = sa.MetaData()
        fill(metadata)
        return metadata


def table(*items: Any, name: str = "t", **options: Any) -> Fill:
    """One table with an id; items are functions, since a column belongs to one table only."""

    def fill(m: sa.MetaData) -> None:
        sa.Table(name, m, sa.Column("id", sa.Integer, primary_key=True), *(item() for item in items), **options)

    return fill


def column(name: str, type_: Any, *args: Any, **options: Any) -> Callable[[], sa.Column[Any]]:
    return lambda: sa.Column(name, type_, *args, **options)


def nothing(m: sa.MetaData) -> None:
    pass


def both(*fills: Fill) -> Fill:
    def fill(m: sa.MetaData) -> None:
        for one in fills:
            one(m)

    return fill


def type_change(name: str, old: Any, new: Any, runs_on: frozenset[str] = BOTH) -> Change:
    return Change(name, table(column("a", old)), table(column("a", new)), ("Alter column t.a: type",), runs_on)


def default_change(name: str, type_: Any, old: Any, new: Any, runs_on: frozenset[str] = BOTH) -> Change:
    return Change(
        name,
        table(column("a", type_, server_default=old)),
        table(column("a", type_, server_default=new)),
        ("Alter column t.a:",),
        runs_on,
    )


def part_change(name: str, old: Any, new: Any, *told: str, runs_on: frozenset[str] = BOTH) -> Change:
    """A table with columns a and b, and parts that differ."""
    a, b = column("a", sa.Integer, nullable=False), column("b", sa.Text)
    return Change(
        name,
        table(a, b, *([old] if old else [])),
        table(a, b, *([new] if new else [])),
        told,
        runs_on,
    )


def unique(*columns: str, **options: Any) -> Any:
    return lambda: sa.UniqueConstraint(*columns, **options)


def check(text: str, **options: Any) -> Any:
    return lambda: sa.CheckConstraint(text, **options)


def index(name: str, *parts: Any, **options: Any) -> Any:
    return lambda: sa.Index(name, *(sa.text(p) if "(" in p or " " in p else p for p in parts), **options)


def parent(m: sa.MetaData) -> None:
    sa.Table("parent", m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("code", sa.Integer, unique=True))


def child(*args: Any, **options: Any) -> Fill:
    return both(
        parent,
        table(
            column("parent_id", sa.Integer), lambda: sa.ForeignKeyConstraint(["parent_id"], ["parent.id"], **options)
        ),
    )


def keyless_child(m: sa.MetaData) -> None:
    both(parent, table(column("parent_id", sa.Integer)))(m)


def cycle(m: sa.MetaData) -> None:
    sa.Table(
        "a", m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("b_id", sa.ForeignKey("b.id", name="a_b"))
    )
    sa.Table(
        "b", m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a_id", sa.ForeignKey("a.id", name="b_a"))
    )


def keyed(*names: str) -> Fill:
    def fill(m: sa.MetaData) -> None:
        columns = [sa.Column(n, sa.Integer, nullable=False) for n in ("a", "b", "c")]
        sa.Table("t", m, *columns, sa.PrimaryKeyConstraint(*names, name="t_pkey"))

    return fill


def numbered(m: sa.MetaData) -> None:
    rest = [sa.Column(n, sa.Integer, nullable=False) for n in ("b", "c")]
    key = sa.PrimaryKeyConstraint("a", name="t_pkey")
    sa.Table("t", m, sa.Column("a", sa.Integer, sa.Identity(), nullable=False), *rest, key)


def enum_of(*values: str, default: str | None = None) -> Fill:
    return table(column("a", sa.Enum(*values, name="kind"), server_default=default))


def text_enum(*values: str, length: int | None = None) -> Fill:
    """Its CHECK comes and goes with the type."""
    options: dict[str, Any] = {} if length is None else {"length": length}
    return table(column("a", sa.Enum(*values, name="k", native_enum=False, create_constraint=True, **options)))


def compared_enum(*values: str) -> Fill:
    """What would not fit text stands in the way of making the type anew."""
    return table(
        column("a", sa.Enum(*values, name="kind")),
        column("b", sa.ARRAY(sa.Enum(*values, name="kind"))),
        lambda: sa.CheckConstraint("a <> 'x' OR id > 0", name="fits"),
        lambda: sa.CheckConstraint("b[1] <> 'x'"),
        lambda: sa.Index("ix_a", "id", postgresql_where=sa.text("a = 'x'")),
        lambda: sa.Index("ix_plain", "a"),
    )


def enum_twice(*values: str) -> Fill:
    kind = sa.Enum(*values, name="kind")
    return both(table(column("a", kind), column("b", kind)), table(column("a", kind), name="other"))


def domain(**options: Any) -> Fill:
    # SQLAlchemy 2.1 gives a type to the first metadata that it meets: in a second one it is that one's to create.
    return table(lambda: sa.Column("a", pg.DOMAIN("positive", sa.Integer, **options)))


def public_enum(*values: str) -> Fill:
    return table(lambda: sa.Column("a", sa.Enum(*values, name="kind", schema="public"), server_default="x"))


def domain_of(name: str, *, apart: bool = False, **options: Any) -> Fill:
    def fill(m: sa.MetaData) -> None:
        own = {"metadata": m} if apart else {}
        kind = pg.DOMAIN(name, sa.Integer, **options, **own)
        sa.Table("t", m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a", kind))

    return fill


def array_of_domain(name: str) -> Fill:
    return table(lambda: sa.Column("a", pg.ARRAY(pg.DOMAIN(name, sa.Integer))))


def computed(text: str) -> Fill:
    return table(column("a", sa.Integer), lambda: sa.Column("b", sa.Integer, sa.Computed(text, persisted=True)))


def sequence(**options: Any) -> Fill:
    return lambda m: sa.Sequence("numbers", metadata=m, **options)


def exclusion(operator: str) -> Any:
    return lambda: pg.ExcludeConstraint(("a", operator), name="apart", using="btree")


CHANGES = [
    Change("a table is added", nothing, table(column("a", sa.String(5))), ("Create table t with columns id, a",)),
    Change("a table is dropped", table(column("a", sa.String(5))), nothing, ("Drop table t",)),
    Change("tables that point to each other are added", nothing, cycle, ("Create table a", "Create table b")),
    Change("tables that point to each other are dropped", cycle, nothing, ("Drop table a", "Drop table b")),
    Change("a parent and its child are added", nothing, child(), ("Create table parent", "Create table t")),
    Change("a parent and its child are dropped", child(), nothing, ("Drop table t", "Drop table parent")),
    Change(
        "a parent goes and its child stays", child(), table(column("parent_id", sa.Integer)),
        ("Drop foreign key", "Drop table parent"),
    ),
    Change("a column is added", table(), table(column("a", sa.String(5))), ("Add column t.a",)),
    Change(
        "a column that must not be NULL is added with a default", table(),
        table(column("a", sa.Integer, nullable=False, server_default="7")), ("Add column t.a",),
    ),
    Change("a column is dropped", table(column("a", sa.String(5))), table(), ("Drop column t.a",)),
    Change(
        "a column with index, unique and check is dropped",
        table(column("a", sa.Integer, index=True, unique=True), column("b", sa.Integer), check("a > b", name="ck")),
        table(column("b", sa.Integer)), ("Drop column t.a",),
    ),
    Change(
        "a column with index, unique and check is added", table(column("b", sa.Integer)),
        table(column("b", sa.Integer), column("a", sa.Integer, index=True, unique=True), check("a > b", name="ck")),
        ("Add column t.a", "Create unique index ix_t_a"),
    ),
    Change("a column with a foreign key is added", both(parent, table()), child(), ("Add column t.parent_id", "Add foreign key")),
    Change("a column with a foreign key is dropped", child(), both(parent, table()), ("Drop column t.parent_id",)),
    type_change("a string gets longer", sa.String(5), sa.String(50)),
    type_change("a string becomes text", sa.String(5), sa.Text()),
    type_change("an integer becomes big", sa.Integer(), sa.BigInteger()),
    type_change("a number gets digits", sa.Numeric(8, 2), sa.Numeric(10, 4)),
    type_change("a timestamp gets a time zone", sa.DateTime(), sa.DateTime(timezone=True), POSTGRESQL),
    type_change("json becomes jsonb", pg.JSON(), pg.JSONB(), POSTGRESQL),
    type_change("an interval gets fields", pg.INTERVAL(), pg.INTERVAL(fields="DAY TO SECOND"), POSTGRESQL),
    type_change("an array gets other items", pg.ARRAY(sa.Integer), pg.ARRAY(sa.BigInteger), POSTGRESQL),
    type_change("a collation is set", sa.String(5), sa.String(5, collation="C"), POSTGRESQL),
    type_change("a collation is set on SQLite", sa.String(5), sa.String(5, collation="NOCASE"), SQLITE),
    type_change("a string becomes an enum", sa.String(5), sa.Enum("x", "y", name="kind"), POSTGRESQL),
    Change("NOT NULL is set", table(column("a", sa.Integer)), table(column("a", sa.Integer, nullable=False)), ("not nullable",)),
    Change("NOT NULL is lifted", table(column("a", sa.Integer, nullable=False)), table(column("a", sa.Integer)), ("nullable",)),
    default_change("a default is set", sa.Integer, None, "5"),
    default_change("a default is lifted", sa.Integer, "5", None),
    default_change("a default changes", sa.Integer, "5", "6"),
    default_change("a text default changes", sa.Text, "it's", "it's not"),
    default_change("a default becomes a function", sa.DateTime, None, sa.func.now()),
    default_change("a boolean default changes", sa.Boolean, sa.true(), sa.false()),
    default_change("an expression changes", sa.Integer, sa.text("(1 + 1)"), sa.text("(1 + 2)")),
    Change(
        "a default becomes identity", table(column("a", sa.Integer, nullable=False)),
        table(column("a", sa.Integer, sa.Identity(), nullable=False)), ("Alter column t.a: identity",), POSTGRESQL,
    ),
    Change(
        "identity gets options", table(column("a", sa.Integer, sa.Identity(), nullable=False)),
        table(column("a", sa.Integer, sa.Identity(always=True, increment=5), nullable=False)), ("identity",), POSTGRESQL,
    ),
    Change("a generated column is added", table(column("a", sa.Integer)), computed("a * 2"), ("Add column t.b",)),
    Change("a column is generated from now on", table(column("a", sa.Integer), column("b", sa.Integer)), computed("a * 2"), ()),
    # Where PostgreSQL is older than 17 the column is dropped and added ("ALTER TABLE", SET EXPRESSION is new there).
    Change("a generated column changes", computed("a * 2"), computed("a * 3"), ("column t.b",), POSTGRESQL),
    Change("a primary key gets a column", keyed("a"), keyed("a", "b"), ("Drop primary key", "Add primary key")),
    Change("a primary key changes order", keyed("a", "b"), keyed("b", "a"), ("Drop primary key", "Add primary key")),
    part_change("a unique constraint is added", None, unique("a", name="uq"), "Add unique constraint uq"),
    part_change("a unique constraint is dropped", unique("a", name="uq"), None, "Drop unique constraint uq"),
    part_change("a unique constraint changes", unique("a", name="uq"), unique("a", "b", name="uq"), "Drop unique", "Add unique"),
    part_change("an unnamed unique constraint is added", None, unique("a"), "Add unique constraint t_a_key"),
    part_change("an unnamed unique constraint is dropped", unique("a"), None, "Drop unique constraint t_a_key"),
    part_change("a unique constraint becomes an index", unique("a", name="u"), index("u2", "a", unique=True), "Drop unique", "Create unique index"),
    part_change("a unique constraint becomes deferrable", unique("a", name="u"),
                unique("a", name="u", deferrable=True, initially="DEFERRED"), "Add unique", runs_on=POSTGRESQL),
    part_change("nulls become not distinct", unique("a", name="u"),
                unique("a", name="u", postgresql_nulls_not_distinct=True), "Add unique", runs_on=POSTGRESQL),
    part_change("a check is added", None, check("a > 0", name="ck"), "Add check constraint ck"),
    part_change("a check is dropped", check("a > 0", name="ck"), None, "Drop check constraint ck"),
    part_change("a check changes", check("a > 0", name="ck"), check("a > 1", name="ck"), "Drop check", "Add check"),
    part_change("an unnamed check is added", None, check("a > 0"), "Add check constraint t_a_check"),
    part_change("an unnamed check is dropped", check("a > 0"), None, "Drop check constraint t_a_check"),
    part_change("an unnamed check changes", check("a > 0"), check("a > 1"), "Drop check", "Add check"),
    part_change("an index is added", None, index("ix", "a"), "Create index ix"),
    part_change("an index is dropped", index("ix", "a"), None, "Drop index ix"),
    part_change("an index gets a column", index("ix", "a"), index("ix", "a", "b"), "Drop index ix", "Create index ix"),
    part_change("an index becomes unique", index("ix", "a"), index("ix", "a", unique=True), "Create unique index ix"),
    part_change("an index gets an order", index("ix", "a"), index("ix", "a DESC"), "Create index ix"),
    part_change("an index gets an expression", index("ix", "b"), index("ix", "lower(b)"), "Create index ix"),
    part_change("an index gets a predicate", index("ix", "a"),
                index("ix", "a", postgresql_where=sa.text("a > 0"), sqlite_where=sa.text("a > 0")), "Create index ix"),
    part_change("an index changes its predicate",
                index("ix", "a", postgresql_where=sa.text("a > 0"), sqlite_where=sa.text("a > 0")),
                index("ix", "a", postgresql_where=sa.text("a > 1"), sqlite_where=sa.text("a > 1")), "Create index ix"),
    part_change("an index changes its method", index("ix", "a"), index("ix", "a", postgresql_using="hash"),
                "Create index ix", runs_on=POSTGRESQL),
    part_change("an index gets an operator class", index("ix", "b"), index("ix", "b", postgresql_ops={"b": "text_pattern_ops"}),
                "Create index ix", runs_on=POSTGRESQL),
    part_change("an index includes a column", index("ix", "a"), index("ix", "a", postgresql_include=["b"]),
                "Create index ix", runs_on=POSTGRESQL),
    part_change("an exclusion constraint is added", None, exclusion("="), "Add exclusion constraint apart", runs_on=POSTGRESQL),
    part_change("an exclusion constraint is dropped", exclusion("="), None, "Drop exclusion constraint apart", runs_on=POSTGRESQL),
    Change("a foreign key is added", keyless_child, child(name="fk"), ("Add foreign key fk",)),
    Change("a foreign key is dropped", child(name="fk"), keyless_child, ("Drop foreign key fk",)),
    Change("an unnamed foreign key is dropped", child(), keyless_child, ("Drop foreign key t_parent_id_fkey",)),
    Change("a foreign key cascades", child(name="fk"), child(name="fk", ondelete="CASCADE"), ("Add foreign key fk",)),
    Change("a foreign key is deferred", child(name="fk"), child(name="fk", deferrable=True, initially="DEFERRED"), ("Add foreign key fk",)),
    Change("a table gets a comment", table(), table(comment="what"), ("Comment on table t",), POSTGRESQL),
    Change("a column gets a comment", table(column("a", sa.Integer)), table(column("a", sa.Integer, comment="what")),
           ("Alter column t.a: comment",), POSTGRESQL),
    Change("an enum gets a value at its end", enum_of("x", "y"), enum_of("x", "y", "z"), ("Add value z",), POSTGRESQL),
    Change("an enum gets values in between", enum_of("x", "y"), enum_of("w", "x", "n", "y"), ("Add value w", "Add value n"),
           POSTGRESQL),
    Change("an enum loses a value", enum_of("x", "y", "z"), enum_of("x", "y"), ("Drop enum kind", "Create enum kind"), POSTGRESQL),
    Change("a domain changes", domain(check="VALUE > 0"), domain(check="VALUE > 1", default="7"),
           ("Execute ALTER DOMAIN", "Execute ALTER DOMAIN"), POSTGRESQL),
    Change("a domain has other parts", domain(constraint_name="ck", check="VALUE > 0", default="7", not_null=True), domain(),
           ("Execute ALTER DOMAIN",), POSTGRESQL),
    Change("a domain takes the place of another", domain_of("one"), domain_of("two"), ("Alter column t.a: type",), POSTGRESQL),
    Change("a domain goes with its array, and another comes", array_of_domain("one"), domain_of("two"), ("Alter column t.a: type",), POSTGRESQL),
    Change("a domain of the metadata comes", table(column("a", sa.Integer)), domain_of("one", apart=True), ("Alter column t.a: type",), POSTGRESQL),
    Change("a new table has a domain of the metadata", nothing, domain_of("one", apart=True), ("Create table t",), POSTGRESQL),
    Change("an enum of text gets a value", text_enum("x", "y"), text_enum("x", "yy", "z"), ("Drop check constraint k",)),
    Change("an enum of text gets longer", text_enum("x", length=5), text_enum("x", length=9), ("Drop check constraint k",)),
    Change("an enum that is compared loses a value", compared_enum("x", "y", "z"), compared_enum("x", "y"),
           ("Drop enum kind", "Drop check constraint fits", "Create index ix_a"), POSTGRESQL),
    Change("an enum loses a value, and a column and a table go", enum_twice("x", "y", "z"), enum_of("x", "y"),
           ("Drop enum kind", "Drop column t.b", "Drop table other"), POSTGRESQL),
    Change("an enum with a default changes order", enum_of("x", "y", default="x"), enum_of("y", "x", default="x"),
           ("Create enum kind",), POSTGRESQL),
    Change("an enum that names the default schema loses a value", public_enum("x", "y", "z"), public_enum("x", "y"),
           ("Drop enum kind", "Create enum kind"), POSTGRESQL),
    Change("a table with an enum is dropped", enum_of("x"), nothing, ("Drop table t", "Drop enum kind"), POSTGRESQL),
    Change("a table with an enum is added", nothing, enum_of("x"), ("Create table t",), POSTGRESQL),
    Change("a sequence is added", nothing, sequence(start=5), ("Create sequence numbers",), POSTGRESQL),
    Change("a sequence is dropped", sequence(start=5), nothing, ("Drop sequence numbers",), POSTGRESQL),
    Change("a sequence changes", sequence(increment=5), sequence(increment=7), ("Alter sequence numbers",), POSTGRESQL),
    Change(
        "a boolean gets its check", table(column("a", sa.Boolean())),
        table(column("a", sa.Boolean(create_constraint=True, name="ck"))), ("Add check constraint ck",), SQLITE,
    ),
    Change(
        "a table in a schema is added", nothing,
        lambda m: sa.Table("t", m, sa.Column("id", sa.Integer, primary_key=True), schema="other"),
        ("Create schema other", "Create table other.t"), POSTGRESQL,
    ),
]  # fmt: skip
CHANGES += [
    Change(
        "a column becomes generated, its index comes along",
        table(column("a", sa.Integer), column("b", sa.Integer, index=True)),
        table(column("a", sa.Integer), lambda: sa.Column("b", sa.Integer, sa.Computed("a * 2", persisted=True), index=True)),
        (), POSTGRESQL,
    ),
    Change(
        "a generated column becomes an ordinary one", computed("a * 2"), table(column("a", sa.Integer), column("b", sa.Integer)),
        (), POSTGRESQL,
    ),
    type_change("a flag becomes a big number", sa.Boolean, sa.BigInteger, POSTGRESQL),
    type_change("text becomes a number", sa.Text(), sa.Integer(), POSTGRESQL),
    type_change("a number becomes text", sa.Integer(), sa.Text()),
    type_change("text becomes an array", sa.Text(), pg.ARRAY(sa.Text), POSTGRESQL),
    Change(
        "numbering by SERIAL stops and starts", keyed("a"), keyed("a", "b"), ("no default",), POSTGRESQL,
    ),
    Change("SERIAL becomes identity", keyed("a"), numbered, ("Alter column t.a: identity",), POSTGRESQL),
    Change("numbering by SERIAL starts", keyed("a", "b"), keyed("a"), ("Create sequence t_a_seq",), POSTGRESQL),
]  # fmt: skip

SCRIPTED = [
    Change("the case of a column's name changes", table(column("Name", sa.Integer, unique=True, index=True)),
           table(column("name", sa.Integer, unique=True, index=True)), ("Rename column t.Name to name",), SQLITE),
    Change("an enum gets a value that is a default at once", enum_of("x", default="x"), enum_of("x", "y", default="y"),
           ("Add value y",), POSTGRESQL),
    Change("a domain of another schema changes", domain_of("one", check="VALUE > 0", schema="other"),
           domain_of("one", check="VALUE > 1", schema="other"), ("Execute ALTER DOMAIN other.one",), POSTGRESQL),
]  # fmt: skip
"""What the operations alone do not do: a rename comes before them, a value is committed between them, a schema is made."""


def several(**tables: list[Any]) -> Fill:
    """Tables by name, each with the items that are given: traits that get in no other's way share a database."""

    def fill(m: sa.MetaData) -> None:
        for name, items in tables.items():
            sa.Table(name, m, *(item() for item in items))

    return fill


def key(*names: str, **options: Any) -> Any:
    return lambda: sa.PrimaryKeyConstraint(*names, **options)


def reference(columns: list[str], targets: list[str], name: str) -> Any:
    return lambda: sa.ForeignKeyConstraint(columns, targets, name=name)


def listed(name: str, *values: str) -> Any:
    return column(name, sa.Enum(*values, name="listed", native_enum=False, create_constraint=True), nullable=False)


A, B = column("a", sa.Integer, nullable=False), column("b", sa.Integer, nullable=False)
FREE_A, FREE_B = column("a", sa.Integer), column("b", sa.Integer)
NUMBERED = {"numbered": [column("a", sa.Integer, sa.Identity(start=5, increment=1), nullable=False)]}

CHANGES += [
    Change(
        "a key goes with one of its columns, and the other may be NULL",
        several(t=[A, B, key("a", "b", name="pk")]), several(t=[FREE_A]), ("Drop primary key pk",),
    ),
    Change(
        "a constraint says what the key says",
        several(t=[A, B, key("a", name="pk"), unique("a", name="uq")], u=[A, unique("a")]),
        several(t=[A, B, key("b", name="pk")], u=[A, key("a", name="pk_u"), unique("a")]), ("Add primary key pk_u",),
    ),
    Change(
        "an index passes its name on",
        several(t=[A, B, index("ix", "b")], u=[A]), several(t=[A], u=[A, index("ix", "a")]), ("Drop index ix", "Create index ix"),
    ),
    Change(
        "a generated column goes with what it is computed from, and another comes",
        several(t=[A, FREE_B, lambda: sa.Column("c", sa.Integer, sa.Computed("b * 2", persisted=True))]),
        several(t=[A, lambda: sa.Column("d", sa.Integer, sa.Computed("e * 2", persisted=True)), column("e", sa.Integer)]),
        ("Drop column t.b", "Add column t.d"),
    ),
    Change(
        "a column goes with what it shares with one that gets another type",
        several(t=[A, FREE_B, check("a > b", name="ck"), unique("a", "b", name="uq")],
                u=[column("a", pg.JSONB), FREE_B, index("ix", "b", "a")]),
        several(t=[column("a", sa.Text, nullable=False)], u=[column("a", pg.JSON)]), ("Drop column t.b", "Drop index ix"), POSTGRESQL,
    ),
    Change(
        "a key takes the place of another under foreign keys",
        several(t=[FREE_A, B, key("b", name="pk"), unique("a", name="x")], u=[FREE_A, reference(["a"], ["t.a"], "kept")],
                v=[FREE_A, reference(["a"], ["t.a"], "fk_v")], w=[FREE_A, lambda: sa.ForeignKeyConstraint(["a"], ["t.a"])]),
        several(t=[A, B, key("a", name="pk")], u=[FREE_A, reference(["a"], ["t.a"], "kept")],
                n=[FREE_A, reference(["a"], ["t.a"], "fk_n")], w=[FREE_A, lambda: sa.ForeignKeyConstraint(["a"], ["t.a"])]),
        ("Add primary key pk", "Create table n", "Drop table v"),
    ),
    Change(
        "a generated column comes, and another goes, with the type that it is computed from",
        several(t=[A, column("b", sa.String(5)), column("c", sa.Integer), lambda: sa.Column("e", sa.Integer, sa.Computed("c * 2", persisted=True))]),
        several(t=[A, column("b", sa.Integer), column("c", sa.String(9)), lambda: sa.Column("d", sa.Integer, sa.Computed("b * 2", persisted=True))]),
        ("Add column t.d", "Drop column t.e"),
    ),
    Change(
        "a type changes under what is said of the column",
        several(
            t=[column("a", sa.SmallInteger), check("a > 3", name="ck"), index("ix", "(a + 1)", postgresql_where=sa.text("a > 5"))],
            u=[column("a", sa.Numeric), check("a > 3", name="ck"), index("ix_u", "a", postgresql_where=sa.text("a in (5, 6)"))],
            v=[column("a", sa.String(9)), check("a <> 'x'", name="ck"), index("ix_v", "a")],
        ),
        several(
            t=[column("a", sa.Numeric), check("a > 3", name="ck"), index("ix", "(a + 1)", postgresql_where=sa.text("a > 5"))],
            u=[column("a", sa.SmallInteger), check("a > 3", name="ck"), index("ix_u", "a", postgresql_where=sa.text("a in (5, 6)"))],
            v=[column("a", sa.Text), check("a <> 'x'", name="ck"), index("ix_v", "a")],
        ),
        ("Alter column t.a: type", "Drop check constraint ck on u", "Drop index ix_u"), POSTGRESQL,
    ),
    Change(
        "a type changes under a generated column that stays",
        several(t=[A, column("b", sa.SmallInteger), lambda: sa.Column("c", sa.Numeric, sa.Computed("b * 2", persisted=True), index=True)]),
        several(t=[A, column("b", sa.Numeric), lambda: sa.Column("c", sa.Numeric, sa.Computed("b * 2", persisted=True), index=True)]),
        ("Drop column t.c", "Alter column t.b", "Add column t.c", "Create index ix_t_c"), POSTGRESQL,
    ),
    Change(
        "columns leave an enum that loses a value, one an array",
        several(t=[column("a", sa.Enum("x", "y", "z", name="kind")), column("b", pg.ARRAY(sa.Enum("x", "y", "z", name="kind"))),
                   column("c", sa.Enum("x", "y", "z", name="kind"))]),
        several(t=[column("a", sa.String(5)), column("b", sa.LargeBinary), column("c", sa.Enum("x", "y", name="kind"))]),
        ("Drop enum kind", "Create enum kind", "Alter column t.b: type"), POSTGRESQL,
    ),
    Change("a column that a CHECK limits goes", several(t=[A, listed("b", "x", "y")]), several(t=[A]), ("Drop column t.b",)),
    Change(
        "a default is an expression that begins with a string",
        several(t=[A, column("b", sa.Text, server_default=sa.text("('a' || 'b')"))], u=[A, key("a")]),
        several(t=[A, column("b", sa.Text)], u=[column("a", sa.Text, server_default=sa.text("('a' || 'b')"))]), ("no default",),
    ),
    Change(
        "what fills columns changes together with them",
        several(
            **NUMBERED, t=[A, key("a")], computed=[A, lambda: sa.Column("b", sa.Integer, sa.Computed("a * 2", persisted=True))],
            json=[column("a", sa.Integer)], array=[column("a", pg.ENUM("1", "2", name="mood"))], words=[column("a", sa.Text)],
        ),
        several(
            numbered=[column("a", sa.String(9))], t=[A, column("b", sa.Integer), key("b")],
            computed=[A, column("b", sa.SmallInteger, server_default="5")],
            json=[column("a", pg.JSON)], array=[column("a", pg.ARRAY(sa.String(3)))], words=[column("a", sa.Integer), key("a")],
        ),
        ("Create sequence t_b_seq", "no default"), POSTGRESQL,
    ),
    Change("a sequence goes back to what is usual", sequence(increment=5, maxvalue=90, data_type=sa.Integer), sequence(),
           ("increment 1",), POSTGRESQL),
    Change(
        "two CHECKs have one name", several(t=[listed("a", "1", "2"), listed("b", "1", "2")]),
        several(t=[listed("b", "1", "2"), column("a", sa.String(1))]), ("Drop check constraint listed",), SQLITE,
    ),
    Change(
        "a new table points at a key that comes with it",
        several(t=[A, column("b", sa.Integer, nullable=False)]),
        several(
            t=[A, column("b", sa.Integer, nullable=False), unique("b", name="uq_t_b")],
            u=[A, reference(["a"], ["t.b"], "fk")],
        ),
        ("Create table u", "Add unique constraint uq_t_b"),
    ),
    Change(
        "keys get another type that cannot be compared with the old one",
        several(t=[column("a", sa.String(9), nullable=False), key("a"), column("b", sa.String(9)), reference(["b"], ["t.a"], "fk")]),
        several(
            t=[column("a", sa.Integer, nullable=False, autoincrement=False), key("a"), FREE_B, reference(["b"], ["t.a"], "fk")],
            u=[FREE_B, reference(["b"], ["t.a"], "fk_u")],
        ),
        ("Alter column t.a: type", "Alter column t.b: type", "Add foreign key fk_u"), POSTGRESQL,
    ),
    Change(
        "constraints and indexes get other names",
        several(
            t=[A, FREE_B, key("a", name="pk"), unique("b", name="uq"), check("a > b", name="ck"), index("ix", "b")],
            u=[A, FREE_B, reference(["a"], ["t.a"], "fk"), index("ix_one", "a"), index("ix_two", "b", "a")],
        ),
        several(
            t=[A, FREE_B, key("a", name="pk_t"), unique("b", name="uq_t"), check("a > b", name="ck_t"), index("ix_t", "b")],
            u=[A, FREE_B, reference(["a"], ["t.a"], "fk_u"), index("ix_two", "a"), index("ix_u", "b", "a")],
        ),
        ("Rename constraint pk of t to pk_t", "Rename constraint ck of t to ck_t", "Rename constraint fk of u to fk_u",
         "Rename index ix to ix_t", "Create index ix_two"),
    ),
    Change(
        "keys of new tables point at each other, and neither numbers itself",
        several(t=[FREE_A]),
        several(
            t=[FREE_A], u=[A, key("a"), reference(["a"], ["v.a"], "fk_u")], v=[A, key("a"), reference(["a"], ["u.a"], "fk_v")],
        ),
        ("Create table u", "Create table v"),
    ),
    Change(
        "no column of a table stays, and keys point at what is to come",
        several(t=[A, reference(["a"], ["u.a"], "fk")], u=[A, key("a")], v=[column("a", sa.LargeBinary), FREE_B, unique("a")]),
        several(
            t=[FREE_A, reference(["a"], ["u.b"], "fk")], u=[column("b", sa.Integer, nullable=False), key("b")],
            v=[column("a", sa.Text), column("b", sa.Text), unique("a"), reference(["b"], ["v.a"], "fk_v")],
        ),
        ("Add column u.b", "Drop column u.a"), SQLITE,
    ),
]  # fmt: skip
