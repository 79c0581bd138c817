"""Types and SQL expressions as values: equal when every dialect spells them the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["SqlText", "SqlType"]


@dataclass(frozen=True, slots=True, eq=False)
class SqlType:
    """A column type: the SQLAlchemy type, compared by its compiled spelling on each dialect."""

    engine: sa.types.TypeEngine[object]
    _memo: dict[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, eq=False)
class SqlText:
    """A SQL expression: a clause or plain text, compared by its compiled spelling on each dialect."""

    clause: sa.ClauseElement
    _memo: dict[str, str] = field(default_factory=dict, repr=False)
