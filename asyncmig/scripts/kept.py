"""What is kept from run to run, in Python's own cache folders: never more than a shorter way to what the scripts say.

Each file holds a stamp (what it was made of) and a digest of its content: one made of something else, by another Python, or
torn by a crash is no cache, and never a program. PYTHONDONTWRITEBYTECODE and PYTHONPYCACHEPREFIX are followed.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from importlib.util import MAGIC_NUMBER, cache_from_source

__all__ = ["cache_of", "read_kept", "stamp_of", "write_kept"]

_DIGEST = 32


def cache_of(folder: str, name: str) -> str | None:
    """The file that keeps what belongs to `name` in a folder; None where this Python caches nothing."""
    ends = _ends(folder, sys.implementation.cache_tag, sys.pycache_prefix)
    return ends and f"{ends[0]}{name}{ends[1]}"


def stamp_of(*parts: bytes) -> bytes:
    """What a content was made of, and for which Python."""
    return sha256(b"\0".join((MAGIC_NUMBER, *parts))).digest()


def read_kept(cache: str, stamp: bytes) -> bytes | None:
    """The content that was kept under this stamp; None when there is none, or it is not whole."""
    try:
        with open(cache, "rb", buffering=0) as file:  # noqa: PTH123 - a third of the time of Path.read_bytes
            content = file.readall()
    except OSError:
        return None
    body = content[2 * _DIGEST :]
    if content[:_DIGEST] != stamp or content[_DIGEST : 2 * _DIGEST] != sha256(body).digest():
        return None
    return body


def write_kept(cache: str, stamp: bytes, body: bytes) -> None:
    """Keep it. Under a name of its own first: another process may be writing the same."""
    if sys.dont_write_bytecode:
        return
    temporary = f"{cache}.{os.urandom(4).hex()}"
    # A folder that takes no files costs the next run the work, and nobody anything else.
    with suppress(OSError):
        os.makedirs(os.path.dirname(cache), exist_ok=True)  # noqa: PTH103, PTH120 - as above
        try:
            with open(temporary, "xb", buffering=0) as file:  # noqa: PTH123 - as above
                file.write(b"".join((stamp, sha256(body).digest(), body)))
            os.replace(temporary, cache)  # noqa: PTH105 - as above
        except OSError:
            with suppress(OSError):
                os.unlink(temporary)  # noqa: PTH108 - as above
            raise


@lru_cache(64)
def _ends(folder: str, tag: str | None, prefix: str | None) -> tuple[str, str] | None:
    """What stands before and behind a name in Python's cache: asked once for the thousand scripts of a folder."""
    if tag is None:
        return None
    optimization = f"asyncmig{sys.flags.optimize or ''}"
    before, _, behind = cache_from_source(os.path.join(folder, "?.py"), optimization=optimization).rpartition("?")  # noqa: PTH118
    return before, behind
