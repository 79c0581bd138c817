"""`alembic.config`: the INI file, for scripts and helpers that read their own options from it."""

from __future__ import annotations

from asyncmig.environment.ini import IniConfig as Config

__all__ = ["Config"]
