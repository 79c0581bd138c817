"""Ref: the address of an object. On its own because every start needs it, and the rest of the model seldom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Kind", "Ref"]

Kind = Literal["table", "index", "enum", "sequence", "schema", "view", "function", "trigger", "policy", "extension"]


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """`schema` is None for the connection's default schema."""

    name: str
    schema: str | None = None
    kind: Kind = "table"

    def __str__(self) -> str:
        return f"{self.schema}.{self.name}" if self.schema else self.name
