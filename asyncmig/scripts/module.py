"""A script as a Python module that nobody else sees."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from asyncmig.errors import ScriptError
from asyncmig.scripts.compiled import CompiledScript, compile_script

__all__ = ["ImportedScript", "import_script", "line_in", "read_source"]


@dataclass(frozen=True, slots=True)
class ImportedScript:
    """A script's module, after its top level has run, and what that was compiled from."""

    module: ModuleType
    compiled: CompiledScript


def read_source(path: Path) -> bytes:
    """The bytes of a script; ScriptError when they cannot be read."""
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - a third of the time of Path.read_bytes
            return file.readall()
    except OSError as error:
        raise ScriptError(f"The script cannot be read: {error.strerror}.", path=path) from error


def import_script(path: Path, source: bytes) -> ImportedScript:
    """Run the top level of a script of these bytes. What it raises becomes a ScriptError with the line inside the script.

    The module has a name of its own and stands in sys.modules only while it runs: declarative classes and dataclasses
    look themselves up there.
    """
    module = ModuleType("asyncmig_script")
    module.__name__ = f"asyncmig_script_{id(module):x}"
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        compiled = compile_script(path, source)
        exec(compiled.code, module.__dict__)
    except SyntaxError as error:
        own = error.filename in (None, str(path))
        raise ScriptError(
            f"The script is not valid Python: {error.msg}.",
            path=path,
            line=error.lineno if own else line_in(path, error),
        ) from error
    except (Exception, SystemExit) as error:
        raise ScriptError(
            f"The script cannot be loaded: {type(error).__name__}: {error}".rstrip(".") + ".",
            path=path,
            line=line_in(path, error),
        ) from error
    finally:
        del sys.modules[module.__name__]
    return ImportedScript(module, compiled)


def line_in(path: Path, error: BaseException) -> int | None:
    """The line of `path` that the error passed last, None when it never was there."""
    line = None
    traceback = error.__traceback__
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == str(path):
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line
