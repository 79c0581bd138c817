"""Tables of every kind that SQLAlchemy can declare: what the laws of schema/ and the dialects are tried on.

A case is a function that fills a MetaData. `runs_on` names the databases that accept its DDL as it is.
"""

import enum
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.elements import quoted_name
from sqlalchemy.sql.functions import GenericFunction

CONVENTION = {
    "ix": "ix_%(column_0_label)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

BOTH = frozenset({"postgresql", "sqlite"})
POSTGRESQL = frozenset({"postgresql"})
SQLITE = frozenset({"sqlite"})
NOWHERE: frozenset[str] = frozenset()

NEW = sa.__version__ >= "2.1"


def newer(**options: Any) -> dict[str, Any]:
    """Keywords that the oldest SQLAlchemy does not know."""
    return options if NEW else {}


def called(construct: Any, sql: str) -> Any:
    """A call as a default: SQLAlchemy 2.0 leaves out the parentheses that SQLite wants around it."""
    return construct if NEW else sa.text(f"({sql})")


@dataclass(frozen=True)
class Case:
    name: str
    fill: Callable[[sa.MetaData], object]
    runs_on: frozenset[str] = BOTH
    convention: dict[str, Any] | None = None

    def metadata(self) -> sa.MetaData:
        metadata = sa.MetaData(naming_convention=self.convention)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # parameters that SQLAlchemy 2.1 deprecates are still in scripts
            self.fill(metadata)
        return metadata


def wherever(cases: Iterable[Any]) -> list[Any]:
    """Parameters ("database_kind", case), for each database that accepts the case."""
    pairs = ((kind, case) for case in cases for kind in sorted(BOTH & set(case.runs_on)))
    return [pytest.param(kind, case, id=f"{kind}-{case.name}") for kind, case in pairs]


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Upper(sa.TypeDecorator[str]):
    impl = sa.String(30)
    cache_ok = True


class Wide(sa.TypeDecorator[Any]):
    """Another type on each database."""

    impl = sa.Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Any) -> Any:
        return dialect.type_descriptor(pg.JSONB() if dialect.name == "postgresql" else sa.JSON())


class Point(sa.types.UserDefinedType[Any]):
    cache_ok = True

    def __init__(self, precision: int = 8) -> None:
        self.precision = precision

    def get_col_spec(self, **_: Any) -> str:
        return "TEXT"


class Identifier(sa.types.UserDefinedType[Any]):
    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "NAME"


class Money(sa.types.UserDefinedType[Any]):
    cache_ok = True


@compiles(Money, "postgresql")
def _money_postgresql(type_: Any, compiler: Any, **_: Any) -> str:
    return "MONEY"


@compiles(Money, "sqlite")
def _money_sqlite(type_: Any, compiler: Any, **_: Any) -> str:
    return "NUMERIC"


class Now(GenericFunction[Any]):
    name = "asyncmig_now"
    inherit_cache = True


@compiles(Now, "postgresql")
def _now_postgresql(element: Any, compiler: Any, **_: Any) -> str:
    return "timezone('utc', now())"


@compiles(Now, "sqlite")
def _now_sqlite(element: Any, compiler: Any, **_: Any) -> str:
    return "CURRENT_TIMESTAMP"


def of_type(*types: Any) -> Callable[[sa.MetaData], object]:
    return lambda m: sa.Table("t", m, *(sa.Column(f"c{i}", type_) for i, type_ in enumerate(types)))


def of_columns(*make: Callable[[], Any], **options: Any) -> Callable[[sa.MetaData], object]:
    return lambda m: sa.Table("t", m, *(item() for item in make), **options)


# fmt: off
GENERIC = [
    sa.BigInteger(), sa.Boolean(), sa.Date(), sa.DateTime(), sa.DateTime(timezone=True), sa.Double(), sa.Double(53),
    sa.Enum("a", "b", native_enum=False), sa.Float(), sa.Float(24), sa.Integer(), sa.Interval(), sa.LargeBinary(),
    sa.LargeBinary(16), sa.Numeric(), sa.Numeric(10), sa.Numeric(10, 2), sa.PickleType(), sa.SmallInteger(), sa.String(),
    sa.String(50), sa.String(50, collation="C"), sa.Text(), sa.Time(), sa.Time(timezone=True), sa.Unicode(10),
    sa.UnicodeText(), sa.Uuid(), sa.Uuid(as_uuid=False), sa.JSON(), sa.BIGINT(), sa.BOOLEAN(), sa.CHAR(3), sa.DATE(),
    sa.DECIMAL(8, 3), sa.DOUBLE_PRECISION(), sa.FLOAT(), sa.INT(), sa.INTEGER(), sa.NUMERIC(4), sa.REAL(), sa.SMALLINT(),
    sa.TEXT(), sa.TIME(), sa.TIMESTAMP(), sa.TIMESTAMP(timezone=True), sa.VARCHAR(7),
]
ONE_SIDED = [sa.BINARY(4), sa.VARBINARY(8), sa.BLOB(), sa.CLOB(), sa.DATETIME(), sa.NCHAR(2), sa.NVARCHAR(9), sa.UUID()]
POSTGRESQL_TYPES = [
    pg.ARRAY(sa.Integer), pg.ARRAY(sa.String(5), dimensions=2), sa.ARRAY(sa.Text), pg.BIT(3), pg.BIT(3, varying=True),
    pg.BYTEA(), pg.CIDR(), pg.INET(), pg.MACADDR(), pg.MACADDR8(), pg.MONEY(), pg.OID(), pg.REGCLASS(), pg.REGCONFIG(),
    pg.INTERVAL(fields="YEAR TO MONTH"), pg.INTERVAL(precision=3), pg.JSON(), pg.JSONB(), pg.TSVECTOR(), pg.TSQUERY(),
    pg.UUID(), pg.INT4RANGE(), pg.INT8RANGE(), pg.NUMRANGE(), pg.DATERANGE(), pg.TSRANGE(), pg.TSTZRANGE(),
    pg.INT4MULTIRANGE(), pg.TSTZMULTIRANGE(), pg.TIMESTAMP(precision=2), pg.TIME(precision=1, timezone=True),
    pg.CITEXT(), pg.HSTORE(),
]
SQLITE_TYPES = [sqlite.DATE(), sqlite.DATETIME(), sqlite.TIME(), sqlite.JSON()]
# fmt: on
CUSTOM = [Upper(), Wide(), Point(3), Identifier(), Money(), sa.Text().with_variant(pg.JSONB(), "postgresql")]


def enums(m: sa.MetaData) -> None:
    shared = sa.Enum("x", "y", name="shared_kind", metadata=m)
    sa.Table(
        "t",
        m,
        sa.Column("a", sa.Enum("a", "it's", "50%", name="kind")),
        sa.Column("b", sa.Enum(Colour), server_default="RED"),
        sa.Column("c", shared),
        sa.Column("d", shared, nullable=False),
        sa.Column("e", pg.ENUM("p", "q", name="pg_kind").with_variant(sa.String(3), "sqlite")),
        sa.Column("f", sa.Enum("a", name="Kind Two")),
        sa.Column("g", sa.ARRAY(sa.Enum("u", "v", name="item_kind")).with_variant(sa.JSON(), "sqlite")),
    )


def enum_schemas(m: sa.MetaData) -> None:
    sa.Table(
        "t",
        m,
        sa.Column("a", sa.Enum("a", name="own_kind", schema="elsewhere")),
        sa.Column("b", sa.Enum("a", name="inherited_kind", inherit_schema=True)),
        sa.Column("c", pg.ENUM("a", name="there_kind", create_type=False).with_variant(sa.String(1), "sqlite")),
        schema="other",
    )


def checks_of_types(m: sa.MetaData) -> None:
    sa.Table(
        "t",
        m,
        sa.Column("a", sa.Boolean(create_constraint=True)),
        sa.Column("b", sa.Boolean(create_constraint=True, name="b_bool")),
        sa.Column("c", sa.Enum("a", "b", native_enum=False, create_constraint=True, name="c_enum")),
        sa.Column("d", sa.Enum("a", "b", create_constraint=True, name="d_enum")),
        sa.Column("e", sa.Integer, sa.CheckConstraint("e > 0")),
        sa.CheckConstraint("e < 100"),
        sa.Column("f", Upper(), sa.CheckConstraint("f != ''", name="f_filled")),
    )


def named_by_convention(m: sa.MetaData) -> None:
    other = sa.Table("other", m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("k", sa.Integer, unique=True))
    sa.Table(
        "t",
        m,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("a", sa.Boolean(create_constraint=True, name="a_bool")),
        sa.Column("b", sa.Integer, sa.CheckConstraint("b > 0", name="positive"), index=True),
        sa.Column("c", sa.ForeignKey("other.id")),
        sa.Column("d", sa.ForeignKey(other.c.k), unique=True),
        sa.Column("e", sa.Enum("q", native_enum=False, create_constraint=True, name="e_enum")),
        sa.UniqueConstraint("a", "b"),
        sa.UniqueConstraint("b", name="kept"),
        sa.CheckConstraint("a OR b > 1", name=sa.schema.conv("ck_whole")),
        sa.CheckConstraint("b < 9", name="small"),
        sa.Index(None, "c", "d"),
    )


def long_names(m: sa.MetaData) -> None:
    table = "a_table_with_a_rather_long_name_indeed_and_more"
    column = "a_column_with_a_rather_long_name_too_and_more"
    sa.Table("other_table_that_is_called_something_long", m, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table(
        table,
        m,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(column, sa.Integer, sa.ForeignKey("other_table_that_is_called_something_long.id"), index=True),
        sa.Column("u", sa.Integer),
        sa.UniqueConstraint(column, "u"),
        sa.CheckConstraint("u > 0", name="a_check_with_a_rather_long_name_as_well"),
    )


def keys(m: sa.MetaData) -> None:
    sa.Table(
        "a",
        m,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("x", sa.Integer),
        sa.UniqueConstraint("id", "x"),
    )
    sa.Table(
        "b",
        m,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("up", sa.ForeignKey("b.id", ondelete="SET NULL")),
        sa.Column("a_id", sa.Integer),
        sa.Column("a_x", sa.Integer),
        sa.Column("d", sa.ForeignKey("a.id", deferrable=True, initially="DEFERRED", name="b_d")),
        sa.ForeignKeyConstraint(["a_id", "a_x"], ["a.id", "a.x"], onupdate="CASCADE", ondelete="CASCADE", match="FULL"),
        sa.UniqueConstraint("d", deferrable=True, initially="IMMEDIATE", name="late").ddl_if(dialect="postgresql"),
        sa.UniqueConstraint("up", "d", deferrable=False).ddl_if(dialect="postgresql"),
    )


def cyclic(m: sa.MetaData) -> None:
    sa.Table(
        "a",
        m,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("b_id", sa.Integer),
        sa.ForeignKeyConstraint(["b_id"], ["b.id"], use_alter=True, name="a_b"),
    )
    sa.Table("b", m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("a_id", sa.ForeignKey("a.id")))


def other_schemas(m: sa.MetaData) -> None:
    sa.Table("home", m, sa.Column("id", sa.Integer, primary_key=True), schema="other")
    sa.Table(
        "t",
        m,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("home", sa.ForeignKey("other.home.id")),
        sa.Column("n", sa.Integer, index=True, comment="n's"),
        schema="other",
        comment="in another schema",
    )
    sa.Table("t", m, sa.Column("id", sa.Integer, primary_key=True), sa.Column("home", sa.ForeignKey("other.home.id")))


def odd_names(m: sa.MetaData) -> None:
    sa.Table(
        "Mixed Case",
        m,
        sa.Column("Id", sa.Integer, primary_key=True),
        sa.Column("select", sa.Integer, index=True),
        sa.Column("50%", sa.Integer),
        sa.Column('a"b', sa.Integer),
        sa.Column("it's", sa.Text, comment="50% of 'it'"),
        sa.Column("naïve", sa.Text),
        sa.Column("with space", sa.Integer, unique=True),
        sa.CheckConstraint('"50%" > 5', name="ck 50%"),
        comment='a "comment" with 100% \\ back',
    )
    sa.Table(
        quoted_name("order", True),
        m,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column(quoted_name("plain", True), sa.Integer),
        sa.Column(quoted_name("group", True), sa.Integer),
        sa.Column("up", sa.ForeignKey("Mixed Case.Id")),
    )
    sa.Table("quoted", m, sa.Column("a", sa.Integer, quote=True), sa.Column("B", sa.Integer, quote=False), quote=True)


def keyed(m: sa.MetaData) -> None:
    other = sa.Table("other", m, sa.Column("id", sa.Integer, primary_key=True, key="other_key"))
    t = sa.Table(
        "t",
        m,
        sa.Column("id", sa.Integer, primary_key=True, key="ident"),
        sa.Column("data", sa.Text, key="the_data"),
        sa.Column("num", sa.Integer, key="the_num"),
        sa.Column("o", sa.ForeignKey(other.c.other_key), key="oo"),
        sa.Column("p", sa.ForeignKey("other.other_key"), key="pp"),
        sa.Column("q", sa.ForeignKey("other.id", link_to_name=True), key="qq"),
        sa.UniqueConstraint("the_data", "the_num", name="uq_keys"),
    )
    sa.Index("ix_ops", t.c.the_data, postgresql_ops={"the_data": "text_pattern_ops"}, postgresql_include=["the_num"])
    sa.Index("ix_expr", sa.func.lower(t.c.the_data).label("low"), postgresql_ops={"low": "text_pattern_ops"})
    sa.CheckConstraint(t.c.the_num > 5, name="ck_num")


def indexes(m: sa.MetaData) -> None:
    t = sa.Table("t", m, sa.Column("a", sa.Integer), sa.Column("b", sa.Text), sa.Column("c", sa.Integer))
    sa.Index("ix_plain", t.c.a, t.c.b)
    sa.Index("ix_unique", t.c.a, unique=True)
    sa.Index("ix_lower", sa.func.lower(t.c.b))
    sa.Index("ix_desc", t.c.a.desc(), t.c.c.asc())
    sa.Index("ix_text", sa.text("upper(b)"))
    sa.Index("ix_sum", t.c.a + t.c.c)
    sa.Index("ix_where", t.c.a, postgresql_where=t.c.c > 5, sqlite_where=t.c.c > 5)
    sa.Index(
        "ix_where_text",
        t.c.a,
        postgresql_where=sa.text("c IS NOT NULL AND b LIKE '50%'"),
        sqlite_where=sa.text("c IS NOT NULL AND b LIKE '50%'"),
    )
    sa.Index("ix_literal", sa.func.coalesce(t.c.b, "it's 50%"))


def postgresql_indexes(m: sa.MetaData) -> None:
    t = sa.Table(
        "t",
        m,
        sa.Column("a", sa.Integer),
        sa.Column("b", sa.Text),
        sa.Column("j", pg.JSONB),
        sa.Column("c", sa.Integer),
    )
    sa.Index(
        "ix_using",
        t.c.j,
        postgresql_using="gin",
        postgresql_ops={"j": "jsonb_path_ops"},
        postgresql_with={"fastupdate": False},
    )
    sa.Index("ix_include", t.c.a, postgresql_include=["b", t.c.c])
    sa.Index("ix_nulls", t.c.a, unique=True, postgresql_nulls_not_distinct=True)
    sa.Index("ix_collate", t.c.b.collate("C"))
    sa.Index("ix_with", t.c.a, postgresql_with={"fillfactor": 50}, postgresql_tablespace="pg_default")
    sa.Index("ix_json", t.c.j["x"].astext)
    sa.Index("ix_text", sa.text("(j ->> 'k')"))
    sa.Index("ix_nulls_last", t.c.a.desc().nulls_last(), sa.func.lower(t.c.b).asc().nulls_first())


def excluded(m: sa.MetaData) -> None:
    t = sa.Table("t", m, sa.Column("room", sa.Integer), sa.Column("during", pg.TSRANGE), sa.Column("off", sa.Boolean))
    t.append_constraint(pg.ExcludeConstraint(("during", "&&"), name="plain"))
    t.append_constraint(
        pg.ExcludeConstraint((t.c.during, "&&"), where=t.c.off, using="gist", deferrable=True, initially="DEFERRED")
    )
    t.append_constraint(
        pg.ExcludeConstraint(
            (sa.func.int4range(t.c.room, t.c.room, "[]"), "&&"),
            (t.c.during, "&&"),
            where=t.c.room > 3,
            ops={"during": "range_ops"},
            name="Ops",
        )
    )


def sequences(m: sa.MetaData) -> None:
    apart = sa.Sequence("apart", start=10, increment=5, metadata=m)
    sa.Table(
        "t",
        m,
        sa.Column("id", sa.Integer, sa.Sequence("t_id_seq_own", start=3, cache=5, cycle=True), primary_key=True),
        sa.Column("b", sa.Integer, sa.Sequence("optional_seq", optional=True)),
        sa.Column(
            "c", sa.Integer, sa.Sequence("Typed", data_type=sa.SmallInteger, minvalue=1, maxvalue=9, cycle=False)
        ),
        sa.Column("d", sa.Integer, sa.Sequence("open_ends", nominvalue=True, nomaxvalue=True)),
        sa.Column("e", sa.Integer, server_default=apart.next_value()),
    )


def many_options(m: sa.MetaData) -> None:
    sa.Table("ancestor", m, sa.Column("id", sa.Integer))
    sa.Table(
        "child",
        m,
        sa.Column("more", sa.Integer),
        postgresql_inherits="ancestor",
        **newer(postgresql_with={"fillfactor": 70}),
    )
    sa.Table(
        "children", m, sa.Column("x", sa.Integer), postgresql_inherits=("ancestor",), postgresql_tablespace="pg_default"
    )
    sa.Table("parts", m, sa.Column("day", sa.Date), postgresql_partition_by="RANGE (day)")
    sa.Table("heap", m, sa.Column("day", sa.Date), postgresql_using="heap")
    sa.Table("unlogged", m, sa.Column("day", sa.Date), prefixes=["UNLOGGED"])
    sa.Table("brief", m, sa.Column("day", sa.Date), prefixes=["TEMPORARY"], postgresql_on_commit="PRESERVE ROWS")


def sqlite_options(m: sa.MetaData) -> None:
    sa.Table(
        "auto",
        m,
        sa.Column("id", sa.Integer, primary_key=True, sqlite_on_conflict_primary_key="ROLLBACK"),
        sa.Column("n", sa.Integer, nullable=False, sqlite_on_conflict_not_null="IGNORE"),
        sa.Column("u", sa.Integer, unique=True, sqlite_on_conflict_unique="REPLACE"),
        sqlite_autoincrement=True,
    )
    sa.Table(
        "rows",
        m,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("x", sa.Text),
        sqlite_with_rowid=False,
        **newer(sqlite_strict=True),
    )
    sa.Table(
        "conflicts",
        m,
        sa.Column("a", sa.Integer),
        sa.Column("b", sa.Integer),
        sa.PrimaryKeyConstraint("a", "b", sqlite_on_conflict="FAIL"),
        sa.UniqueConstraint("b", sqlite_on_conflict="IGNORE"),
        sa.CheckConstraint("a > 0", sqlite_on_conflict="ABORT"),
    )
    sa.Table("brief", m, sa.Column("a", sa.Integer), prefixes=["TEMPORARY"])


def keys_of_keys(m: sa.MetaData) -> None:
    sa.Table(
        "reversed",
        m,
        sa.Column("a", sa.Integer),
        sa.Column("b", sa.Integer),
        sa.PrimaryKeyConstraint("b", "a", name="pk_r"),
    )
    sa.Table("both", m, sa.Column("a", sa.Integer, primary_key=True), sa.Column("b", sa.Integer, primary_key=True))
    sa.Table("first", m, sa.Column("a", sa.Integer, primary_key=True, autoincrement=False))
    sa.Table("text", m, sa.Column("a", sa.String(5), primary_key=True))
    sa.Table("small", m, sa.Column("a", sa.SmallInteger, primary_key=True))
    sa.Table("big", m, sa.Column("a", sa.BigInteger, primary_key=True))
    sa.Table("client", m, sa.Column("a", sa.Integer, primary_key=True, default=lambda: 1))
    sa.Table("fetched", m, sa.Column("a", sa.Integer, primary_key=True, server_default=sa.FetchedValue()))
    sa.Table("forced", m, sa.Column("a", sa.Integer, primary_key=True, autoincrement=True))
    sa.Table("shared", m, sa.Column("a", sa.ForeignKey("first.a"), primary_key=True))
    sa.Table("ignoring", m, sa.Column("a", sa.ForeignKey("first.a"), primary_key=True, autoincrement="ignore_fk"))
    sa.Table("nullable", m, sa.Column("a", sa.Integer, nullable=True), sa.Column("b", sa.Integer, nullable=False))
    sa.Table("none", m, sa.Column("a", sa.Integer))
    sa.Table("number", m, sa.Column("a", sa.Numeric(10, 0), primary_key=True))


def composite_autoincrement(m: sa.MetaData) -> None:
    sa.Table(
        "t",
        m,
        sa.Column("a", sa.Integer, primary_key=True),
        sa.Column("b", sa.Integer, primary_key=True, autoincrement=True),
    )


def postgresql_constraints(m: sa.MetaData) -> None:
    sa.Table("home", m, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table(
        "t",
        m,
        sa.Column("a", sa.Integer),
        sa.Column("b", sa.Integer),
        sa.Column("c", sa.ForeignKey("home.id", **newer(postgresql_not_valid=True))),
        sa.PrimaryKeyConstraint("a", name="pk_t", comment="key", **newer(postgresql_include=["b"])),
        sa.UniqueConstraint("b", name="uq_b", postgresql_nulls_not_distinct=True, comment="it's unique"),
        sa.UniqueConstraint("a", name="uq_a", **newer(postgresql_include=["b"])),
        sa.CheckConstraint("a > 0", name="ck_a", comment="50%"),
        sa.ForeignKeyConstraint(
            ["b"], ["home.id"], name="fk_b", comment="to home", ondelete="SET NULL (b)" if NEW else None
        ),
    )


def never(*_: Any, **__: Any) -> bool:
    return False


def domains(m: sa.MetaData) -> None:
    sa.Table("t", m, sa.Column("a", pg.DOMAIN("positive", sa.Integer, check="VALUE > 0", not_null=True)))


CASES = [
    *(Case(f"generic {type_!r}", of_type(type_)) for type_ in GENERIC if "collation" not in repr(type_)),
    Case("collation", of_type(sa.String(50, collation="C")), POSTGRESQL),
    *(Case(f"one-sided {type_!r}", of_type(type_), NOWHERE) for type_ in ONE_SIDED),
    *(
        Case(
            f"postgresql {type_!r}",
            of_type(type_),
            NOWHERE if "CITEXT" in repr(type_) or "HSTORE" in repr(type_) else POSTGRESQL,
        )
        for type_ in POSTGRESQL_TYPES
    ),
    *(Case(f"sqlite {type_!r}", of_type(type_), SQLITE) for type_ in SQLITE_TYPES),
    *(Case(f"custom {type_!r}", of_type(type_)) for type_ in CUSTOM),
    Case("no type", of_type(sa.types.NullType()), NOWHERE),
    Case("enums", enums),
    Case("enums in schemas", enum_schemas, POSTGRESQL),
    Case("checks of types", checks_of_types),
    Case("checks of types by convention", named_by_convention, BOTH, CONVENTION),
    Case(
        "names by another convention",
        named_by_convention,
        BOTH,
        {
            "ck": "c_%(table_name)s_%(column_0_name)s_%(constraint_name)s",
            "uq": "u_%(mine)s_%(column_0_N_name)s",
            "ix": "i_%(mine)s_%(column_0N_name)s",
            "mine": lambda c, t: t.name.upper(),
        },
    ),
    Case("unnamed", named_by_convention),
    Case("long names", long_names, BOTH, CONVENTION),
    Case("foreign keys", keys),
    Case("cyclic foreign keys", cyclic),
    Case("other schemas", other_schemas),
    Case("odd names", odd_names),
    Case("keys that are not names", keyed),
    Case("indexes", indexes),
    Case("postgresql indexes", postgresql_indexes, POSTGRESQL),
    Case("exclude constraints", excluded, POSTGRESQL),
    Case("sequences", sequences, POSTGRESQL),
    Case("postgresql table options", many_options, POSTGRESQL),
    Case("sqlite table options", sqlite_options, SQLITE),
    Case("primary keys", keys_of_keys),
    Case("composite autoincrement", composite_autoincrement, POSTGRESQL),
    Case("postgresql constraints", postgresql_constraints, POSTGRESQL),
    Case("domains", domains, POSTGRESQL),
    Case(
        "defaults",
        of_columns(
            lambda: sa.Column("a", sa.Integer, server_default="5"),
            lambda: sa.Column("b", sa.Text, server_default="it's 50% \\ :x"),
            lambda: sa.Column("c", sa.Text, server_default=""),
            lambda: sa.Column("d", sa.DateTime, server_default=sa.func.now()),
            lambda: sa.Column("e", sa.Integer, server_default=sa.text("(1 + 1)")),
            lambda: sa.Column("f", sa.Text, server_default=sa.text(r"'a\:b'")),
            lambda: sa.Column("g", sa.Integer, server_default=sa.literal(7)),
            lambda: sa.Column("h", sa.Text, server_default=sa.literal("x%")),
            lambda: sa.Column("i", sa.Boolean, server_default=sa.true()),
            lambda: sa.Column("j", sa.Boolean, server_default=sa.false()),
            lambda: sa.Column("k", sa.Integer, server_default=sa.FetchedValue()),
            lambda: sa.Column("l", sa.Text, server_default=sa.null()),
            lambda: sa.Column("m", sa.DateTime, server_default=Now()),
            lambda: sa.Column("n", sa.Integer, default=5, onupdate=6),
            lambda: sa.Column("o", sa.Text, server_default=called(sa.func.lower("ABC"), "lower('ABC')")),
            lambda: sa.Column(
                "p", sa.Text, server_default=called(sa.cast("5", sa.String(3)), "CAST('5' AS VARCHAR(3))")
            ),
        ),
    ),
    Case(
        "array default",
        of_columns(lambda: sa.Column("a", pg.ARRAY(sa.Text), server_default=pg.array(["a", "b%"]))),
        POSTGRESQL,
    ),
    Case(
        "identity",
        of_columns(
            lambda: sa.Column("a", sa.Integer, sa.Identity(always=True, start=5, increment=2), primary_key=True),
            lambda: sa.Column("b", sa.BigInteger, sa.Identity(minvalue=1, maxvalue=99, cache=3, cycle=True)),
            lambda: sa.Column("c", sa.Integer, sa.Identity(nominvalue=True, nomaxvalue=True, cycle=False)),
        ),
    ),
    Case(
        "nullable identity",
        of_columns(lambda: sa.Column("a", sa.Integer, sa.Identity(always=None), nullable=True)),
        NOWHERE,
    ),
    Case(
        "computed",
        of_columns(
            lambda: sa.Column("a", sa.Integer),
            lambda: sa.Column("b", sa.Integer, sa.Computed("a * 2", persisted=True)),
            lambda: sa.Column("c", sa.Text, sa.Computed("'50%'", persisted=True)),
        ),
    ),
    Case(
        "virtual",
        of_columns(
            lambda: sa.Column("a", sa.Integer),
            lambda: sa.Column("b", sa.Integer, sa.Computed(sa.column("a") + 5, persisted=False)),
        ),
        SQLITE,
    ),
    Case("comments", of_columns(lambda: sa.Column("a", sa.Integer, comment="it's 50% :x"), comment="the\ntable")),
    Case(
        "system column",
        of_columns(lambda: sa.Column("xmin", sa.Integer, system=True), lambda: sa.Column("a", sa.Integer)),
    ),
    Case("no columns", lambda m: sa.Table("t", m), POSTGRESQL),
    Case(
        "conditional",
        lambda m: sa.Table(
            "t",
            m,
            sa.Column("a", sa.Integer),
            sa.CheckConstraint("a > 1", name="pg_only").ddl_if(dialect="postgresql"),
            sa.CheckConstraint("a > 2", name="never").ddl_if(callable_=never),
            sa.Index("ix_lite", "a").ddl_if(dialect="sqlite"),
        ),
    ),
]
