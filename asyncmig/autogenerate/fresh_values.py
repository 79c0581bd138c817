"""Enum values that a later step of the same script uses: PostgreSQL wants them committed before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass, replace

from asyncmig.autogenerate.steps import Step
from asyncmig.operations.enums import AddEnumValue
from asyncmig.schema.types import SqlText, SqlType

__all__ = ["with_committed_values"]

_NOTE = "In a transaction of its own: a new value may be used only when it is committed."


def with_committed_values(steps: Sequence[Step]) -> list[Step]:
    """The steps, with every addition of a value to an enum committed by itself where that is needed."""
    return [
        replace(step, committed=True, notes=(*step.notes, _NOTE))
        if isinstance(step.operation, AddEnumValue) and _is_used(step.operation.value, steps[place + 1 :])
        else step
        for place, step in enumerate(steps)
    ]


def _is_used(value: str, later: Iterable[Step]) -> bool:
    quoted = "'" + value.replace("'", "''") + "'"
    return any(_says(step.operation, value, quoted) for step in later)


def _says(part: object, value: str, quoted: str) -> bool:
    if isinstance(part, SqlText):
        return part.literal == value or quoted in part.spelling("postgresql")
    if isinstance(part, str):
        return quoted in part
    if isinstance(part, tuple):
        return any(_says(one, value, quoted) for one in part)
    if is_dataclass(part) and not isinstance(part, SqlType):
        return any(_says(getattr(part, one.name), value, quoted) for one in fields(part))
    return False
