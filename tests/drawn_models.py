"""Models as values that can be drawn and compared: tables, and what they say of one another, for either database."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

TABLES = ("t", "u", "v")
NAMES = ("a", "b", "c", "select")
VALUES = (("1", "2", "3"), ("3", "1", "2"), ("0", "1", "2", "3", "it's"), ("1", "2", "n", "3"))


@dataclass(frozen=True)
class Kind:
    """A type: `family` are those that a value survives changing between; the columns of a key and what it points to have one `alike`."""

    family: str
    make: Callable[[Models, str], Any]
    runs_on: str = "postgresql sqlite"
    comparable: bool = True
    alike: str = ""


def _plain(type_: Callable[[], Any]) -> Callable[[Models, str], Any]:
    return lambda models, name: type_()


KINDS = {
    "integer": Kind("integer", _plain(sa.Integer), alike="integer"),
    "big": Kind("integer", _plain(sa.BigInteger), alike="integer"),
    "small": Kind("integer", _plain(sa.SmallInteger), alike="integer"),
    "numeric": Kind("decimal", lambda m, _: sa.Numeric(8, 2)),
    "wider": Kind("decimal", lambda m, _: sa.Numeric(10, 4)),
    "double": Kind("decimal", _plain(sa.Double)),
    "short": Kind("text", lambda m, _: sa.String(5), alike="text"),
    "long": Kind("text", lambda m, _: sa.String(50), alike="text"),
    "text": Kind("text", _plain(sa.Text), alike="text"),
    "collated": Kind("text", lambda m, _: sa.String(5, collation="C"), "postgresql"),
    "nocase": Kind("text", lambda m, _: sa.String(5, collation="NOCASE"), "sqlite"),
    "mood": Kind("text", lambda m, _: sa.Enum(*m.mood, name="mood")),
    "checked": Kind("text", lambda m, name: m.checked(f"checked_{name}"), "postgresql"),
    "twice": Kind("text", lambda m, _: m.checked("checked"), "sqlite"),
    "boolean": Kind("boolean", _plain(sa.Boolean)),
    "moment": Kind("moment", _plain(sa.DateTime)),
    "zoned": Kind("moment", lambda m, _: sa.DateTime(timezone=True)),
    "date": Kind("moment", _plain(sa.Date)),
    "interval": Kind("interval", _plain(sa.Interval)),
    "uuid": Kind("uuid", _plain(sa.Uuid), alike="uuid"),
    "bytes": Kind("bytes", _plain(sa.LargeBinary)),
    "json": Kind("json", _plain(sa.JSON), comparable=False),
    "jsonb": Kind("json", lambda m, _: pg.JSONB(), "postgresql"),
    "integers": Kind("integers", lambda m, _: sa.ARRAY(sa.Integer), "postgresql"),
    "bigs": Kind("integers", lambda m, _: sa.ARRAY(sa.BigInteger), "postgresql"),
    "texts": Kind("texts", lambda m, _: sa.ARRAY(sa.String(5)), "postgresql"),
    "moods": Kind("texts", lambda m, _: sa.ARRAY(sa.Enum(*m.mood, name="mood")), "postgresql"),
    "domain": Kind("integer", lambda m, _: m.domain(), "postgresql"),
}

DEFAULTS: dict[str, Sequence[Callable[[str], Any]]] = {
    "integer": (lambda _: "5", lambda _: sa.text("(1 + 1)"), lambda _: sa.literal(7)),
    "decimal": (lambda _: "5", lambda _: sa.text("1.50")),
    "text": (lambda _: "1", lambda _: "2"),
    "moment": (lambda _: sa.func.now(), lambda _: "2020-01-01"),
    "boolean": (lambda _: sa.true(), lambda _: sa.false()),
    "interval": (),
    "uuid": (lambda _: "00000000-0000-0000-0000-000000000000",),
    "json": (lambda _: "{}", lambda _: sa.text("'[1]'")),
    "integers": (lambda _: "{}", lambda _: sa.text("'{1,2}'")),
    "texts": (lambda _: "{}",),
    "bytes": (),
}
STRINGS: Sequence[Callable[[str], Any]] = (
    lambda _: "it's",
    lambda _: "",
    lambda _: sa.text("(lower('ABC'))"),
    lambda kind: sa.text("('a' || 'b')") if kind == "sqlite" else sa.text("'a' || 'b'"),
)
NUMBERED: Sequence[str] = ("integer", "big", "small")

# Every value that a column may have fulfils each of these: 0, 1, 2, 5, '', 'it''s' and the like.
CHECKS = {
    "integer": ("{} >= 0", "{} < 100", "{} IN (0, 1, 2, 4, 5, 7)", "{} BETWEEN 0 AND 9", "{} <> 3 AND ({} > 0 OR {} = 0)"),
    "decimal": ("{} >= 0", "{} < 100.5", "abs({}) = {}"),
    "text": ("{} <> '1' OR {} = '1'", "{} IS NOT NULL OR {} IS NULL"),
    "boolean": ("{} OR NOT {}",),
}  # fmt: skip
LENGTHS = ("length({}) < 9", "lower({}) <> 'X'", "coalesce({}, '') NOT LIKE 'x%'")


@dataclass(frozen=True)
class Col:
    name: str
    kind: str
    nullable: bool = True
    default: int | None = None
    special: str = ""
    """What fills it: "identity", "always", "computed", "virtual", "sequence"."""
    source: str = ""
    comment: str | None = None


@dataclass(frozen=True)
class Part:
    """A constraint or index: what `sort` says, over these columns."""

    sort: str
    columns: tuple[str, ...]
    name: str | None = None
    options: tuple[tuple[str, Any], ...] = ()
    target: tuple[int, tuple[str, ...]] | None = None
    """Of a foreign key: which table of TABLES, and which columns of it."""

    def get(self, name: str) -> Any:
        return dict(self.options).get(name)


@dataclass(frozen=True)
class Tab:
    name: str
    schema: str | None
    columns: tuple[Col, ...]
    parts: tuple[Part, ...] = ()
    comment: str | None = None

    def column(self, name: str) -> Col | None:
        return next((column for column in self.columns if column.name == name), None)

    def of(self, *sorts: str) -> Iterator[Part]:
        return (part for part in self.parts if part.sort in sorts)


@dataclass(frozen=True)
class Models:
    tables: tuple[Tab, ...]
    mood: tuple[str, ...] = VALUES[0]
    numbers: int = 1
    positive: tuple[tuple[str, Any], ...] = ()

    def table(self, name: str) -> Tab | None:
        return next((table for table in self.tables if table.name == name), None)

    def checked(self, name: str) -> Any:
        return sa.Enum(*self.mood, name=name, native_enum=False, create_constraint=True)

    def domain(self) -> Any:
        return pg.DOMAIN("small_number", sa.Integer, **dict(self.positive))

    def metadata(self, dialect: str) -> sa.MetaData:
        metadata = sa.MetaData()
        numbers = sa.Sequence("numbers", increment=self.numbers, metadata=metadata) if dialect == "postgresql" else None
        for table in self.tables:
            items = [self._column(table, column, dialect, numbers) for column in table.columns]
            parts = [item for part in table.parts for item in self._part(table, part)]
            made = sa.Table(table.name, metadata, *items, *parts, schema=table.schema, comment=table.comment)
            for part in table.of("index"):
                _index(made, part, dialect)
        return metadata

    def _column(self, table: Tab, column: Col, dialect: str, numbers: sa.Sequence | None) -> sa.Column[Any]:
        items: list[Any] = []
        default: Any = None
        keyed = any(column.name in part.columns for part in table.of("key"))
        if column.special in ("identity", "always"):
            items.append(sa.Identity(always=column.special == "always", start=10, increment=self.numbers))
        elif column.special in ("computed", "virtual"):
            items.append(
                sa.Computed(f"{quoted(column.source)} * {self.numbers + 1}", persisted=column.special == "computed")
            )
        elif column.special == "sequence" and numbers is not None:
            default = numbers.next_value()
        elif column.default is not None:
            default = defaults_of(column.kind)[column.default](dialect)
        return sa.Column(
            column.name,
            KINDS[column.kind].make(self, column.name),
            *items,
            **({} if keyed else {"nullable": column.nullable}),
            server_default=default,
            comment=column.comment,
            autoincrement="auto",
        )

    def _part(self, table: Tab, part: Part) -> Iterator[Any]:
        options = dict(part.options)
        match part.sort:
            case "key":
                yield sa.PrimaryKeyConstraint(*part.columns, name=part.name)
            case "unique":
                yield sa.UniqueConstraint(*part.columns, name=part.name, **options)
            case "check":
                text = options["text"].replace("{}", quoted(part.columns[0]))
                yield sa.CheckConstraint(sa.text(text), name=part.name)
            case "exclude":
                yield pg.ExcludeConstraint((part.columns[0], "="), using="btree", name=part.name)
            case "foreign":
                assert part.target is not None
                other = self.table(TABLES[part.target[0]])
                assert other is not None
                home = f"{other.schema}." if other.schema else ""
                to = [f"{home}{other.name}.{name}" for name in part.target[1]]
                yield sa.ForeignKeyConstraint(part.columns, to, name=part.name, **options)


def _index(table: sa.Table, part: Part, dialect: str) -> None:
    options = dict(part.options)
    elements: list[Any] = [table.c[name] for name in part.columns]
    first = elements[0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sa.exc.SADeprecationWarning)  # 2.1 finds no operators for its own DOMAIN
        elements[0] = _first(first, options.pop("first", ""))
    if where := options.pop("where", None):
        text = sa.text(where.replace("{}", quoted(first.name)))
        options |= {"postgresql_where": text, "sqlite_where": text}
    if ops := options.pop("ops", None):
        options["postgresql_ops"] = {first.name: ops}
    sa.Index(part.name, *elements, **options)


def quoted(name: str) -> str:
    return f'"{name}"' if name == "select" else name


def defaults_of(kind: str) -> Sequence[Callable[[str], Any]]:
    family = KINDS[kind].family
    return STRINGS + DEFAULTS["text"] if kind in ("short", "long", "text", "collated", "nocase") else DEFAULTS[family]  # type: ignore[operator]


def _first(column: sa.Column[Any], shape: str) -> Any:
    match shape:
        case "desc":
            return column.desc()
        case "nulls":
            return column.desc().nulls_last()
        case "lower":
            return sa.func.lower(column)
        case "sum":
            return column + 1
        case _:
            return column
