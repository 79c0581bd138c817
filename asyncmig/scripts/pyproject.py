"""The [tool.asyncmig] table at the end of a pyproject.toml that is there already."""

from __future__ import annotations

import tomllib
from pathlib import Path

from asyncmig.errors import UsageError

__all__ = ["with_table"]


def with_table(path: Path, table: str) -> bytes:
    """The file's bytes as they are, then `table`, in the file's own line ends.

    UsageError when the file has a [tool.asyncmig], or is none that a table can be appended to.
    """
    before = path.read_bytes()
    parsed = _parsed(before, path)
    if "asyncmig" in parsed.get("tool", {}):
        raise UsageError(f"{path} has a [tool.asyncmig] already; nothing was written.", hint="Edit it, or remove it.")
    line_end = "\r\n" if b"\r\n" in before else "\n"
    gap = line_end * (0 if not before else 1 if before.endswith(b"\n") else 2)
    after = before + (gap + table.replace("\n", line_end)).encode()
    _parsed(after, path)
    return after


def _parsed(content: bytes, path: Path) -> dict[str, dict[str, object]]:
    try:
        return tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{path}: [tool.asyncmig] cannot be appended: {error}; nothing was written.", hint="Mend the file first."
        ) from error
