"""SIGTERM and SIGINT while something runs: it is cancelled, and whoever listened before hears the signal too.

Servers note the signal and wait for the startup to end by itself; by then an orchestrator has killed the process.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from types import FrameType
from typing import Any

import anyio

__all__ = ["Stopping"]

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopping:
    """Around what runs in `scope`; `received` is the name of the signal that cancelled it.

    The handlers are as before afterwards. Outside the main thread, where none can be set, nothing happens.
    """

    def __init__(self, scope: anyio.CancelScope) -> None:
        self.received: str | None = None
        self._scope = scope
        self._loop = asyncio.get_running_loop()
        self._before: dict[signal.Signals, Any] = {}
        self._late: list[int] = []

    def __enter__(self) -> Stopping:
        if threading.current_thread() is threading.main_thread():
            # None: somebody's C code listens; SIG_IGN: somebody wants no end.
            found = {number: signal.getsignal(number) for number in _SIGNALS}
            self._before = {number: one for number, one in found.items() if one not in (None, signal.SIG_IGN)}
            for number in self._before:
                signal.signal(number, self._on_signal)
        return self

    def __exit__(self, *_: object) -> None:
        for name, before in self._before.items():
            # Who has set another handler meanwhile keeps it.
            if signal.getsignal(name) == self._on_signal:
                signal.signal(name, before)
        for number in self._late:
            signal.raise_signal(number)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.received = self.received or signal.Signals(number).name
        self._loop.call_soon_threadsafe(self._scope.cancel)
        before = self._before[signal.Signals(number)]
        if callable(before) and before is not signal.default_int_handler:
            before(number, frame)
        elif number not in self._late:
            # What would end the process at once has to wait until the step is rolled back.
            self._late.append(number)
