"""The names that a naming convention would give to the constraints that a table keeps without one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from asyncmig.dialects.sqlite_constraints import constraint_of
from asyncmig.dialects.sqlite_table_text import Clause, TableText
from asyncmig.schema.default_names import default_names
from asyncmig.schema.model import Column, Options, Ref, Table
from asyncmig.schema.naming import resolved_name
from asyncmig.schema.types import SqlType

__all__ = ["conventional_clauses", "default_clauses"]


def conventional_clauses(ref: Ref, text: TableText, convention: Options) -> Iterator[tuple[str, Clause]]:
    """Each unnamed primary key, UNIQUE and foreign key with its name; a CHECK has none that could be told."""
    if not convention:
        return
    metadata = sa.MetaData(naming_convention=dict(convention))
    table = sa.Table(ref.name, metadata, *(sa.Column(column.name, sa.types.NullType()) for column in text.columns))
    for clause in text.clauses:
        if clause.name is not None:
            continue
        constraint = _constraint(clause, text, metadata)
        if constraint is not None:
            table.append_constraint(constraint)
            name = resolved_name(constraint, table)
            if name is not None:
                yield name, clause


def _constraint(clause: Clause, text: TableText, metadata: sa.MetaData) -> Any:
    columns = [text.column(name).name for name in clause.columns]
    match clause.kind:
        case "primary key":
            return sa.PrimaryKeyConstraint(*columns)
        case "unique":
            return sa.UniqueConstraint(*columns)
        case "foreign key" if clause.reference is not None:
            target = clause.reference.table
            names = clause.reference.columns or tuple(columns)
            if target not in metadata.tables:
                sa.Table(target, metadata)
            for name in names:
                if name not in metadata.tables[target].c:
                    metadata.tables[target].append_column(sa.Column(name, sa.types.NullType()))
            return sa.ForeignKeyConstraint(columns, [f"{target}.{name}" for name in names])
        case _:
            return None


def default_clauses(ref: Ref, text: TableText) -> Iterator[tuple[str, Clause]]:
    """Each constraint without a name with the one that `default_names` agrees on."""
    pairs = [
        (clause, value) for clause in text.clauses if (value := constraint_of(clause, text, ref.schema)) is not None
    ]
    columns = tuple(Column(column.name, SqlType(sa.types.NULLTYPE)) for column in text.columns)
    names = default_names(Table(ref.name, columns, constraints=tuple(value for _, value in pairs)))
    return ((names[id(value)], clause) for clause, value in pairs if value.name is None)
