"""The scripts of a plan, loaded and checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from asyncmig.database.attempt import Work
from asyncmig.errors import ScriptError
from asyncmig.revisions.plan import Direction
from asyncmig.scripts.checksum import checksum, file_hash
from asyncmig.scripts.loader import load_script

if TYPE_CHECKING:
    from pathlib import Path

    from asyncmig.operations.calling import ScriptFunction
    from asyncmig.revisions.plan import Plan, Step

__all__ = ["SharedWork", "each_work", "load_work", "with_arguments"]

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def load_work(plan: Plan, arguments: Mapping[str, Any] = _NOTHING) -> Sequence[Work]:
    """One piece of work a step, in order. ScriptError for a script that cannot be run in its direction.

    `arguments` are the keywords that env.py has the scripts' functions called with.
    """
    return list(each_work(plan, arguments))


def each_work(plan: Plan, arguments: Mapping[str, Any] = _NOTHING) -> Iterator[Work]:
    """The same, each loaded when it is asked for."""
    return (_load(step, arguments) for step in plan.steps)


class SharedWork:
    """Loads as `each_work` does, each script once for all the databases that it is run on; its function runs on each."""

    def __init__(self, arguments: Mapping[str, Any] = _NOTHING) -> None:
        self._arguments = arguments
        self._loaded: dict[tuple[str, Direction], Work] = {}

    def __call__(self, plan: Plan) -> Iterator[Work]:
        return (self._work(step) for step in plan.steps)

    def _work(self, step: Step) -> Work:
        key = (step.revision.id, step.direction)
        if key not in self._loaded:
            self._loaded[key] = _load(step, self._arguments)
        return self._loaded[key]


def with_arguments(function: ScriptFunction | None, arguments: Mapping[str, Any]) -> ScriptFunction | None:
    """The function as it is called without arguments."""
    return partial(function, **arguments) if function is not None and arguments else function


def _load(step: Step, arguments: Mapping[str, Any]) -> Work:
    path = step.revision.path
    if step.direction is Direction.STAMP or path is None:
        return Work(None, path, *_digests(path))
    script = load_script(step.revision)
    function = script.function(step.direction)
    if function is None:
        raise ScriptError(
            f"Revision {step.revision.id} has no {step.direction}(), so it cannot be taken "
            f"{'down' if step.direction is Direction.DOWNGRADE else 'up'}. Nothing was run.",
            path=path,
            hint=f"Write `def {step.direction}()`, with `pass` where there is nothing to do.",
        )
    compiled = script.compiled
    fixed = not arguments and str(step.direction) in compiled.fixed
    return Work(with_arguments(function, arguments), path, compiled.checksum, compiled.file_hash, fixed=fixed)


def _digests(path: Path | None) -> tuple[str | None, str | None]:
    """Checksum and hash of a script that is stamped, and so never loaded."""
    if path is None:
        return (None, None)
    source = path.read_bytes()
    return (checksum(source), file_hash(source))
