"""`alembic.runtime.migration`: the context of the running step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asyncmig.errors import UnsupportedOperation
from asyncmig.operations.context import MigrationContext as RunningContext
from asyncmig.operations.sink import running_sink

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["MigrationContext", "MigrationInfo", "MigrationStep"]


class _Contexts(type):
    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, RunningContext)


class MigrationContext(metaclass=_Contexts):
    """The class of `op.get_context()`; `configure` gives that one again."""

    @classmethod
    def configure(
        cls, connection: sa.Connection | None = None, url: object = None, dialect_name: object = None, **_: Any
    ) -> RunningContext:
        """The running step's context, where the connection is the step's own (or is not given)."""
        sink = running_sink()
        context = sink.migration_context()
        if connection is not None and getattr(connection, "engine", None) is not getattr(context.bind, "engine", None):
            raise UnsupportedOperation(
                "MigrationContext.configure was given a connection that is not the one of the running step.",
                hint="Use op.get_bind() and op.get_context().",
            )
        return context


class MigrationInfo:
    """What Alembic's on_version_apply is told; asyncmig's after_step gets a StepInfo."""


class MigrationStep:
    """A step of Alembic's plan."""
