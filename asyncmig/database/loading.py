"""Modules that are loaded in a thread: a first import takes tenths of a second, and the event loop has others to serve."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["BASIS", "FLEET", "load_aside", "needed_for_work", "needed_to_connect"]

BASIS = (
    "anyio",
    "anyio._backends._asyncio",  # anyio itself loads it at its first use
    "asyncmig.environment",
    "asyncmig.database.site",
    "asyncmig.database.request",
)
"""What every look at a database needs."""

FLEET = (*BASIS, "anyio.to_thread", "asyncmig.fleet.project", "asyncmig.fleet.tour", "asyncmig.fleet.visit")
"""What a look at many needs."""


def needed_to_connect(url: URL) -> tuple[str, ...]:
    """SQLAlchemy's modules for the URL, the driver, and our own for reading the version table there."""
    backend, driver = url.get_backend_name(), url.get_driver_name().removesuffix("_async")
    ours = ("asyncmig.database.asyncpg_text",) if driver == "asyncpg" else ()
    return (f"sqlalchemy.dialects.{backend}.{driver}", driver, f"asyncmig.dialects.ledger_{backend}", *ours)


def needed_for_work(backend: str) -> tuple[str, ...]:
    """What a run needs that has something to do."""
    return (
        "asyncmig.database.run",
        "asyncmig.database.work",
        "asyncmig.database.history",
        "asyncmig.database.lock",
        "asyncmig.database.blockers",
        "asyncmig.environment.script_config",
        "asyncmig.operations.facade",
        f"asyncmig.dialects.{backend}",
    )


async def load_aside(*names: str) -> None:
    """Import what is not there yet. What cannot be imported is left to whoever needs it, who says so in words."""
    missing = [name for name in names if name not in sys.modules]
    if missing:
        await asyncio.to_thread(_load, missing)


def _load(names: Sequence[str]) -> None:
    for name in names:
        with suppress(ImportError):
            import_module(name)
