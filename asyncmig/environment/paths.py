"""Where env.py is, and sys.path while a project's own files are loaded and run."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from asyncmig.config import Config

__all__ = ["env_py", "import_path", "source_name"]


def env_py(config: Config) -> Path:
    """env.py; or asyncmig_env.py beside it, where env.py is Alembic's and goes on being so."""
    own = config.script_location / "asyncmig_env.py"
    return own if own.is_file() else config.script_location / "env.py"


def source_name(config: Config) -> str:
    """env.py as messages call it: "migrations/env.py"."""
    path = env_py(config)
    return path.relative_to(config.here).as_posix() if path.is_relative_to(config.here) else str(path)


@contextmanager
def import_path(config: Config) -> Iterator[None]:
    """prepend_sys_path at the front of sys.path, and sys.path as it was afterwards.

    Takes out what it put in instead of restoring a copy: another migrator may be doing the same in another thread.
    """
    entries = [str(path) for path in config.prepend_sys_path]
    sys.path[:0] = entries
    try:
        yield
    finally:
        for entry in entries:
            with suppress(ValueError):
                sys.path.remove(entry)
