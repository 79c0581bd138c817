"""Where the operations of a running script go: one interface, live or recording, found by context.

The sink of the running step is a ContextVar, never a module global: two migrators in one process,
in two tasks or two threads, never notice each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol

from asyncmig.operations.base import Operation, Origin

if TYPE_CHECKING:
    import sqlalchemy as sa

    from asyncmig.operations.context import MigrationContext

__all__ = ["Sink", "current_sink"]


class Sink(Protocol):
    """What the facade needs of a step. `script` is the path whose frames give an operation its line."""

    @property
    def script(self) -> str: ...

    @property
    def naming_convention(self) -> Mapping[str, Any] | None: ...

    @property
    def sqlalchemy_dialect(self) -> sa.engine.Dialect: ...

    def guard(self) -> None:
        """NoMigrationRunning when called from a child task or another thread than the step's own."""

    def emit(self, operation: Operation, origin: Origin | None) -> Any:
        """Execute now, or keep. The result of an Execute is its CursorResult when live, None when recording."""

    def bind(self, origin: Origin | None) -> sa.Connection:
        """The step's own connection; DynamicScript when recording."""

    def migration_context(self) -> MigrationContext: ...

    def autocommit_block(self, origin: Origin | None) -> AbstractContextManager[None]: ...


current_sink: ContextVar[Sink] = ContextVar("asyncmig_sink")
