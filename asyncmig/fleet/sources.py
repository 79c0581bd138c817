"""Where the targets come from: a list, a file, a query, a Python function, [databases]."""

from __future__ import annotations

import importlib
import re
from collections.abc import AsyncIterable, Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, cast

from asyncmig.alembic_names import project_imports
from asyncmig.environment.functions import settle
from asyncmig.errors import UsageError
from asyncmig.fleet.targets import Given, Query, Target, as_target, as_targets, parse_lines

if TYPE_CHECKING:
    from asyncmig.config import Config
    from asyncmig.config.fleet import FleetSettings
    from asyncmig.fleet.project import Project

__all__ = ["Source", "configured", "listed"]

Source: TypeAlias = "Iterable[Given] | Query | Callable[..., object]"

_PLACE = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.\w+)*):(?P<name>[A-Za-z_]\w*(?:\.\w+)*)")


async def listed(source: Source, project: Project) -> tuple[Target, ...]:
    """The targets that a source names now."""
    if isinstance(source, Query):
        return as_targets(await _asked(source, project))
    if callable(source):
        return as_targets(await _called(source, project))
    return as_targets(source)


async def configured(settings: FleetSettings, project: Project) -> tuple[Target, ...]:
    """The targets of all the sources that [fleet] gives; [databases] where it gives none. UsageError for none at all."""
    import anyio.to_thread

    config = project.migrator.config
    found: list[Given] = [*settings.targets]
    if settings.file is not None:
        found += parse_lines(await anyio.to_thread.run_sync(_read, settings.file))
    if settings.query is not None:
        found += await _asked(Query(settings.query), project)
    if settings.function is not None:
        found += await _called(_imported(settings.function, config), project)
    by_name = settings.databases or not (settings.targets or settings.file or settings.query or settings.function)
    if by_name:
        found += [Target(database=name) for name in config.databases]
        if not config.databases:
            raise UsageError(
                "No targets are given.",
                hint="Name them: --targets FILE, --query SQL, or [fleet] in the configuration (docs/fleet.md).",
            )
    return as_targets(found)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: the list of targets cannot be read: {error}.") from error


async def _asked(query: Query, project: Project) -> list[Given]:
    from asyncmig.database.driver import driver_of

    site = await project.own()
    async with site.session() as session:
        rows = await session.connection.run_sync(lambda sync: driver_of(sync).fetch(query.sql))
    return [as_target(str(row[0])) for row in rows]


async def _called(function: Callable[..., object], project: Project) -> list[Given]:
    with project_imports(project.context):
        answer = await settle(function, project.context)
        if isinstance(answer, AsyncIterable):
            return [cast("Given", item) async for item in answer]
    if isinstance(answer, Iterable) and not isinstance(answer, str | bytes):
        return list(answer)
    name = getattr(function, "__qualname__", repr(function))
    raise UsageError(f"{name} gave a value of type {type(answer).__name__}, not a list of targets.")


def _imported(place: str, config: Config) -> Callable[..., object]:
    from asyncmig.environment.paths import import_path

    found = _PLACE.fullmatch(place)
    if found is None:
        raise UsageError(f'function must look like "package.module:function", not "{place}".')
    try:
        with import_path(config):
            value: object = importlib.import_module(found["module"])
        for name in found["name"].split("."):
            value = getattr(value, name)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"{place} cannot be imported: {error}.") from error
    if not callable(value):
        raise UsageError(f"{place} is a value of type {type(value).__name__}, not a function.")
    return value
