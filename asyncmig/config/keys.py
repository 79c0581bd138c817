"""The keys of the configuration: what each accepts, from a file, from the environment and from Python."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from types import MappingProxyType
from typing import Literal, cast

from asyncmig.config.fleet import FleetSettings, read_fleet
from asyncmig.config.locations import resolve_location
from asyncmig.errors import ConfigError

__all__ = ["KEYS", "Key", "PostWriteHook", "nearest", "unknown_key"]

HookType = Literal["console_scripts", "exec", "module"]

_HOOK_TARGETS: Mapping[str, str] = MappingProxyType(
    {"console_scripts": "entrypoint", "exec": "executable", "module": "module"}
)
_FLAGS: Mapping[str, bool] = MappingProxyType(
    {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
)


@dataclass(frozen=True, slots=True)
class PostWriteHook:
    """A command run on each new script: `target` is an entry point, an executable or a module, by `type`.

    `options` is one shell-like string in which REVISION_SCRIPT_FILENAME stands for the script's path; `cwd` is
    absolute, or None for the working directory of the command.
    """

    name: str
    type: HookType
    target: str
    options: str = "REVISION_SCRIPT_FILENAME"
    cwd: str | None = None


class Unfit(ValueError):
    """A value that its key does not accept; the text, if any, says more than `expects` can."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key: `expects` ends the sentence "... must be"; `accept` gets a value and the folder of relative paths.

    `from_text` makes of an environment variable what a file would have held; None where no variable exists.
    """

    name: str
    expects: str
    accept: Callable[[object, Path], object]
    from_text: Callable[[str], object] | None = str
    secret: bool = False

    @property
    def variable(self) -> str | None:
        return f"ASYNCMIG_{self.name.upper()}" if self.from_text else None

    def read(self, value: object, here: Path, *, label: str, path: Path | None = None) -> object:
        """The typed value; `label` is how the place calls the key (ASYNCMIG_LOCK, databases.audit.lock)."""
        try:
            return self.accept(value, here)
        except Unfit as error:
            raise self.refused(value, label=label, path=path, more=str(error)) from None

    def read_text(self, text: str, here: Path, *, label: str, path: Path | None = None) -> object:
        if self.from_text is None:
            raise self.refused(text, label=label, path=path)
        try:
            value = self.from_text(text.strip())
        except ValueError:
            raise self.refused(text, label=label, path=path) from None
        return self.read(value, here, label=label, path=path)

    def refused(self, value: object, *, label: str, path: Path | None, more: str = "") -> ConfigError:
        shown = f"a value of type {type(value).__name__}" if self.secret else _shown(value)
        message = f"{label}: {more}" if more else f"{label} must be {self.expects}, not {shown}."
        return ConfigError(message, key=self.name, path=path)


def nearest(name: str, known: Sequence[str]) -> str | None:
    # difflib is only worth its import when there is something wrong.
    from difflib import get_close_matches

    return next(iter(get_close_matches(name.lower().replace("-", "_"), known, n=1, cutoff=0.5)), None)


def unknown_key(name: str, known: Sequence[str], *, label: str, path: Path | None = None) -> ConfigError:
    guess = nearest(name, known)
    hint = f"Did you mean {guess}?" if guess else f"Known keys: {', '.join(known)}."
    return ConfigError(f"Unknown key {label}.", key=name, path=path, hint=hint)


def _shown(value: object) -> str:
    return json.dumps(value, default=repr, ensure_ascii=False)


def _text(value: object, here: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Unfit
    return value


def _optional_text(value: object, here: Path) -> str | None:
    if not isinstance(value, str):
        raise Unfit
    return value.strip() or None


def _flag(value: object, here: Path) -> bool:
    if not isinstance(value, bool):
        raise Unfit
    return value


def _flag_from_text(text: str) -> bool:
    try:
        return _FLAGS[text.lower()]
    except KeyError:
        raise ValueError from None


def _length(value: object, here: Path) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Unfit
    return value


def _seconds(value: object, here: Path) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not (math.isfinite(value) and value >= 0):
        raise Unfit
    return float(value)


def _at_least_a_second(value: object, here: Path) -> float:
    seconds = _seconds(value, here)
    if seconds < 1:
        raise Unfit
    return seconds


def _choice(*choices: str) -> Callable[[object, Path], str]:
    def accept(value: object, here: Path) -> str:
        if not isinstance(value, str) or value not in choices:
            raise Unfit
        return value

    return accept


def _quoted(*choices: str) -> str:
    return "one of " + ", ".join(f'"{choice}"' for choice in choices)


def _location(value: object, here: Path) -> Path:
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if not isinstance(value, str) or not value.strip():
        raise Unfit
    try:
        return resolve_location(value, here)
    except LookupError as error:
        raise Unfit(str(error.args[0])) from error


def _locations(value: object, here: Path) -> tuple[Path, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise Unfit
    return tuple(_location(one, here) for one in value)


def _names_from_text(text: str) -> list[str]:
    return [name.strip() for name in re.split(f"[,{re.escape(os.pathsep)}]", text) if name.strip()]


def _hooks(value: object, here: Path) -> tuple[PostWriteHook, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        raise Unfit
    return tuple(
        one if isinstance(one, PostWriteHook) else _hook(one, number, here) for number, one in enumerate(value, 1)
    )


def _hook(table: object, number: int, here: Path) -> PostWriteHook:
    if not isinstance(table, Mapping) or not all(isinstance(value, str) for value in table.values()):
        raise Unfit
    kind = table.get("type", "console_scripts")
    if kind not in _HOOK_TARGETS:
        raise Unfit(f'the type of hook {number} must be {_quoted(*_HOOK_TARGETS)}, not "{kind}".')
    target = _HOOK_TARGETS[kind]
    known = ("name", "type", target, "options", "cwd")
    for name in table:
        if name not in known:
            guess = nearest(name, known)
            raise Unfit(f"hook {number} has an unknown key {name}." + (f" Did you mean {guess}?" if guess else ""))
    if not table.get(target):
        raise Unfit(f'hook {number} is of type "{kind}" and needs {target} = "...".')
    options = table.get("options", PostWriteHook.__dataclass_fields__["options"].default)
    return PostWriteHook(
        name=table.get("name", table[target]),
        type=cast("HookType", kind),
        target=table[target],
        options=options,
        cwd=str(here / table["cwd"]) if table.get("cwd") else None,
    )


def _fleet(value: object, here: Path) -> FleetSettings:
    if isinstance(value, FleetSettings):
        return value
    if not isinstance(value, Mapping):
        raise Unfit
    try:
        return read_fleet(value, here)
    except KeyError as error:
        name = str(error.args[0])
        guess = nearest(name, [field.name for field in fields(FleetSettings)])
        raise Unfit(f"there is no key {name} in it." + (f" Did you mean {guess}?" if guess else "")) from None
    except ValueError as error:
        raise Unfit(str(error)) from None


_SECONDS = "a number of seconds, 0 or more"
_FLAG = "true or false"
_LOCKS = ("auto", "advisory", "lease", "none")
_TRANSACTIONS = ("revision", "run")
_CHECKSUMS = ("error", "warn", "off")

KEYS: Mapping[str, Key] = MappingProxyType(
    {
        key.name: key
        for key in (
            Key("script_location", 'a folder ("migrations") or one inside a package ("shop:migrations")', _location),
            Key("url", "a database URL in a string", _optional_text, secret=True),
            Key("target_metadata", 'a string such as "package.module:Base.metadata"', _optional_text),
            Key("version_table", "the name of a table", _text),
            Key("version_table_schema", "the name of a schema", _optional_text),
            Key("version_locations", 'a list of folders, as in ["migrations/versions"]', _locations, _names_from_text),
            Key("recursive_version_locations", _FLAG, _flag, _flag_from_text),
            Key("file_template", 'a string such as "%(rev)s_%(slug)s"', _optional_text),
            Key("truncate_slug_length", "a whole number, 1 or more", _length, int),
            Key("timezone", 'the name of a time zone such as "UTC" or "Europe/Berlin"', _optional_text),
            Key("prepend_sys_path", 'a list of folders, as in ["."]', _locations, _names_from_text),
            Key("lock", _quoted(*_LOCKS), _choice(*_LOCKS)),
            Key("lock_timeout", _SECONDS, _seconds, float),
            Key("lease_duration", "a number of seconds, 1 or more", _at_least_a_second, float),
            Key("statement_lock_timeout", _SECONDS, _seconds, float),
            Key("transaction", _quoted(*_TRANSACTIONS), _choice(*_TRANSACTIONS)),
            Key("checksums", _quoted(*_CHECKSUMS), _choice(*_CHECKSUMS)),
            Key("include_schemas", _FLAG, _flag, _flag_from_text),
            Key("alembic_compat", _FLAG, _flag, _flag_from_text),
            Key("post_write_hooks", "a list of tables, each with name, type and what to run", _hooks, None),
            Key("fleet", "a table: write [asyncmig.fleet]", _fleet, None),
        )
    }
)
