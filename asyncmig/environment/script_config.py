"""The configuration under the names by which scripts written for Alembic ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import TYPE_CHECKING, Any

from asyncmig.config import Config

if TYPE_CHECKING:
    from asyncmig.environment.ini import IniConfig

__all__ = ["ScriptConfig"]

_HIDDEN = frozenset({"sources", "url_error", "_layers"})


@dataclass(frozen=True)
class ScriptConfig:
    """`op.get_context().config`: every key of the configuration as text; `attributes` is a place for scripts' own things.

    With alembic_compat the options of the alembic.ini (and [tool.alembic]) beside the configuration count too: scripts
    keep options of their own there. What is set here holds for this object only.
    """

    config: Config
    attributes: dict[str, Any] = field(default_factory=dict)
    cmd_opts: None = None
    _set: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    @property
    def config_ini_section(self) -> str:
        return "alembic" if self.config.alembic_compat else "asyncmig"

    @property
    def config_file_name(self) -> str | None:
        return str(self.config.path) if self.config.path else None

    def get_main_option(self, name: str, default: str | None = None) -> str | None:
        """The value of a key as text; `sqlalchemy.url` is our `url`."""
        return self._main().get(name, default)

    def set_main_option(self, name: str, value: str) -> None:
        self.set_section_option(self.config_ini_section, name, value)

    def get_section(self, name: str, default: dict[str, str] | None = None) -> dict[str, str] | None:
        """All keys as text for the main section; another one as alembic.ini has it, `default` where it has none."""
        if name in (self.config_ini_section, "alembic", "asyncmig"):
            return self._main()
        found = self._ini.get_section(name) if self._ini else None
        changes = {key: value for (section, key), value in self._set.items() if section == name}
        return default if found is None and not changes else {**(found or {}), **changes}

    def get_section_option(self, section: str, name: str, default: str | None = None) -> str | None:
        return (self.get_section(section) or {}).get(name, default)

    def set_section_option(self, section: str, name: str, value: str) -> None:
        # INI files double percent signs, and so does whoever sets an option of one.
        self._set[section, name] = value.replace("%%", "%")

    @cached_property
    def _ini(self) -> IniConfig | None:
        if not self.config.alembic_compat:
            return None
        from asyncmig.environment.ini import IniConfig

        return IniConfig.beside(self.config.here)

    def _main(self) -> dict[str, str]:
        given = {entry.name: getattr(self.config, entry.name) for entry in fields(self.config)}
        options = {name: _text(value) for name, value in given.items() if value is not None and name not in _HIDDEN}
        if self._ini:
            options |= self._ini.get_section(self._ini.config_ini_section) or {}
        if self.config.url is not None:
            options["sqlalchemy.url"] = self.config.url
        return options | {
            key: value for (section, key), value in self._set.items() if section == self.config_ini_section
        }


def _text(value: object) -> str:
    return ", ".join(str(one) for one in value) if isinstance(value, tuple) else str(value)
