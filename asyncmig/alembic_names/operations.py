"""`alembic.operations`: the classes on which plug-ins register directives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import MethodType
from typing import TYPE_CHECKING, Any

from asyncmig.alembic_names.ops import MigrateOperation, StandardOp
from asyncmig.alembic_names.peer import loaded_operations, registered_directive
from asyncmig.operations.directives.batch import BatchOperations
from asyncmig.operations.directives.extensions import NoImplementation
from asyncmig.operations.facade import Operations as Directives

if TYPE_CHECKING:
    from asyncmig.operations.context import MigrationContext

__all__ = ["AbstractOperations", "BatchOperations", "MigrateOperation", "Operations"]


class Operations(Directives):
    """The directives of asyncmig with those that plug-ins registered over them.

    A plug-in that was imported with an installed alembic before the run registered there: it is found there.
    """

    __slots__ = ("_context",)

    def __init__(self, migration_context: MigrationContext | None = None, impl: object = None) -> None:
        self._context = migration_context

    @classmethod
    @contextmanager
    def context(cls, migration_context: MigrationContext) -> Iterator[Operations]:
        yield cls(migration_context)

    def __getattr__(self, name: str) -> Any:
        function = None if name.startswith("_") else registered_directive(name)
        if function is None:
            raise AttributeError(f"op has no directive {name!r}")
        return MethodType(function, self)

    def _implementation(self, operation: object) -> Callable[..., Any]:
        try:
            return super()._implementation(operation)
        except NoImplementation:
            peer = loaded_operations()
            if peer is None:
                raise
            try:
                found: Callable[..., Any] = peer._to_impl.dispatch(operation)
            except (AttributeError, ValueError):
                raise NoImplementation.of(operation) from None
            return found


AbstractOperations = Operations


@Operations.implementation_for(StandardOp)
def _run_standard(operations: Operations, operation: StandardOp) -> Any:
    return operation.run(operations)
