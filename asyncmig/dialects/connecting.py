"""How each database is connected to: what its drivers are told beyond the URL, and what its connections can do.

Light: every start reads it, also one with nothing to do.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from asyncmig.errors import ConfigError, DriverError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["Connecting", "connecting_to"]

_CONNECT_SECONDS = 15
"""How long a driver may take to connect, unless engine_options say otherwise."""

_APPLICATION = "asyncmig"
"""What pg_stat_activity shows, unless the URL or engine_options say otherwise."""

_ASYNCPG_KEYWORDS = frozenset(
    (
        *("host", "port", "ssl", "passfile", "target_session_attrs", "krbsrvname", "gsslib"),
        "prepared_statement_cache_size",
    )
)
"""Those of a URL that SQLAlchemy or asyncpg.connect takes as they are."""

_ASYNCPG_NUMBERS: Mapping[str, tuple[str, Callable[[Any], int | float]]] = {
    "connect_timeout": ("timeout", float),
    "timeout": ("timeout", float),
    "command_timeout": ("command_timeout", float),
    "statement_cache_size": ("statement_cache_size", int),
    "max_cached_statement_lifetime": ("max_cached_statement_lifetime", int),
    "max_cacheable_statement_size": ("max_cacheable_statement_size", int),
}
"""Those that asyncpg.connect takes as numbers, and how it calls them."""

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


class _Psycopg(_Postgresql):
    def driver_url(self) -> URL:
        return self.url.set(drivername="postgresql+psycopg_async")

    def arguments(self, given: Mapping[str, Any], *, pooled: bool) -> dict[str, Any]:
        arguments = dict(given)
        ours: dict[str, Any] = {"connect_timeout": _CONNECT_SECONDS}
        if pooled:
            ours["prepare_threshold"] = None
        else:
            ours["application_name"] = _APPLICATION
        # What SQLAlchemy is given as arguments stands above the URL.
        return {name: value for name, value in ours.items() if name not in self.url.query} | arguments


class _Asyncpg(_Postgresql):
    """asyncpg.connect has no keywords for most of libpq's parameters, and SQLAlchemy makes keywords of all in a URL.

    asyncpg knows them in a URL of its own, its `dsn`: certificates, and as a setting of the session whatever else
    there is, `options` and `application_name` among them.
    """

    def driver_url(self) -> URL:
        return self.url.difference_update_query([name for name in self.url.query if name not in _ASYNCPG_KEYWORDS])

    def arguments(self, given: Mapping[str, Any], *, pooled: bool) -> dict[str, Any]:
        arguments: dict[str, Any] = {"timeout": _CONNECT_SECONDS}
        # A script alters tables between its queries: a plan cached over that would be refused.
        arguments["prepared_statement_cache_size"] = 0
        if pooled:
            # The next transaction may be on another server, and others come after us on this one. The names that
            # asyncpg counts up meet those of another client on the same server.
            arguments["statement_cache_size"] = 0
            arguments["prepared_statement_name_func"] = lambda: f"asyncmig_{uuid.uuid4().hex}"
        arguments |= {**self._of_the_url(), **given}
        if not pooled and "application_name" not in self.url.query:
            settings = arguments.get("server_settings", {})
            arguments["server_settings"] = {"application_name": _APPLICATION, **settings}
        return arguments

    def _of_the_url(self) -> dict[str, Any]:
        """What asyncpg takes in no other way than this."""
        query = dict(self.url.query)
        if query.pop("channel_binding", "prefer") == "require":
            raise DriverError(
                "asyncpg cannot bind a login to its TLS channel, and the url says channel_binding=require.",
                hint="Take channel_binding out of the url, or use postgresql+psycopg://.",
            )
        found: dict[str, Any] = {}
        for name, (keyword, number) in _ASYNCPG_NUMBERS.items():
            if name in query:
                found[keyword] = self._number(name, number)
        rest = {
            name: value
            for name, value in query.items()
            if name not in _ASYNCPG_KEYWORDS and name not in _ASYNCPG_NUMBERS
        }
        return {"dsn": f"postgresql://?{urlencode(rest, doseq=True)}", **found} if rest else found

    def _number(self, name: str, number: Callable[[Any], int | float]) -> int | float | None:
        said = self.url.query[name]
        try:
            value = number(said)
        except (TypeError, ValueError):
            raise ConfigError(f"{name}={said} is not a number.", key="url") from None
        return None if name == "connect_timeout" and value <= 0 else value  # libpq's word for no limit


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
_BY_DRIVER: Mapping[str, type[Connecting]] = {"asyncpg": _Asyncpg, "psycopg": _Psycopg, "psycopg_async": _Psycopg}


def connecting_to(url: URL) -> Connecting:
    """That of the URL's database; one that knows nothing for a database that nobody here migrates."""
    database = _KNOWN.get(url.get_backend_name(), Connecting)
    return _BY_DRIVER.get(url.drivername.partition("+")[2], database)(url)
