"""The Alembic project that adopt starts from: its configuration files and where they lie."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from asyncmig.environment.ini import IniConfig
from asyncmig.errors import ConfigError, UsageError

__all__ = ["HERE", "AlembicProject", "find_alembic"]

HERE = "\N{NULL}here\N{NULL}"
"""Stands for `%(here)s` in the values that are read, until the new file spells it."""


@dataclass(frozen=True, slots=True)
class AlembicProject:
    """`here` is the folder of the configuration; values of `config` hold HERE where they hold `%(here)s`.

    Alembic takes other relative folders from the working directory, `cwd`.
    """

    here: Path
    cwd: Path
    config: IniConfig
    names: str

    @property
    def databases(self) -> tuple[str, ...]:
        """The sections that Alembic's multidb template names in `databases`."""
        text = self.config.get_main_option("databases") or ""
        return tuple(name.strip() for name in text.split(",") if name.strip())

    def place(self, text: str) -> str:
        """A folder as asyncmig.toml in `here` names it: with HERE, absolute, inside a package, or relative to `here`."""
        if HERE in text:
            return text.removeprefix(f"{HERE}/") if text.startswith(f"{HERE}/") else text
        if self.cwd == self.here or Path(text).is_absolute() or (":" in text and not (self.cwd / text).exists()):
            return text
        return Path(os.path.relpath(self.cwd / text, self.here)).as_posix()


def find_alembic(folder: Path, named: str | None) -> AlembicProject:
    """UsageError where there is no alembic.ini and no [tool.alembic], or neither says where the scripts are."""
    path = folder / named if named else folder
    here = path if path.is_dir() else path.parent
    if named and not path.exists():
        raise UsageError(f"There is no file {path}.", hint="Name the project's alembic.ini or pyproject.toml with -c.")
    ini = path if path.is_file() and path.suffix != ".toml" else here / "alembic.ini"
    config = IniConfig(ini, here / "pyproject.toml", config_args={"here": HERE})
    if config.get_main_option("script_location") is None:
        if not ini.is_file() and not config.tool:
            raise UsageError(
                f"There is no alembic.ini and no [tool.alembic] in {here}.",
                hint="Run adopt in the folder of alembic.ini, or name the file with -c.",
            )
        raise ConfigError("script_location is missing.", path=ini if ini.is_file() else here / "pyproject.toml")
    names = " and ".join(
        [*([ini.name] if ini.is_file() else ()), *(["[tool.alembic] of pyproject.toml"] if config.tool else ())]
    )
    return AlembicProject(here, folder, config, names)
