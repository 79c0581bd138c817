"""A dotenv file, read with python-dotenv (the `dotenv` extra)."""

from __future__ import annotations

from pathlib import Path

from asyncmig.errors import ConfigError

__all__ = ["load_env_file"]


def load_env_file(path: str | Path) -> dict[str, str]:
    """The variables of the file; nothing is exported: the command line does that, a library must not.

    A name without `=` sets nothing. ConfigError when the file is not there or python-dotenv is not installed.
    """
    file = Path(path)
    if not file.is_file():
        raise ConfigError("There is no such environment file.", path=file, hint="Check the path after --env-file.")
    try:
        from dotenv import dotenv_values
    except ImportError as error:
        raise ConfigError(
            "Reading an environment file needs python-dotenv, which is not installed.",
            path=file,
            hint='Install it with: pip install "asyncmig[dotenv]".',
        ) from error
    try:
        values = dotenv_values(file)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The file cannot be read: {error}.", path=file) from error
    return {name: value for name, value in values.items() if value is not None}
