"""What every operation is: a value that knows its effect on a schema, its reverse and its sentence."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from asyncmig.schema.model import Ref, Schema

if TYPE_CHECKING:
    from asyncmig.operations.visitor import OperationVisitor

__all__ = ["Operation", "Origin"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Origin:
    """The place in a script that an operation came from; `line` counts from 1."""

    path: Path
    line: int

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass(frozen=True, slots=True)
class Operation(ABC):
    """One change to a database, true on every dialect. Subclasses are frozen dataclasses."""

    @abstractmethod
    def accept(self, visitor: OperationVisitor[T], before: Schema) -> T:
        """Call the visitor's method for this operation."""

    @abstractmethod
    def apply(self, schema: Schema) -> Schema:
        """The schema after this operation; objects that `schema` does not know are left alone."""

    @abstractmethod
    def reverse(self, before: Schema) -> tuple[Operation, ...]:
        """The operations that lead back to `before`; Irreversible where that cannot be known."""

    @abstractmethod
    def describe(self) -> str:
        """A sentence without a full stop: "Add column account.email"."""

    @abstractmethod
    def touches(self) -> frozenset[Ref]:
        """The objects that are changed or read."""

    @property
    def sign(self) -> str:
        """'+' creates, '-' drops, '~' changes."""
        return "~"
