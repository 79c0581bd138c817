"""After a cancellation: nothing of ours is left executing on the server, and the step is rolled back."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import anyio
import sqlalchemy as sa
from sqlalchemy.util import await_only, greenlet_spawn

from asyncmig.database.driver import driver_of
from asyncmig.database.failures import message_of
from asyncmig.database.pragmas import pay_back
from asyncmig.database.uncancelled import uncancelled

if TYPE_CHECKING:
    from asyncmig.database.connection import Connection
    from asyncmig.database.engine import Database

__all__ = ["backend_of", "end_work"]

_SECONDS = 10.0
_LOOKS = 2
"""So often in a row a session has to be seen waiting for its client: what that has sent may still be on its way."""

_STATE = "SELECT state, coalesce(wait_event = 'ClientRead', false) FROM pg_catalog.pg_stat_activity WHERE pid = {pid}"
_CANCEL = "SELECT pg_cancel_backend({pid})"

logger = logging.getLogger("asyncmig")


async def backend_of(connection: Connection) -> int | None:
    """The server process behind the connection, to be remembered while it can still be asked."""
    return await connection.run_sync(lambda sync: driver_of(sync).backend_pid)


async def end_work(database: Database, connection: Connection, backend: int | None) -> None:
    """Stop the running statement, roll back; whatever is cancelled meanwhile, with a deadline.

    A driver that is cancelled asks the server to stop, and the server has been seen to go on to the end with its
    locks: so the server is asked, over a second connection, until it says that the session is idle.
    """
    if not await uncancelled(_SECONDS, _stop_and_roll_back(database, connection, backend)):
        logger.warning("the cancelled statement did not end within %g s; its connection is dropped", _SECONDS)
        await connection.invalidate()


async def _stop_and_roll_back(database: Database, connection: Connection, backend: int | None) -> None:
    try:
        if backend is not None:
            await _end_statement(database, backend)
        await connection.run_sync(_interrupt_and_roll_back)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        # The connection is gone, and with it the transaction and the lock.
        logger.warning("the cancelled connection was closed instead of rolled back: %s", message_of(error))
        await connection.invalidate()


def _interrupt_and_roll_back(connection: sa.Connection) -> None:
    if connection.invalidated:
        return  # SQLAlchemy has closed it already, as it does when its own execute() is cancelled
    driver = driver_of(connection)
    if driver.stuck:
        connection.invalidate()
        return
    driver.interrupt()
    if driver.in_transaction:
        driver.run("ROLLBACK")
    pay_back(driver)


async def _end_statement(database: Database, backend: int) -> None:
    try:
        await greenlet_spawn(_cancel_until_idle, database.engine, backend)
    except (sa.exc.SQLAlchemyError, OSError) as error:
        logger.warning("could not look whether the cancelled statement still runs: %s", message_of(error))


def _cancel_until_idle(engine: sa.Engine, backend: int) -> None:
    """Idle is a session also in the middle of an exchange that its client does not go on with.

    asyncpg sends a query in two messages: cancelled between them it leaves the session "active", which runs nothing.
    """
    # A pool of its own: the application's may consist of the one connection that is stuck.
    pool = engine.pool.recreate()
    # Held by name: a connection that nobody holds is closed at once, under its cursor.
    second = pool.connect()
    try:
        cursor = second.cursor()
        deadline = time.monotonic() + _SECONDS
        waits = 0
        while time.monotonic() < deadline:
            cursor.execute(_STATE.format(pid=backend))
            row = cursor.fetchone()
            if row is None or row[0] != "active":
                return
            waits = waits + 1 if row[1] else 0
            if waits == _LOOKS:
                return
            cursor.execute(_CANCEL.format(pid=backend))
            # A transaction sees pg_stat_activity as it was at its first look ("Viewing Statistics").
            second.rollback()
            await_only(anyio.sleep(0.05))
    finally:
        second.close()
        pool.dispose()
