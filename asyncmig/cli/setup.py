"""The first minutes: init and list-templates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from asyncmig.cli import words
from asyncmig.cli.completion import complete_template
from asyncmig.cli.session import session_of
from asyncmig.errors import UsageError

__all__ = ["init", "list_templates"]


def init(
    ctx: typer.Context,
    directory: Annotated[str, typer.Argument(metavar="DIRECTORY", help="The folder to lay out.")],
    template: Annotated[
        str, typer.Option("-t", "--template", metavar="NAME", help="What to lay out.", autocompletion=complete_template)
    ] = "async",
    package: Annotated[
        bool, typer.Option("--package", help="With empty __init__.py files, so that the folders are packages.")
    ] = False,
) -> None:
    """Lay out a migrations folder, and the configuration that points to it beside it. Nothing is overwritten."""
    from asyncmig.scripts.templates import init_directory

    session = session_of(ctx)
    console = session.console
    if session.options.config is not None:
        raise UsageError(
            "init writes the configuration into the working directory: -c has no place here.",
            hint="Go there first; a file of another name can be renamed afterwards and given with -c.",
        )
    if not directory.strip():
        raise UsageError("init needs the name of a folder.", hint="For example: asyncmig init migrations.")
    if _is_whole_project(template):
        written = init_directory(template, Path(directory).absolute(), package=package)
    else:
        folder = Path(directory)
        inside = folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
        written = init_directory(
            template,
            Path.cwd(),
            migrations=inside.as_posix(),
            variables={"script_location": inside.as_posix()},
            package=package,
        )
    console.result("\n".join(words.shown_path(path) for path in written))
    console.data({"template": template, "files": [str(path) for path in written]})
    console.note(_next_step(template, directory))


def _is_whole_project(template: str) -> bool:
    """Whether the template is a project of its own, whose folder is DIRECTORY.

    The other templates put their configuration, which names DIRECTORY, into the working directory.
    """
    from asyncmig.scripts.templates import template_files

    return not any(file.rendered for file in template_files(template))


def _next_step(template: str, directory: str) -> str:
    if _is_whole_project(template):
        return f"Next: cd {directory} and read README.md."
    if template == "multidb":
        return "Next: set the url of each database in asyncmig.toml; asyncmig -n NAME chooses one."
    where = "pyproject.toml" if template == "pyproject" else "asyncmig.toml"
    return f'Next: set url in {where}, then asyncmig revision -m "create account".'


def list_templates(ctx: typer.Context) -> None:
    """What `init -t` offers, with a line about each."""
    from asyncmig.scripts import templates

    console = session_of(ctx).console
    found = templates.list_templates()
    console.result("\n".join(words.table(found)))
    console.data({"templates": [{"name": name, "description": description} for name, description in found]})
