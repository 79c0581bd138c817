"""`op` for operations that a project or a plug-in brings along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

import sqlalchemy as sa

from asyncmig.errors import OperationError
from asyncmig.operations.base import Operation
from asyncmig.operations.directives.base import Directives
from asyncmig.operations.sink import Sink, origin_in
from asyncmig.operations.sql import Execute, plain_sql

if TYPE_CHECKING:
    from collections.abc import Mapping

    from asyncmig.operations.context import MigrationContext

__all__ = ["ExtensionDirectives", "Impl", "NoImplementation"]

C = TypeVar("C", bound="type[Any]")
F = TypeVar("F", bound=Callable[..., Any])


class NoImplementation(OperationError):
    """`op.invoke` was given an operation that nobody said how to run."""

    @classmethod
    def of(cls, operation: object) -> Self:
        name = type(operation).__name__
        return cls(f"Nobody said how to run {name}.", hint=f"Decorate a function with @implementation_for({name}).")


class ExtensionDirectives(Directives):
    """What is registered becomes a method of the class that it was registered on."""

    __slots__ = ()
    _implementations: ClassVar[dict[type[Any], Callable[..., Any]]] = {}

    @classmethod
    def register_operation(cls, name: str, sourcename: str | None = None) -> Callable[[C], C]:
        """Class decorator: `op.<name>(...)` calls the class method `sourcename` (or `name`) with `op` first."""

        def register(operation_class: C) -> C:
            source = getattr(operation_class, sourcename or name)

            def directive(self: ExtensionDirectives, *arguments: Any, **keywords: Any) -> Any:
                return source(self, *arguments, **keywords)

            directive.__name__ = name
            directive.__doc__ = source.__doc__
            setattr(cls, name, directive)
            return operation_class

        return register

    @classmethod
    def implementation_for(cls, op_cls: type[Any], replace: bool = False) -> Callable[[F], F]:
        """Decorator: the function `(operations, operation)` runs operations of this class and its subclasses."""

        def register(function: F) -> F:
            if op_cls in cls._implementations and not replace:
                raise OperationError(
                    f"{op_cls.__name__} has an implementation already.", hint="Say replace=True to use another one."
                )
            cls._implementations[op_cls] = function
            return function

        return register

    @classmethod
    @contextmanager
    def context(cls, migration_context: MigrationContext) -> Iterator[Self]:
        """`with Operations.context(op.get_context()) as op:` gives the directives of the running step."""
        yield cls()

    def invoke(self, operation: Any) -> Any:
        """Run an operation: one of asyncmig's own, or one that `implementation_for` knows."""
        if isinstance(operation, Operation):
            return self._emit(operation)
        return self._implementation(operation)(self, operation)

    @property
    def migration_context(self) -> MigrationContext:
        """What get_context() gives."""
        return self._step().migration_context()

    @property
    def impl(self) -> Impl:
        """What implementations written for Alembic use of its DefaultImpl."""
        return Impl(self._step())

    def _implementation(self, operation: object) -> Callable[..., Any]:
        for base in type(operation).__mro__:
            if base in self._implementations:
                return self._implementations[base]
        raise NoImplementation.of(operation)


class Impl:
    """The database under a running step, with the few members of Alembic's DefaultImpl that plug-ins use."""

    __slots__ = ("_sink",)

    transactional_ddl = True

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    @property
    def dialect(self) -> sa.engine.Dialect:
        return self._sink.sqlalchemy_dialect

    @property
    def as_sql(self) -> bool:
        return self._sink.migration_context().as_sql

    @property
    def bind(self) -> sa.Connection | None:
        return self._sink.migration_context().bind

    @property
    def connection(self) -> sa.Connection | None:
        return self.bind

    def execute(self, sql: str | sa.Executable, execution_options: Mapping[str, Any] | None = None) -> None:
        """Run SQL, text or construct."""
        self._sink.emit(Execute(plain_sql(sql), execution_options), origin_in(self._sink.script))

    _exec = execute
