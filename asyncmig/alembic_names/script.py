"""`alembic.script`: names for annotations; asyncmig reads the scripts itself."""

from __future__ import annotations

from typing import Any, NoReturn

from asyncmig.errors import UnsupportedOperation

__all__ = ["Script", "ScriptDirectory"]


class Script:
    """A revision with its script."""


class ScriptDirectory:
    """The folder of scripts; what asks it inside a run is better asked of asyncmig's Migrator."""

    def __init__(self, *_: Any, **__: Any) -> None:
        self.from_config(None)

    @classmethod
    def from_config(cls, config: object) -> NoReturn:
        raise UnsupportedOperation(
            "alembic.script.ScriptDirectory was used inside a run of asyncmig.",
            hint="Ask asyncmig.Migrator for heads(), history() and current().",
        )
