"""Modules that are loaded in a thread: a first import takes tenths of a second, and the event loop has others to serve."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

from asyncmig.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["load_aside", "load_basis", "load_fleet", "needed_for_work", "needed_to_connect", "require_asyncio"]

_BASIS = (
    "anyio",
    "anyio._backends._asyncio",  # anyio itself loads it at its first use
    "asyncmig.environment",
    "asyncmig.database.site",
    "asyncmig.database.request",
)
"""What every look at a database needs."""

_FLEET = ("anyio.to_thread", "asyncmig.fleet.project", "asyncmig.fleet.tour", "asyncmig.fleet.visit")
"""What a look at many needs besides."""


def needed_to_connect(url: URL) -> tuple[str, ...]:
    """SQLAlchemy's modules for the URL, the driver, and our own for reading the version table there."""
    backend, driver = url.get_backend_name(), url.get_driver_name().removesuffix("_async")
    ours = ("asyncmig.database.asyncpg_text",) if driver == "asyncpg" else ()
    return (f"sqlalchemy.dialects.{backend}.{driver}", driver, f"asyncmig.dialects.ledger_{backend}", *ours)


def needed_for_work(backend: str) -> tuple[str, ...]:
    """What a run needs that has something to do."""
    return (
        "asyncmig.database.run",
        "asyncmig.database.whole",
        "asyncmig.database.work",
        "asyncmig.database.history",
        "asyncmig.database.lock",
        "asyncmig.database.blockers",
        "asyncmig.environment.script_config",
        "asyncmig.operations.facade",
        f"asyncmig.dialects.{backend}",
    )


def require_asyncio() -> None:
    """UsageError elsewhere: SQLAlchemy's drivers await asyncio's futures, and trio would fail on them in its own words."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise UsageError(
            "No asyncio event loop is running here, and the database drivers need one; trio's loop is none.",
            hint="Run the application on asyncio (`uvicorn`, `hypercorn -k asyncio`), or `asyncmig upgrade` before it.",
        ) from None


async def load_basis() -> None:
    """What looking at a database needs, while the event loop goes on; refused where there is no loop of asyncio's."""
    require_asyncio()
    await load_aside(*_BASIS)


async def load_fleet() -> None:
    """What looking at many databases needs; otherwise as `load_basis`."""
    require_asyncio()
    await load_aside(*_BASIS, *_FLEET)


async def load_aside(*names: str) -> None:
    """Import what is not there yet. What cannot be imported is left to whoever needs it, who says so in words."""
    missing = [name for name in names if name not in sys.modules]
    if missing:
        await asyncio.to_thread(_load, missing)


def _load(names: Sequence[str]) -> None:
    for name in names:
        with suppress(ImportError):
            import_module(name)
