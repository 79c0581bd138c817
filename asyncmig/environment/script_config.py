"""The configuration under the names by which scripts written for Alembic ask for it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any

from asyncmig.config import Config

__all__ = ["ScriptConfig"]


@dataclass(frozen=True, slots=True)
class ScriptConfig:
    """`op.get_context().config`: every key of the configuration as text; `attributes` is a place for scripts' own things."""

    config: Config
    attributes: dict[str, Any] = field(default_factory=dict)
    config_ini_section: str = "asyncmig"
    cmd_opts: None = None

    @property
    def config_file_name(self) -> str | None:
        return str(self.config.path) if self.config.path else None

    def get_main_option(self, name: str, default: str | None = None) -> str | None:
        """The value of a key as text; `sqlalchemy.url` is our `url`."""
        return self._options().get(name, default)

    def get_section(self, name: str, default: dict[str, str] | None = None) -> dict[str, str] | None:
        """All keys as text for the main section, `default` for any other."""
        return self._options() if name in (self.config_ini_section, "alembic") else default

    def get_section_option(self, section: str, name: str, default: str | None = None) -> str | None:
        return (self.get_section(section) or {}).get(name, default)

    def _options(self) -> dict[str, str]:
        hidden = {"sources", "url_error", "_layers"}
        given = {entry.name: getattr(self.config, entry.name) for entry in fields(self.config)}
        options = {name: str(value) for name, value in given.items() if value is not None and name not in hidden}
        if self.config.url is not None:
            options["sqlalchemy.url"] = self.config.url
        return options
