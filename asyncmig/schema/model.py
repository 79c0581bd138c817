"""The shape of a database as values: what is compared, planned and carried between databases.

Everything is frozen and compared by value. SQLAlchemy objects ride along inside `SqlType` and
`SqlText`, outside equality, so that a schema read from models compiles to exactly what the models say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from asyncmig.schema.objects import Extension, Function, Policy, Trigger, View
from asyncmig.schema.ref import Kind, Ref

if TYPE_CHECKING:
    from asyncmig.schema.types import SqlText, SqlType

__all__ = [
    "Check",
    "Column",
    "Computed",
    "Constraint",
    "EnumType",
    "Exclude",
    "Extension",
    "ForeignKey",
    "Function",
    "Identity",
    "Index",
    "Kind",
    "Options",
    "Policy",
    "PrimaryKey",
    "Ref",
    "Schema",
    "Sequence",
    "StoredRows",
    "Table",
    "Trigger",
    "Unique",
    "View",
]

Options = tuple[tuple[str, Any], ...]
"""Dialect keywords such as ("postgresql_with", FrozenMap(...)), sorted by key; see options.py."""

StoredRows = tuple[tuple[str, str, str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Sequence:
    """A sequence of its own (not the one that a SERIAL or identity column owns); None is the database's default."""

    name: str
    schema: str | None = None
    start: int | None = None
    increment: int | None = None
    minvalue: int | None = None
    maxvalue: int | None = None
    cache: int | None = None
    cycle: bool | None = None
    nominvalue: bool | None = None
    nomaxvalue: bool | None = None
    type: SqlType | None = None
    optional: bool = False
    options: Options = ()

    @property
    def ref(self) -> Ref:
        return Ref(self.name, self.schema, "sequence")


@dataclass(frozen=True, slots=True)
class Identity:
    """GENERATED ... AS IDENTITY; None is the database's default."""

    always: bool | None = False
    start: int | None = None
    increment: int | None = None
    minvalue: int | None = None
    maxvalue: int | None = None
    cache: int | None = None
    cycle: bool | None = None
    nominvalue: bool | None = None
    nomaxvalue: bool | None = None
    on_null: bool | None = None
    order: bool | None = None
    options: Options = ()


@dataclass(frozen=True, slots=True)
class Computed:
    """GENERATED ALWAYS AS (text); `persisted` None is the database's default."""

    text: SqlText
    persisted: bool | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """One column; whether it belongs to the primary key is said by the table's PrimaryKey.

    `autoincrement` is False where a default on the client's side keeps SQLAlchemy from writing SERIAL.
    `counter` is the sequence of a SERIAL that has another name than PostgreSQL would give it now: table or column were
    renamed since. No model says it, so it is outside equality.
    """

    name: str
    type: SqlType
    nullable: bool = True
    default: SqlText | None = None
    identity: Identity | None = None
    computed: Computed | None = None
    sequence: Sequence | None = None
    autoincrement: bool | Literal["auto", "ignore_fk"] = "auto"
    comment: str | None = None
    options: Options = ()
    system: bool = False
    counter: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class PrimaryKey:
    columns: tuple[str, ...]
    name: str | None = None
    deferrable: bool | None = None
    initially: str | None = None
    comment: str | None = None
    options: Options = ()


@dataclass(frozen=True, slots=True)
class Unique:
    columns: tuple[str, ...]
    name: str | None = None
    deferrable: bool | None = None
    initially: str | None = None
    comment: str | None = None
    options: Options = ()


@dataclass(frozen=True, slots=True)
class Check:
    """`column` names the column in whose definition a CHECK stands, None for one of the table.

    `type_bound` marks the CHECK that a Boolean or a non-native Enum brings along; `rule`, outside
    equality, says for which compilers SQLAlchemy writes it.
    """

    text: SqlText
    name: str | None = None
    deferrable: bool | None = None
    initially: str | None = None
    comment: str | None = None
    options: Options = ()
    column: str | None = None
    type_bound: bool = False
    rule: Callable[..., bool] | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class ForeignKey:
    columns: tuple[str, ...]
    target: Ref
    target_columns: tuple[str, ...]
    name: str | None = None
    onupdate: str | None = None
    ondelete: str | None = None
    deferrable: bool | None = None
    initially: str | None = None
    match: str | None = None
    comment: str | None = None
    options: Options = ()
    use_alter: bool = False


@dataclass(frozen=True, slots=True)
class Exclude:
    """EXCLUDE USING ... (element WITH operator, ...); elements are column names or expressions."""

    elements: tuple[tuple[str | SqlText, str], ...]
    name: str | None = None
    using: str = "gist"
    where: SqlText | None = None
    deferrable: bool | None = None
    initially: str | None = None
    ops: Options = ()
    options: Options = ()


Constraint = PrimaryKey | Unique | Check | ForeignKey | Exclude


@dataclass(frozen=True, slots=True)
class Index:
    """`elements` are column names or expressions (an expression carries its own DESC, COLLATE, NULLS FIRST)."""

    name: str | None
    elements: tuple[str | SqlText, ...]
    unique: bool = False
    options: Options = ()


@dataclass(frozen=True, slots=True)
class EnumType:
    """CREATE TYPE name AS ENUM (values), or with `domain` a CREATE DOMAIN: such a type has no values.

    `brought` marks one that came with a column and goes with the last one that uses it. `in_use` is what a database
    said about that; None where only the schema's own columns tell. `checks` are those of a domain that was read, each
    with its name: SQLAlchemy's type can say only one.
    """

    name: str
    values: tuple[str, ...]
    schema: str | None = None
    brought: bool = field(default=False, compare=False)
    domain: bool = field(default=False, compare=False)
    in_use: bool | None = field(default=None, compare=False, repr=False)
    checks: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)

    @property
    def ref(self) -> Ref:
        return Ref(self.name, self.schema, "enum")


@dataclass(frozen=True, slots=True)
class Table:
    """`constraints` stand in the order in which they were declared; the primary key is one of them."""

    name: str
    columns: tuple[Column, ...]
    schema: str | None = None
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    comment: str | None = None
    options: Options = ()
    prefixes: tuple[str, ...] = ()
    stored_sql: str | None = field(default=None, compare=False, repr=False)

    @property
    def ref(self) -> Ref:
        return Ref(self.name, self.schema)

    @property
    def primary_key(self) -> PrimaryKey | None:
        return next((c for c in self.constraints if isinstance(c, PrimaryKey)), None)

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Schema:
    """Every object by its address. Mappings are never changed in place: `with_table` and its like copy.

    `secured` are the tables whose row level security is enabled, `forced` those where it is forced on the owner. `stored` is what SQLite itself keeps, where it was read: by database ("main"), the rows (type, name, table, SQL)
    of its schema table.
    """

    tables: Mapping[Ref, Table] = field(default_factory=dict)
    enums: Mapping[Ref, EnumType] = field(default_factory=dict)
    sequences: Mapping[Ref, Sequence] = field(default_factory=dict)
    views: Mapping[Ref, View] = field(default_factory=dict)
    functions: Mapping[Ref, Function] = field(default_factory=dict)
    triggers: Mapping[Ref, Trigger] = field(default_factory=dict)
    policies: Mapping[Ref, Policy] = field(default_factory=dict)
    extensions: Mapping[Ref, Extension] = field(default_factory=dict)
    schemas: frozenset[str] = frozenset()
    secured: frozenset[Ref] = frozenset()
    forced: frozenset[Ref] = frozenset()
    stored: Mapping[str, StoredRows] = field(default_factory=dict, compare=False, repr=False)

    def with_table(self, table: Table) -> Schema:
        return replace(self, tables={**self.tables, table.ref: table})

    def without_table(self, ref: Ref) -> Schema:
        return replace(self, tables={key: value for key, value in self.tables.items() if key != ref})

    def change_table(self, ref: Ref, change: Callable[[Table], Table]) -> Schema:
        """The schema with one table replaced; a table that is not known leaves it as it is."""
        table = self.tables.get(ref)
        return self if table is None else self.with_table(change(table))
