"""What a script raises while it is only recorded or spelled, as one error that names its file and line."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from asyncmig.database.failures import message_of
from asyncmig.errors import AsyncmigError, ScriptError
from asyncmig.operations.base import Origin

__all__ = ["blaming_operation", "blaming_script"]

_PACKAGE = __name__.partition(".")[0]


@contextmanager
def blaming_script(path: Path | None) -> Iterator[None]:
    """ScriptError for whatever the script's own code raises; what is an error of ours or the database's passes."""
    try:
        yield
    except (AsyncmigError, sa.exc.DBAPIError):
        raise
    except Exception as error:
        raise _blamed(error, path, _line(error, path)) from error


@contextmanager
def blaming_operation(origin: Origin | None) -> Iterator[None]:
    """ScriptError at the operation's line for what cannot be spelled: a column without a type, a type that raises."""
    try:
        yield
    except (AsyncmigError, sa.exc.DBAPIError):
        raise
    except Exception as error:
        if origin is None or _is_of(error, _PACKAGE):
            raise
        raise _blamed(error, origin.path, origin.line) from error


def _is_of(error: Exception, package: str) -> bool:
    """Whether code of the package raised it: a defect of ours is no script's."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    module = str(frames[-1].f_globals.get("__name__", ""))
    return not isinstance(error, sa.exc.SQLAlchemyError) and (module == package or module.startswith(f"{package}."))


def _blamed(error: Exception, path: Path | None, line: int | None) -> ScriptError:
    text = f"{type(error).__name__}: {message_of(error)}"
    return ScriptError(text if text.endswith((".", "!", "?")) else f"{text}.", path=path, line=line)


def _line(error: Exception, path: Path | None) -> int | None:
    """The innermost line of the script on the way to the error."""
    frames = traceback.walk_tb(error.__traceback__)
    lines = [line for frame, line in frames if frame.f_code.co_filename == str(path)]
    return lines[-1] if lines else None
