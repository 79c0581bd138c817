"""A script as a Python module that nobody else sees."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType
from uuid import uuid4

from asyncmig.errors import ScriptError

__all__ = ["import_script", "line_in"]


def import_script(path: Path) -> ModuleType:
    """Run a script's top level. What it raises becomes a ScriptError with the line inside the script.

    The module has a name of its own and stands in sys.modules only while it runs: declarative classes and dataclasses
    look themselves up there. Python's bytecode cache serves as for any import.
    """
    from importlib.machinery import SourceFileLoader
    from importlib.util import module_from_spec, spec_from_loader

    name = f"asyncmig_script_{uuid4().hex}"
    spec = spec_from_loader(name, SourceFileLoader(name, str(path)))
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


def line_in(path: Path, error: BaseException) -> int | None:
    """The line of `path` that the error passed last, None when it never was there."""
    line = None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
