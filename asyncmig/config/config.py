"""Config: what holds for one run, with where each value came from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

from asyncmig.config.env_file import load_env_file
from asyncmig.config.files import find_config, not_found, read_config
from asyncmig.config.fleet import FleetSettings
from asyncmig.config.keys import KEYS, PostWriteHook
from asyncmig.config.layers import Layers
from asyncmig.errors import ConfigError

if TYPE_CHECKING:
    from asyncmig.environment import Environment

__all__ = ["Config"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of one database of one project; docs/configuration.md explains each key.

    Paths are absolute. `name` is the database chosen from `databases`; None where the file has none, or
    none was chosen yet (`for_database`). `sources` says for each key that was given where it came from.
    `url_error` stands for a url in the file that needs an unset variable: who uses the url raises it.
    """

    here: Path
    script_location: Path
    path: Path | None = None
    name: str | None = None
    url: str | None = field(default=None, repr=False)
    target_metadata: str | None = None
    version_table: str = "asyncmig_version"
    version_table_schema: str | None = None
    version_locations: tuple[Path, ...] = ()
    recursive_version_locations: bool = False
    file_template: str | None = None
    truncate_slug_length: int = 40
    timezone: str | None = None
    prepend_sys_path: tuple[Path, ...] = ()
    lock: Literal["auto", "advisory", "lease", "none"] = "auto"
    lock_timeout: float = 60.0
    lease_duration: float = 30.0
    statement_lock_timeout: float | None = None
    transaction: Literal["revision", "run"] = "revision"
    checksums: Literal["error", "warn", "off"] = "error"
    include_schemas: bool = False
    alembic_compat: bool = False
    post_write_hooks: tuple[PostWriteHook, ...] = ()
    fleet: FleetSettings | None = None
    databases: tuple[str, ...] = ()
    sources: Mapping[str, str] = field(default_factory=lambda: _NOTHING, repr=False)
    url_error: ConfigError | None = field(default=None, repr=False, compare=False)
    _layers: Layers | None = field(default=None, repr=False, compare=False)

    @classmethod
    def load(
        cls,
        path: str | Path | None = None,
        *,
        name: str | None = None,
        env_file: str | Path | None = None,
        overrides: Mapping[str, object] = _NOTHING,
        environ: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        given_by: str = "command line",
    ) -> Config:
        """Read the file named by `path`, by ASYNCMIG_CONFIG, or found by walking up from `cwd`.

        A variable of `env_file` counts where the environment has none of that name. An override of None is
        no override. Without a file a script_location must be given otherwise, else ConfigError.
        """
        variables = os.environ if environ is None else environ
        if env_file is not None:
            variables = {**load_env_file(env_file), **variables}
        start = Path.cwd() if cwd is None else cwd.absolute()
        named = path or variables.get("ASYNCMIG_CONFIG")
        file = read_config(start / named) if named else find_config(start)
        layers = Layers(file, file.path.parent if file else start, variables, overrides, given_by)
        config = cls._from_layers(layers, name)
        if file is None and "script_location" not in config.sources:
            raise not_found(start)
        return config

    @classmethod
    def from_values(
        cls, *, here: str | Path | None = None, environ: Mapping[str, str] | None = None, **values: object
    ) -> Config:
        """A configuration without a file: keys by name, relative paths from `here` (the working directory).

        ASYNCMIG_* and DATABASE_URL count as they do beside a file.
        """
        folder = Path.cwd() if here is None else Path(here).absolute()
        return cls._from_layers(
            Layers(None, folder, os.environ if environ is None else environ, values, "arguments"), None
        )

    @classmethod
    def _from_layers(cls, layers: Layers, name: str | None) -> Config:
        found = layers.values(name)
        # The keys were checked by KEYS; a test holds KEYS and these fields together.
        values: dict[str, Any] = {key: value.value for key, value in found.items()}
        values.setdefault("script_location", layers.here / "migrations")
        values.setdefault("prepend_sys_path", (layers.here,))
        return cls(
            here=layers.here,
            path=layers.file.path if layers.file else None,
            name=name,
            databases=layers.databases,
            sources=MappingProxyType({key: value.source for key, value in found.items()}),
            url_error=found["url"].error if "url" in found else None,
            _layers=layers,
            **values,
        )

    def for_database(self, name: str) -> Config:
        """This configuration with [databases.NAME] over it; ConfigError names the nearest known one."""
        layers = self._layers or Layers(None, self.here, _NOTHING, _NOTHING)
        return self._from_layers(layers, name)

    def with_environment(self, environment: Environment, *, source: str = "env.py") -> Config:
        """What env.py gives as well (version_table, version_table_schema, include_schemas), over the file.

        The command line and ASYNCMIG_* stay above env.py. The url is not taken over here: `resolve_target` asks
        env.py for it only when it is needed.
        """
        given = {
            key: getattr(environment, key)
            for key in ("version_table", "version_table_schema", "include_schemas")
            if getattr(environment, key) is not None and not self.outranks_environment(key)
        }
        sources = {**self.sources, **dict.fromkeys(given, source)}
        return replace(self, **given, sources=MappingProxyType(sources))

    def outranks_environment(self, key: str) -> bool:
        """Whether the key was given by arguments or by its own ASYNCMIG_ variable, which stand above env.py."""
        source = self.sources.get(key)
        return source is not None and source in (KEYS[key].variable, self.given_by)

    @property
    def given_by(self) -> str:
        """What `sources` calls a value that was passed as an argument: "command line", or "arguments" from Python."""
        return self._layers.given_by if self._layers else "arguments"

    @property
    def file_name(self) -> str:
        """How messages call the configuration file."""
        return self.path.name if self.path else "asyncmig.toml"
