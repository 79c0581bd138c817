"""Work that is done to its end, whoever cancels the task that waits for it."""

import asyncio
from collections.abc import Awaitable, Callable

import anyio
import anyio.lowlevel
import pytest

from asyncmig.database.uncancelled import uncancelled

Cancel = Callable[[Awaitable[object]], Awaitable[None]]


async def natively(run: Awaitable[object]) -> None:
    task = asyncio.ensure_future(run)
    for _ in range(3):
        await asyncio.sleep(0.01)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def by_timeout(run: Awaitable[object]) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await run


async def by_scope(run: Awaitable[object]) -> None:
    with anyio.move_on_after(0.01) as scope:
        await run
        await anyio.lowlevel.checkpoint()
    assert scope.cancelled_caught


CANCELS = [natively, by_timeout, by_scope]


@pytest.mark.parametrize("cancel", CANCELS)
async def test_the_work_ends_before_the_cancellation_goes_on(cancel: Cancel) -> None:
    done = []

    async def work() -> None:
        for number in range(10):
            await asyncio.sleep(0.01)
            done.append(number)

    await cancel(uncancelled(60, work()))
    assert done == list(range(10))


async def test_what_it_raises_is_raised() -> None:
    async def work() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await uncancelled(60, work())


async def test_what_takes_too_long_is_given_up() -> None:
    stopped = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            stopped.append(True)

    assert await uncancelled(0.02, work()) is False
    assert stopped == [True]
    assert await uncancelled(60, asyncio.sleep(0)) is True
