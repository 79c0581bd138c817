"""One command: the global options on both sides of its name, `-1` as a revision, errors as one paragraph."""

from __future__ import annotations

from typing import Any

import typer
from typer.core import TyperCommand

from asyncmig.cli import failures
from asyncmig.cli.options import GlobalOptions, declare
from asyncmig.cli.output import OutputLost
from asyncmig.cli.parameters import PlainParameters, protect, unprotect
from asyncmig.cli.session import Session
from asyncmig.errors import AsyncmigError, Interrupted

__all__ = ["Command", "UsageFailure", "global_parameters", "make_command", "take_options"]

# What Typer raises for a command line that it cannot parse; it exports only this subclass of it.
UsageFailure: type[Exception] = typer.BadParameter.__mro__[1]


def make_command(name: str, function: Any, *, help: str, example: str, session: Session) -> Command:
    """`function`'s declaration as a command; `help` is its line in the list, the docstring its page."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command(name, cls=Command, short_help=help, epilog=f"\b\nExample:\n  {example}")(function)
    command = typer.main.get_command(app)
    assert isinstance(command, Command)
    command.session = session
    return command


def global_parameters() -> list[Any]:
    """A fresh copy of the declared global options."""
    app = typer.Typer(add_completion=False, rich_markup_mode=None)
    app.command()(declare)
    return list(typer.main.get_command(app).params)


def take_options(ctx: Any, session: Session) -> None:
    """Move the global options out of the context's parameters, into the session that everything below sees."""
    names = GlobalOptions.names()
    given = {name: ctx.params.pop(name) for name in list(ctx.params) if name in names}
    ctx.obj = (ctx.find_object(Session) or session).merged(given)


class Command(PlainParameters, TyperCommand):
    """A command below `asyncmig` or below an application's own group."""

    session: Session

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.rich_markup_mode = None
        self._own = len(self.params)
        self.params = [*self.params, *global_parameters()]
        self.session = Session()

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        try:
            rest = super().parse_args(ctx, protect(args))
        except UsageFailure as failure:
            failure.message = unprotect(failure.message)  # type: ignore[attr-defined]
            failure.ctx = ctx  # type: ignore[attr-defined]  # an option that is unknown does not know its command
            raise
        ctx.params = {name: unprotect(value) for name, value in ctx.params.items()}
        take_options(ctx, self.session)
        return rest

    def invoke(self, ctx: Any) -> Any:
        session = ctx.obj
        try:
            result = super().invoke(ctx)
            # Now rather than at the interpreter's end, where a broken pipe can no longer be answered.
            session.console.flush()
            return result
        except BrokenPipeError:
            # Whoever read our output has had enough, as in `asyncmig history | head -1`.
            failures.discard_output()
            raise typer.Exit(0) from None
        except OutputLost as error:
            failures.discard_output()
            raise typer.Exit(_say(error, session)) from error
        except (typer.Exit, typer.Abort, UsageFailure):
            raise
        except AsyncmigError as error:
            raise typer.Exit(_say(error, session)) from error
        except KeyboardInterrupt as error:
            raise typer.Exit(_say(Interrupted("Interrupted."), session)) from error
        except Exception as error:
            raise typer.Exit(_say(error, session)) from error

    def format_options(self, ctx: Any, formatter: Any) -> None:
        own, shared = self.get_params(ctx)[: self._own], self.get_params(ctx)[self._own :]
        for title, parameters in (
            ("Arguments", [item for item in own if item.param_type_name == "argument"]),
            ("Options", [item for item in own if item.param_type_name == "option"]),
            ("Options of every command", shared),
        ):
            rows = [record for item in parameters if (record := item.get_help_record(ctx))]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _say(error: BaseException, session: Session) -> int:
    return failures.report(error, session.console, show_traceback=session.options.traceback)
