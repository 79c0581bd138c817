"""The configuration file: found by walking up, read as TOML, its tables checked for unknown keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from asyncmig.config.keys import KEYS, unknown_key
from asyncmig.errors import ConfigError

__all__ = ["ConfigFile", "find_config", "not_found", "read_config"]

_OWN, _PROJECT = "asyncmig.toml", "pyproject.toml"
_MISSING = (
    f"Create one with: asyncmig init migrations. Or name the file with -c or ASYNCMIG_CONFIG ({_OWN}, {_PROJECT})."
)
_AT_THE_TOP = ("databases", "fleet")
_POSITION = re.compile(r"^(?P<what>.*?) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class ConfigFile:
    """One file: `table` without the databases, `databases` by name. No value is interpolated yet."""

    path: Path
    table: Mapping[str, object]
    databases: Mapping[str, Mapping[str, object]]


def find_config(start: Path) -> ConfigFile | None:
    """The nearest file in `start` or above it; a pyproject.toml without [tool.asyncmig] is passed over."""
    for folder in (start, *start.parents):
        if (folder / _OWN).is_file():
            return read_config(folder / _OWN)
        if (folder / _PROJECT).is_file():
            path = folder / _PROJECT
            table = _tool_table(_parse(path), path)
            if table is not None:
                return _file(path, table)
    return None


def read_config(path: Path) -> ConfigFile:
    """The file that -c names: an asyncmig.toml or pyproject.toml under any name, or the folder of one."""
    if path.is_dir():
        path = next((path / name for name in (_OWN, _PROJECT) if (path / name).is_file()), path / _OWN)
    document = _parse(path)
    tool = _tool_table(document, path)
    if tool is not None:
        return _file(path, tool)
    if path.name == _PROJECT:
        raise ConfigError(
            "There is no [tool.asyncmig] table.", path=path, hint="Add one: asyncmig init -t pyproject migrations."
        )
    return _file(path, _own_table(document, path))


def not_found(start: Path) -> ConfigError:
    return ConfigError(f"No {_OWN} and no [tool.asyncmig] in a {_PROJECT}, in {start} or above.", hint=_MISSING)


def _parse(path: Path) -> Mapping[str, object]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError("There is no such configuration file.", path=path, hint=_MISSING) from None
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(error, path) from error
    except UnicodeDecodeError as error:
        raise ConfigError("The file is not UTF-8 text.", path=path) from error
    except OSError as error:
        raise ConfigError(f"The file cannot be read: {error.strerror}.", path=path) from error


def _syntax_error(error: ValueError, path: Path) -> ConfigError:
    match = _POSITION.match(str(error))
    if match is None:
        return ConfigError(f"This is not TOML: {error}.", path=path)
    if match["line"] is None:
        return ConfigError(f"This is not TOML: {match['what']} at the end of the file.", path=path)
    return ConfigError(f"line {match['line']}, column {match['column']}: {match['what']}.", path=path)


def _tool_table(document: Mapping[str, object], path: Path) -> Mapping[str, object] | None:
    tool = document.get("tool")
    if not isinstance(tool, Mapping) or "asyncmig" not in tool:
        return None
    return _table(tool["asyncmig"], "tool.asyncmig", path)


def _own_table(document: Mapping[str, object], path: Path) -> Mapping[str, object]:
    """The [asyncmig] table; [databases.NAME] and [fleet] may stand at the top of such a file as well."""
    for name in document:
        if name not in ("asyncmig", *_AT_THE_TOP):
            hint = f"Put {name} under [asyncmig]." if name in KEYS else "Everything goes under [asyncmig]."
            raise ConfigError(f"Unknown key {name} at the top of the file.", key=name, path=path, hint=hint)
    if not document:
        raise ConfigError("There is no [asyncmig] table.", path=path, hint=_MISSING)
    table = dict(_table(document.get("asyncmig", {}), "asyncmig", path))
    for name in (name for name in _AT_THE_TOP if name in document):
        if name in table:
            raise ConfigError(f"[{name}] and [asyncmig.{name}] are both given.", key=name, path=path)
        table[name] = document[name]
    return table


def _table(value: object, name: str, path: Path) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise ConfigError(f"{name} must be a table: write [{name}].", key=name, path=path)
    return value


def _file(path: Path, table: Mapping[str, object]) -> ConfigFile:
    databases = {
        name: _checked(_table(value, f"databases.{name}", path), path, prefix=f"databases.{name}.")
        for name, value in _table(table.get("databases", {}), "databases", path).items()
    }
    own = {name: value for name, value in table.items() if name != "databases"}
    return ConfigFile(path, _checked(own, path, also=("databases",)), databases)


def _checked(
    table: Mapping[str, object], path: Path, *, prefix: str = "", also: tuple[str, ...] = ()
) -> Mapping[str, object]:
    for name in table:
        if name not in KEYS:
            raise unknown_key(name, (*KEYS, *also), label=f"{prefix}{name}", path=path)
    return table
