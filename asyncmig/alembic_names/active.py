"""Whether the code that runs here belongs to a project whose `alembic` is ours; told by context, never globally."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from asyncmig.environment.script_config import ScriptConfig

if TYPE_CHECKING:
    from asyncmig.environment import Context

__all__ = ["ProjectRun", "inside", "outside", "project_run"]


@dataclass(frozen=True, slots=True)
class ProjectRun:
    """The run as env.py and scripts ask for it: options, -x arguments, configuration."""

    context: Context
    config: ScriptConfig = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "config", ScriptConfig(self.context.config))


_run: ContextVar[ProjectRun | None] = ContextVar("asyncmig_alembic_names", default=None)


def project_run() -> ProjectRun | None:
    """The run that the code here belongs to; None where `alembic` means the installed one."""
    return _run.get()


@contextmanager
def inside(run: ProjectRun) -> Iterator[None]:
    token = _run.set(run)
    try:
        yield
    finally:
        _run.reset(token)


@contextmanager
def outside() -> Iterator[None]:
    """For the installed alembic's own code, which must see its own names even when a script made it run."""
    token = _run.set(None)
    try:
        yield
    finally:
        _run.reset(token)
