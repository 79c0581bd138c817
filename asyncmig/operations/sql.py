"""SQL that a script wrote itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from asyncmig.operations.base import Operation


@dataclass(frozen=True, slots=True, eq=False)
class Execute(Operation):
    """`sql` is text (one or several statements, no parameters) or a SQLAlchemy construct."""

    sql: str | sa.Executable
    execution_options: Mapping[str, Any] | None = None
