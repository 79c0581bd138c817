"""`alembic.runtime.environment`: the name for annotations; env.py declares an Environment here."""

from __future__ import annotations

from typing import Any

from asyncmig.errors import UnsupportedOperation

__all__ = ["EnvironmentContext"]


class EnvironmentContext:
    """Runs Alembic's env.py, which is nothing that a script should do."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise UnsupportedOperation(
            "alembic.runtime.environment.EnvironmentContext was used inside a run of asyncmig.",
            hint="Use op.get_context() in scripts, and asyncmig.Environment in env.py.",
        )
