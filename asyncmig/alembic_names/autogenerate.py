"""`alembic.autogenerate`: where plug-ins register renderers and comparators.

Autogenerate here compares for itself and does not call them; what it finds goes through env.py's on_autogenerate.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

from asyncmig.alembic_names.dispatch import Dispatcher, PriorityDispatcher
from asyncmig.alembic_names.rewriter import Rewriter
from asyncmig.errors import UnsupportedOperation

__all__ = [
    "AutogenContext",
    "Rewriter",
    "comparators",
    "compare_metadata",
    "produce_migrations",
    "render_op_text",
    "render_python_code",
    "renderers",
]

renderers: Final = Dispatcher()
comparators: Final = PriorityDispatcher()


class AutogenContext:
    """What renderers and comparators are told; made by autogenerate, so a script cannot make one."""

    def __init__(self, *_: Any, **__: Any) -> None:
        _unsupported("AutogenContext")


def compare_metadata(*_: Any, **__: Any) -> NoReturn:
    _unsupported("compare_metadata")


def produce_migrations(*_: Any, **__: Any) -> NoReturn:
    _unsupported("produce_migrations")


def render_op_text(*_: Any, **__: Any) -> NoReturn:
    _unsupported("render_op_text")


def render_python_code(*_: Any, **__: Any) -> NoReturn:
    _unsupported("render_python_code")


def _unsupported(name: str) -> NoReturn:
    raise UnsupportedOperation(
        f"alembic.autogenerate.{name} was called inside a run of asyncmig.",
        hint="Compare with asyncmig's own autogenerate: asyncmig revision --autogenerate.",
    )
