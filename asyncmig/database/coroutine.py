"""Driving an async script inside run_sync's greenlet, so that `op` needs no await there.

The coroutine's own frames run in the greenlet: an `op` call reaches the connection synchronously. What the
coroutine awaits is handed to the event loop through SQLAlchemy's bridge, future by future, so timeouts,
context variables and the AsyncConnection work as in any task.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Generator
from typing import Any

from sqlalchemy.util import await_only

__all__ = ["drive"]


class _Relay(Awaitable[Any]):
    """Gives one future that a coroutine yielded to whoever awaits this."""

    __slots__ = ("_future",)

    def __init__(self, future: Any) -> None:
        self._future = future

    def __await__(self) -> Generator[Any, Any, Any]:
        return (yield self._future)


def drive(coroutine: Coroutine[Any, Any, object]) -> object:
    """Run the coroutine to its end and return its result; what it awaits is awaited by the running task."""
    answer: Any = None
    error: BaseException | None = None
    while True:
        try:
            future = coroutine.send(answer) if error is None else coroutine.throw(error)
        except StopIteration as stop:
            return stop.value
        answer, error = None, None
        try:
            answer = await_only(_Relay(future))
        except BaseException as raised:
            # Cancellation too belongs to the coroutine first: it may clean up, or turn it into a TimeoutError.
            error = raised
