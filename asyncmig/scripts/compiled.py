"""A script compiled, with the digests that the journal gets of it: kept in Python's own cache folder from run to run.

Compiling a script and taking its checksum is a third of a millisecond, more than most scripts need on the database;
test suites and fleets run the same ones again and again. Python's own .pyc files would not do: they tell versions of a
file apart by whole seconds and size, and what runs must be the very bytes whose digest the journal gets. So a file of ours
names the SHA-256 of the source.
"""

from __future__ import annotations

import ast
import marshal
import os
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from asyncmig.scripts.checksum import NORMAL_FORM, checksum_of, file_hash
from asyncmig.scripts.fixed import fixed_functions
from asyncmig.scripts.kept import cache_of, read_kept, stamp_of, write_kept

__all__ = ["CompiledScript", "compile_script"]

_LAYOUT = b"2"  # of what is kept: another one is another name
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

    SyntaxError and ValueError as `compile` raises them.
    """
    whole = file_hash(source)
    cache = cache_of(str(path.parent), path.stem)
    # Code objects know the path that they were compiled for: an operation's line is found by it.
    stamp = stamp_of(NORMAL_FORM, _LAYOUT, os.fsencode(path), whole.encode())
    kept = read_kept(cache, stamp) if cache else None
    if kept is not None:
        code, fixed = marshal.loads(kept[_HEX:])
        return CompiledScript(code, kept[:_HEX].decode(), fixed, whole)
    code = compile(source, str(path), "exec", dont_inherit=True)
    tree = ast.parse(source)
    meaning, found = checksum_of(tree), fixed_functions(tree)
    fixed = tuple(name for name in _DIRECTIONS if name in found)
    if cache:
        write_kept(cache, stamp, meaning.encode() + marshal.dumps((code, fixed)))
    return CompiledScript(code, meaning, fixed, whole)
