"""The project's migrator, pointed at a database of the tests."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from asyncmig.migrator import Migrator

if TYPE_CHECKING:
    from asyncmig.config import Config

__all__ = ["migrator_of"]


def migrator_of(config: Config, url: str) -> Migrator:
    """`url` stands above every other place that gives one, env.py's engine among them."""
    sources = MappingProxyType({**config.sources, "url": config.given_by})
    return Migrator(replace(config, url=url, url_error=None, sources=sources))
