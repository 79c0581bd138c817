"""Migrator: the asynchronous API, one method a command, typed values back and nothing printed."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from asyncmig.migrator.looks import Looks
from asyncmig.migrator.project import TargetDatabase
from asyncmig.migrator.runs import Runs
from asyncmig.migrator.scripts import Scripts
from asyncmig.scripts.history import Branch, HistoryEntry

if TYPE_CHECKING:
    from asyncmig.fleet import Fleet, FleetObserver, Source

__all__ = ["Branch", "HistoryEntry", "Migrator", "TargetDatabase"]


class Migrator(Scripts, Runs, Looks):
    """Brings one database to any point of the history; usable in any running asyncio event loop.

    `config` is a Config, or the path of a configuration file (found from the working directory when left out).
    Every key of the configuration may be given as a keyword instead: then no file is needed. With `engine` the
    application's own AsyncEngine is used and left open; with `connection` the steps run inside the transaction of
    that connection, which is never committed here. `database` chooses one of [databases.NAME].

    There is no state beyond these: two Migrators in two tasks or threads never notice each other.
    """

    def fleet(
        self,
        targets: Source | None = None,
        *,
        only: Collection[str] | None = None,
        observer: FleetObserver | None = None,
        **settings: Any,
    ) -> Fleet:
        """Many databases or schemas with this project's history: URLs, names of schemas, Query, or a function.

        Without `targets` those of [fleet] in the configuration, whose other keys may be given as keywords:
        concurrency, canary, max_failures and so on. `only` keeps those of the given names.
        """
        from asyncmig.fleet import Fleet

        return Fleet(self, targets, only=only, observer=observer, **settings)
