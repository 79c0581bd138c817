"""A PostgreSQL database as a Schema: seven queries over the catalogs, and one for each kind of object that is wanted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DOMAIN

from asyncmig.dialects import postgresql_queries as queries
from asyncmig.dialects.postgresql_numbering import sequence_name
from asyncmig.dialects.postgresql_object_reading import read_objects
from asyncmig.dialects.postgresql_parts import read_constraint, read_index
from asyncmig.dialects.postgresql_types import TypeReader
from asyncmig.dialects.reading import Reader, Reading, Rows, Scope
from asyncmig.schema.expressions import verbatim
from asyncmig.schema.model import (
    Column,
    Computed,
    Constraint,
    EnumType,
    ForeignKey,
    Identity,
    Index,
    Options,
    PrimaryKey,
    Ref,
    Table,
)
from asyncmig.schema.model import Sequence as SequenceObject
from asyncmig.schema.options import freeze_options
from asyncmig.schema.serial import serial_sequence
from asyncmig.schema.types import SqlText, SqlType

__all__ = ["PostgresqlReader"]

_LIMITS = {"smallint": 2**15, "integer": 2**31, "bigint": 2**63}
_NEWEST = 18
_NEXTVAL = "nextval("


class PostgresqlReader(Reader):
    def __init__(self, server_version: tuple[int, ...] | None = None) -> None:
        self._version = server_version[0] if server_version else _NEWEST

    def read(self, scope: Scope) -> Reading:
        spaces = _Namespaces.of((yield queries.NAMESPACES), scope)
        wanted = {"namespaces": f"ARRAY[{', '.join(map(str, sorted(spaces.wanted)))}]::oid[]"}
        sequences = yield queries.SEQUENCES.format(**wanted)
        tables = {
            row[0]: row
            for row in (yield queries.TABLES.format(**wanted))
            if scope.has_table(row[2], spaces.names[row[1]])
        }
        types = _Types.of((yield queries.TYPES), spaces, tables)
        owned = _OwnedSequences.of(sequences)
        columns = _Columns(types.reader, owned, tables)
        columns.take((yield queries.COLUMNS.format(**wanted)))
        constraints = columns.by_table(
            (yield queries.constraints(self._version).replace("{namespaces}", wanted["namespaces"])),
            lambda row, numbers: read_constraint(row, numbers, spaces.names.get(row[8])),
        )
        indexes = columns.by_table(
            (yield queries.indexes(self._version).replace("{namespaces}", wanted["namespaces"])), read_index
        )
        objects = yield from read_objects(scope, spaces.names, wanted["namespaces"])
        found = (_table(row, spaces, columns, constraints, indexes, scope) for row in tables.values())
        return replace(
            objects,
            tables={table.ref: table for table in found},
            enums=types.enums,
            sequences={s.ref: s for s in _free_sequences(sequences, spaces, types.reader)},
            schemas=spaces.known(scope),
        )


@dataclass(frozen=True, slots=True)
class _Namespaces:
    """Schemas by oid; the default one is called None. `wanted` are those whose tables are read."""

    names: Mapping[int, str | None]
    wanted: frozenset[int]

    @classmethod
    def of(cls, rows: Rows, scope: Scope) -> _Namespaces:
        names = {oid: None if default else name for oid, name, default in rows}
        return cls(names, frozenset(oid for oid, name in names.items() if scope.has_schema(name)))

    def known(self, scope: Scope) -> frozenset[str]:
        """The schemas that are read, and those that are spoken of and there, though include_name hides what is in them."""
        return frozenset(
            name
            for oid, name in self.names.items()
            if name is not None and (oid in self.wanted or name in scope.schemas)
        )


@dataclass(frozen=True, slots=True)
class _Types:
    """Enums and domains: as objects of the schemas that are wanted, and as types that any column may have."""

    reader: TypeReader
    enums: dict[Ref, EnumType]

    @classmethod
    def of(cls, rows: Rows, spaces: _Namespaces, tables: Collection[int]) -> _Types:
        named: dict[str, sa.types.TypeEngine[Any]] = {}
        reader = TypeReader(named)
        enums: dict[Ref, EnumType] = {}
        for _, space, name, kind, spelling, labels, *domain, users in rows:
            schema = spaces.names.get(space)
            if kind == "e":
                named[spelling] = sa.Enum(*labels, name=name, schema=schema)
            else:
                named[spelling] = _domain(name, schema, reader, domain)
            if space in spaces.wanted or kind != "e":  # a column may have a domain of a schema that is not read
                enum = EnumType(
                    name,
                    tuple(labels or ()),
                    schema,
                    domain=kind != "e",
                    in_use=any(user not in tables for user in users or ()) or None,
                    checks=tuple(zip(domain[-2] or (), domain[-1] or (), strict=True)),
                )
                enums[enum.ref] = enum
        return cls(reader, enums)


def _domain(name: str, schema: str | None, reader: TypeReader, parts: Sequence[Any]) -> sa.types.TypeEngine[Any]:
    """Several CHECKs are one here, which is all that SQLAlchemy's type can say."""
    base, not_null, default, collation, names, checks = parts
    check = " AND ".join(checks if len(checks) == 1 else (f"({one})" for one in checks)) if checks else None
    return DOMAIN(
        name,
        reader.read(base).engine,
        schema=schema,
        collation=collation,
        default=None if default is None else verbatim(default),
        not_null=not_null,
        constraint_name=names[0] if names else None,
        check=None if check is None else verbatim(check),
    )


@dataclass(frozen=True, slots=True)
class _OwnedSequences:
    """Sequences that belong to a column: of a SERIAL ("a"), by place and name, or of an identity column ("i")."""

    serial: frozenset[tuple[int, int, str]]
    identity: Mapping[tuple[int, int], Sequence[Any]]

    @classmethod
    def of(cls, rows: Rows) -> _OwnedSequences:
        serial = frozenset((row[9], row[10], row[1]) for row in rows if row[11] == "a")
        return cls(serial, {(row[9], row[10]): row for row in rows if row[11] == "i"})


@dataclass(slots=True)
class _Columns:
    """Columns and their numbers, by the oid of their table."""

    types: TypeReader
    owned: _OwnedSequences
    tables: Mapping[int, Sequence[Any]]
    columns: dict[int, list[Column]] = field(default_factory=dict)
    numbers: dict[int, dict[int, str]] = field(default_factory=dict)
    _made: dict[tuple[Any, ...], Column] = field(default_factory=dict)

    def take(self, rows: Rows) -> None:
        columns, numbers, tables, made = self.columns, self.numbers, self.tables, self._made
        last: int | None = None
        for row in rows:
            oid = row[0]
            if oid != last:
                last = oid
                known = oid in tables
                own: list[Column] = []
                places: dict[int, str] = {}
                if known:
                    columns[oid], numbers[oid] = own, places
            if not known:
                continue
            places[row[1]] = row[2]
            if not row[10]:
                continue  # inherited, and not declared again: the parent's
            default = row[5]
            if row[6] or (default is not None and default.startswith(_NEXTVAL)):
                own.append(self._numbered(row))
                continue
            key = row[2:]
            column = made.get(key)
            if column is None:
                column = made[key] = self._column(row)
            own.append(column)

    def by_table(self, rows: Rows, read: Any) -> dict[int, list[Any]]:
        """What `read` makes of each row, given its table's column names by number; by the oid of the table."""
        found: dict[int, list[Any]] = {}
        numbers = self.numbers
        for row in rows:
            names = numbers.get(row[0])
            if names is not None:
                found.setdefault(row[0], []).append(read(row, names))
        return found

    def _column(self, row: Sequence[Any]) -> Column:
        name, spelling, not_null, default, _, generated, collation, comment = row[2:10]
        text = None if default is None else SqlText(verbatim(default))
        return Column(
            name,
            self.types.read(spelling, collation),
            nullable=not not_null,
            default=None if generated else text,
            computed=Computed(text, generated == "s") if generated and text is not None else None,
            comment=comment,
        )

    def _numbered(self, row: Sequence[Any]) -> Column:
        """A column whose numbers a sequence gives: identity, SERIAL, or a default that calls nextval()."""
        column = self._column(row)
        place = (row[0], row[1])
        if row[6]:
            return replace(column, identity=_identity(row[6], self.owned.identity.get(place)))
        table = self.tables[row[0]][2]
        plain = f"{table}_{column.name}_seq"
        # Nearly all are so, and need no closer look.
        name = plain if row[5] == f"nextval('{plain}'::regclass)" else sequence_name(row[5])
        if name is None or (*place, name) not in self.owned.serial:
            return column  # a column may own one sequence and count by another
        counter = None if name == plain or name == serial_sequence(table, column.name) else name
        return replace(column, default=None, autoincrement=True, counter=counter)


def _identity(kind: str, row: Sequence[Any] | None) -> Identity:
    return Identity(always=kind == "a", **({} if row is None else _numbers(row)))


def _numbers(row: Sequence[Any]) -> dict[str, Any]:
    """The options of a sequence that are not PostgreSQL's defaults ("CREATE SEQUENCE")."""
    start, increment, minimum, maximum, cache, cycle, type_ = row[2:9]
    limit = _LIMITS[type_]
    low, high = (1, limit - 1) if increment > 0 else (-limit, -1)
    found = {
        "start": start if start != (minimum if increment > 0 else maximum) else None,
        "increment": increment if increment != 1 else None,
        "minvalue": minimum if minimum != low else None,
        "maxvalue": maximum if maximum != high else None,
        "cache": cache if cache != 1 else None,
        "cycle": cycle or None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _free_sequences(rows: Rows, spaces: _Namespaces, types: TypeReader) -> Iterator[SequenceObject]:
    for row in rows:
        if row[9] is None:
            type_: SqlType | None = None if row[8] == "bigint" else types.read(row[8])
            yield SequenceObject(row[1], spaces.names[row[0]], type=type_, **_numbers(row))


def _table(
    row: Sequence[Any],
    spaces: _Namespaces,
    columns: _Columns,
    constraints: Mapping[int, list[Constraint]],
    indexes: Mapping[int, list[Index]],
    scope: Scope,
) -> Table:
    oid, space, name, _, persistence, comment = row[:6]
    schema = spaces.names[space]
    own: Sequence[Constraint] = constraints.get(oid, ())
    listed, some = columns.columns.get(oid, []), indexes.get(oid, [])
    table = Table(
        name,
        _autoincrementing(listed, own),
        schema,
        tuple(own),
        tuple(some),
        comment,
        _options(row),
        ("UNLOGGED",) if persistence == "u" else (),
    )
    return scope.included(table)


def _autoincrementing(columns: list[Column], constraints: Sequence[Constraint]) -> tuple[Column, ...]:
    """SERIAL as SQLAlchemy says it: "auto" where it would write it by itself, False where it must not."""
    key = next((c for c in constraints if type(c) is PrimaryKey), None)
    if key is None:
        return tuple(columns)
    alone = len(key.columns) == 1
    foreign = {name for c in constraints if isinstance(c, ForeignKey) for name in c.columns}
    result = []
    for column in columns:
        if column.name in key.columns:
            wanted = _autoincrement(column, alone=alone and column.name not in foreign)
            if wanted != column.autoincrement:
                column = replace(column, autoincrement=wanted)
        result.append(column)
    return tuple(result)


def _autoincrement(column: Column, *, alone: bool) -> bool | Literal["auto"]:
    if column.autoincrement is True:
        return "auto" if alone else True
    plain = column.default is None and column.identity is None
    return False if plain and alone and isinstance(column.type.engine, sa.Integer) else "auto"


def _options(row: Sequence[Any]) -> Options:
    _, _, _, _, _, _, storage, partition, parents, method, tablespace = row
    found: dict[str, Any] = {}
    if parents:
        found["postgresql_inherits"] = tuple(parents)
    if partition:
        found["postgresql_partition_by"] = partition
    if method:
        found["postgresql_using"] = method
    if tablespace:
        found["postgresql_tablespace"] = tablespace
    if storage:
        found["postgresql_with"] = dict(o.partition("=")[::2] for o in storage)
    return freeze_options(found)
