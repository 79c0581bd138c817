"""What SQLite can put off to the end of a transaction: foreign keys, and nothing else."""

from __future__ import annotations

import sqlalchemy as sa

from asyncmig.errors import UnsupportedOperation
from asyncmig.schema.model import Constraint, ForeignKey, Ref

__all__ = ["check_deferral", "check_new_table"]


def check_deferral(constraint: Constraint, table: Ref) -> None:
    """UnsupportedOperation for a constraint that says what SQLite's grammar has no place for."""
    if not isinstance(constraint, ForeignKey):
        if constraint.deferrable or constraint.initially:
            raise _no_place(constraint.name, table)
    elif constraint.initially and not constraint.deferrable:
        raise _half(constraint.name, table)


def check_new_table(table: sa.Table, compiler: sa.sql.compiler.DDLCompiler) -> None:
    """The same for CREATE TABLE, of the constraints that are for this database; SQLAlchemy writes NOT DEFERRABLE too."""
    ref = Ref(table.name, table.schema)
    for constraint in table.constraints:
        if not constraint._should_create_for_compiler(compiler):
            continue
        name = None if constraint.name is None else str(constraint.name)
        if isinstance(constraint, sa.UniqueConstraint | sa.CheckConstraint | sa.PrimaryKeyConstraint):
            if constraint.deferrable is not None or constraint.initially is not None:
                raise _no_place(name, ref)
        elif isinstance(constraint, sa.ForeignKeyConstraint) and constraint.initially and not constraint.deferrable:
            raise _half(name, ref)


def _no_place(name: str | None, table: Ref) -> UnsupportedOperation:
    return UnsupportedOperation(
        f"SQLite defers only foreign keys, and {name or 'a constraint'} on {table} is none.",
        hint="Leave out deferrable and initially here.",
    )


def _half(name: str | None, table: Ref) -> UnsupportedOperation:
    return UnsupportedOperation(
        f"SQLite takes INITIALLY only after DEFERRABLE: {name or 'a constraint'} on {table}.",
        hint="Give it deferrable=True as well.",
    )
