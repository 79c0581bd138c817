"""`op`: what a migration script calls.

It has no state. Each call finds the step that runs in its own context, turns its arguments into an
Operation and hands that over with the script's line.
"""

from __future__ import annotations

from typing import Final

from asyncmig.operations.directives.alter_column import AlterColumnDirectives
from asyncmig.operations.directives.batch import BatchDirectives
from asyncmig.operations.directives.columns import ColumnDirectives
from asyncmig.operations.directives.constraints import ConstraintDirectives
from asyncmig.operations.directives.extensions import ExtensionDirectives
from asyncmig.operations.directives.indexes import IndexDirectives
from asyncmig.operations.directives.objects import ObjectDirectives
from asyncmig.operations.directives.sql import SqlDirectives
from asyncmig.operations.directives.tables import TableDirectives

__all__ = ["Operations", "op"]


class Operations(
    TableDirectives,
    ColumnDirectives,
    AlterColumnDirectives,
    IndexDirectives,
    ConstraintDirectives,
    BatchDirectives,
    SqlDirectives,
    ObjectDirectives,
    ExtensionDirectives,
):
    """Every directive, with Alembic's names and parameters; a family a base class."""

    __slots__ = ()


op: Final = Operations()
