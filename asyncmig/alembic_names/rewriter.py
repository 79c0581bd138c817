"""`alembic.autogenerate.rewriter`: hooks that replace operations of a new revision."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from asyncmig.alembic_names.dispatch import Dispatcher
from asyncmig.alembic_names.ops import MigrateOperation, MigrationScript, OpContainer

__all__ = ["Rewriter"]

Rewrite = Callable[[Any, Any, Any], Any]


class Rewriter:
    """Given as process_revision_directives; each operation goes through the function for its class."""

    def __init__(self) -> None:
        self.dispatch = Dispatcher()
        self._chained: tuple[Rewrite, ...] = ()

    def rewrites(self, operator: type[Any] | tuple[type[Any], ...]) -> Callable[[Rewrite], Rewrite]:
        """Decorator: `(context, revision, op)` gives what stands in the place of an `op` of this class."""

        def register(function: Rewrite) -> Rewrite:
            for one in operator if isinstance(operator, tuple) else (operator,):
                self.dispatch.dispatch_for(one)(function)
            return function

        return register

    def chain(self, other: Rewrite) -> Rewriter:
        """This one, and then the other."""
        both = Rewriter()
        both.dispatch = self.dispatch.branch()
        both._chained = (*self._chained, other)
        return both

    def __call__(self, context: Any, revision: Any, directives: list[Any]) -> None:
        directives[:] = [new for old in directives for new in self._rewritten(context, revision, old)]
        for other in self._chained:
            other(context, revision, directives)

    process_revision_directives = __call__

    def _rewritten(self, context: Any, revision: Any, op: Any) -> Iterator[MigrateOperation]:
        for new in self._replaced(context, revision, op):
            if isinstance(new, OpContainer):
                new.ops = [inner for old in new.ops for inner in self._rewritten(context, revision, old)]
            elif isinstance(new, MigrationScript):
                for container in (*new.upgrade_ops_list, *new.downgrade_ops_list):
                    container.ops = [
                        inner for old in container.ops for inner in self._rewritten(context, revision, old)
                    ]
            yield new

    def _replaced(self, context: Any, revision: Any, op: Any) -> Iterable[Any]:
        if not self.dispatch.has_dispatch(op):
            return (op,)
        result = self.dispatch.dispatch(op)(context, revision, op)
        if result is None:
            return ()
        return result if isinstance(result, Iterable) else (result,)
