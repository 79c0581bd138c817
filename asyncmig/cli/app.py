"""The list of commands, and the application that loads only the one that runs."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from asyncmig.cli import failures
from asyncmig.cli.command import Command, UsageFailure, global_parameters, make_command, take_options
from asyncmig.cli.output import Console
from asyncmig.cli.parameters import PlainParameters
from asyncmig.cli.session import Session
from asyncmig.errors import Interrupted, UsageError

if TYPE_CHECKING:
    from asyncmig.migrator import Migrator

__all__ = ["COMMANDS", "Entry", "build", "run"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of `asyncmig --help`; `target` is imported when the command runs."""

    name: str
    group: str
    target: str
    help: str
    example: str


_START = "Start"
_SCRIPTS = "Write revisions"
_RUN = "Change the database"
_LOOK = "Look at the database"
_HISTORY = "Look at the revisions"

COMMANDS: tuple[Entry, ...] = (
    Entry(
        "init", _START, "setup:init", "Lay out a migrations folder and its configuration.", "asyncmig init migrations"
    ),
    Entry("adopt", _START, "adopting:adopt", "Let asyncmig run an Alembic project.", "asyncmig adopt --dry-run"),
    Entry("list-templates", _START, "setup:list_templates", "What `init -t` offers.", "asyncmig list-templates"),
    Entry(
        "revision",
        _SCRIPTS,
        "scripting:revision",
        "Write a new revision script.",
        'asyncmig revision -m "create account"',
    ),
    Entry("merge", _SCRIPTS, "scripting:merge", "Write a revision that joins heads.", 'asyncmig merge heads -m "join"'),
    Entry("edit", _SCRIPTS, "scripting:edit", "Open a script in $VISUAL or $EDITOR.", "asyncmig edit head"),
    Entry("upgrade", _RUN, "running:upgrade", "Bring the database up to a revision.", "asyncmig upgrade head"),
    Entry("downgrade", _RUN, "running:downgrade", "Take the database back to a revision.", "asyncmig downgrade -1"),
    Entry("stamp", _RUN, "running:stamp", "Record a revision without running its script.", "asyncmig stamp head"),
    Entry(
        "ensure-version",
        _RUN,
        "running:ensure_version",
        "Create the version table if it is missing.",
        "asyncmig ensure-version",
    ),
    Entry(
        "fleet",
        _RUN,
        "fleeting:fleet",
        "Many databases or schemas at once.",
        "asyncmig fleet upgrade head --targets tenants.txt",
    ),
    Entry("current", _LOOK, "looking:current", "The revisions that the database is at.", "asyncmig current"),
    Entry("status", _LOOK, "looking:status", "One screen: database, heads, what is pending.", "asyncmig status"),
    Entry("plan", _LOOK, "looking:plan", "What an upgrade would do now, without doing it.", "asyncmig plan head"),
    Entry("check", _LOOK, "looking:check", "Exit 1 unless the database is at head.", "asyncmig check"),
    Entry("log", _LOOK, "looking:log", "What was applied, when, by whom.", "asyncmig log --limit 10"),
    Entry("heads", _HISTORY, "history:heads", "The newest revision of each branch.", "asyncmig heads"),
    Entry("history", _HISTORY, "history:history", "The revisions, newest first.", "asyncmig history -r -3:"),
    Entry("branches", _HISTORY, "history:branches", "The revisions where branches part.", "asyncmig branches"),
    Entry("show", _HISTORY, "history:show", "All about one revision.", "asyncmig show head"),
)


class _Commands(Mapping[str, Command]):
    """The commands by name; one is imported and built when it is asked for, and kept."""

    def __init__(self, session: Session) -> None:
        self._entries = {entry.name: entry for entry in COMMANDS}
        self._built: dict[str, Command] = {}
        self._session = session

    def __getitem__(self, name: str) -> Command:
        if name not in self._built:
            self._built[name] = self._build(self._entries[name])
        return self._built[name]

    def _build(self, entry: Entry) -> Command:
        module, _, attribute = entry.target.partition(":")
        function = getattr(import_module(f"asyncmig.cli.{module}"), attribute)
        return make_command(entry.name, function, help=entry.help, example=entry.example, session=self._session)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return name in self._entries


class _Group(PlainParameters, TyperGroup):
    """`asyncmig` itself."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # Where an application mounts us, its help may be drawn by rich; a list drawn so would load every command.
        self.rich_markup_mode = None
        self._session: Session = self.context_settings["obj"]
        self.commands = _Commands(self._session)  # type: ignore[assignment]
        self.params = [*self.params, *global_parameters()]

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and not ctx.resilient_parsing:
            # By ourselves: what Typer does here shows nothing where an application that uses rich mounts us.
            typer.echo(ctx.get_help(), err=True)
            raise typer.Exit(2)
        rest = super().parse_args(ctx, args)
        take_options(ctx, self._session)
        return rest

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """`ensure_version` and `list_templates`, as Alembic spells them, are commands too."""
        return super().get_command(ctx, cmd_name.replace("_", "-"))

    def list_commands(self, ctx: Any) -> list[str]:
        return list(self.commands)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        self.format_commands(ctx, formatter)
        rows = [record for item in self.get_params(ctx) if (record := item.get_help_record(ctx))]
        with formatter.section("Options, before or after the command"):
            formatter.write_dl(rows)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        for title in dict.fromkeys(entry.group for entry in COMMANDS):
            with formatter.section(title):
                formatter.write_dl([(entry.name, entry.help) for entry in COMMANDS if entry.group == title])


def _print_version(wanted: bool) -> None:
    if wanted:
        from asyncmig.version import __version__

        typer.echo(f"asyncmig {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Version control for a database schema: PostgreSQL and SQLite."""


def build(migrator: Migrator | None = None) -> typer.Typer:
    """A new application; `asyncmig.cli.create_app` is its public name."""
    app = typer.Typer(
        cls=_Group,
        # The commands inherit the names of --help, where an application mounts them too.
        context_settings={"obj": Session(mounted=migrator), "help_option_names": ["-h", "--help"]},
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        epilog="asyncmig COMMAND --help shows a command's options and an example.",
    )
    app.callback()(_root)
    return app


def run(arguments: list[str] | None = None) -> int:
    """The whole process but its end: parse, run, and return the exit code."""
    typed = sys.argv[1:] if arguments is None else arguments
    command = typer.main.get_command(build())
    try:
        code = command.main(typed, prog_name="asyncmig", standalone_mode=False)
    except UsageFailure as failure:
        return _usage(failure, typed)
    except typer.Abort:
        return Interrupted.exit_code
    except BrokenPipeError:
        return 0
    return code if isinstance(code, int) else 0


def _usage(failure: Any, typed: list[str]) -> int:
    """A command line that cannot be parsed, answered like any other error."""
    message = failure.format_message()
    path = failure.ctx.command_path if failure.ctx else "asyncmig"
    stop = "" if message.endswith((".", "?")) else "."
    error = UsageError(f"{message}{stop}", hint=f"{path} --help shows what it takes.")
    events = "--events" in typed
    console = Console.for_process(as_json=events or "--json" in typed, as_lines=events, no_color="--no-color" in typed)
    return failures.report(error, console, show_traceback=False)
