"""How long a SQLite file that another process holds is waited for."""

from __future__ import annotations

import random
import time

import anyio

from asyncmig.database.events import LockWaiting, Observer, announce_async

__all__ = ["Patience"]

_ANNOUNCE_AFTER = 0.5
_HOLDER = "another process that has the database file open"


class Patience:
    """From its making on, for `seconds`; the observer hears of it once, when the wait is worth a word."""

    def __init__(self, seconds: float, observer: Observer | None) -> None:
        self.seconds = seconds
        self._observer = observer
        self._started = time.monotonic()
        self._announced = False

    async def pause(self) -> bool:
        """Sleep before the next try; False, at once, when there is to be none."""
        waited = time.monotonic() - self._started
        if waited >= self.seconds:
            return False
        if waited >= _ANNOUNCE_AFTER and not self._announced:
            self._announced = True
            await announce_async(self._observer, LockWaiting(waited, _HOLDER))
        await anyio.sleep(random.uniform(0.01, 0.05))
        return True
