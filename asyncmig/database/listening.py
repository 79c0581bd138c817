"""What a script does with SQLAlchemy's transaction on the step's connection, told to the step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy import event

__all__ = ["TransactionListener", "transaction_events"]


class TransactionListener(Protocol):
    def on_begin(self) -> None: ...

    def on_commit(self) -> None: ...

    def on_rollback(self) -> None: ...

    def on_executed(self, sql: str) -> None: ...


@contextmanager
def transaction_events(connection: sa.Connection, step: Callable[[], TransactionListener | None]) -> Iterator[None]:
    """Let the running step hear what a script does with the transaction through this one Connection object."""

    def tell(name: str) -> Callable[..., None]:
        def listener(*_: object) -> None:
            running = step()
            if running is not None:
                getattr(running, name)()

        return listener

    def executed(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        running = step()
        if running is not None:
            running.on_executed(sql)

    listeners = {name: tell(f"on_{name}") for name in ("begin", "commit", "rollback")}
    listeners["after_cursor_execute"] = executed
    for name, listener in listeners.items():
        event.listen(connection, name, listener)
    try:
        yield
    finally:
        for name, listener in listeners.items():
            event.remove(connection, name, listener)
