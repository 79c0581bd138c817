"""A script's function is called, and what it returns is looked at: nothing that still waits passes for done."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Generator
from pathlib import Path
from types import CodeType, CoroutineType, FrameType
from typing import Any, TypeGuard

from asyncmig.errors import ScriptError

__all__ = ["await_line", "call_script", "check_result", "is_async"]

ScriptFunction = Callable[[], object]


def is_async(function: object) -> TypeGuard[Callable[[], Coroutine[Any, Any, object]]]:
    """Whether calling `function` gives a coroutine that the runner has to drive."""
    return inspect.iscoroutinefunction(function)


def call_script(function: ScriptFunction, path: Path) -> Coroutine[Any, Any, object] | None:
    """Run a plain `upgrade()`; for an async one, the coroutine that is to be driven.

    Put the result of the coroutine through `check_result` as well.
    """
    if is_async(function):
        return function()
    result = function()
    check_result(result, path, getattr(function, "__name__", "upgrade"))
    return None


def check_result(result: object, path: Path, name: str = "upgrade") -> None:
    """ScriptError for a result that would have to be awaited or iterated for the script to have run."""
    if inspect.isasyncgen(result) or inspect.isgenerator(result):
        kind = "an async generator" if inspect.isasyncgen(result) else "a generator"
        line = _close(result)
        raise ScriptError(
            f"{name}() returned {kind} that nobody iterates, so nothing was run.",
            path=path,
            line=line,
            hint=f"Take the `yield` out of {name}().",
        )
    if inspect.isawaitable(result):
        kind = "a coroutine" if inspect.iscoroutine(result) else f"{_article(type(result).__name__)}"
        line = _close(result)
        raise ScriptError(
            f"{name}() returned {kind} that nobody awaits, so nothing was run.",
            path=path,
            line=line,
            hint=f"Write `async def {name}()` and await the work in it.",
        )


def await_line(coroutine: Coroutine[Any, Any, object], script: str) -> int | None:
    """The innermost line of `script` at which a suspended coroutine waits."""
    line: int | None = None
    waiting: object = coroutine
    while waiting is not None:
        frame = _frame(waiting)
        if frame is not None and frame.f_code.co_filename == script:
            line = frame.f_lineno
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "gi_yieldfrom", None)
    return line


def _frame(waiting: object) -> FrameType | None:
    frame = getattr(waiting, "cr_frame", None) or getattr(waiting, "gi_frame", None)
    return frame if isinstance(frame, FrameType) else None


def _close(result: object) -> int | None:
    """Close what will never run, so that Python does not warn of it as well; its first line where known."""
    code: object = None
    if isinstance(result, CoroutineType):
        code = result.cr_code
        result.close()
    elif isinstance(result, Generator):
        code = getattr(result, "gi_code", None)
        result.close()
    elif inspect.isasyncgen(result):
        code = result.ag_code
    return code.co_firstlineno if isinstance(code, CodeType) else None


def _article(name: str) -> str:
    return f"an {name}" if name[:1].lower() in "aeiou" else f"a {name}"
