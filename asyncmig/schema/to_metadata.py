"""SQLAlchemy's tables from values: what its compiler then writes is what the original would have said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from asyncmig.schema.expressions import attach
from asyncmig.schema.model import (
    Check,
    Column,
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
from asyncmig.schema.naming import settled_name
from asyncmig.schema.options import DDL_IF, option, thaw_options
from asyncmig.schema.pool import THROW_AWAY
from asyncmig.schema.types import SqlText

__all__ = ["Original", "column_to_sqlalchemy", "sequence_to_sqlalchemy", "to_sqlalchemy"]

Conditional = TypeVar("Conditional", bound=sa.Constraint | sa.Index)


@dataclass(frozen=True, slots=True)
class Original:
    """The sa.Table that a value was read from: it compiles to the same DDL, and does not have to be made again."""

    value: Table
    table: sa.Table

    def of(self, value: Table) -> sa.Table | None:
        """The sa.Table while `value` is the very one that was read; None for a changed one."""
        return self.table if value is self.value else None


def to_sqlalchemy(table: Table, metadata: sa.MetaData | None = None) -> sa.Table:
    """A sa.Table that compiles to the DDL of the value.

    Targets of foreign keys that `metadata` does not hold become stubs in it, with just the columns that are
    referred to. Column types are the value's own objects; they learn nothing of the new table.
    """
    target = metadata if metadata is not None else sa.MetaData(info={THROW_AWAY: True})
    checks = [c for c in table.constraints if isinstance(c, Check) and c.column is not None and not c.type_bound]
    built = sa.Table(
        table.name,
        target,
        *(column_to_sqlalchemy(c, [k for k in checks if k.column == c.name]) for c in table.columns),
        schema=sa.BLANK_SCHEMA if table.schema is None else table.schema,
        comment=table.comment,
        prefixes=list(table.prefixes),
        **thaw_options(table.options),
    )
    for constraint in table.constraints:
        if constraint not in checks:
            built.append_constraint(_constraint(constraint, built))
    for index in table.indexes:
        _index(index, built)
    return built


def column_to_sqlalchemy(column: Column, checks: Iterable[Check] = ()) -> sa.Column[Any]:
    """A sa.Column of no table, with the CHECKs of its own definition."""
    items: list[Any] = [_check(check) for check in checks]
    if column.identity is not None:
        items.append(_identity(column.identity))
    if column.computed is not None:
        items.append(sa.Computed(_clause(column.computed.text), persisted=column.computed.persisted))
    if column.sequence is not None:
        items.append(sequence_to_sqlalchemy(column.sequence))
    built: sa.Column[Any] = sa.Column(
        column.name,
        sa.types.NULLTYPE,
        *items,
        nullable=column.nullable,
        server_default=None if column.default is None else _default(column.default),
        autoincrement=column.autoincrement,
        comment=column.comment,
        system=column.system,
        **thaw_options(column.options),
    )
    # Assigned, not passed: an Enum or Boolean that is passed would register itself with table and metadata,
    # and make the CHECK a second time that the value holds already.
    built.type = column.type.engine
    return built


def sequence_to_sqlalchemy(sequence: Sequence) -> sa.Sequence:
    return sa.Sequence(
        sequence.name,
        schema=sequence.schema,
        data_type=None if sequence.type is None else sequence.type.engine,
        optional=sequence.optional,
        **_number_options(sequence),
        **thaw_options(sequence.options),
    )


def _identity(identity: Identity) -> sa.Identity:
    extra = {name: value for name in ("on_null", "order") if (value := getattr(identity, name)) is not None}
    return sa.Identity(always=identity.always, **_number_options(identity), **extra, **thaw_options(identity.options))


def _number_options(value: Sequence | Identity) -> dict[str, Any]:
    names = ("start", "increment", "minvalue", "maxvalue", "nominvalue", "nomaxvalue", "cycle", "cache")
    return {name: given for name in names if (given := getattr(value, name)) is not None}


def _constraint(constraint: Constraint, table: sa.Table) -> sa.Constraint:
    match constraint:
        case PrimaryKey():
            return _conditional(sa.PrimaryKeyConstraint(*constraint.columns, **_common(constraint, table)), constraint)
        case Unique():
            return _conditional(sa.UniqueConstraint(*constraint.columns, **_common(constraint, table)), constraint)
        case Check():
            return _check(constraint, table)
        case ForeignKey():
            return _conditional(_foreign_key(constraint, table), constraint)
        case Exclude():
            return _conditional(_exclude(constraint, table), constraint)


def _check(check: Check, table: sa.Table | None = None) -> sa.CheckConstraint:
    built = sa.CheckConstraint(
        _clause(check.text),
        _create_rule=check.rule,
        _type_bound=check.type_bound,
        _autoattach=False,
        **_common(check, table),
    )
    return _conditional(built, check)


def _foreign_key(key: ForeignKey, table: sa.Table) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        key.columns,
        _target_columns(key, table),
        onupdate=key.onupdate,
        ondelete=key.ondelete,
        match=key.match,
        use_alter=key.use_alter,
        **_common(key, table),
    )


def _target_columns(key: ForeignKey, table: sa.Table) -> list[sa.Column[Any]]:
    target = table if key.target == Ref(table.name, table.schema) else _stub(key.target, table.metadata)
    if target is not table:
        for name in key.target_columns:
            if name not in target.c:
                target.append_column(sa.Column(name, sa.types.NULLTYPE))
    try:
        return [target.c[name] for name in key.target_columns]
    except KeyError as error:
        raise sa.exc.NoReferencedColumnError(
            f"the foreign key {key.name or ''} of {table.fullname} refers to a column {error} that it does not have",
            table.name,
            str(error),
        ) from error


def _stub(ref: Ref, metadata: sa.MetaData) -> sa.Table:
    found = metadata.tables.get(str(ref))
    schema = sa.BLANK_SCHEMA if ref.schema is None else ref.schema
    return found if found is not None else sa.Table(ref.name, metadata, schema=schema)


def _exclude(exclude: Exclude, table: sa.Table) -> sa.Constraint:
    from sqlalchemy.dialects.postgresql import ExcludeConstraint

    elements: list[Any] = [
        (part if isinstance(part, str) else part.clause, operator) for part, operator in exclude.elements
    ]
    return ExcludeConstraint(
        *elements,
        name=settled_name(exclude.name, table.metadata),
        using=exclude.using,
        where=None if exclude.where is None else attach(exclude.where.clause, table),
        ops=thaw_options(exclude.ops),
        deferrable=exclude.deferrable,
        initially=exclude.initially,
    )


def _index(index: Index, table: sa.Table) -> sa.Index:
    built = sa.Index(
        index.name,
        *(part if isinstance(part, str) else _clause(part) for part in index.elements),
        unique=index.unique,
        _table=table,
        **thaw_options(index.options),
    )
    return _conditional(built, index)


def _common(constraint: PrimaryKey | Unique | Check | ForeignKey, table: sa.Table | None) -> dict[str, Any]:
    return {
        "name": constraint.name if table is None else settled_name(constraint.name, table.metadata),
        "deferrable": constraint.deferrable,
        "initially": constraint.initially,
        "comment": constraint.comment,
        **thaw_options(constraint.options),
    }


def _conditional(item: Conditional, value: Constraint | Index) -> Conditional:
    """The item under the condition that `ddl_if()` set on the original."""
    condition = option(value.options, DDL_IF) if value.options else None
    if condition is not None:
        item.ddl_if(dialect=condition.dialect, callable_=condition.callable_, state=condition.state)
    return item


def _default(text: SqlText) -> Any:
    # SQLAlchemy 2.0 puts any expression in parentheses on SQLite, but not a plain string.
    return text.clause if text.literal is None else text.literal


def _clause(text: SqlText) -> Any:
    """SQLAlchemy's signatures want narrower types than ClauseElement; its coercion takes them all."""
    return text.clause
