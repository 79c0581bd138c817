"""What SQLite can put off to the end of a transaction: foreign keys, and nothing else."""

from __future__ import annotations

from asyncmig.errors import UnsupportedOperation
from asyncmig.schema.model import Constraint, ForeignKey, Ref

__all__ = ["check_deferral"]


def check_deferral(constraint: Constraint, table: Ref) -> None:
    """UnsupportedOperation for a constraint that says what SQLite's grammar has no place for."""
    name = constraint.name or "a constraint"
    if not isinstance(constraint, ForeignKey):
        if constraint.deferrable or constraint.initially:
            raise UnsupportedOperation(
                f"SQLite defers only foreign keys, and {name} on {table} is none.",
                hint="Leave out deferrable and initially here.",
            )
    elif constraint.initially and not constraint.deferrable:
        raise UnsupportedOperation(
            f"SQLite takes INITIALLY only after DEFERRABLE: {name} on {table}.", hint="Give it deferrable=True as well."
        )
