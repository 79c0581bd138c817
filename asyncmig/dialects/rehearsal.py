"""The schema as statements that were written, not run, would leave it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from asyncmig.operations.recorder import replay
from asyncmig.schema.model import Ref, Schema

if TYPE_CHECKING:
    from asyncmig.dialects.statement import Statement
    from asyncmig.operations.base import Operation

__all__ = ["Known", "Rehearsal", "Replay"]

Known = Callable[[Collection[Ref]], Schema]
"""What is there of some objects before the first statement."""


class Rehearsal(ABC):
    @abstractmethod
    def before(self, refs: Collection[Ref]) -> Schema:
        """The schema that the next operation finds, as far as `refs` go."""

    @abstractmethod
    def wrote(self, operation: Operation, statements: Sequence[Statement]) -> None:
        """Take the next operation and its statements for done."""


class Replay(Rehearsal):
    """By what the operations themselves say."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._operations: list[Operation] = []

    def before(self, refs: Collection[Ref]) -> Schema:
        return replay(self._operations, self._known(refs))

    def wrote(self, operation: Operation, statements: Sequence[Statement]) -> None:
        self._operations.append(operation)
