"""The scripts of a plan, loaded and checked before anything runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from asyncmig.database.attempt import Work
from asyncmig.errors import ScriptError
from asyncmig.revisions.plan import Direction
from asyncmig.scripts.checksum import checksum, file_hash
from asyncmig.scripts.loader import load_script

if TYPE_CHECKING:
    from asyncmig.revisions.plan import Plan, Step

__all__ = ["load_work"]


def load_work(plan: Plan) -> Sequence[Work]:
    """One piece of work a step, in order. ScriptError for a script that cannot be run in its direction."""
    return [_load(step) for step in plan.steps]


def _load(step: Step) -> Work:
    path = step.revision.path
    if step.direction is Direction.STAMP or path is None:
        source = path.read_bytes() if path else None
        return Work(None, path, *_hashes(source))
    script = load_script(step.revision)
    function = script.function(step.direction)
    if function is None:
        raise ScriptError(
            f"Revision {step.revision.id} has no {step.direction}(), so it cannot be taken "
            f"{'down' if step.direction is Direction.DOWNGRADE else 'up'}. Nothing was run.",
            path=path,
            hint=f"Write `def {step.direction}()`, with `pass` where there is nothing to do.",
        )
    return Work(function, path, *_hashes(path.read_bytes()))


def _hashes(source: bytes | None) -> tuple[str | None, str | None]:
    return (checksum(source), file_hash(source)) if source is not None else (None, None)
