"""Alembic's own configuration, alembic.ini and [tool.alembic], for projects that keep it beside ours."""

from __future__ import annotations

from collections.abc import Mapping
from configparser import ConfigParser, Error
from pathlib import Path
from typing import Any

from asyncmig.errors import ConfigError

__all__ = ["IniConfig"]


class IniConfig:
    """Both files under the methods of Alembic's Config. A file that is not there has no options.

    `tool` is the [tool.alembic] table as it was written, `%(here)s` not yet replaced.
    """

    def __init__(
        self,
        file_: str | Path | None = None,
        toml_file: str | Path | None = None,
        ini_section: str = "alembic",
        cmd_opts: object = None,
        config_args: Mapping[str, str] | None = None,
        attributes: dict[str, Any] | None = None,
        **_: Any,
    ) -> None:
        self.config_file_name = str(file_) if file_ is not None else None
        self.toml_file_name = str(toml_file) if toml_file is not None else None
        self.config_ini_section = ini_section
        self.cmd_opts = cmd_opts
        self.attributes = attributes if attributes is not None else {}
        here = Path(file_ or toml_file or ".").absolute().parent.as_posix()
        defaults = {"here": here, **(config_args or {})}
        self._here = defaults["here"]
        self.file_config = ConfigParser({name: value.replace("%", "%%") for name, value in defaults.items()})
        self.tool: Mapping[str, Any] = _tool_table(Path(toml_file)) if toml_file else {}
        if file_ is not None and Path(file_).is_file():
            self._read(Path(file_))
        if not self.file_config.has_section(ini_section):
            self.file_config.add_section(ini_section)

    @classmethod
    def beside(cls, here: Path) -> IniConfig:
        """alembic.ini and pyproject.toml of one folder."""
        return cls(here / "alembic.ini", here / "pyproject.toml")

    def get_main_option(self, name: str, default: str | None = None) -> str | None:
        return self.get_section_option(self.config_ini_section, name, default)

    def set_main_option(self, name: str, value: str) -> None:
        self.set_section_option(self.config_ini_section, name, value)

    def get_section(self, name: str, default: Any = None) -> dict[str, str] | None:
        if not self.file_config.has_section(name):
            return dict(default) if default is not None else None
        own = dict(self.file_config.items(name))
        return {**self._tool_options(), **own} if name == self.config_ini_section else own

    def get_section_option(self, section: str, name: str, default: str | None = None) -> str | None:
        if self.file_config.has_option(section, name):
            return self.file_config.get(section, name)
        if section == self.config_ini_section:
            return self._tool_options().get(name, default)
        return default

    def set_section_option(self, section: str, name: str, value: str) -> None:
        if not self.file_config.has_section(section):
            self.file_config.add_section(section)
        self.file_config.set(section, name, value)

    def list_option(self, name: str) -> list[str]:
        """A list of folders, as path_separator of the same file says that it is split; [] when it is not given."""
        value = self.tool.get(name)
        if isinstance(value, list):
            return [self._placed(str(one)) for one in value]
        text = self.get_main_option(name)
        return [part for part in (one.strip() for one in self._split(name, text)) if part] if text else []

    def section_names(self) -> list[str]:
        return self.file_config.sections()

    def _read(self, path: Path) -> None:
        try:
            self.file_config.read([path], encoding="utf-8")
        except (Error, UnicodeDecodeError) as error:
            raise ConfigError(f"The file cannot be read: {error}.".replace("\n", " "), path=path) from error

    def _tool_options(self) -> dict[str, str]:
        return {name: self._placed(str(value)) for name, value in self.tool.items() if isinstance(value, str | int)}

    def _placed(self, text: str) -> str:
        # In TOML too Alembic doubles the percent signs of its own tokens.
        return text.replace("%(here)s", self._here).replace("%%", "%")

    def _split(self, name: str, text: str) -> list[str]:
        import os
        import re

        separator = self.get_main_option("path_separator")
        if separator is None and name == "version_locations":
            separator = self.get_main_option("version_path_separator")
        if separator is None:
            # Before the key existed colons separated prepend_sys_path, but not version_locations.
            return re.split(r"[\s,]+" if name == "version_locations" else r"[\s,:]+", text)
        known = {"space": None, "newline": "\n", "os": os.pathsep}
        return text.split(known.get(separator, separator))


def _tool_table(path: Path) -> Mapping[str, Any]:
    import tomllib

    try:
        document = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"This is not TOML: {error}.", path=path) from error
    table = document.get("tool", {}).get("alembic", {})
    return table if isinstance(table, dict) else {}
