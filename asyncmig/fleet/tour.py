"""A tour of the targets: so many at once, the canaries first, those that somebody else holds again at the end."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import anyio

from asyncmig.config.fleet import FailureLimit

__all__ = ["Limits", "Tour"]

T = TypeVar("T")
R = TypeVar("R")

_FIRST_PAUSE = 0.05
_LONGEST_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class Limits:
    """`concurrency` targets at once; the first `canary` of them, and only these, before the others.

    Nothing more is begun once a canary failed or `max_failures` is reached. Targets that other runners hold are tried
    again and again as long as some of them are given up, and `patience` seconds longer; then they are insisted on.
    """

    concurrency: int = 8
    canary: int = 0
    max_failures: FailureLimit | None = None
    patience: float = 1.0


@dataclass(slots=True)
class Tour(Generic[T, R]):
    """`visit` gives the result, or None where another runner holds the target, unless it is asked to `insist`.

    `failed` tells results; `settled` hears of each. `shuffle` mixes the order of visits, so that runners on several
    machines get into each other's way less.
    """

    visit: Callable[[T, bool], Awaitable[R | None]]
    failed: Callable[[R], bool]
    settled: Callable[[T, R], Awaitable[None]]
    limits: Limits
    shuffle: Callable[[list[T]], None] = random.shuffle
    stopped: str | None = None
    _failures: int = 0
    _total: int = 0
    _error: Exception | None = field(default=None, init=False)

    async def run(self, targets: Sequence[T]) -> None:
        """Visit them all, or as many as the limits allow."""
        self._total = len(targets)
        canaries, others = list(targets[: self.limits.canary]), list(targets[self.limits.canary :])
        await self._wave(canaries)
        if self._failures and not self.stopped:
            self.stopped = f"{self._failures} of {len(canaries)} canaries failed"
        self.shuffle(others)
        await self._wave(others)

    def stop(self, error: Exception) -> None:
        """Begin nothing more, and raise `error` when what was begun is over."""
        self._error = self._error or error
        self.stopped = self.stopped or str(error)

    async def _wave(self, targets: Sequence[T]) -> None:
        held = await self._round(targets, insist=False)
        pause, since = _FIRST_PAUSE, time.monotonic()
        while held and not self.stopped:
            await anyio.sleep(pause * random.uniform(0.5, 1.5))
            left = await self._round(held, insist=time.monotonic() - since > self.limits.patience)
            if len(left) < len(held):
                pause, since = _FIRST_PAUSE, time.monotonic()
            pause, held = min(pause * 1.5, _LONGEST_PAUSE), left
        if self._error is not None:
            raise self._error

    async def _round(self, targets: Sequence[T], *, insist: bool) -> list[T]:
        """Visit each once; gives those that others hold."""
        queue, held = deque(targets), list[T]()
        async with anyio.create_task_group() as group:
            for _ in range(min(self.limits.concurrency, len(queue))):
                group.start_soon(self._work, queue, held, insist)
        return held

    async def _work(self, queue: deque[T], held: list[T], insist: bool) -> None:
        while queue and not self.stopped:
            target = queue.popleft()
            result = await self.visit(target, insist)
            if result is None:
                held.append(target)
                continue
            if self.failed(result):
                self._count_failure()
            await self.settled(target, result)

    def _count_failure(self) -> None:
        self._failures += 1
        limit = self.limits.max_failures
        if limit is not None and not self.stopped and limit.reached(self._failures, self._total):
            self.stopped = f"{self._failures} of {self._total} targets failed"
