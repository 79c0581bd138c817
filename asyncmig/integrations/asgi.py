"""The lifespan of an ASGI application that has its database migrated, or verified, before it serves."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

import anyio

from asyncmig.database.events import Event, LockWaiting, StepFinished, StepStarted
from asyncmig.database.loading import require_asyncio
from asyncmig.errors import AsyncmigError, CheckFailed, Interrupted, LockTimeout, UsageError
from asyncmig.integrations.stopping import Stopping
from asyncmig.migrator import Migrator

if TYPE_CHECKING:
    from asyncmig.database.report import Report, Standing

__all__ = ["Mode", "lifespan"]

T = TypeVar("T")

Mode = Literal["upgrade", "verify", "off"]
Lifespan = Callable[[Any], AbstractAsyncContextManager[Any]]

logger = logging.getLogger("asyncmig")


def lifespan(
    migrator: Migrator,
    mode: Mode = "upgrade",
    timeout: float | None = None,
    wrap: Lifespan | None = None,
    *,
    target: str = "head",
) -> Lifespan:
    """A lifespan for FastAPI, Starlette and Litestar: the database is at `target` before the application starts.

    "upgrade" brings it there, "verify" refuses to start where it is behind and needs no right but SELECT, "off"
    leaves it alone. A database that is ahead of the code is accepted and logged. `timeout`, in seconds, covers waiting for
    the run lock and the run. `wrap` is the application's own lifespan: it starts after the database is ready, and
    its state is handed on.

    What stops the start is an AsyncmigError without the frames it went through (these are logged at DEBUG):
    servers print the traceback. SIGTERM and SIGINT cancel the run, as no server does by itself.
    """
    if mode not in get_args(Mode):
        raise UsageError(f"mode={mode!r} is none of {', '.join(map(repr, get_args(Mode)))}.")
    opened = asynccontextmanager(wrap) if wrap is not None and inspect.isasyncgenfunction(wrap) else wrap
    startup = _Startup(_patient(migrator, timeout), mode, timeout, target)
    return lambda app: _Running(startup, opened(app) if opened is not None else None)


def _patient(migrator: Migrator, timeout: float | None) -> Migrator:
    """The same migrator, waiting for the run lock as long as `timeout` allows where the user gave no lock_timeout."""
    if timeout is None or "lock_timeout" in migrator.config.sources:
        return migrator
    return migrator.with_config(replace(migrator.config, lock_timeout=timeout))


class _Running:
    """The context manager that the server enters. A class: its frames are in every traceback of a refused start."""

    def __init__(self, startup: _Startup, wrapped: AbstractAsyncContextManager[Any] | None) -> None:
        self._startup = startup
        self._wrapped = wrapped

    async def __aenter__(self) -> Any:
        failure = await self._startup.failure()
        if failure is not None:
            raise failure
        return None if self._wrapped is None else await self._wrapped.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        return None if self._wrapped is None else await self._wrapped.__aexit__(kind, error, traceback)


@dataclass(frozen=True, slots=True)
class _Startup:
    migrator: Migrator
    mode: Mode
    timeout: float | None
    target: str

    async def failure(self) -> AsyncmigError | None:
        """What forbids the start, ready to be raised: one sentence, no frames, no cause."""
        try:
            match self.mode:
                case "upgrade":
                    _log_upgrade(await self._within(lambda migrator: migrator.upgrade(self.target)))
                case "verify":
                    _verify(await self._within(lambda migrator: migrator.standing(self.target)))
                case "off":
                    pass
        except AsyncmigError as error:
            logger.debug("the application is not started: %s", error, exc_info=True)
            failure = error
        else:
            return None
        failure.__cause__ = failure.__context__ = None
        return failure.with_traceback(None)

    async def _within(self, work: Callable[[Migrator], Awaitable[T]]) -> T:
        """What `work` gives, within the timeout and while no signal ends it; else LockTimeout, Interrupted."""
        require_asyncio()
        watched = _Watch()
        with anyio.move_on_after(self.timeout) as scope, Stopping(scope) as stopping:
            return await work(self.migrator.observed_by(watched))
        if stopping.received:
            raise Interrupted(f"Stopped by {stopping.received} while starting. {watched.standing()}")
        if watched.waiting is not None:
            holder = watched.waiting.holder or "another runner"
            raise LockTimeout(
                f"Waited for the run lock, which {holder} holds, for longer than timeout={self.timeout:g} s. "
                "Nothing was applied.",
                hint="Let it finish, end it, or raise the timeout.",
            )
        raise Interrupted(f"The start took longer than timeout={self.timeout:g} s. {watched.standing()}")


class _Watch:
    """An observer that remembers how far the run is."""

    def __init__(self) -> None:
        self.waiting: LockWaiting | None = None
        self._step: StepStarted | None = None
        self._applied = 0

    def __call__(self, event: Event) -> None:
        match event:
            case LockWaiting():
                self.waiting = event
            case StepStarted():
                self.waiting = None
                self._step = event
            case StepFinished():
                self._step = None
                self._applied += 1
            case _:
                pass

    def standing(self) -> str:
        """In a sentence each: the step that was cut short, and what stands."""
        cut = f"What {self._step.revision} had not committed was rolled back. " if self._step else ""
        return f"{cut}{self._applied or 'No'} revision{'s were' if self._applied > 1 else ' was'} applied."


def _log_upgrade(report: Report) -> None:
    _log_ahead(report.database, report.ahead)
    if report.steps:
        logger.info("%s: applied %s in %.2f s", report.database, ", ".join(report.applied), report.seconds)


def _verify(standing: Standing) -> None:
    _log_ahead(standing.database, standing.ahead)
    if standing.reached:
        return
    missing = standing.incomplete or standing.pending
    named = f"{', '.join(missing[:5])}{', ...' if len(missing) > 5 else ''}"
    what = f"has {named} incomplete" if standing.incomplete else f"is behind: {len(missing)} pending ({named})"
    raise CheckFailed(
        f"{standing.database} {what}.",
        found={"pending": list(standing.pending), "incomplete": list(standing.incomplete)},
        hint="Run `asyncmig upgrade head` before the application starts.",
    )


def _log_ahead(database: str, ahead: tuple[str, ...]) -> None:
    if ahead:
        logger.warning("%s is ahead of this code, at %s; starting all the same", database, ", ".join(ahead))
