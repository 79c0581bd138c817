"""Values from SQLAlchemy's tables and columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.sql.base import SchemaEventTarget

from asyncmig.schema.model import (
    Check,
    Column,
    Computed,
    Constraint,
    Exclude,
    ForeignKey,
    Identity,
    Index,
    PrimaryKey,
    Ref,
    Sequence,
    Table,
    Unique,
)
from asyncmig.schema.naming import resolved_name
from asyncmig.schema.options import DDL_IF, FrozenMap, freeze_options
from asyncmig.schema.pool import THROW_AWAY, Pool
from asyncmig.schema.types import SqlText, SqlType, sql_literal, sql_text

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql import ExcludeConstraint

    from asyncmig.schema.model import Options

__all__ = [
    "ColumnParts",
    "column_from_sqlalchemy",
    "default_from_sqlalchemy",
    "from_sqlalchemy",
    "sequence_from_sqlalchemy",
]

_SEQUENCE_FIELDS = ("start", "increment", "minvalue", "maxvalue", "nominvalue", "nomaxvalue", "cycle", "cache")


@dataclass(frozen=True, slots=True)
class ColumnParts:
    """A sa.Column taken apart: the column, and what it brings to its table."""

    column: Column
    constraints: tuple[Constraint, ...] = ()
    indexes: tuple[Index, ...] = ()
    primary_key: bool = False


def from_sqlalchemy(table: sa.Table, pool: Pool | None = None) -> Table:
    """The table as a value, its names settled by its metadata's naming convention."""
    pool = pool or Pool()
    return Table(
        name=table.name,
        columns=tuple(_column(column, pool) for column in table.columns),
        schema=table.schema,
        constraints=tuple(_constraints(table)),
        indexes=tuple(sorted((_index(index) for index in table.indexes), key=lambda index: str(index.name))),
        comment=table.comment,
        options=_options(table),
        prefixes=tuple(table._prefixes),
    )


def column_from_sqlalchemy(
    column: sa.Column[Any],
    table: Ref,
    naming_convention: Mapping[str, Any] | None = None,
) -> ColumnParts:
    """The column as it would be added to `table`: foreign keys, unique=True, index=True and CHECKs apart.

    A column that already belongs to a table is copied; any other one belongs to a throw-away table afterwards.
    """
    attached: Any = column.table  # None on a column of its own, whatever SQLAlchemy's annotation says
    if attached is None and _stands_alone(column):
        return ColumnParts(_column(column, Pool()), primary_key=column.primary_key)
    own = column if attached is None else column._copy()
    metadata = sa.MetaData(naming_convention=naming_convention, info={THROW_AWAY: True})
    host = sa.Table(table.name, metadata, own, schema=table.schema)
    value = from_sqlalchemy(host)
    constraints = tuple(c for c in value.constraints if not isinstance(c, PrimaryKey))
    return ColumnParts(value.columns[0], constraints, value.indexes, own.primary_key)


def default_from_sqlalchemy(given: Any) -> SqlText | Identity | Computed | None:
    """What `server_default=` may be given, as a value; ArgumentError for anything else."""
    if given is None:
        return None
    if isinstance(given, sa.Identity):
        return _identity(given)
    if isinstance(given, sa.Computed):
        return _computed(given)
    arg = given.arg if isinstance(given, sa.DefaultClause) else sa.DefaultClause(given).arg
    return sql_literal(arg) if isinstance(arg, str) else sql_text(arg)


def sequence_from_sqlalchemy(sequence: sa.Sequence) -> Sequence:
    return Sequence(
        name=sequence.name,
        schema=sequence.schema,
        type=SqlType(sequence.data_type) if sequence.data_type is not None else None,
        optional=bool(sequence.optional),
        options=_options(sequence),
        **{name: getattr(sequence, name) for name in _SEQUENCE_FIELDS},
    )


def _stands_alone(column: sa.Column[Any]) -> bool:
    """Whether attaching the column to a table would add nothing to what it says itself."""
    if column.unique or column.index or column.foreign_keys or column.constraints:
        return False
    type_: Any = column.type
    if isinstance(type_, sa.Boolean):
        return not type_.create_constraint and not type_._variant_mapping
    return not isinstance(type_, SchemaEventTarget)


def _column(column: sa.Column[Any], pool: Pool) -> Column:
    table: Any = column.table  # None on a column of its own
    type_ = pool.type(column.type, None if table is None else table.metadata)
    options = _options(column)
    if column.server_default is None and column.default is None and not options and not column.system:
        # most of them, at half the cost
        return pool.column(column.name, type_, bool(column.nullable), None, column.autoincrement, column.comment)
    default, autoincrement = _default(column, pool), _autoincrement(column)
    sequence = sequence_from_sqlalchemy(column.default) if isinstance(column.default, sa.Sequence) else None
    if not (options or column.system or sequence or column.identity or column.computed):
        return pool.column(column.name, type_, bool(column.nullable), default, autoincrement, column.comment)
    return Column(
        name=column.name,
        type=type_,
        nullable=bool(column.nullable),
        default=default,
        identity=None if column.identity is None else _identity(column.identity),
        computed=_computed(column.computed),
        sequence=sequence,
        autoincrement=autoincrement,
        comment=column.comment,
        options=options,
        system=column.system,
    )


def _default(column: sa.Column[Any], pool: Pool) -> SqlText | None:
    """What DEFAULT says. A FetchedValue says nothing: the database has the default already."""
    default = column.server_default
    if not isinstance(default, sa.DefaultClause):
        return None
    return pool.literal(default.arg) if isinstance(default.arg, str) else pool.text(default.arg)


def _autoincrement(column: sa.Column[Any]) -> Any:
    """False where the column is a key that would count if nothing else filled it."""
    counts = issubclass(column.type._type_affinity or sa.types.NullType, sa.Integer | sa.Numeric)
    if not (column.primary_key and counts) or (column.default is None and column.server_default is None):
        return column.autoincrement
    fetched = column.server_default is not None and not isinstance(
        column.server_default, sa.DefaultClause | sa.Identity | sa.Computed
    )
    computed_here = column.default is not None and not isinstance(column.default, sa.Sequence)
    if column.identity is None and (computed_here or (fetched and column.autoincrement is not True)):
        return False
    return column.autoincrement


def _identity(identity: sa.Identity) -> Identity:
    fields = {name: getattr(identity, name, None) for name in (*_SEQUENCE_FIELDS, "on_null", "order")}
    return Identity(always=identity.always, options=_options(identity), **fields)


def _computed(computed: sa.Computed | None) -> Computed | None:
    return None if computed is None else Computed(sql_text(computed.sqltext), computed.persisted)


def _constraints(table: sa.Table) -> Iterator[Constraint]:
    """Table constraints in the order of declaration, then the CHECKs that stand in a column's definition."""
    for constraint in sorted(table.constraints, key=lambda c: c._creation_order):
        if not isinstance(constraint, sa.PrimaryKeyConstraint) or len(constraint):
            yield _CONSTRAINTS[constraint.__visit_name__](constraint, table)
    for column in table.columns:
        if not column.constraints:
            continue
        for check in sorted(column.constraints, key=lambda c: c._creation_order):
            if isinstance(check, sa.CheckConstraint):
                yield replace(_check(check, table), column=column.name)


def _primary_key(constraint: sa.PrimaryKeyConstraint, table: sa.Table) -> PrimaryKey:
    # SQLAlchemy writes the autoincrement column first only where nobody gave the order.
    columns = constraint.columns_autoinc_first if constraint._implicit_generated else constraint.columns
    return PrimaryKey(tuple(column.name for column in columns), **_common(constraint, table))


def _unique(constraint: sa.UniqueConstraint, table: sa.Table) -> Unique:
    return Unique(tuple(column.name for column in constraint.columns), **_common(constraint, table))


def _check(constraint: sa.CheckConstraint, table: sa.Table) -> Check:
    type_bound = constraint._type_bound
    return Check(
        sql_text(constraint.sqltext),
        type_bound=type_bound,
        column=next((column.name for column in constraint.columns), None) if type_bound else None,
        # Of other CHECKs, SQLAlchemy uses the rule to say that ALTER TABLE has added them already.
        rule=constraint._create_rule if type_bound else None,
        **_common(constraint, table),
    )


def _foreign_key(constraint: sa.ForeignKeyConstraint, table: sa.Table) -> ForeignKey:
    targets = [_target(element) for element in constraint.elements]
    return ForeignKey(
        tuple(element.parent.name for element in constraint.elements),
        targets[0][0],
        tuple(name for _, name in targets),
        onupdate=constraint.onupdate,
        ondelete=constraint.ondelete,
        match=constraint.match,
        use_alter=bool(constraint.use_alter),
        **_common(constraint, table),
    )


def _target(element: sa.ForeignKey) -> tuple[Ref, str]:
    """The table and column that are meant; by name where the metadata does not hold the table."""
    try:
        column = element.column
    except (sa.exc.NoReferenceError, sa.exc.InvalidRequestError):
        schema, name, key = element._column_tokens
        metadata = element.parent.table.metadata
        return Ref(name, schema or metadata.schema), key if key is not None else element.parent.name
    return Ref(column.table.name, column.table.schema), column.name


def _exclude(constraint: ExcludeConstraint, table: sa.Table) -> Exclude:
    return Exclude(
        tuple((_element(expression), operator) for expression, _, operator in constraint._render_exprs),
        using=constraint.using,
        where=None if constraint.where is None else sql_text(constraint.where),
        ops=freeze_options(_by_name(constraint.ops, table)),
        name=resolved_name(constraint, table),
        deferrable=constraint.deferrable,
        initially=constraint.initially,
        options=_options(constraint),
    )


_CONSTRAINTS: Mapping[str, Callable[[Any, sa.Table], Constraint]] = {
    "primary_key_constraint": _primary_key,
    "unique_constraint": _unique,
    "table_or_column_check_constraint": _check,
    "foreign_key_constraint": _foreign_key,
    "exclude_constraint": _exclude,
}


def _common(constraint: sa.Constraint, table: sa.Table) -> dict[str, Any]:
    return {
        "name": resolved_name(constraint, table),
        "deferrable": constraint.deferrable,
        "initially": constraint.initially,
        "comment": constraint.comment,
        "options": _options(constraint, table),
    }


def _index(index: sa.Index) -> Index:
    return Index(
        index.name,
        tuple(_element(expression) for expression in index.expressions),
        unique=bool(index.unique),
        options=_options(index, index.table),
    )


def _element(expression: Any) -> str | SqlText:
    return expression.name if isinstance(expression, sa.Column) else sql_text(expression)


def _options(item: Any, table: sa.Table | None = None) -> Options:
    """The dialect keywords that were given; keys of columns inside become their names."""
    # Through __dict__: asking a Column for an attribute that it lacks is slow.
    condition = item.__dict__.get("_ddl_if")
    # `dialect_options` is memoised: while it is not there no keyword was ever given.
    if "dialect_options" not in item.__dict__ and condition is None:
        return ()
    options = dict(item.dialect_kwargs)
    for key in ("postgresql_ops", "postgresql_include"):
        if options.get(key) and table is not None:
            options[key] = _by_name(options[key], table)
    frozen = freeze_options(options)
    return frozen if condition is None else tuple(sorted((*frozen, (DDL_IF, condition)), key=lambda pair: pair[0]))


def _by_name(columns: Any, table: sa.Table) -> Any:
    """`columns` (a mapping by column key, or keys and columns) with names in place of keys."""

    def name(key: Any) -> str:
        column = key if isinstance(key, sa.Column) else table.columns.get(key)
        return str(key) if column is None else column.name

    if isinstance(columns, Mapping):
        return FrozenMap({name(key): value for key, value in columns.items()})
    return tuple(name(key) for key in columns)
