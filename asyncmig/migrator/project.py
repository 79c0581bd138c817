"""What every method works with: the configuration, the database that it means, and a session there.

Nothing that reads files only imports asyncio or SQLAlchemy: that is most of what starting it costs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from asyncmig.alembic_names import project_imports
from asyncmig.config import Config
from asyncmig.errors import UsageError
from asyncmig.scripts.directory import ScriptDirectory

if TYPE_CHECKING:
    from sqlalchemy.engine import URL
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from asyncmig.database.events import Observer
    from asyncmig.database.session import Session
    from asyncmig.database.site import Site
    from asyncmig.environment import Environment
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["Project", "TargetDatabase"]


class TargetDatabase:
    """`url` has no password; `source` is the place that named it, such as "--url" or "asyncmig.toml"."""

    __slots__ = ("source", "url")

    def __init__(self, url: str, source: str) -> None:
        self.url = url
        self.source = source


class Project:
    """What Migrator knows and its methods share; see there."""

    def __init__(
        self,
        config: Config | str | Path | None = None,
        *,
        engine: AsyncEngine | None = None,
        connection: AsyncConnection | None = None,
        url: str | URL | None = None,
        database: str | None = None,
        x: Sequence[str] = (),
        observer: Observer | None = None,
        **settings: Any,
    ) -> None:
        given = [name for name, value in (("engine", engine), ("connection", connection), ("url", url)) if value]
        if len(given) > 1:
            raise UsageError(f"Migrator takes one of engine=, connection= and url=, not {' and '.join(given)}.")
        self._config = _configuration(config, database, url, settings)
        self._engine = engine
        self._connection = connection
        self._x = tuple(x)
        self._observer = observer
        self._environments: dict[bool, Environment] = {}

    @property
    def config(self) -> Config:
        return self._config

    @property
    def x(self) -> tuple[str, ...]:
        """The -x arguments."""
        return self._x

    def observed_by(self, observer: Observer) -> Self:
        """The same migrator, telling `observer` too; this one is left as it is."""
        from asyncmig.database.events import both

        twin = copy(self)
        twin._observer = both(self._observer, observer) if self._observer else observer
        return twin

    def with_config(self, config: Config) -> Self:
        """The same migrator with another configuration; this one is left as it is."""
        twin = copy(self)
        twin._config = config
        twin._environments = {}
        return twin

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Forget what env.py declared. Connections of our own are closed at the end of each call anyway."""
        self._environments.clear()

    def graph(self) -> RevisionGraph:
        """The history as the scripts tell it now."""
        return ScriptDirectory.from_config(self._config).graph()

    async def site(self, *, url: URL | None = None) -> Site:
        """The database that the methods above mean, or that of `url`, as the layers below know it; no connection is made.

        What asyncmig.testing and fleets look through.
        """
        return await self._site(url=url)

    async def target_database(self, *, sql: bool = False) -> TargetDatabase:
        """Which database the methods above mean, with `sql` or without, and which place named it; no connection is made."""
        site = await self._site(offline=sql)
        return TargetDatabase(site.name, site.source)

    async def wait_until_reachable(self, seconds: float) -> None:
        """Return once the server answers; ConnectionFailed when it has not after `seconds`."""
        if self._connection is None:
            site = await self._site()
            database = site.database()
            try:
                await database.wait_until_reachable(seconds)
            finally:
                await database.aclose()

    @asynccontextmanager
    async def _looking(self, site: Site) -> AsyncIterator[Session | None]:
        """A session for reading; None for a SQLite file that is not there: looking must not create it."""
        if self._connection is None and site.database().missing_file:
            yield None
            return
        with project_imports(site.context):
            async with site.session() as session:
                yield session

    @asynccontextmanager
    async def _comparing(self, site: Site, *, offline: bool) -> AsyncIterator[Session | None]:
        """The same for reading a whole schema, which has to wait for whoever changes a table; None `offline`."""
        if offline:
            yield None
            return
        async with self._looking(site) as session:
            if session is None:
                yield None
                return
            async with session.told_waits():
                yield session

    async def _current_rows(self, graph: RevisionGraph) -> frozenset[str]:
        from asyncmig.database.request import placed

        async with self._looking(await self._site()) as session:
            return (await placed(session, graph)).effective if session else frozenset()

    async def _read_graph(self) -> RevisionGraph:
        """In a thread: ten thousand scripts take a tenth of a second to read."""
        import asyncio

        return await asyncio.to_thread(self.graph)

    async def _site(self, *, offline: bool = False, tag: str | None = None, url: URL | None = None) -> Site:
        from asyncmig.database.loading import load_aside, load_basis, needed_to_connect

        if not offline:
            await load_basis()
        from sqlalchemy.engine import URL

        from asyncmig.database.site import Site
        from asyncmig.environment import Context, load_environment, resolve_target
        from asyncmig.environment.paths import source_name

        context = Context(self._config, self._x, offline)
        with project_imports(context):
            environment = self._environments.get(offline)
            if environment is None:
                environment = self._environments[offline] = await load_environment(self._config, context)
            config = self._config.with_environment(environment, source=source_name(self._config))
            if url is not None:
                config = replace(config, url=url.render_as_string(hide_password=False))
                return Site(url, "targets", config, environment, context, self._observer, tag)
            if self._connection is not None:
                engine = self._connection.engine
                return Site(engine, "connection=", config, environment, context, self._observer, tag, self._connection)
            if self._engine is not None:
                return Site(self._engine, "engine=", config, environment, context, self._observer, tag)
            target, source = await resolve_target(config, environment, context)
            if isinstance(target, URL) and not offline:
                await load_aside(*needed_to_connect(target))
            return Site(target, source, config, environment, context, self._observer, tag)


def _configuration(
    config: Config | str | Path | None, database: str | None, url: str | URL | None, settings: dict[str, Any]
) -> Config:
    if url is not None:
        settings = {**settings, "url": url if isinstance(url, str) else url.render_as_string(hide_password=False)}
    if isinstance(config, Config):
        if settings:
            raise UsageError(f"Migrator takes a Config or keys, not both: {', '.join(sorted(settings))}.")
        return config.for_database(database) if database else config
    if config is None and "script_location" in settings:
        return Config.from_values(**settings)
    return Config.load(config, name=database, overrides=settings, given_by="arguments")
