"""A dotenv file, read with python-dotenv (the `dotenv` extra)."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from asyncmig.errors import ConfigError

__all__ = ["load_env_file"]


def load_env_file(path: str | Path) -> dict[str, str]:
    """The variables of the file; nothing is exported: the command line does that, a library must not.

    A name without `=` sets nothing. ConfigError when the file is not there, python-dotenv is not installed, or a line
    cannot be read: python-dotenv itself would leave it out.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError("There is no such environment file.", path=file, hint="Check the path after --env-file.")
    try:
        from dotenv import dotenv_values
        from dotenv.parser import parse_stream
    except ImportError as error:
        raise ConfigError(
            "Reading an environment file needs python-dotenv, which is not installed.",
            path=file,
            hint='Install it with: pip install "asyncmig[dotenv]".',
        ) from error
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The file cannot be read: {error}.", path=file) from error
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            line = binding.original.line + len(binding.original.string) - len(binding.original.string.lstrip("\n"))
            raise ConfigError(f"line {line} cannot be read.", path=file, hint="Write NAME=value, a variable a line.")
    values = dotenv_values(stream=StringIO(text))
    return {name: value for name, value in values.items() if value is not None}
