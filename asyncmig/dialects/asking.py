"""How a database is asked what it makes of an expression: in scratch tables, which are rolled back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Question", "QuestionKind"]

QuestionKind = Literal["type", "default", "computed", "check", "element", "predicate"]


@dataclass(frozen=True, slots=True)
class Question:
    """`columns` are the names and types that `sql` may mention; `type` that of the column which has the default."""

    kind: QuestionKind
    sql: str
    columns: tuple[tuple[str, str], ...] = ()
    type: str = ""
