"""What has to be done to the end although the task is being cancelled: rolling back, giving up a lock, closing a connection.

A shield of anyio's keeps off the cancellations of anyio's scopes, not those of asyncio itself (`task.cancel()`,
`asyncio.timeout`, a server's second SIGTERM): these go to the task, so the work gets one of its own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import anyio

__all__ = ["uncancelled"]


async def uncancelled(seconds: float, work: Coroutine[Any, Any, object]) -> bool:
    """Run `work` to its end whoever cancels the caller meanwhile; what it raises is raised, a cancellation after it.

    False when it was not done after `seconds`, and was cancelled itself: a server that does not answer must not keep
    a process alive.
    """
    deadline = time.monotonic() + seconds
    task = asyncio.create_task(work)
    stopped: asyncio.CancelledError | None = None
    with anyio.CancelScope(shield=True):
        while not task.done() and (left := deadline - time.monotonic()) > 0:
            try:
                await asyncio.wait([task], timeout=left)
            except asyncio.CancelledError as error:
                stopped = error
        in_time = task.done()
        if not in_time:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait([task], timeout=1)
    if in_time and not task.cancelled() and (failure := task.exception()) is not None:
        raise failure
    if stopped is not None:
        raise stopped
    return in_time
