"""A new revision from what a user asks for: placed in the graph, written, and run through the hooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from asyncmig.config import Config
from asyncmig.environment.script_config import ScriptConfig
from asyncmig.revisions.graph import RevisionGraph
from asyncmig.revisions.target import Target
from asyncmig.scripts.directory import ScriptDirectory
from asyncmig.scripts.hooks import run_hooks
from asyncmig.scripts.placement import (
    check_found_again,
    choose_dependencies,
    choose_location,
    choose_merged,
    choose_parents,
)
from asyncmig.scripts.writer import NewRevision, check_new, create_date, file_name, new_identifier, write_revision

__all__ = ["MAX_ID_LENGTH", "Request", "create_merge", "create_revision"]

MAX_ID_LENGTH = 255
"""What a version table of ours holds."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the user said; `heads` are the revisions to follow (to merge); the bodies are what autogenerate wrote."""

    heads: tuple[Target, ...]
    message: str = ""
    splice: bool = False
    branch_labels: tuple[str, ...] = ()
    depends_on: tuple[str, ...] = ()
    version_path: Path | None = None
    rev_id: str | None = None
    data: bool = False
    imports: str = ""
    upgrades: str = ""
    downgrades: str = ""


def create_revision(config: Config, request: Request) -> Path:
    """Write the script that `request` describes. RevisionError and UsageError say why it cannot be placed."""
    directory = ScriptDirectory.from_config(config)
    graph = directory.graph()
    return _write(config, directory, graph, request, choose_parents(graph, request.heads, splice=request.splice))


def create_merge(config: Config, request: Request) -> Path:
    """Write a script that joins the heads of `request`."""
    directory = ScriptDirectory.from_config(config)
    graph = directory.graph()
    return _write(config, directory, graph, request, choose_merged(graph, request.heads, splice=request.splice))


def _write(
    config: Config, directory: ScriptDirectory, graph: RevisionGraph, request: Request, parents: Sequence[str]
) -> Path:
    new = NewRevision(
        id=request.rev_id or new_identifier(),
        message=request.message.strip(),
        down_revisions=tuple(parents),
        branch_labels=request.branch_labels,
        depends_on=choose_dependencies(graph, request.depends_on),
        imports=request.imports,
        upgrades=request.upgrades,
        downgrades=request.downgrades,
        data=request.data,
    )
    check_new(new, graph, max_id_length=MAX_ID_LENGTH)
    created = create_date(config.timezone)
    name = file_name(new, created, template=config.file_template, truncate_slug_length=config.truncate_slug_length)
    check_found_again(directory, name)
    path = write_revision(
        new,
        template=config.script_location / "script.py.mako",
        location=choose_location(directory, graph, parents, request.version_path),
        name=name,
        created=created,
        config=ScriptConfig(config),
    )
    run_hooks(config.post_write_hooks, path)
    return path
