"""A script compiled, with the digests that the journal gets of it: kept in Python's own cache folder from run to run.

Compiling a script and taking its checksum is a third of a millisecond, more than most scripts need on the database;
test suites and fleets run the same ones again and again. Python's own .pyc files would not do: they tell versions of a
file apart by whole seconds and size, and what runs must be the very bytes whose digest the journal gets. So a file of ours
names the SHA-256 of the source, and holds one of itself: one that was torn by a crash is no cache, and never a program.
"""

from __future__ import annotations

import ast
import marshal
import os
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.util import MAGIC_NUMBER, cache_from_source
from pathlib import Path
from types import CodeType

from asyncmig.scripts.checksum import NORMAL_FORM, checksum_of, file_hash
from asyncmig.scripts.fixed import fixed_functions

__all__ = ["CompiledScript", "compile_script"]

_LAYOUT = b"2"  # of what is kept: another one is another name
_DIGEST = 32
_HEX = 64
_DIRECTIONS = ("upgrade", "downgrade")


@dataclass(frozen=True, slots=True)
class CompiledScript:
    """`checksum` and `file_hash` are 64 hex digits, as in checksum.py; `fixed` those of upgrade and downgrade that fixed.py means."""

    code: CodeType
    checksum: str
    fixed: tuple[str, ...]
    file_hash: str


def compile_script(path: Path, source: bytes) -> CompiledScript:
    """Compile the bytes of a script, or take what an earlier run made of exactly these.

    SyntaxError and ValueError as `compile` raises them. Follows PYTHONDONTWRITEBYTECODE and PYTHONPYCACHEPREFIX.
    """
    whole = file_hash(source)
    cache = _place(path)
    # Code objects know the path that they were compiled for: an operation's line is found by it.
    stamp = sha256(b"\0".join((MAGIC_NUMBER, NORMAL_FORM, _LAYOUT, os.fsencode(path), whole.encode()))).digest()
    kept = _read(cache, stamp) if cache else None
    if kept is not None:
        return CompiledScript(*kept, whole)
    code = compile(source, str(path), "exec", dont_inherit=True)
    tree = ast.parse(source)
    meaning, found = checksum_of(tree), fixed_functions(tree)
    fixed = tuple(name for name in _DIRECTIONS if name in found)
    if cache and not sys.dont_write_bytecode:
        _write(cache, stamp, meaning.encode() + marshal.dumps((code, fixed)))
    return CompiledScript(code, meaning, fixed, whole)


def _place(path: Path) -> str | None:
    ends = _ends(str(path.parent), sys.implementation.cache_tag, sys.pycache_prefix)
    return ends and f"{ends[0]}{path.stem}{ends[1]}"


@lru_cache(64)
def _ends(folder: str, tag: str | None, prefix: str | None) -> tuple[str, str] | None:
    """What stands before and behind a script's name in Python's cache: asked once for the thousand scripts of a folder."""
    if tag is None:
        return None  # this Python caches nothing
    optimization = f"asyncmig{sys.flags.optimize or ''}"
    before, _, behind = cache_from_source(os.path.join(folder, "?.py"), optimization=optimization).rpartition("?")  # noqa: PTH118
    return before, behind


def _read(cache: str, stamp: bytes) -> tuple[CodeType, str, tuple[str, ...]] | None:
    try:
        with open(cache, "rb", buffering=0) as file:  # noqa: PTH123 - a third of the time of Path.read_bytes
            content = file.readall()
    except OSError:
        return None
    body = content[2 * _DIGEST :]
    if content[:_DIGEST] != stamp or content[_DIGEST : 2 * _DIGEST] != sha256(body).digest():
        return None
    code, fixed = marshal.loads(body[_HEX:])
    return code, body[:_HEX].decode(), fixed


def _write(cache: str, stamp: bytes, body: bytes) -> None:
    """Under a name of its own first: another process may be writing the same."""
    temporary = f"{cache}.{os.urandom(4).hex()}"
    # A folder that takes no files costs the next run the compiling, and nobody anything else.
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
