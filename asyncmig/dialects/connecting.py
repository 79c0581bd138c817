"""How each database is connected to: what its drivers are told beyond the URL, and what its connections can do.

Light: every start reads it, also one with nothing to do.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["Connecting", "connecting_to"]

_CONNECT_SECONDS = 15
"""How long a driver may take to connect, unless engine_options say otherwise."""

_BUSY_SECONDS = 0.1
"""How long SQLite itself waits for a locked file before the runner asks again."""


class Connecting:
    """`locks`: whether `lock = "advisory"` and "lease" mean something there."""

    locks: ClassVar[bool] = True
    schemas: ClassVar[bool] = False

    def __init__(self, url: URL) -> None:
        self.url = url

    def driver_url(self) -> URL:
        """The URL by which SQLAlchemy finds the driver."""
        return self.url

    def file(self) -> Path | None:
        """The file that is the database; None for a server, in memory, and where only SQLite can read the name."""
        return None

    def arguments(self, given: Mapping[str, Any], *, pooled: bool) -> dict[str, Any]:
        """The driver's connect arguments: what was `given` counts. `pooled`: each transaction may be on another server."""
        return dict(given)


class _Postgresql(Connecting):
    schemas = True

    def driver_url(self) -> URL:
        return self.url.set(drivername="postgresql+psycopg_async") if self._is_psycopg else self.url

    @property
    def _is_psycopg(self) -> bool:
        return self.url.get_driver_name().startswith("psycopg")

    def arguments(self, given: Mapping[str, Any], *, pooled: bool) -> dict[str, Any]:
        return self._psycopg(dict(given), pooled) if self._is_psycopg else self._asyncpg(dict(given), pooled)

    def _psycopg(self, arguments: dict[str, Any], pooled: bool) -> dict[str, Any]:
        arguments.setdefault("connect_timeout", _CONNECT_SECONDS)
        if pooled:
            arguments.setdefault("prepare_threshold", None)
        else:
            arguments.setdefault("application_name", "asyncmig")
        return arguments

    def _asyncpg(self, arguments: dict[str, Any], pooled: bool) -> dict[str, Any]:
        if self.url.get_driver_name() != "asyncpg":
            return arguments
        arguments.setdefault("timeout", _CONNECT_SECONDS)
        # A script alters tables between its queries: a plan cached over that would be refused.
        arguments.setdefault("prepared_statement_cache_size", 0)
        if pooled:
            # The next transaction may be on another server, and others come after us on this one. The names that
            # asyncpg counts up meet those of another client on the same server.
            arguments.setdefault("statement_cache_size", 0)
            arguments.setdefault("prepared_statement_name_func", lambda: f"asyncmig_{uuid.uuid4().hex}")
        else:
            arguments["server_settings"] = {"application_name": "asyncmig", **arguments.get("server_settings", {})}
        return arguments


class _Sqlite(Connecting):
    locks = False

    def file(self) -> Path | None:
        path = self.url.database or ""
        in_memory = path in ("", ":memory:") or path.startswith("file:")
        return None if in_memory else Path(path)

    def arguments(self, given: Mapping[str, Any], *, pooled: bool) -> dict[str, Any]:
        arguments = dict(given)
        if "timeout" not in self.url.query:
            # SQLite's own waiting for the file cannot be interrupted and knows no lock_timeout: ours polls.
            arguments.setdefault("timeout", _BUSY_SECONDS)
        return arguments


_KNOWN: Mapping[str, type[Connecting]] = {"postgresql": _Postgresql, "sqlite": _Sqlite}


def connecting_to(url: URL) -> Connecting:
    """That of the URL's database; one that knows nothing for a database that nobody here migrates."""
    return _KNOWN.get(url.get_backend_name(), Connecting)(url)
