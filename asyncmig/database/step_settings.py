"""What every step of a run shares."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from asyncmig.database.events import Observer
    from asyncmig.database.history import History
    from asyncmig.database.whole import WholeSteps
    from asyncmig.dialects.base import Dialect
    from asyncmig.operations.context import ContextSettings

__all__ = ["StepSettings"]


@dataclass(frozen=True, slots=True)
class StepSettings:
    """What every step of a run shares."""

    dialect: Dialect
    naming_convention: Mapping[str, Any] | None
    context: ContextSettings
    observer: Observer | None
    history: History | None = None
    schemas: Mapping[str, str] | None = None  # what scripts call a schema: its name here
    whole: WholeSteps | None = None  # the steps known beforehand; a fleet's databases share them
