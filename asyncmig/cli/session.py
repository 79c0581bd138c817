"""What a command works with: the options given, the console, the questioner, and a Migrator when it needs one."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from asyncmig.cli.options import GlobalOptions
from asyncmig.cli.output import Console
from asyncmig.cli.prompts import Questioner, questioner_for
from asyncmig.cli.runner import run, run_without_loop
from asyncmig.errors import UsageError

if TYPE_CHECKING:
    import typer

    from asyncmig.config import Config
    from asyncmig.database.events import Observer
    from asyncmig.migrator import Migrator

T = TypeVar("T")

__all__ = ["Session", "counts_from_database", "load_config", "session_of"]


@dataclass(frozen=True, slots=True)
class Session:
    """`mounted` is the application's migrator where `create_app` was given one."""

    options: GlobalOptions = field(default_factory=GlobalOptions)
    mounted: Migrator | None = None

    def merged(self, given: Mapping[str, Any]) -> Session:
        return replace(self, options=self.options.merged(given))

    @property
    def console(self) -> Console:
        given = self.options
        return Console.for_process(
            as_json=given.as_json or given.events,
            as_lines=given.events,
            quiet=given.quiet,
            verbose=given.verbose,
            no_color=given.no_color,
        )

    @property
    def questioner(self) -> Questioner:
        return questioner_for(yes=self.options.yes, no_input=self.options.no_input)

    @property
    def wait(self) -> float | None:
        """The seconds of --wait."""
        if self.options.wait is None:
            return None
        try:
            seconds = float(self.options.wait)
        except ValueError:
            seconds = -1.0
        if not 0 <= seconds < float("inf"):
            raise UsageError(f"--wait {self.options.wait}: not a number of seconds.", hint="For example --wait 30.")
        return seconds

    def reading(self) -> Migrator:
        """A migrator for what stands in the scripts. Where databases share them, none need be chosen."""
        return self._migrator(self._config_of_scripts)

    def writing(self, observer: Observer | None = None) -> Migrator:
        """A migrator of the one database that is meant; UsageError where -n should say which."""
        return self._migrator(self._config_of_one_database, observer)

    def undecided(self) -> Migrator:
        """A migrator of the configuration as it is, also where it has several databases and none was chosen."""
        return self._migrator(lambda: load_config(self.options))

    def each(self) -> tuple[tuple[str | None, Migrator], ...]:
        """A migrator for each configured database by name; one, without name, where there is one or -n chose it."""
        if self.mounted is not None:
            return ((None, self._migrator(self._config_of_scripts)),)
        config = load_config(self.options)
        if config.name is not None or not config.databases:
            return ((None, self._migrator(lambda: config)),)
        return tuple((name, self._migrator(partial(config.for_database, name))) for name in config.databases)

    def ask(self, question: Callable[[Migrator], Coroutine[Any, Any, T]], *, connects: bool = False) -> T:
        """The answer to a question about the scripts; with `connects` the database has a say in it."""
        if not connects:
            return run_without_loop(question(self.reading()))

        async def asked() -> T:
            async with self.connected(self.writing()) as migrator:
                return await question(migrator)

        return run(asked())

    @asynccontextmanager
    async def connected(self, migrator: Migrator, *, connects: bool = True) -> AsyncIterator[Migrator]:
        """The migrator, once its server answers (--wait), closed afterwards if its engine is ours."""
        async with migrator:
            if self.wait is not None and connects:
                await migrator.wait_until_reachable(self.wait)
            yield migrator

    def _migrator(self, config: Callable[[], Config], observer: Observer | None = None) -> Migrator:
        if self.mounted is None:
            from asyncmig.migrator import Migrator

            return Migrator(config(), x=self.options.x, observer=observer)
        if self.options.choosing:
            raise UsageError(
                f"{', '.join(self.options.choosing)} has no place here: the application chooses its configuration.",
                hint="The asyncmig command itself takes it.",
            )
        return self.mounted.observed_by(observer) if observer else self.mounted

    def _config_of_one_database(self) -> Config:
        config = load_config(self.options)
        if config.databases and config.name is None:
            raise _none_chosen(config.databases)
        return config

    def _config_of_scripts(self) -> Config:
        config = load_config(self.options)
        if config.name is not None or not config.databases:
            return config
        each = [config.for_database(name) for name in config.databases]
        if len({(one.script_location, one.version_locations) for one in each}) > 1:
            raise _none_chosen(config.databases)
        return each[0]


def _none_chosen(names: Sequence[str]) -> UsageError:
    return UsageError(
        f"The configuration has {len(names)} databases ({', '.join(names)}) and none was chosen.",
        hint=f"Choose one: -n {names[0]}. `asyncmig fleet upgrade --databases` upgrades all of them.",
    )


def session_of(ctx: typer.Context) -> Session:
    """The session of the command that runs."""
    session = ctx.find_object(Session)
    assert session is not None, "command.py gives every command a session"
    return session


def counts_from_database(revision: str) -> bool:
    """Whether only the database knows which revision is meant: `current`, `-1`, `+2`."""
    return "current" in revision or revision.startswith(("-", "+"))


def load_config(options: GlobalOptions) -> Config:
    """The configuration that the options choose; the variables of --env-file are set for env.py too."""
    from asyncmig.config import Config, load_env_file

    if options.env_file is not None:
        for name, value in load_env_file(options.env_file).items():
            os.environ.setdefault(name, value)
    overrides = {} if options.url is None else {"url": options.url}
    return Config.load(options.config, name=options.name, overrides=overrides)
