"""The revisions of a folder's scripts; what an earlier run read of a file that has not changed since is not read again.

Reading 10,000 headers costs three times what listing the files and asking the system for their state does. A file counts as
unchanged by the rule that version control systems use for their index: same size, same times of the content and of the
inode to the nanosecond, same inode. What was changed within the last moments before it was read is not kept, since clocks of
file systems tick coarsely and a second change might leave all of that as it was.
"""

from __future__ import annotations

import marshal
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from asyncmig.revisions.revision import Revision
from asyncmig.scripts.header import read_header, revision_of
from asyncmig.scripts.kept import cache_of, read_kept, stamp_of, write_kept
from asyncmig.version import __version__

__all__ = ["read_revisions"]

_State = tuple[int, int, int, int]
_Names = tuple[str, ...]
_Fields = tuple[str, _Names, _Names, _Names, str, str, str | None]  # those of a Revision, but for its path
_Entry = tuple[_State, _Fields]

_STAMP = stamp_of(b"headers 1", __version__.encode())
_TICK = 2_000_000_000  # nanoseconds: FAT's, the coarsest clock of a file system in use
_WORTH = 50  # headers read anew that are worth keeping; and, of a long history, a fiftieth of it


def read_revisions(folder: Path, paths: Sequence[Path]) -> list[Revision]:
    """What each script declares, in the order of `paths`; kept in the cache of `folder`. ScriptError as `read_header`."""
    cache = cache_of(str(folder), "asyncmig-headers")
    kept = _read(cache) if cache else {}
    if not kept and (len(paths) < _WORTH or sys.dont_write_bytecode):  # nothing to find, and nothing to keep
        return [revision_of(read_header(path), path) for path in paths]
    now = time.time_ns()
    found: list[Revision] = []
    entries: dict[str, _Entry] = {}
    new = 0
    for path in paths:
        name = str(path)
        state = _state(name)
        entry = kept.get(name)
        if entry is not None and entry[0] == state:
            found.append(Revision(*entry[1], path))
            entries[name] = entry
            continue
        header = read_header(path)
        revision = revision_of(header, path)
        found.append(revision)
        if state is not None and not header.computed and max(state[1:3]) < now - _TICK:
            entries[name] = (state, _fields(revision))
            new += 1
    if cache and new >= max(_WORTH, len(found) // 50):
        write_kept(cache, _STAMP, marshal.dumps(entries))
    return found


def _read(cache: str) -> dict[str, _Entry]:
    body = read_kept(cache, _STAMP)
    entries: dict[str, _Entry] = {} if body is None else marshal.loads(body)
    return entries


def _state(name: str) -> _State | None:
    try:
        state = os.stat(name)  # noqa: PTH116 - once a script
    except OSError:
        return None  # reading it says why
    return state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino


def _fields(revision: Revision) -> _Fields:
    return (
        revision.id,
        revision.down_revisions,
        revision.depends_on,
        revision.branch_labels,
        revision.message,
        revision.doc,
        revision.create_date,
    )
