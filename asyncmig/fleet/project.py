"""The project that all targets share: scripts read and loaded once, env.py run once, a pool a database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sqlalchemy.engine import URL

from asyncmig.database.engine import Database, FileDatabase
from asyncmig.database.events import at_target
from asyncmig.database.loading import load_aside, needed_to_connect
from asyncmig.database.site import Site
from asyncmig.database.tenancy import SchemaDatabase, most_connections, pooled
from asyncmig.database.whole import WholeSteps
from asyncmig.database.work import SharedWork
from asyncmig.dialects.connecting import connecting_to
from asyncmig.environment import Context
from asyncmig.errors import UsageError
from asyncmig.fleet.targets import Target
from asyncmig.url import is_memory_sqlite, require_driver

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine

    from asyncmig.config.fleet import FleetSettings
    from asyncmig.migrator import Migrator
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["Place", "Project"]

# With one of these in engine_options, a project makes its connections itself.
_OWN_CONNECTING = frozenset({"async_creator", "creator", "isolation_level", "poolclass", "pool"})


@dataclass(frozen=True, slots=True)
class Place:
    """A target as the runner sees it."""

    site: Site
    graph: RevisionGraph
    work: SharedWork
    whole: WholeSteps

    @property
    def schemas(self) -> Mapping[str, str]:
        """What scripts may call the target's schema, and its name."""
        opened = self.site.opened
        return opened.schemas if isinstance(opened, SchemaDatabase) else {}


@dataclass(slots=True)
class Project:
    """One fleet's view of its project; `aclose` ends the pools."""

    migrator: Migrator
    settings: FleetSettings
    concurrency: int
    _pools: dict[str, Database] = field(default_factory=dict)
    _databases: dict[str, Migrator] = field(default_factory=dict)
    _histories: dict[object, tuple[RevisionGraph, SharedWork]] = field(default_factory=dict)
    _whole: dict[int, WholeSteps] = field(default_factory=dict)
    _own: Site | None = None
    _first_file: FileDatabase | None = None

    @property
    def context(self) -> Context:
        """What functions that list targets are told."""
        return Context(self.migrator.config, self.migrator.x)

    async def place(self, target: Target, *, claims: bool) -> Place:
        """Where the target is. UsageError for one that cannot be reached the way it is named."""
        if target.database is not None:
            site = await self._of_name(target.database).site()
        elif target.url is None:
            site = await self.own()
        else:
            site = await self._elsewhere(target.url)
        graph, work = self._history(site)
        if target.schema is not None:
            site = self._inside(site, target.schema)
        # By env.py: the migrators keep what each declared as long as the fleet runs.
        whole = self._whole.setdefault(id(site.environment), WholeSteps())
        observer = at_target(site.observer, target.name) if site.observer else None
        return Place(replace(site, claims=claims, observer=observer), graph, work, whole)

    async def own(self) -> Site:
        """The project's own database: where queries are asked and schemas are."""
        if self._own is None:
            self._own = await self.migrator.site()
            if self._own.connection is not None:
                raise UsageError("A fleet needs connections of its own, not connection=.", hint="Pass engine=.")
        return self._own

    async def at_once(self, targets: Sequence[Target]) -> int:
        """How many targets may be worked on at once: no more schemas than an engine that was given has connections.

        The others would wait in its pool's queue behind long steps, and fail at the pool's timeout.
        """
        if any(target.url is None and target.database is None for target in targets):
            engine = (await self.own()).target
            most = None if isinstance(engine, URL) else most_connections(engine)
            return self.concurrency if most is None else min(self.concurrency, most)
        return self.concurrency

    def history(self) -> RevisionGraph:
        """The history of the project's own database; each of [databases] may have another."""
        return self.migrator.graph()

    async def aclose(self) -> None:
        for pool in self._pools.values():
            await pool.aclose()
        self._pools.clear()

    def _of_name(self, name: str) -> Migrator:
        if name not in self._databases:
            config = self.migrator.config
            self._databases[name] = self.migrator.with_config(config.for_database(name))
        return self._databases[name]

    async def _elsewhere(self, url: URL) -> Site:
        if is_memory_sqlite(url):
            raise UsageError("An in-memory SQLite database is gone when its connection is closed.")
        require_driver(url)
        await load_aside(*needed_to_connect(url))
        site = await self.migrator.site(url=url)
        if connecting_to(url).file() is not None and not _OWN_CONNECTING & site.environment.engine_options.keys():
            site = replace(site, opened=self._file(url, site))
        return site

    def _file(self, url: URL, site: Site) -> FileDatabase:
        database = FileDatabase(url, site.source, site.environment.engine_options, self._first_file)
        self._first_file = self._first_file or database
        return database

    def _history(self, site: Site) -> tuple[RevisionGraph, SharedWork]:
        config = site.config
        key = (config.script_location, config.version_locations, config.recursive_version_locations)
        if key not in self._histories:
            work = SharedWork(site.environment.script_arguments)
            self._histories[key] = (self.migrator.with_config(config).graph(), work)
        return self._histories[key]

    def _inside(self, site: Site, schema: str) -> Site:
        if not connecting_to(site.url).schemas:
            raise UsageError(f"{schema}: {site.name} has no schemas; PostgreSQL has.", hint="Name files by URL.")
        opened = SchemaDatabase(
            self._pool(site.target, site.source, site.environment.engine_options),
            schema,
            self.settings.shared_schemas,
            self.settings.schema_token,
        )
        return replace(site, opened=opened, config=replace(site.config, version_table_schema=schema))

    def _pool(self, target: AsyncEngine | URL, source: str, options: Mapping[str, object]) -> Database:
        url = target if isinstance(target, URL) else target.url
        key = url.render_as_string(hide_password=False)
        if key not in self._pools:
            self._pools[key] = pooled(target, source, options, self.concurrency)
        return self._pools[key]
