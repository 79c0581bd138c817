"""Files that come into being, or change, whole or not at all; a new one never in place of another."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from asyncmig.errors import AsyncmigError, ScriptError

__all__ = ["replace_file", "write_new"]


def write_new(path: Path, content: bytes) -> None:
    """Write a file that must not exist yet, and its folders.

    ScriptError when it exists; AsyncmigError when the disk is full or the folder forbids it. Then nothing is left, the
    folders made on the way included.
    """
    try:
        with _folders(path.parent), _temporary(path, content) as temporary:
            _publish(temporary, path)
    except FileExistsError as error:
        raise ScriptError("There is a file of this name already.", path=path) from error
    except OSError as error:
        raise AsyncmigError(f"{path}: cannot be written: {error.strerror}.", hint="Nothing was left behind.") from error


def replace_file(path: Path, content: bytes) -> None:
    """Give a file that is there other content; AsyncmigError when that cannot be done, and then it is as it was."""
    target = path.resolve()  # where the name is a link, the link stays
    try:
        with _temporary(target, content) as temporary:
            shutil.copymode(target, temporary)
            temporary.replace(target)
    except OSError as error:
        raise AsyncmigError(f"{path}: cannot be written: {error.strerror}.", hint="It is as it was.") from error


@contextmanager
def _folders(folder: Path) -> Iterator[None]:
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        for each in missing:
            with suppress(OSError):  # somebody else may have put a file there meanwhile
                each.rmdir()
        raise


@contextmanager
def _temporary(path: Path, content: bytes) -> Iterator[Path]:
    """The content under a name that nobody reads, in the same folder, on the disk before it is published."""
    temporary = path.with_name(f".{token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield temporary
    finally:
        temporary.unlink(missing_ok=True)


def _publish(temporary: Path, path: Path) -> None:
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError:
        # No hard links on this file system. A rename would replace what came into being since the look; that window
        # is what such file systems leave.
        if path.exists():
            raise FileExistsError from None
        temporary.rename(path)
