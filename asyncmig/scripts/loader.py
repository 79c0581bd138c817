"""A revision's script, loaded and checked: what can fail without a database fails here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, assert_never

from asyncmig.errors import ScriptError
from asyncmig.revisions.plan import Direction
from asyncmig.revisions.revision import Revision
from asyncmig.scripts.compiled import CompiledScript
from asyncmig.scripts.header import as_names, assignment_line
from asyncmig.scripts.module import import_script, read_source

if TYPE_CHECKING:
    import ast

__all__ = ["MigrationFunction", "Script", "load_script"]

MigrationFunction = Callable[[], Awaitable[None] | None]

_GENERATOR, _ASYNC_GENERATOR = 0x20, 0x200  # code flags, as in the documentation of inspect


@dataclass(frozen=True, slots=True)
class Script:
    """A loaded script; a direction that it does not define is None. `source` are the bytes that were run."""

    revision: Revision
    path: Path
    source: bytes
    compiled: CompiledScript
    module: ModuleType
    upgrade: MigrationFunction | None
    downgrade: MigrationFunction | None

    def function(self, direction: Direction) -> MigrationFunction | None:
        """What the script does in a direction; a stamp runs nothing."""
        match direction:
            case Direction.UPGRADE:
                return self.upgrade
            case Direction.DOWNGRADE:
                return self.downgrade
            case Direction.STAMP:
                return None
            case _:
                assert_never(direction)

    def is_async(self, direction: Direction) -> bool:
        """Whether the function is `async def`; one that merely returns a coroutine is found when it is called."""
        from inspect import iscoroutinefunction

        return iscoroutinefunction(self.function(direction))


def load_script(revision: Revision) -> Script:
    """Import the script of a revision. ScriptError, with the line where there is one, when it cannot be run as it is:

    it does not import, its header is not what was read before, `upgrade` or `downgrade` is no function or contains
    `yield` (and would be skipped), or it calls an `async def` of its own without awaiting it.
    """
    path = revision.path
    if path is None:
        raise ScriptError(f"Revision {revision.id} has no script.")
    source = read_source(path)
    _check_awaited(path, source)
    imported = import_script(path, source)
    module = imported.module
    _check_header(module, revision, path)
    return Script(
        revision,
        path,
        source,
        imported.compiled,
        module,
        _function(module, "upgrade", path),
        _function(module, "downgrade", path),
    )


def _check_header(module: ModuleType, revision: Revision, path: Path) -> None:
    if (identifier := getattr(module, "revision", revision.id)) != revision.id:
        raise ScriptError(
            f"`revision` is {identifier!r} when the script runs, but was read as {revision.id!r}.",
            path=path,
            line=assignment_line(path, "revision"),
        )
    parents = as_names("down_revision", getattr(module, "down_revision", None), path, None)
    # The graph has completed what the script abbreviates.
    if len(parents) != len(revision.down_revisions) or not all(
        full.startswith(written) for full, written in zip(revision.down_revisions, parents, strict=True)
    ):
        raise ScriptError(
            f"`down_revision` is {parents!r} when the script runs, but was read as {revision.down_revisions!r}.",
            path=path,
            line=assignment_line(path, "down_revision"),
        )


def _function(module: ModuleType, name: str, path: Path) -> MigrationFunction | None:
    function = getattr(module, name, None)
    if function is None:
        return None
    code = getattr(function, "__code__", None)
    line = code.co_firstlineno if isinstance(code, CodeType) else None
    if not callable(function):
        raise ScriptError(f"`{name}` is not a function.", path=path, line=assignment_line(path, name))
    if isinstance(code, CodeType) and code.co_flags & (_GENERATOR | _ASYNC_GENERATOR):
        raise ScriptError(
            f"`{name}` contains `yield`, so calling it would run nothing.",
            path=path,
            line=line,
            hint="Take the yield out.",
        )
    migration: MigrationFunction = function
    return migration


# -- coroutines that nobody awaits ------------------------------------------------------------------------------------


def _check_awaited(path: Path, source: bytes) -> None:
    if b"async def" not in source:  # most scripts: not worth a syntax tree
        return
    import ast

    try:
        tree = ast.parse(source, filename=str(path))
    except (SyntaxError, ValueError):
        return  # the import that follows reports it
    coroutines = _own_coroutines(tree)
    for name, line in _bare_calls(tree):
        if name in coroutines:
            raise ScriptError(
                f"{name}() is an `async def` that is called here without `await`, so it would not run.",
                path=path,
                line=line,
                hint=f"Write `await {name}(...)`.",
            )


def _own_coroutines(tree: ast.Module) -> set[str]:
    """Module-level async functions whose name means nothing else anywhere in the file."""
    import ast

    bound: Counter[str] = Counter()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                bound[name] += 1
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                bound[name] += 1
            case ast.alias(name=name, asname=asname):
                bound[asname or name] += 1
    functions = (node for node in tree.body if isinstance(node, ast.AsyncFunctionDef))
    return {node.name for node in functions if bound[node.name] == 1 and not node.decorator_list}


def _bare_calls(tree: ast.Module) -> Iterator[tuple[str, int]]:
    import ast

    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Call(func=ast.Name(id=name)), lineno=line):
                yield name, line
