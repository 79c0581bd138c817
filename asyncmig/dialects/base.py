"""What the engine asks of a database: statements for operations, and how its SQL is read and spelled."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

from asyncmig.dialects.statement import Statement
from asyncmig.operations.base import Operation
from asyncmig.operations.visitor import OperationVisitor
from asyncmig.schema.model import Ref, Schema

if TYPE_CHECKING:
    import sqlalchemy as sa

__all__ = ["Dialect"]


class Dialect(OperationVisitor[Sequence[Statement]]):
    """`sqlalchemy` is the SQLAlchemy dialect that compiles: the connection's own when live, a fresh one offline."""

    name: ClassVar[str]

    def __init__(self, sqlalchemy: sa.engine.Dialect) -> None:
        self.sqlalchemy = sqlalchemy

    def statements(self, operation: Operation, before: Schema) -> Sequence[Statement]:
        """The SQL of an operation, in order."""
        return operation.accept(self, before)

    @abstractmethod
    def reads(self, operation: Operation) -> frozenset[Ref]:
        """What `statements` must find in `before` to be right; empty for most operations."""

    @abstractmethod
    def split(self, sql: str) -> list[str]:
        """The statements of a text, without their semicolons; comments stay with the statement they precede."""

    @abstractmethod
    def literal(self, statement: Statement) -> Iterator[str]:
        """The statement as text that psql or the sqlite3 shell runs as it is, values written out."""

    @abstractmethod
    def transaction_control(self, sql: str) -> str | None:
        """'begin', 'commit', 'rollback' or 'savepoint' when `sql` is such a statement, else None."""
