"""Runs what awaits. The only file of the command line that knows asyncio."""

from __future__ import annotations

from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

from asyncmig.cli.stopping import Stop
from asyncmig.errors import Interrupted

__all__ = ["run", "run_without_loop"]

T = TypeVar("T")


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

    The first SIGINT or SIGTERM cancels it once, or breaks off the script that keeps the event loop, and waits for the
    cleanup: roll back, stop the statement on the server, release the lock; then Interrupted is raised. Further signals
    are ignored meanwhile.
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

    task = asyncio.create_task(coroutine)
    loop = asyncio.get_running_loop()
    with Stop(task, loop, partial(asyncio.current_task, loop)) as stop:
        try:
            return await task
        except BaseException as error:
            # A group where several targets of a fleet were under way.
            if stop.received is None or isinstance(error, Exception):
                raise
            if stop.let_out:
                raise asyncio.CancelledError from None  # the KeyboardInterrupt has left the loop; this only ends it
            raise Interrupted("Interrupted: what was not finished was rolled back.") from None
