"""SIGINT and SIGTERM while a command runs: the first of them stops it, wherever it is."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

__all__ = ["Stop", "Stopped"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)

# Has the main thread look again at what it does. None of _SIGNALS: two of a kind that come together are one to the
# process, and a second Ctrl-C would be lost in a look. SIGURG does nothing where nobody asked for it (signal(7)).
if sys.platform == "win32":
    _LOOK = signal.SIGBREAK
else:
    _LOOK = signal.SIGURG
_BETWEEN_LOOKS = 0.01

_NEVER_BROKEN_OFF = frozenset(("sqlalchemy", "asyncpg", "psycopg", "psycopg_pool", "aiosqlite", "asyncio", "anyio"))
"""Packages whose code may be in the middle of an exchange with the server, or of the event loop's own work."""


class Stopped(BaseException):
    """Raised in code of the project that keeps the event loop; not an error, as KeyboardInterrupt is none.

    The event loop lets a KeyboardInterrupt out at once, before whoever rolls back has had a turn.
    """


class Stop:
    """Signal handlers of this process while the task runs; `received` is the first signal that came.

    `let_out` says whether a KeyboardInterrupt has left the event loop.

    The task is cancelled once, or Stopped is raised in what keeps the loop from cancelling it: a script that computes.
    Where that happens to be in code that must not be broken off, it is looked at again until it is not; and so it is
    while other targets of a fleet may get their turn. No task is stopped twice: its cleanup runs undisturbed. Further
    signals are ignored then; before that they raise KeyboardInterrupt.
    """

    def __init__(
        self, task: asyncio.Task[Any], loop: asyncio.AbstractEventLoop, current: Callable[[], asyncio.Task[Any] | None]
    ) -> None:
        self.received: int | None = None
        self.let_out = False
        self._task = task
        self._stopped: set[object] = set()  # the tasks that are ending
        self._loop = loop
        self._current = current  # the task that runs in it
        self._before: dict[signal.Signals, Any] = {}
        self._over = threading.Event()
        self._looking: threading.Thread | None = None

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._on_signal) for number in _SIGNALS}
            self._before[_LOOK] = signal.signal(_LOOK, self._on_look)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._looking is not None:
            self._looking.join()
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if self.received is None:
            self.received = number
            self._loop.call_soon_threadsafe(self._cancel)
            self._looking = threading.Thread(target=self._keep_looking, daemon=True)
            self._looking.start()
            self._raise_in_the_project(frame)
        elif not self._stopped:
            # The cancellation that waits in the loop must not hit the cleanup that this starts.
            self._stopped.add(self._task)
            self.let_out = True
            raise KeyboardInterrupt
        else:
            print("still stopping: the running step is being rolled back", file=sys.stderr, flush=True)

    def _on_look(self, _: int, frame: FrameType | None) -> None:
        self._raise_in_the_project(frame)

    def _raise_in_the_project(self, frame: FrameType | None) -> None:
        task = self._current()
        if task not in self._stopped and _is_the_projects(frame):
            self._stopped.add(task)
            raise Stopped

    def _keep_looking(self) -> None:
        """Only a signal's handler can look at what the main thread does and raise there."""
        while not self._over.wait(_BETWEEN_LOOKS):
            _signal_main_thread(_LOOK)

    def _cancel(self) -> None:
        if self._task not in self._stopped:
            self._stopped.add(self._task)
            self._task.cancel()


def _signal_main_thread(number: int) -> None:
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, number)  # wakes it from a sleep, too
    else:
        signal.raise_signal(number)


def _is_the_projects(frame: FrameType | None) -> bool:
    """Whether code that asyncmig has called runs: a script, env.py, a hook, or what they call."""
    theirs = False
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package == "asyncmig":
            return theirs
        if package in _NEVER_BROKEN_OFF:
            return False
        theirs = theirs or package not in sys.stdlib_module_names
        frame = frame.f_back
    return False
