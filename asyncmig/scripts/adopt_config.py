"""asyncmig.toml from alembic.ini and [tool.alembic]: what means the same, under our names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from asyncmig.config.locations import resolve_location
from asyncmig.errors import ConfigError
from asyncmig.scripts.adopt_source import HERE, AlembicProject

if TYPE_CHECKING:
    from asyncmig.scripts.adopt_env import ConvertedEnv

__all__ = ["config_text", "script_folder"]

_PLACEHOLDER = "driver://"
_ASYNC = {"postgresql": "postgresql+asyncpg", "postgres": "postgresql+asyncpg", "sqlite": "sqlite+aiosqlite"}
_WITHOUT_MEANING = {
    "sourceless": "asyncmig reads only .py files",
    "output_encoding": "asyncmig writes UTF-8",
    "revision_environment": "asyncmig does not load env.py to write an empty revision",
}
_HOOK_TARGETS = {"console_scripts": "entrypoint", "exec": "executable", "module": "module"}


def script_folder(source: AlembicProject) -> Path:
    """Where env.py and the scripts are. ConfigError for a package that is not found."""
    text = source.place(source.config.get_main_option("script_location") or "").replace(HERE, source.here.as_posix())
    try:
        return resolve_location(text, source.here)
    except LookupError as error:
        raise ConfigError(f"script_location: {error.args[0]}", key="script_location") from error


def config_text(source: AlembicProject, environment: ConvertedEnv) -> tuple[str, tuple[str, ...]]:
    """The whole file, and what it could not carry over."""
    notes: list[str] = []
    lines = [
        f"# Written by `asyncmig adopt` from {source.names}, which Alembic goes on reading.",
        "# Paths start at this file's folder; every key: asyncmig's docs/configuration.md.",
        "",
        "[asyncmig]",
        f"script_location = {_string(source.place(_option(source, 'script_location') or ''))}",
        *_url_lines(source, environment, notes),
        "",
        "# Scripts and helpers that import from `alembic` get asyncmig's own.",
        "alembic_compat = true",
        "",
        "# Alembic's table, used as it is.",
        f"version_table = {_string(environment.version_table or 'alembic_version')}",
        *_key_lines(source, environment),
        *_hook_lines(source, notes),
        *_database_lines(source, notes),
    ]
    for name, why in _WITHOUT_MEANING.items():
        if _option(source, name) is not None:
            notes.append(f"{name} of {source.names} is not carried over: {why}.")
    return "\n".join(lines) + "\n", tuple(notes)


def _url_lines(source: AlembicProject, environment: ConvertedEnv, notes: list[str]) -> Iterator[str]:
    url = _option(source, "sqlalchemy.url")
    if environment.gives_url or source.databases:
        return
    if url is None or "://" not in url or url.startswith(_PLACEHOLDER):
        yield '# url = "postgresql://user:password@localhost/name"'
        notes.append(f"{source.names} names no database yet: set url in asyncmig.toml, or ASYNCMIG_URL.")
        return
    yield f"url = {_string(_async_url(url, notes))}"


def _key_lines(source: AlembicProject, environment: ConvertedEnv) -> Iterator[str]:
    if environment.version_table_schema:
        yield f"version_table_schema = {_string(environment.version_table_schema)}"
    locations = source.config.list_option("version_locations")
    if locations:
        yield f"version_locations = [{_paths(source, locations)}]"
    if (_option(source, "recursive_version_locations") or "").lower() in ("true", "1", "yes", "on"):
        yield "recursive_version_locations = true"
    template = _option(source, "file_template")
    if template:
        yield f"file_template = {_string(template)}"
    length = _option(source, "truncate_slug_length")
    if length and length.isdigit():
        yield f"truncate_slug_length = {length}"
    zone = _option(source, "timezone")
    if zone:
        yield f"timezone = {_string(zone)}"
    folders = source.config.list_option("prepend_sys_path")
    if folders and [source.place(one) for one in folders] != ["."]:
        yield f"prepend_sys_path = [{_paths(source, folders)}]"


def _hook_lines(source: AlembicProject, notes: list[str]) -> Iterator[str]:
    for hook in _hooks(source):
        kind, name = hook.get("type", "console_scripts"), hook.get("name", "")
        target = hook.get(_HOOK_TARGETS.get(kind, ""))
        if target is None:
            notes.append(f"the post-write hook {name} of type {kind} is not carried over: asyncmig has no such type.")
            continue
        values = {"name": name, "type": kind, _HOOK_TARGETS[kind]: target}
        values |= {key: hook[key] for key in ("options", "cwd") if hook.get(key)}
        yield ""
        yield "[[asyncmig.post_write_hooks]]"
        yield from (f"{key} = {_string(value)}" for key, value in values.items() if value)


def _hooks(source: AlembicProject) -> Iterable[Mapping[str, str]]:
    table = source.config.tool.get("post_write_hooks")
    if isinstance(table, list):
        return [{key: str(value).replace("%(here)s", HERE) for key, value in hook.items()} for hook in table]
    section = source.config.get_section("post_write_hooks") or {}
    names = [name for name in re.split(r"[,\s]+", section.get("hooks", "")) if name]
    return [
        {"name": name} | {key.removeprefix(f"{name}."): section[key] for key in section if key.startswith(f"{name}.")}
        for name in names
    ]


def _database_lines(source: AlembicProject, notes: list[str]) -> Iterator[str]:
    """The databases of the multidb template; an upgrade runs on one of them, chosen with -n."""
    for name in source.databases:
        url = source.config.get_section_option(name, "sqlalchemy.url")
        yield ""
        yield f"[databases.{name if re.fullmatch(r'[A-Za-z0-9_-]+', name) else _string(name)}]"
        if url is None or "://" not in url or url.startswith(_PLACEHOLDER):
            yield '# url = "postgresql://user:password@localhost/name"'
            notes.append(f"{source.names} names no database for {name} yet: set its url in asyncmig.toml.")
        else:
            yield f"url = {_string(_async_url(url, notes))}"
    if source.databases:
        notes.append(
            f"each of {', '.join(source.databases)} is upgraded by itself: asyncmig -n {source.databases[0]} upgrade head."
        )


def _async_url(url: str, notes: list[str]) -> str:
    backend, plus, driver = url.partition("://")[0].partition("+")
    if not plus or driver in ("asyncpg", "aiosqlite", "psycopg", "psycopg_async") or backend not in _ASYNC:
        return url
    notes.append(f"{backend}+{driver} is a synchronous driver; asyncmig.toml names {_ASYNC[backend]}.")
    return f"{_ASYNC[backend]}://{url.partition('://')[2]}"


def _option(source: AlembicProject, name: str) -> str | None:
    """None for an option that is not given or is empty."""
    return (source.config.get_main_option(name) or "").strip() or None


def _paths(source: AlembicProject, folders: Iterable[str]) -> str:
    return ", ".join(_string(source.place(folder)) for folder in folders)


def _string(text: str) -> str:
    """As TOML spells it; a JSON string is one. Dollar signs are doubled, because asyncmig fills in variables."""
    return json.dumps(text.replace("$", "$$").replace(HERE, "${here}"), ensure_ascii=False).replace("\x7f", "\\u007f")
