"""A constraint of the directives as a value, under the naming convention of the project's models."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from asyncmig.errors import OperationError
from asyncmig.operations.directives.build import add_targets, fresh_metadata
from asyncmig.schema.metadata import from_sqlalchemy
from asyncmig.schema.model import Constraint, PrimaryKey
from asyncmig.schema.naming import resolved_name

__all__ = ["constraint_value", "dropped_name", "type_checks"]

_EMPTY: Mapping[str | None, Any] = {
    "foreignkey": lambda name: sa.ForeignKeyConstraint([], [], name=name),
    "primary": lambda name: sa.PrimaryKeyConstraint(name=name),
    "unique": lambda name: sa.UniqueConstraint(name=name),
    "check": lambda name: sa.CheckConstraint("", name=name),
}


def constraint_value(
    directive: str,
    table_name: str,
    schema: str | None,
    constraint: sa.Constraint,
    columns: Iterable[str | None],
    convention: Mapping[str, Any] | None,
) -> Constraint:
    """The constraint on a stand-in for its table, which has the `columns` that it names."""
    metadata = fresh_metadata(convention)
    names = dict.fromkeys(name for name in columns if name is not None)
    table = sa.Table(table_name, metadata, *(sa.Column(name, sa.types.NullType()) for name in names), schema=schema)
    try:
        if isinstance(constraint, sa.ForeignKeyConstraint):
            add_targets(metadata, constraint.elements, (schema, table_name))
        table.append_constraint(constraint)
        found = from_sqlalchemy(table).constraints
    except (TypeError, KeyError, sa.exc.SQLAlchemyError) as error:
        raise OperationError(f"{directive} on {table_name}: {error}") from error
    wanted = isinstance(constraint, sa.PrimaryKeyConstraint)
    return next(value for value in found if isinstance(value, PrimaryKey) is wanted)


def dropped_name(
    name: str | None, table_name: str, schema: str | None, kind: str | None, convention: Mapping[str, Any] | None
) -> str:
    """The name as the database has it: a convention with %(constraint_name)s adds to the one that is given."""
    if not name:
        raise OperationError(f"drop_constraint on {table_name} wants the name of the constraint.")
    make = _EMPTY.get(kind)
    if make is None or not convention:
        return name
    table = sa.Table(table_name, fresh_metadata(convention), schema=schema)
    constraint = make(name)
    table.append_constraint(constraint)
    return resolved_name(constraint, table) or name


def type_checks(
    table_name: str,
    schema: str | None,
    column: str,
    type_: sa.types.TypeEngine[Any] | type[sa.types.TypeEngine[Any]] | None,
    convention: Mapping[str, Any] | None,
) -> tuple[Any, ...]:
    """The CHECKs that a Boolean or an Enum brings along."""
    if type_ is None:
        return ()
    table = sa.Table(table_name, fresh_metadata(convention), sa.Column(column, type_), schema=schema)
    return tuple(value for value in from_sqlalchemy(table).constraints if getattr(value, "type_bound", False))
