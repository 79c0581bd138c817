"""The places that a value may come from, in order: arguments, ASYNCMIG_*, the file, DATABASE_URL."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from asyncmig.config.files import ConfigFile
from asyncmig.config.interpolation import Interpolation, has_placeholder
from asyncmig.config.keys import KEYS, Key, nearest, unknown_key
from asyncmig.errors import ConfigError

__all__ = ["Layers", "Value"]


@dataclass(frozen=True, slots=True)
class Value:
    """A typed value and where it came from; `error` stands for one that could not be filled in."""

    value: object
    source: str
    error: ConfigError | None = None


@dataclass(frozen=True, slots=True)
class Layers:
    """Everything a Config is made of, kept with it so that another database can be chosen later.

    `given_by` is what `overrides` are called in `Config.sources`: "command line", or "arguments" from Python.
    """

    file: ConfigFile | None
    here: Path
    environ: Mapping[str, str]
    overrides: Mapping[str, object]
    given_by: str = "command line"

    def __post_init__(self) -> None:
        for name in self.overrides:
            if name not in KEYS:
                raise unknown_key(name, tuple(KEYS), label=name)

    @property
    def databases(self) -> tuple[str, ...]:
        return tuple(self.file.databases) if self.file else ()

    def values(self, name: str | None) -> dict[str, Value]:
        """The value of each key that some place gives, for the database `name` (None: the keys all share)."""
        self._check_name(name)
        found = ((key.name, self._value(key, name)) for key in KEYS.values())
        return {key: value for key, value in found if value is not None}

    def _check_name(self, name: str | None) -> None:
        if name is None or name in self.databases:
            return
        path = self.file.path if self.file else None
        if not self.databases:
            raise ConfigError(
                f"There is no database {name!r}: no [databases.NAME] is given.", key="databases", path=path
            )
        guess = nearest(name, self.databases)
        hint = f"Did you mean {guess}?" if guess else f"Known databases: {', '.join(self.databases)}."
        raise ConfigError(f"There is no database {name!r}.", key="databases", path=path, hint=hint)

    def _value(self, key: Key, name: str | None) -> Value | None:
        # An empty url is no url: the next place is asked, so that `url = ""` leaves room for DATABASE_URL.
        places = self._places(key, name)
        return next((found for found in places if key.name != "url" or found.value is not None or found.error), None)

    def _places(self, key: Key, name: str | None) -> Iterator[Value]:
        given = self.overrides.get(key.name)
        if given is not None:
            yield Value(key.read(given, self.here, label=key.name), self.given_by)
        text = self.environ.get(key.variable, "") if key.variable else ""
        if key.variable and text.strip():
            yield Value(key.read_text(text, self.here, label=key.variable), key.variable)
        if self.file:
            yield from self._file_places(self.file, key, name)
        if key.name == "url" and self.environ.get("DATABASE_URL"):
            yield Value(self.environ["DATABASE_URL"], "DATABASE_URL")

    def _file_places(self, file: ConfigFile, key: Key, name: str | None) -> Iterator[Value]:
        for prefix, table in ((f"databases.{name}.", file.databases.get(name or "", {})), ("", file.table)):
            if key.name in table:
                yield self._from_file(file, key, table[key.name], label=f"{prefix}{key.name}")

    def _from_file(self, file: ConfigFile, key: Key, raw: object, *, label: str) -> Value:
        try:
            value = self._filled(key, raw, label)
        except ConfigError as error:
            located = ConfigError(error.message, key=key.name, path=file.path, hint=error.hint)
            if key.name == "url":
                # heads, history and a URL of env.py do not need this one: it fails when it is used.
                return Value(None, file.path.name, located)
            raise located from None
        if isinstance(raw, str) and has_placeholder(raw) and isinstance(value, str):
            return Value(key.read_text(value, self.here, label=label, path=file.path), file.path.name)
        return Value(key.read(value, self.here, label=label, path=file.path), file.path.name)

    def _filled(self, key: Key, raw: object, label: str) -> object:
        """The value with its variables filled in, in lists and tables too."""
        filling = Interpolation(self.environ, self.here.as_posix())
        if isinstance(raw, str):
            return filling.url(raw, key=label) if key.name in ("url", "fleet") else filling.text(raw, key=label)
        if isinstance(raw, list):
            return [self._filled(key, one, label) for one in raw]
        if isinstance(raw, Mapping):
            return {name: self._filled(key, one, f"{label}.{name}") for name, one in raw.items()}
        return raw
