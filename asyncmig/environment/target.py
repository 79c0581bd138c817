"""Which database a run means: an engine or a URL, and the place that named it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from asyncmig.config import Config
from asyncmig.environment.blame import blaming_env_py
from asyncmig.environment.context import Context
from asyncmig.environment.environment import Environment
from asyncmig.environment.functions import settle
from asyncmig.environment.paths import env_py, import_path, source_name
from asyncmig.errors import ConfigError, DriverError, EnvironmentFileError, UsageError
from asyncmig.url import is_memory_sqlite, normalize_url, require_driver

if TYPE_CHECKING:
    from sqlalchemy.engine import URL
    from sqlalchemy.ext.asyncio import AsyncEngine

__all__ = ["ResolvedTarget", "resolve_target"]

_PLACES = "--url, ASYNCMIG_URL, url or engine in env.py, url in the configuration file, DATABASE_URL"


_SYNC_DRIVERS = frozenset({"psycopg2", "psycopg2cffi", "pg8000", "pysqlite"})


class ResolvedTarget(NamedTuple):
    """`source` is a word for messages: "--url", "url=", "ASYNCMIG_URL", "migrations/env.py", a file, "DATABASE_URL"."""

    target: AsyncEngine | URL
    source: str


async def resolve_target(config: Config, environment: Environment, context: Context) -> ResolvedTarget:
    """The first of: --url, ASYNCMIG_URL, env.py, the file, DATABASE_URL; a URL comes with its async driver.

    ConfigError when none gives one, DriverError for a driver that is missing or not async, UsageError for an
    in-memory SQLite URL (`context.offline` may have one, and needs no driver).
    """
    if config.outranks_environment("url"):
        return _from_config(config, context)
    if environment.engine is not None:
        return ResolvedTarget(await _engine(config, environment, context), source_name(config))
    url = await _environment_url(config, environment, context)
    if url is not None:
        return ResolvedTarget(_usable(url, source_name(config), context), source_name(config))
    return _from_config(config, context)


def _from_config(config: Config, context: Context) -> ResolvedTarget:
    if config.url_error is not None:
        raise config.url_error
    if config.url is None:
        raise _no_url(config)
    given = config.sources.get("url", config.file_name)
    source = {"command line": "--url", "arguments": "url="}.get(given, given)
    return ResolvedTarget(_usable(config.url, source, context), source)


def _no_url(config: Config) -> ConfigError:
    if config.databases and config.name is None:
        choose = f"Choose one with -n: {', '.join(config.databases)}."
        return ConfigError("No database was chosen.", key="url", path=config.path, hint=choose)
    return ConfigError("No database URL is given.", key="url", path=config.path, hint=f"Give one by {_PLACES}.")


async def _engine(config: Config, environment: Environment, context: Context) -> AsyncEngine:
    from sqlalchemy.ext.asyncio import AsyncEngine

    with import_path(config), blaming_env_py(config):
        engine = await settle(environment.engine, context)
    if not isinstance(engine, AsyncEngine):
        hint = "Make it with sqlalchemy.ext.asyncio.create_async_engine."
        raise EnvironmentFileError(
            f"engine is of type {type(engine).__name__}, not an AsyncEngine.", path=env_py(config), hint=hint
        )
    if engine.dialect.name not in ("postgresql", "sqlite"):
        raise DriverError(f"{engine.dialect.name} is not supported: asyncmig migrates PostgreSQL and SQLite.")
    return engine


async def _environment_url(config: Config, environment: Environment, context: Context) -> str | URL | None:
    from sqlalchemy.engine import URL

    with import_path(config), blaming_env_py(config):
        value = _plain(await settle(environment.url, context))
    if value is None or isinstance(value, str | URL):
        return value or None
    raise EnvironmentFileError(f"url is of type {type(value).__name__}, not a string.", path=env_py(config))


def _plain(value: object) -> object:
    """The text of pydantic's SecretStr and URL types: what settings classes hold."""
    reveal = getattr(value, "get_secret_value", None)
    if callable(reveal):
        value = reveal()
    return str(value) if callable(getattr(value, "unicode_string", None)) else value


def _without_sync_driver(url: str | URL) -> URL:
    """For a project that came from Alembic, whose settings name a synchronous driver as long as Alembic uses them too."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        parsed = make_url(url)
    except ArgumentError:
        return normalize_url(url)
    backend, _, driver = parsed.drivername.partition("+")
    return parsed.set(drivername=backend) if driver in _SYNC_DRIVERS else parsed


def _usable(url: str | URL, source: str, context: Context) -> URL:
    try:
        normal = normalize_url(_without_sync_driver(url) if context.config.alembic_compat else url)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error.message}", key=error.key, hint=error.hint) from None
    except DriverError as error:
        raise DriverError(f"{source}: {error.message}", hint=error.hint) from None
    if context.offline:
        return normal
    if is_memory_sqlite(normal):
        raise UsageError(
            f"{source} names an in-memory SQLite database: it would be gone when the connection is closed, and the "
            "migrations with it.",
            hint="Name a file (sqlite:///name.db), or pass your own with Migrator(engine=...) or Migrator(connection=...).",
        )
    require_driver(normal)
    return normal
