"""Database URLs: which driver each means, and how they are shown without their password."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

from asyncmig.errors import ConfigError, DriverError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

__all__ = ["Redactor", "how_to_install", "is_memory_sqlite", "normalize_url", "redact", "require_driver"]

_ASYNC_DRIVERS: Mapping[str, str] = MappingProxyType(
    {
        "postgres": "postgresql+asyncpg",
        "postgresql": "postgresql+asyncpg",
        "postgres+asyncpg": "postgresql+asyncpg",
        "postgresql+asyncpg": "postgresql+asyncpg",
        "postgres+psycopg": "postgresql+psycopg",
        "postgresql+psycopg": "postgresql+psycopg",
        "postgresql+psycopg_async": "postgresql+psycopg_async",
        "sqlite": "sqlite+aiosqlite",
        "sqlite+aiosqlite": "sqlite+aiosqlite",
    }
)
_PREFERRED: Mapping[str, str] = MappingProxyType(
    {"postgres": "postgresql+asyncpg", "postgresql": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
)
_INSTALL: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "asyncpg": ("asyncpg", 'pip install "asyncmig[postgresql]"'),
        "aiosqlite": ("aiosqlite", 'pip install "asyncmig[sqlite]"'),
        "psycopg": ("psycopg", 'pip install "psycopg[binary]"'),
        "psycopg_async": ("psycopg", 'pip install "psycopg[binary]"'),
    }
)
_SECRET_NAMES = "password|passwd|passphrase|pwd|sslpassword|secret|token|api_key"
_SECRET_PARAMETER = re.compile(rf"(?i)(?P<before>(?:^|[?&;\s])(?:{_SECRET_NAMES})=)(?P<value>[^&;\s\"']+)")
# Up to the last '@' before white space or a quote: a password that was not encoded may hold '@' and '/'.
_USERINFO = re.compile(r"""(?P<before>://[^:/@\s"'<>]*:)(?P<value>[^\s"'<>]*)(?=@)""")
_HIDDEN = "***"


def normalize_url(url: str | URL) -> URL:
    """The URL with its async driver: asyncpg and aiosqlite where none is named; libpq's sslmode as asyncpg's ssl.

    DriverError for a driver that is not async and for databases other than PostgreSQL and SQLite, ConfigError
    for what is no URL. Whether the driver is installed is `require_driver`'s question.
    """
    parsed = _parse(url)
    drivername = _ASYNC_DRIVERS.get(parsed.drivername) or _other_async_driver(parsed)
    parsed = parsed.set(drivername=drivername)
    mode = parsed.query.get("sslmode")
    if mode is not None and drivername == "postgresql+asyncpg":
        parsed = parsed.difference_update_query(["sslmode"]).update_query_dict({"ssl": parsed.query.get("ssl", mode)})
    return parsed


def require_driver(url: URL) -> None:
    """DriverError, naming what to install, when the driver's package is not there. Nothing is imported."""
    _, _, driver = url.drivername.partition("+")
    if driver in _INSTALL and find_spec(package := _INSTALL[driver][0]) is None:
        raise DriverError(
            f"{url.drivername} needs {package}, which is not installed.", hint=f"Install it: {how_to_install(url)}."
        )


def how_to_install(url: URL) -> str:
    """The command that installs the URL's driver."""
    _, _, driver = url.drivername.partition("+")
    return _INSTALL[driver][1] if driver in _INSTALL else f"pip install {driver}"


def is_memory_sqlite(url: URL) -> bool:
    """Whether nothing of the database would be left once its connection is closed."""
    if url.get_backend_name() != "sqlite":
        return False
    database = url.database or ""
    in_file_uri = database.startswith("file:") and ("mode=memory" in database or database.startswith("file::memory:"))
    return database in ("", ":memory:") or in_file_uri or url.query.get("mode") == "memory"


def redact(text: str | URL) -> str:
    """The URL, or a text that may quote URLs, without passwords: neither user:password@ nor ?password=... stays."""
    shown = text if isinstance(text, str) else text.render_as_string(hide_password=True)
    shown = _USERINFO.sub(rf"\g<before>{_HIDDEN}", shown)
    return _SECRET_PARAMETER.sub(rf"\g<before>{_HIDDEN}", shown)


class Redactor:
    """Takes one URL's password out of any text: as it is, percent-encoded, or inside a Python literal.

    A password that is also the name of the user, the host or the database is only taken out of URLs: elsewhere the
    word stands for that name, and hiding it would not hide which word it was.
    """

    def __init__(self, url: URL | None) -> None:
        self._pattern = _password_pattern(url) if url is not None else None

    def __call__(self, text: str) -> str:
        text = redact(text)
        return self._pattern.sub(_HIDDEN, text) if self._pattern else text


def _password_pattern(url: URL) -> re.Pattern[str] | None:
    password = str(url.password) if url.password is not None else ""
    visible = url.set(password=None).render_as_string(hide_password=True)
    if not password or password in visible:
        return None
    spellings = {
        password,
        quote(password, safe=""),
        quote_plus(password),
        quote(password, safe=" +"),
        repr(password)[1:-1],
    }
    return re.compile("|".join(re.escape(spelling) for spelling in sorted(spellings, key=len, reverse=True)))


def _parse(url: str | URL) -> URL:
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url)
    except (ArgumentError, ValueError):
        # Not `from`: SQLAlchemy's message may quote the text with its password.
        raise ConfigError(
            f"{_scheme(str(url))} is not a database URL.",
            key="url",
            hint="Write one like postgresql://user@localhost:5432/name or sqlite:///name.db.",
        ) from None


def _scheme(text: str) -> str:
    scheme, separator, _ = text.partition("://")
    return f'"{scheme}://..."' if separator else "The url that was given"


def _other_async_driver(url: URL) -> str:
    """The name of a third-party driver as it is, when SQLAlchemy knows it and it is async."""
    from sqlalchemy.exc import NoSuchModuleError

    preferred = _PREFERRED.get(url.drivername.partition("+")[0])
    if preferred is None:
        raise DriverError(
            f"{url.drivername} is not supported: asyncmig migrates PostgreSQL and SQLite.",
            hint="Use postgresql+asyncpg://, postgresql+psycopg:// or sqlite+aiosqlite://.",
        )
    try:
        is_async = url.get_dialect().is_async
    except (NoSuchModuleError, ImportError):
        raise DriverError(f"There is no driver {url.drivername}.", hint=f"Use {preferred}://.") from None
    if not is_async:
        other = " or postgresql+psycopg://" if "psycopg" in url.drivername else ""
        raise DriverError(f"{url.drivername} is a synchronous driver.", hint=f"Use {preferred}://{other}.")
    return url.drivername
