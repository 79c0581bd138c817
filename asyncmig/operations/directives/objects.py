"""`op` in addition to Alembic's directives: all families of objects in one base class."""

from __future__ import annotations

from asyncmig.operations.directives.backfills import BackfillDirectives
from asyncmig.operations.directives.enums import EnumDirectives
from asyncmig.operations.directives.policies import PolicyDirectives
from asyncmig.operations.directives.renames import RenameDirectives
from asyncmig.operations.directives.routines import RoutineDirectives
from asyncmig.operations.directives.schemas import SchemaDirectives
from asyncmig.operations.directives.sequences import SequenceDirectives
from asyncmig.operations.directives.views import ViewDirectives

__all__ = ["ObjectDirectives"]


class ObjectDirectives(
    RenameDirectives,
    EnumDirectives,
    SequenceDirectives,
    ViewDirectives,
    RoutineDirectives,
    PolicyDirectives,
    SchemaDirectives,
    BackfillDirectives,
):
    __slots__ = ()
