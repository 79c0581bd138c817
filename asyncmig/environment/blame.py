"""Whatever a project's env.py raises, as one error that names its file, its line and the exception."""

from __future__ import annotations

import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from asyncmig.config import Config
from asyncmig.environment.environment import Environment
from asyncmig.environment.paths import env_py
from asyncmig.errors import AsyncmigError, EnvironmentFileError
from asyncmig.url import redact

__all__ = ["blaming_env_py", "looks_like_alembic"]

_KEYWORD = re.compile(r"Environment\.__init__\(\) got an unexpected keyword argument '(?P<name>\w+)'")
# What Alembic's context says outside of Alembic, and Python where there is no Alembic.
_NO_ALEMBIC = re.compile("proxy object has not yet been established|No module named 'alembic")
_LONGEST_MESSAGE = 400

DECLARE = """Write at its end: environment = Environment(target_metadata=Base.metadata, url="...")."""
CONVERT = (
    "This env.py is written for Alembic and runs the migrations itself. Here it only declares: keep its imports, "
    "drop run_migrations_online and run_migrations_offline, and end it with "
    "environment = Environment(target_metadata=..., url=...)."
)


@contextmanager
def blaming_env_py(config: Config) -> Iterator[None]:
    """Errors of asyncmig's own, raised in env.py on purpose, pass through; cancellation does too."""
    try:
        yield
    except AsyncmigError:
        raise
    except (Exception, SystemExit) as error:
        raise _blamed(error, config) from error


def looks_like_alembic(path: Path) -> bool:
    source = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return "context.configure(" in source or "def run_migrations_" in source


def _blamed(error: BaseException, config: Config) -> EnvironmentFileError:
    path = env_py(config)
    message, hint = _said(error), _hint(error, config)
    if hint == CONVERT and _NO_ALEMBIC.search(message):
        message = "It asks Alembic for a running migration."
    keyword = _KEYWORD.search(str(error))
    if keyword:
        message, hint = f"Environment has no field {keyword['name']}.", _nearest_field(keyword["name"])
    return EnvironmentFileError(message, path=path, line=_line(error, path), hint=hint)


def _said(error: BaseException) -> str:
    text = redact(" ".join(str(error).split()))
    if len(text) > _LONGEST_MESSAGE:
        text = text[:_LONGEST_MESSAGE] + "..."
    said = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return said if said.endswith((".", "!", "?")) else f"{said}."


def _line(error: BaseException, path: Path) -> int | None:
    """The innermost line of env.py itself on the way to the error."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__, limit=None)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(path)), None)


def _hint(error: BaseException, config: Config) -> str | None:
    if looks_like_alembic(env_py(config)):
        return CONVERT
    if isinstance(error, ModuleNotFoundError):
        folders = ", ".join(str(folder) for folder in config.prepend_sys_path)
        return f"Modules are looked for in {folders} (prepend_sys_path) and where Python finds its own."
    return None


def _nearest_field(name: str) -> str:
    from difflib import get_close_matches

    fields = tuple(Environment.__dataclass_fields__)
    match = get_close_matches(name, fields, n=1, cutoff=0.5)
    return f"Did you mean {match[0]}?" if match else f"Its fields: {', '.join(fields)}."
