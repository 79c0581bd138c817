"""From the file env.py to the Environment that it declares."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from asyncmig.config import Config
from asyncmig.environment.blame import CONVERT, DECLARE, blaming_env_py, looks_like_alembic
from asyncmig.environment.context import Context
from asyncmig.environment.environment import Environment
from asyncmig.environment.functions import settle
from asyncmig.environment.metadata import check_metadata, import_metadata
from asyncmig.environment.paths import env_py, import_path
from asyncmig.errors import EnvironmentFileError

__all__ = ["load_environment"]


async def load_environment(config: Config, context: Context) -> Environment:
    """What env.py declares, with the configuration's target_metadata where env.py gives none.

    Without an env.py the configuration alone counts. The file is run anew at each call, under a private module
    name; the working directory and logging are left alone. EnvironmentFileError carries the line inside env.py.
    """
    environment = await _declared(config, context)
    if config.target_metadata and (
        environment.target_metadata is None or config.outranks_environment("target_metadata")
    ):
        return replace(environment, target_metadata=import_metadata(config))
    return environment


async def _declared(config: Config, context: Context) -> Environment:
    path = env_py(config)
    if not path.is_file():
        return Environment()
    with import_path(config), blaming_env_py(config):
        names = _run(path)
        if "environment" not in names:
            raise _without_environment(path)
        value = await settle(names["environment"], context)
    if not isinstance(value, Environment):
        made = "the function environment returned" if callable(names["environment"]) else "environment is"
        raise EnvironmentFileError(f"{made} {_article(value)}, not an Environment.", path=path, hint=DECLARE)
    if value.target_metadata is not None:
        check_metadata(value, config)
    return value


def _run(path: Path) -> Mapping[str, object]:
    """The names that env.py defines. No .pyc is written or read: an edit within the same second counts."""
    module = ModuleType("asyncmig_env")
    module.__name__ = f"asyncmig_env_{id(module):x}"
    module.__file__ = str(path)
    code = compile(path.read_bytes(), str(path), "exec")
    # Registered while it runs: a dataclass with string annotations looks its module up.
    sys.modules[module.__name__] = module
    try:
        exec(code, module.__dict__)
    finally:
        del sys.modules[module.__name__]
    return module.__dict__


def _without_environment(path: Path) -> EnvironmentFileError:
    hint = CONVERT if looks_like_alembic(path) else DECLARE
    return EnvironmentFileError("env.py defines no `environment`.", path=path, hint=hint)


def _article(value: object) -> str:
    return "None" if value is None else f"a value of type {type(value).__name__}"
