"""Runs what awaits. The only file of the command line that knows asyncio."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Coroutine
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

from asyncmig.errors import Interrupted

if TYPE_CHECKING:
    import asyncio

__all__ = ["run", "run_without_loop"]

T = TypeVar("T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_without_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that never waits, as those that only read files do not.

    Importing asyncio costs a fifth of what `asyncmig heads` costs in all. RuntimeError where it does wait.
    """
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    coroutine.close()
    raise RuntimeError("a command that reads files only waited for something")


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """The result of `coroutine`, run to its end in an event loop of its own.

    The first SIGINT or SIGTERM cancels it once and waits for its cleanup: roll back, stop the statement on the
    server, release the lock; then Interrupted is raised. Further signals are ignored while that cleanup runs, except
    where a script's synchronous code has not yet let the cancellation in: there they raise KeyboardInterrupt.
    """
    import asyncio

    _show_warnings()
    with asyncio.Runner() as runner:
        return runner.run(_supervised(coroutine))


def _show_warnings() -> None:
    """Let what asyncmig logs (warnings) reach stderr, unless the process has set up logging for it."""
    import logging

    logger = logging.getLogger("asyncmig")
    if all(isinstance(handler, logging.NullHandler) for handler in (*logger.handlers, *logging.getLogger().handlers)):
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("warning: %(message)s"))
        logger.addHandler(handler)


async def _supervised(coroutine: Coroutine[Any, Any, T]) -> T:
    import asyncio

    task = asyncio.ensure_future(coroutine)
    stop = _Stop(task, asyncio.get_running_loop())
    with stop:
        try:
            return await task
        except (asyncio.CancelledError, KeyboardInterrupt):
            if stop.received is None:
                raise
            raise Interrupted("Interrupted: what was not finished was rolled back.") from None


class _Stop:
    """Signal handlers of this process while the task runs; `received` is the first signal that came."""

    def __init__(self, task: asyncio.Future[Any], loop: asyncio.AbstractEventLoop) -> None:
        self.received: int | None = None
        self._stopping = False
        self._task = task
        self._loop = loop
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> None:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        if self.received is None:
            self.received = number
            self._loop.call_soon_threadsafe(self._cancel)
        elif not self._stopping:
            # The cancellation that waits in the loop must not hit the cleanup that this starts.
            self._stopping = True
            raise KeyboardInterrupt
        else:
            print("still stopping: the running step is being rolled back", file=sys.stderr, flush=True)

    def _cancel(self) -> None:
        if not self._stopping:
            self._stopping = True
            self._task.cancel()
