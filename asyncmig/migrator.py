"""Migrator: the asynchronous API, one method a command, typed values back and nothing printed."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import copy
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from asyncmig.alembic_names import project_imports
from asyncmig.config import Config
from asyncmig.errors import CheckFailed, MalformedTarget, UsageError
from asyncmig.revisions.plan import Direction, Plan, pending, plan_downgrade, plan_stamp, plan_upgrade
from asyncmig.revisions.target import Current, Head, Heads, Relative, parse_range, parse_target
from asyncmig.scripts.directory import ScriptDirectory
from asyncmig.scripts.history import Branch, HistoryEntry, branches_of, entries_of

if TYPE_CHECKING:
    from sqlalchemy.engine import URL
    from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

    from asyncmig.autogenerate.questions import Questioner
    from asyncmig.database.differences import AutogenerateReport, Differences
    from asyncmig.database.events import Observer
    from asyncmig.database.journal_entry import JournalEntry
    from asyncmig.database.planned import Loss, PlanReport
    from asyncmig.database.report import Report, Standing
    from asyncmig.database.request import Request as RunRequest
    from asyncmig.database.session import Session
    from asyncmig.database.site import Site
    from asyncmig.database.status import CurrentReport, StatusReport
    from asyncmig.environment import Environment
    from asyncmig.fleet import Fleet, FleetObserver, Source
    from asyncmig.revisions.graph import RevisionGraph
    from asyncmig.scripts.creation import Request as ScriptRequest

__all__ = ["Branch", "HistoryEntry", "Migrator", "TargetDatabase", "require_asyncio"]

Planner = Callable[["RevisionGraph", frozenset[str]], Plan]


class Migrator:
    """Brings one database to any point of the history; usable in any running asyncio event loop.

    `config` is a Config, or the path of a configuration file (found from the working directory when left out).
    Every key of the configuration may be given as a keyword instead: then no file is needed. With `engine` the
    application's own AsyncEngine is used and left open; with `connection` the steps run inside the transaction of
    that connection, which is never committed here. `database` chooses one of [databases.NAME].

    There is no state beyond these: two Migrators in two tasks or threads never notice each other.
    """

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

    # The history on disk

    def graph(self) -> RevisionGraph:
        """The history as the scripts tell it now."""
        return ScriptDirectory.from_config(self._config).graph()

    async def heads(self, *, resolve_dependencies: bool = False) -> tuple[HistoryEntry, ...]:
        """The newest revision of each branch; with `resolve_dependencies` without those that another depends on."""
        graph = self.graph()
        heads = graph.effective_heads if resolve_dependencies else graph.heads
        return entries_of(graph, (graph[name] for name in heads))

    async def history(self, range: str | None = None, *, indicate_current: bool = False) -> tuple[HistoryEntry, ...]:
        """The revisions of a range "a:b", newest first; the database is asked when `current` matters."""
        graph = self.graph()
        wanted = parse_range(range or ":")
        current = await self._current_rows(graph) if indicate_current or "current" in (range or "") else frozenset()
        revisions = graph.range(wanted.lower, wanted.upper, current)
        return entries_of(graph, revisions, current if indicate_current else ())

    async def branches(self) -> tuple[Branch, ...]:
        return branches_of(self.graph())

    async def show(self, revision: str) -> tuple[HistoryEntry, ...]:
        """One revision, or several for `heads` and `current`."""
        graph = self.graph()
        target = parse_target(revision)
        needs_database = "current" in revision or revision.startswith(("+", "-"))
        current = await self._current_rows(graph) if needs_database else frozenset()
        return entries_of(graph, (graph[name] for name in graph.resolve(target, current)), current)

    async def revision(
        self,
        message: str | None = None,
        *,
        head: str = "head",
        splice: bool = False,
        branch_label: str | Sequence[str] | None = None,
        depends_on: str | Sequence[str] | None = None,
        version_path: str | Path | None = None,
        rev_id: str | None = None,
        data: bool = False,
        autogenerate: bool = False,
        **options: Any,
    ) -> tuple[Path, ...]:
        """Write a new revision script on top of `head` (`base` begins a new branch); gives the files written.

        With `autogenerate` the script leads from the database to the models, and there is none where nothing differs;
        `options` are then those of `autogenerate()`. What it warns of goes to the logger.
        """
        # Here, not above: `heads` and every start of an application do without it.
        from asyncmig.scripts.creation import Request, create_revision

        request = Request(
            heads=(parse_target(head),),
            message=message or "",
            splice=splice,
            branch_labels=_names(branch_label),
            depends_on=_names(depends_on),
            version_path=self._location(version_path),
            rev_id=rev_id,
            data=data,
        )
        if not autogenerate:
            if options:
                raise UsageError(f"revision() takes {', '.join(sorted(options))} with autogenerate=True only.")
            return (create_revision(self._config, request),)
        if data:
            raise UsageError("A revision is either a data migration or autogenerated, not both.")
        report = await self._autogenerate(request, **options)
        for warning in report.warnings:
            logging.getLogger("asyncmig").warning("%s", warning)
        return report.files

    async def autogenerate(self, message: str | None = None, **options: Any) -> AutogenerateReport:
        """As `revision(message, autogenerate=True, ...)`, with all that it found.

        `renames` are "account.name:full_name" and "account:customer"; `defaults` map "account.kind" to SQL for rows
        without a value; `allow_drops` lets tables and columns with rows go; `split` keeps changes of rows in scripts of
        their own; `empty_ok` writes a script where nothing differs; `offline` compares with the history instead of a
        database; `questioner` is asked what none of these say. Declined where rows would be lost unasked; NotAtHead.
        """
        from asyncmig.scripts.creation import Request

        placed = {name: options.pop(name) for name in _PLACING if name in options}
        request = Request(
            heads=(parse_target(placed.get("head", "head")),),
            message=message or "",
            splice=placed.get("splice", False),
            branch_labels=_names(placed.get("branch_label")),
            depends_on=_names(placed.get("depends_on")),
            version_path=self._location(placed.get("version_path")),
            rev_id=placed.get("rev_id"),
        )
        return await self._autogenerate(request, **options)

    async def _autogenerate(
        self,
        request: ScriptRequest,
        *,
        renames: Sequence[str] = (),
        defaults: Mapping[str, str] | None = None,
        allow_drops: bool = False,
        split: bool = False,
        empty_ok: bool = False,
        offline: bool = False,
        questioner: Questioner | None = None,
    ) -> AutogenerateReport:
        from asyncmig.autogenerate.questions import Wishes
        from asyncmig.database.differences import AutogenerateReport
        from asyncmig.database.drafting import draft_of, write
        from asyncmig.database.finding import differences_of, find

        graph = self.graph()
        site = await self._site()
        wishes = Wishes(tuple(renames), dict(defaults or {}), allow_drops, split)
        async with self._looking(site, offline=offline) as session:
            found = await find(site, session, graph, wishes=wishes, questioner=questioner, offline=offline)
            draft = await draft_of(site, session, found, wishes=wishes, questioner=questioner, message=request.message)
        files = write(self._config, request, draft, empty_ok=empty_ok)
        return AutogenerateReport(site.name, files, differences_of(draft.operations), draft.warnings)

    async def differences(self, *, offline: bool = False) -> Differences:
        """What leads from the database (with `offline`: from the history) to the models; nothing is written."""
        from asyncmig.database.differences import Differences
        from asyncmig.database.finding import differences_of, find

        graph = self.graph()
        site = await self._site()
        async with self._looking(site, offline=offline) as session:
            found = await find(site, session, graph, offline=offline, anywhere=True)
        return Differences(site.name, differences_of(found.operations), found.comparison.uncertain)

    async def merge(
        self,
        revisions: str | Sequence[str] = "heads",
        *,
        message: str | None = None,
        splice: bool = False,
        branch_label: str | Sequence[str] | None = None,
        rev_id: str | None = None,
    ) -> Path:
        """Write a revision that joins several heads; with `splice` also revisions that are none."""
        from asyncmig.scripts.creation import Request, create_merge

        heads = tuple(parse_target(name) for name in _names(revisions))
        request = Request(heads, message or "", splice, branch_labels=_names(branch_label), rev_id=rev_id)
        return create_merge(self._config, request)

    async def edit_path(self, revision: str) -> Path:
        """The script of one revision."""
        entries = await self.show(revision)
        if len(entries) != 1 or entries[0].revision.path is None:
            raise UsageError(f"{revision!r} means {len(entries)} revisions, and one is edited at a time.")
        return entries[0].revision.path

    # Changing a database

    async def upgrade(self, target: str = "head", *, sql: bool = False, tag: str | None = None) -> Report:
        """Apply what `target` needs and the database has not.

        With `sql` nothing is run and no connection is made: `Report.sql` is the text, from base or for a range "a:b".
        MigrationFailed when a step fails, with the report of those before it; LockTimeout; ForeignRevision.
        """
        if sql:
            return await self._offline(Direction.UPGRADE, target, tag)
        goal = parse_target(target)
        return await self._run(Direction.UPGRADE, target, lambda graph, rows: plan_upgrade(graph, rows, goal), tag)

    async def downgrade(self, target: str, *, sql: bool = False, tag: str | None = None) -> Report:
        """Take down what stands on `target`, newest first; never asks (`losses` says what would go)."""
        if sql:
            return await self._offline(Direction.DOWNGRADE, target, tag)
        goal = parse_target(target)
        return await self._run(Direction.DOWNGRADE, target, lambda graph, rows: plan_downgrade(graph, rows, goal), tag)

    async def stamp(
        self, target: str | Sequence[str], *, sql: bool = False, purge: bool = False, tag: str | None = None
    ) -> Report:
        """Record that the database is at `target` without running anything; `purge` forgets what it was at."""
        names = _names(target)
        if not names:
            raise UsageError("stamp() needs a revision, or `base` for none.")
        if sql:
            return await self._offline(Direction.STAMP, ",".join(names), tag)
        goals = [parse_target(name) for name in names]
        return await self._run(
            Direction.STAMP, ", ".join(names), lambda graph, rows: plan_stamp(graph, rows, goals, purge), tag
        )

    async def ensure_version(self, *, sql: bool = False) -> str | None:
        """Create the version table and the journal, or widen an older version table; with `sql` give the text."""
        if sql:
            site = await self._site(offline=True)
            ledger = site.ledger_sql
            return "".join(f"{statement};\n" for statement in ledger.create())
        site = await self._site()
        async with site.session() as session, session.locked():
            from asyncmig.database.ensure import ensure

            await ensure(session)
        return None

    # Many databases

    def fleet(
        self,
        targets: Source | None = None,
        *,
        only: Collection[str] | None = None,
        observer: FleetObserver | None = None,
        **settings: Any,
    ) -> Fleet:
        """Many databases or schemas with this project's history: URLs, names of schemas, Query, or a function.

        Without `targets` those of [fleet] in the configuration, whose other keys may be given as keywords:
        concurrency, canary, max_failures and so on. `only` keeps those of the given names.
        """
        from asyncmig.fleet import Fleet

        return Fleet(self, targets, only=only, observer=observer, **settings)

    # Looking at a database

    async def current(self) -> CurrentReport:
        """The rows of the version table, with what the scripts and the journal know of each."""
        from asyncmig.database.placement import place
        from asyncmig.database.request import placed
        from asyncmig.database.status import CurrentReport, current_revisions

        graph = self.graph()
        site = await self._site()
        async with self._looking(site) as session:
            placement = await placed(session, graph) if session else place(frozenset(), graph)
        behind = placement.foreign or pending(graph, placement.effective)
        return CurrentReport(site.name, current_revisions(placement, graph), at_every_head=not behind)

    async def status(self) -> StatusReport:
        """Where the database is, what is pending, which applied scripts were changed, and how the models differ."""
        from asyncmig.database.inspection import look
        from asyncmig.database.placement import RevisionState
        from asyncmig.database.status import StatusReport

        graph = self.graph()
        site = await self._site()
        async with self._looking(site) as session:
            if session is None:
                missing = "no database file yet"
                report = StatusReport(site.name, site.source, missing, (), graph.effective_heads, tuple(graph), (), ())
            else:
                report = await look(session, graph, site.name, site.source)
        ahead = any(row.state is RevisionState.AHEAD for row in report.current)
        if ahead or not report.at_head or not site.environment.metadatas:
            return report
        try:
            return replace(report, drift=await self.differences())
        except UsageError as error:
            return replace(report, not_compared=error.message)

    async def standing(self, target: str = "head") -> Standing:
        """What `upgrade(target)` would still apply, from one query; the user of the database needs no right but SELECT."""
        await _load_basis()
        from asyncmig.database.report import Standing
        from asyncmig.database.request import Request as RunRequest
        from asyncmig.database.request import standing

        goal = parse_target(target)
        site = await self._site()
        graph = await self._read_graph()
        request = RunRequest(site.name, target, Direction.UPGRADE, graph, lambda rows: plan_upgrade(graph, rows, goal))
        async with self._looking(site) as session:
            if session:
                return await standing(session, request)
        return Standing(site.name, (), request.planner(frozenset()).ids)

    async def check(self) -> StatusReport:
        """The status, when the database is where the scripts and the models are; CheckFailed says what is not.

        Where the project declares no models, or the database is ahead, only the scripts count. With checksums = "warn"
        `changed` of the status is for the caller to look at.
        """
        status = await self.status()
        tolerant = (await self._site()).config.checksums == "warn"
        looked_at = replace(status, changed=()) if tolerant else status
        if looked_at.clean:
            if status.not_compared:
                await self.differences()  # raises, with what to do
            return status
        drift = looked_at.drift
        if drift and drift.items and not looked_at.changed:
            raise _different(drift)
        raise CheckFailed(
            f"{status.database}: {'; '.join(looked_at.complaints())}.",
            found={
                "complaints": list(looked_at.complaints()),
                "pending": list(status.pending),
                "differences": [asdict(item) for item in drift.items] if drift else [],
            },
            hint="`asyncmig status` shows all.",
        )

    async def log(self, *, limit: int | None = None) -> tuple[JournalEntry, ...]:
        """What was applied, the newest first."""
        site = await self._site()
        async with self._looking(site) as session:
            return await session.ledger(lambda ledger: ledger.log(limit)) if session else ()

    async def plan(self, target: str = "head", *, downgrade: bool = False) -> PlanReport:
        """What upgrade (or downgrade) to `target` would do now, from the live database; nothing is written."""
        from asyncmig.database.forecast import forecast

        goal = parse_target(target)
        planner = plan_downgrade if downgrade else plan_upgrade
        graph = self.graph()
        site = await self._site()
        async with self._looking(site) as session:
            return await forecast(site, session, graph, target, lambda rows: planner(graph, rows, goal))

    async def losses(self, target: str) -> tuple[Loss, ...]:
        """The tables and columns, with their rows, that `downgrade(target)` would drop."""
        from asyncmig.database.forecast import losses

        goal = parse_target(target)
        graph = self.graph()
        site = await self._site()
        async with self._looking(site) as session:
            if session is None:
                return ()
            return await losses(site, session, graph, lambda rows: plan_downgrade(graph, rows, goal))

    async def wait_until_reachable(self, seconds: float) -> None:
        """Return once the server answers; ConnectionFailed when it has not after `seconds`."""
        if self._connection is None:
            site = await self._site()
            database = site.database()
            try:
                await database.wait_until_reachable(seconds)
            finally:
                await database.aclose()

    async def site(self, *, url: URL | None = None) -> Site:
        """The database that the methods above mean, or that of `url`, as the layers below know it; no connection is made.

        What asyncmig.testing and fleets look through.
        """
        return await self._site(url=url)

    async def target_database(self, *, sql: bool = False) -> TargetDatabase:
        """Which database the methods above mean, with `sql` or without, and which place named it; no connection is made."""
        site = await self._site(offline=sql)
        return TargetDatabase(site.name, site.source)

    # Inside

    async def _run(self, direction: Direction, target: str, planner: Planner, tag: str | None) -> Report:
        await _load_basis()
        from asyncmig.database.request import Request as RunRequest
        from asyncmig.database.request import glance

        site = await self._site(tag=tag)
        graph = await self._read_graph()
        request = RunRequest(site.name, target, direction, graph, lambda rows: planner(graph, rows))
        with project_imports(site.context):
            async with site.session() as session:
                return await glance(session, request) or await _work(site, session, request)

    async def _offline(self, direction: Direction, target: str, tag: str | None) -> Report:
        from asyncmig.database.forecast import written_out

        graph = self.graph()
        site = await self._site(offline=True, tag=tag)
        return written_out(site, graph, target, _offline_plan(graph, direction, target))

    async def _read_graph(self) -> RevisionGraph:
        """In a thread: ten thousand scripts take a tenth of a second to read."""
        import asyncio

        return await asyncio.to_thread(self.graph)

    @asynccontextmanager
    async def _looking(self, site: Site, *, offline: bool = False) -> AsyncIterator[Session | None]:
        """A session for reading; None for a SQLite file that is not there: looking must not create it."""
        if offline or (self._connection is None and site.database().missing_file):
            yield None
            return
        with project_imports(site.context):
            async with site.session() as session:
                yield session

    async def _current_rows(self, graph: RevisionGraph) -> frozenset[str]:
        from asyncmig.database.request import placed

        async with self._looking(await self._site()) as session:
            return (await placed(session, graph)).effective if session else frozenset()

    async def _site(self, *, offline: bool = False, tag: str | None = None, url: URL | None = None) -> Site:
        if not offline:
            await _load_basis()
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
            await _load_driver(target, offline)
            return Site(target, source, config, environment, context, self._observer, tag)

    def _location(self, path: str | Path | None) -> Path | None:
        return None if path is None else self._config.here / path


def require_asyncio() -> None:
    """UsageError elsewhere: SQLAlchemy's drivers await asyncio's futures, and trio would fail on them in its own words."""
    import asyncio

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        raise UsageError(
            "No asyncio event loop is running here, and the database drivers need one; trio's loop is none.",
            hint="Run the application on asyncio (`uvicorn`, `hypercorn -k asyncio`), or `asyncmig upgrade` before it.",
        ) from None


async def _load_basis() -> None:
    """What looking at a database needs, while the event loop goes on; refused where there is no loop of asyncio's."""
    require_asyncio()
    from asyncmig.database.loading import BASIS, load_aside

    await load_aside(*BASIS)


async def _load_driver(target: AsyncEngine | URL, offline: bool) -> None:
    from sqlalchemy.engine import URL

    from asyncmig.database.loading import load_aside, needed_to_connect

    if isinstance(target, URL) and not offline:
        await load_aside(*needed_to_connect(target))


async def _work(site: Site, session: Session, request: RunRequest) -> Report:
    """The run itself: its modules are loaded when there is something to do."""
    from asyncmig.database.loading import load_aside, needed_for_work

    await load_aside(*needed_for_work(site.url.get_backend_name()))
    from asyncmig.database.run import Run
    from asyncmig.database.work import each_work

    load = partial(each_work, arguments=site.environment.script_arguments)
    return await Run(session, request, load, site.settings(session.dialect, request.graph), site.hooks).run()


class TargetDatabase:
    """`url` has no password; `source` is the place that named it, such as "--url" or "asyncmig.toml"."""

    __slots__ = ("source", "url")

    def __init__(self, url: str, source: str) -> None:
        self.url = url
        self.source = source


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


def _names(value: str | Sequence[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


_PLACING = ("head", "splice", "branch_label", "depends_on", "version_path", "rev_id")


def _different(found: Differences) -> CheckFailed:
    changes = "1 difference" if len(found.items) == 1 else f"{len(found.items)} differences"
    return CheckFailed(
        f"{found.database}: {changes} between models and database.",
        found={
            "differences": [asdict(item) for item in found.items],
            "uncertain": list(found.uncertain),
        },
        hint="`asyncmig revision --autogenerate` writes them into a script.",
    )


_T = TypeVar("_T")


def _offline(target: _T) -> _T:
    """The target itself; MalformedTarget where only a database could tell what it means."""
    if isinstance(target, Current) or (isinstance(target, Relative) and isinstance(target.origin, Current)):
        raise MalformedTarget(
            f"'{target}' asks the database, and --sql makes no connection.", hint="Give a range FROM:TO instead."
        )
    return target


def _offline_plan(graph: RevisionGraph, direction: Direction, target: str) -> Plan:
    """The steps of a --sql run: from base, or from the lower end of "a:b"."""
    if ":" not in target:
        if direction is Direction.DOWNGRADE:
            raise MalformedTarget(
                f"downgrade --sql cannot know where the database is, so {target!r} is not enough.",
                hint="Give a range FROM:TO, such as ae10:base.",
            )
        goals = [_offline(parse_target(name)) for name in target.split(",")]
        if direction is Direction.STAMP:
            return plan_stamp(graph, (), goals)
        return plan_upgrade(graph, (), goals[0])
    wanted = parse_range(target)
    for end in (wanted.lower, wanted.upper):
        _offline(end)
    start = graph.maximal(graph.resolve(wanted.lower)) if wanted.lower else frozenset()
    if direction is Direction.DOWNGRADE:
        if wanted.upper is None or wanted.lower is None:
            where = "begins" if wanted.upper else "ends"
            raise MalformedTarget(f"{target!r} does not say where the downgrade {where}.", hint="Such as ae10:base.")
        return plan_downgrade(graph, start, wanted.upper)
    if direction is Direction.STAMP:
        return plan_stamp(graph, start, [wanted.upper or Head()])
    return plan_upgrade(graph, start, wanted.upper or Heads())
