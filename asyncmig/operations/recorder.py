"""The recording sink: what a script would do, kept as values, without a database."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, cast

from asyncmig.errors import AsyncmigError, DynamicScript
from asyncmig.operations.base import Operation, Origin
from asyncmig.operations.calling import ScriptFunction, await_line, call_script, check_result
from asyncmig.operations.context import ContextSettings, MigrationContext
from asyncmig.operations.sink import StepOwner, running
from asyncmig.schema.model import Schema

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.ext.asyncio import AsyncConnection

    from asyncmig.operations.backfills import Backfill, Batch

__all__ = ["Recorded", "Recorder", "Recording", "record", "replay"]

_OFFLINE = "Guard it with `if not op.get_context().as_sql:`, or say the change with op.execute(...) alone."
_ONLINE = "The script can be run; it can only be shown beforehand where it does without the connection."


@dataclass(frozen=True, slots=True)
class Recorded:
    """`autocommit` is true for what stood in an autocommit block."""

    operation: Operation
    origin: Origin | None = None
    autocommit: bool = False


@dataclass(frozen=True, slots=True)
class Recording:
    """What one function of a script does, in order."""

    script: Path
    items: tuple[Recorded, ...]

    @property
    def operations(self) -> tuple[Operation, ...]:
        return tuple(item.operation for item in self.items)

    def __iter__(self) -> Iterator[Recorded]:
        return iter(self.items)


class Recorder:
    """A Sink that keeps operations. One that asks for the database gets DynamicScript with its line."""

    def __init__(
        self,
        script: str | Path,
        dialect: sa.engine.Dialect,
        *,
        naming_convention: Mapping[str, Any] | None = None,
        settings: ContextSettings | None = None,
    ) -> None:
        self.script = str(script)
        self.naming_convention = naming_convention
        self.sqlalchemy_dialect = dialect
        self.items: list[Recorded] = []
        self.dynamic: DynamicScript | None = None
        self.bound: Origin | None = None
        self._settings = settings or ContextSettings()
        self._owner = StepOwner(threading.get_ident)
        self._autocommit = 0

    def guard(self) -> None:
        self._owner.check()

    def emit(self, operation: Operation, origin: Origin | None) -> None:
        self.items.append(Recorded(operation, origin, self._autocommit > 0))

    def bind(self, origin: Origin | None) -> sa.Connection:
        """Only its dialect is known, and for --sql it writes down what it is told; DynamicScript for more than that."""
        from asyncmig.operations.offline_bind import OfflineBind
        from asyncmig.operations.recorded_bind import RecordedBind

        self.bound = self.bound or origin or Origin(Path(self.script), 1)
        arguments = (self.sqlalchemy_dialect, self.script, self.refuse)
        bind = OfflineBind(*arguments, self.emit) if self._settings.as_sql else RecordedBind(*arguments)
        return cast("sa.Connection", bind)

    def connection(self, origin: Origin | None) -> Awaitable[AsyncConnection]:
        self.refuse("the connection (op.connection) is asked for", origin)

    def run_async(
        self,
        origin: Origin | None,
        function: Callable[..., Awaitable[Any]],
        args: Sequence[Any],
        keywords: Mapping[str, Any],
    ) -> NoReturn:
        self.refuse("op.run_async hands out the connection", origin)

    def batches(self, operation: Backfill, origin: Origin | None) -> AsyncIterator[Batch]:
        self.emit(operation, origin)
        return _no_batches()

    def migration_context(self) -> MigrationContext:
        return MigrationContext(self, self._settings)

    def autocommit_block(self, origin: Origin | None) -> AbstractContextManager[None]:
        return self._autocommit_block()

    @contextmanager
    def _autocommit_block(self) -> Iterator[None]:
        self._autocommit += 1
        try:
            yield
        finally:
            self._autocommit -= 1

    def refuse(self, what: str, origin: Origin | None) -> NoReturn:
        """Raise DynamicScript, and remember it for a script that swallows it."""
        error = DynamicScript(
            f"{what} here, so what the script does cannot be told without running it.",
            path=origin.path if origin else Path(self.script),
            line=origin.line if origin else None,
            hint=_OFFLINE if self._settings.as_sql else _ONLINE,
        )
        self.dynamic = self.dynamic or error
        raise error


async def _no_batches() -> AsyncIterator[Batch]:
    nothing: tuple[Batch, ...] = ()
    for batch in nothing:
        yield batch


def record(function: ScriptFunction, recorder: Recorder) -> Recording:
    """What `function`, plain or async, does through `op`.

    DynamicScript when it asks for the database or awaits something, even where the script catches that
    error: half a recording would be taken for the whole.
    """
    try:
        with running(recorder):
            coroutine = call_script(function, Path(recorder.script))
            if coroutine is not None:
                _drive(coroutine, recorder)
    except Exception as error:
        if recorder.dynamic is not None and error is not recorder.dynamic:
            raise recorder.dynamic from error
        if recorder.bound is not None and not isinstance(error, AsyncmigError):
            # Not the script's fault, perhaps: it was given a connection that is none.
            recorder.refuse(
                f"the connection (op.get_bind) is used, and {type(error).__name__} raised without one", recorder.bound
            )
        raise
    if recorder.dynamic is not None:
        raise recorder.dynamic
    return Recording(Path(recorder.script), tuple(recorder.items))


def replay(operations: Iterable[Operation], schema: Schema | None = None) -> Schema:
    """The schema after `operations`, starting from `schema` or from nothing."""
    result = schema or Schema()
    for operation in operations:
        result = operation.apply(result)
    return result


def _drive(coroutine: Coroutine[Any, Any, object], recorder: Recorder) -> None:
    try:
        coroutine.send(None)
    except StopIteration as stop:
        check_result(stop.value, Path(recorder.script))
        return
    line = await_line(coroutine, recorder.script)
    origin = Origin(Path(recorder.script), line) if line else None
    try:
        recorder.refuse("the script awaits something", origin)
    finally:
        coroutine.close()
