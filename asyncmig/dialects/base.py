"""What the engine asks of a database: statements for operations, and how its SQL is read and spelled."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from asyncmig.dialects.rehearsal import Known, Rehearsal, Replay
from asyncmig.dialects.statement import Statement
from asyncmig.operations.base import Operation
from asyncmig.operations.visitor import OperationVisitor
from asyncmig.schema.model import Ref, Schema

if TYPE_CHECKING:
    import sqlalchemy as sa

    from asyncmig.dialects.splitter import TransactionControl

__all__ = ["CatalogQuery", "Dialect"]

CatalogQuery = tuple[str, Callable[[Schema, Sequence[tuple[Any, ...]]], Schema]]


class Dialect(OperationVisitor[Sequence[Statement]]):
    """`sqlalchemy` is a SQLAlchemy dialect of our own that compiles; no connection ever has it.

    Our text goes to the driver as it is, without parameters: percent signs stay single.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    begin_sql: ClassVar[str]
    has_advisory_locks: ClassVar[bool]
    joins_statements: ClassVar[bool]
    """Whether one text may hold several statements, and begin or end a transaction among them."""

    def __init__(self, sqlalchemy: sa.engine.Dialect) -> None:
        self.sqlalchemy = sqlalchemy

    def statements(self, operation: Operation, before: Schema) -> Sequence[Statement]:
        """The SQL of an operation, in order."""
        return operation.accept(self, before)

    def meant(self, operation: Operation) -> Operation:
        """The operation without what it says for other databases only: what `apply` then tells is true of this one."""
        return operation

    def asking(self, query: Callable[..., Sequence[Sequence[Any]]]) -> Dialect:
        """A dialect that may ask the database, inside the transaction of the step, before it spells an operation."""
        return self

    def recalling(self) -> Dialect:
        """A dialect that spells operations which were carried out already, for the journal to compare."""
        return self

    def rehearsal(self, known: Known) -> Rehearsal:
        """What statements that are written and not run leave behind, from what `known` says is there before them."""
        return Replay(known)

    @abstractmethod
    def reads(self, operation: Operation) -> frozenset[Ref]:
        """What `statements` must find in `before` to be right; empty for most operations."""

    def left_by_failures(self, operation: Operation) -> frozenset[Ref]:
        """What a live run looks for besides `reads`: things that an interrupted try may have left half done, or done."""
        return frozenset()

    def already_done(self, operation: Operation, before: Schema) -> bool:
        """Whether what the operation would do is found done in `before`, which holds what `left_by_failures` names.

        Asked where an interrupted run may have carried it out outside a transaction without recording it.
        """
        return False

    def may_leave_types(self, operation: Operation) -> bool:
        """Whether the operation may take away the last column that uses an enum."""
        return False

    def emptied(self, operation: Operation) -> str | None:
        """The schema that the operation takes away if it is empty: enums that nothing uses any more go before it."""
        return None

    def unused_types(self) -> CatalogQuery | None:
        """A query for the enums that nothing uses and that may be dropped; None where there are no enums."""
        return None

    @abstractmethod
    def catalog_queries(self, refs: Collection[Ref]) -> Iterable[CatalogQuery]:
        """How to find out which of `refs` exist: queries, each with what its rows add to a schema."""

    @abstractmethod
    def row_estimate(self, table: Ref) -> str | None:
        """A query for about how many rows a table has, at no cost; None where only counting tells."""

    @abstractmethod
    def begin(self, lock_timeout: float | None = None) -> str:
        """What begins a step: `begin_sql`, with the seconds that one statement may wait for a lock."""

    @abstractmethod
    def quote(self, name: str) -> str:
        """An identifier, in quotes where it needs them."""

    @abstractmethod
    def qualify(self, ref: Ref) -> str:
        """The address of an object as SQL."""

    @abstractmethod
    def split(self, sql: str) -> list[str]:
        """The statements of a text, without their semicolons; comments stay with the statement they precede."""

    @abstractmethod
    def literal(self, statement: Statement) -> Iterator[str]:
        """The statement as text that psql or the sqlite3 shell runs as it is, values written out.

        One text a row of parameters, without semicolon. UnsupportedOperation names a type without literals.
        """

    @abstractmethod
    def transaction_control(self, sql: str) -> TransactionControl | None:
        """'begin', 'commit', 'rollback' or 'savepoint' when `sql` is such a statement, else None."""
