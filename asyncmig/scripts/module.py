"""A script as a Python module that nobody else sees."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType
from uuid import uuid4

from asyncmig.errors import ScriptError

__all__ = ["import_script", "line_in"]

_SETTLED = 2.0
"""Seconds after which the time of a file tells it apart from the next edit."""


class _Uncached(SourceFileLoader):
    """A loader that neither reads nor writes bytecode."""

    def get_code(self, fullname: str) -> CodeType:
        return self.source_to_code(self.get_data(self.path), self.path)


def import_script(path: Path, *, now: Callable[[], float] = time.time) -> ModuleType:
    """Run a script's top level. What it raises becomes a ScriptError with the line inside the script.

    The module has a name of its own and stands in sys.modules only while it runs: declarative classes and dataclasses
    look themselves up there. Python's bytecode cache serves as for any import, except for a script that was written a
    moment ago: the cache tells versions apart by whole seconds and size, and running the version before the last edit
    is not a risk to take with a migration.
    """
    name = f"asyncmig_script_{uuid4().hex}"
    loader = (_Uncached if _is_new(path, now()) else SourceFileLoader)(name, str(path))
    spec = spec_from_loader(name, loader)
    if spec is None or spec.loader is None:
        raise ScriptError("Python has no loader for this file.", path=path)
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except SyntaxError as error:
        own = error.filename in (None, str(path))
        raise ScriptError(
            f"The script is not valid Python: {error.msg}.", path=path, line=error.lineno if own else line_in(path, error)
        ) from error
    except (Exception, SystemExit) as error:
        raise ScriptError(
            f"The script cannot be loaded: {type(error).__name__}: {error}.", path=path, line=line_in(path, error)
        ) from error
    finally:
        del sys.modules[name]
    return module


def _is_new(path: Path, now: float) -> bool:
    try:
        return path.stat().st_mtime > now - _SETTLED
    except OSError:
        return True  # loading it will say what is wrong


def line_in(path: Path, error: BaseException) -> int | None:
    """The line of `path` that the error passed last, None when it never was there."""
    line = None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
