"""What the shell offers after a Tab: revisions, templates, databases. It never fails and never asks a database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import typer

from asyncmig.cli.session import Session, load_config
from asyncmig.errors import AsyncmigError

__all__ = ["complete_database", "complete_revision", "complete_template"]

_WORDS = (("head", "the newest revision"), ("heads", "the newest of every branch"), ("base", "before the first"))


def complete_revision(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """Words, labels and ids that begin so; after `a:` what may stand behind the colon."""
    before, colon, begun = incomplete.rpartition(":")
    try:
        found = [*_WORDS, *_labels_and_ids(ctx)]
    except (AsyncmigError, OSError):
        # A project that cannot be read has nothing to offer; the command itself will say why.
        found = list(_WORDS)
    return [(f"{before}{colon}{value}", about) for value, about in found if value.startswith(begun)]


def _labels_and_ids(ctx: typer.Context) -> Iterator[tuple[str, str]]:
    session = ctx.find_object(Session) or Session()
    for entry in session.ask(lambda migrator: migrator.history()):
        yield from ((f"{label}@head", f"the head of {label}") for label in entry.revision.branch_labels)
        yield entry.revision.id, entry.revision.message


def complete_template(incomplete: str) -> list[tuple[str, str]]:
    from asyncmig.scripts.templates import list_templates

    return [(name, about) for name, about in list_templates() if name.startswith(incomplete)]


def complete_database(ctx: typer.Context, incomplete: str) -> list[tuple[str, str]]:
    """The names under [databases]."""
    session = ctx.find_object(Session) or Session()
    try:
        names = load_config(replace(session.options, name=None)).databases
    except (AsyncmigError, OSError):
        return []
    return [(name, "") for name in names if name.startswith(incomplete)]
