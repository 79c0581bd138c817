"""Awaiting where no event loop may be touched: a synchronous fixture knows nothing of the loop of the tests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from threading import Thread
from typing import Any, TypeVar

__all__ = ["awaited"]

T = TypeVar("T")


def awaited(function: Callable[..., Coroutine[Any, Any, T]], *arguments: object) -> T:
    """What `await function(*arguments)` gives, in a loop and a thread of its own.

    The caller's thread may have a running loop, or one that is merely set: neither is looked at.
    """
    results: list[T] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            results.append(asyncio.run(function(*arguments)))
        except BaseException as error:
            failures.append(error)

    thread = Thread(target=work, name="asyncmig")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return results[0]
