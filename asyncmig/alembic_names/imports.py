"""What surrounds the loading and running of a project's own files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from asyncmig.environment.paths import import_path

if TYPE_CHECKING:
    from asyncmig.environment import Context

__all__ = ["project_imports"]


@contextmanager
def project_imports(context: Context) -> Iterator[None]:
    """prepend_sys_path in front of sys.path and, with alembic_compat, `alembic` as ours in this context."""
    with ExitStack() as stack:
        stack.enter_context(import_path(context.config))
        if context.config.alembic_compat:
            from asyncmig.alembic_names.active import ProjectRun, inside
            from asyncmig.alembic_names.finder import import_hook

            stack.enter_context(import_hook.held())
            stack.enter_context(inside(ProjectRun(context)))
        yield
