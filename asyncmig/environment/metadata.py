"""target_metadata: named in the configuration as "package.module:Base.metadata", or given by env.py."""

from __future__ import annotations

import importlib
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from asyncmig.config import Config
from asyncmig.environment.environment import Environment
from asyncmig.environment.paths import env_py, import_path
from asyncmig.errors import ConfigError, EnvironmentFileError
from asyncmig.url import redact

if TYPE_CHECKING:
    from sqlalchemy import MetaData

__all__ = ["check_metadata", "import_metadata"]

_PLACE = re.compile(r"(?P<module>[A-Za-z_]\w*(?:\.\w+)*):(?P<attribute>[A-Za-z_]\w*(?:\.\w+)*)")


def import_metadata(config: Config) -> MetaData:
    """What the key target_metadata names; ConfigError says which of module, attribute and type is wrong."""
    text = config.target_metadata or ""
    place = _PLACE.fullmatch(text)
    if place is None:
        raise _wrong(config, f'target_metadata must look like "package.module:Base.metadata", not "{text}".')
    value = _import(config, place["module"])
    for at, name in enumerate(place["attribute"].split(".")):
        owner = ".".join((place["module"], *place["attribute"].split(".")[:at]))
        value = _attribute(config, value, name, owner)
    return _as_metadata(config, value, text)


def check_metadata(environment: Environment, config: Config) -> None:
    """EnvironmentFileError when env.py's target_metadata is not made of MetaData: Base instead of Base.metadata, say."""
    from sqlalchemy import MetaData

    given = environment.target_metadata
    several = isinstance(given, Sequence) and not isinstance(given, str)
    for value in given if several else () if given is None else (given,):  # type: ignore[union-attr]
        if not isinstance(value, MetaData):
            raise EnvironmentFileError(
                f"target_metadata is {_described(value)}, not a MetaData.", path=env_py(config), hint=_hint(value)
            )


def _import(config: Config, module: str) -> object:
    try:
        with import_path(config):
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise _failed(config, module, error) from error
        folders = ", ".join(str(folder) for folder in config.prepend_sys_path)
        hint = f"Modules are looked for in {folders} (prepend_sys_path) and where Python finds its own."
        raise _wrong(config, f"target_metadata: there is no module {error.name}.", hint) from error
    except Exception as error:
        raise _failed(config, module, error) from error


def _failed(config: Config, module: str, error: Exception) -> ConfigError:
    said = redact(" ".join(str(error).split())).rstrip(".")
    return _wrong(config, f"target_metadata: importing {module} failed with {type(error).__name__}: {said}.")


def _attribute(config: Config, value: object, name: str, owner: str) -> object:
    try:
        return getattr(value, name)
    except AttributeError:
        from difflib import get_close_matches

        match = get_close_matches(name, [known for known in dir(value) if not known.startswith("_")], n=1, cutoff=0.5)
        hint = f"Did you mean {match[0]}?" if match else None
        raise _wrong(config, f"target_metadata: {owner} has no {name}.", hint) from None


def _as_metadata(config: Config, value: object, text: str) -> MetaData:
    from sqlalchemy import MetaData

    if isinstance(value, MetaData):
        return value
    raise _wrong(config, f"target_metadata: {text} is {_described(value)}, not a MetaData.", _hint(value, text))


def _hint(value: object, text: str = "Base") -> str | None:
    from sqlalchemy import MetaData

    name = getattr(value, "__name__", text)
    own = f"{text}.metadata" if ":" in text else f"{name}.metadata"
    return f"Did you mean {own}?" if isinstance(getattr(value, "metadata", None), MetaData) else None


def _described(value: object) -> str:
    return f"the class {value.__name__}" if isinstance(value, type) else f"of type {type(value).__name__}"


def _wrong(config: Config, message: str, hint: str | None = None) -> ConfigError:
    in_file = config.sources.get("target_metadata") == config.file_name
    return ConfigError(message, key="target_metadata", path=config.path if in_file else None, hint=hint)
