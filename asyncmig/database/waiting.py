"""Statements of a step that wait for each other, to be sent in one exchange with the database.

Most steps are a few statements whose answers nobody reads: sent with what begins, records and commits the step, they cost one
round trip, which behind a network is most of what a step costs. The price is that a failure does not say which of them it
was, and comes after the script's own code has run: so a step that fails so begins again, statement by statement. That is
what a retry does anyway; and what the script did to the database is rolled back before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asyncmig.database.driver import Expected
    from asyncmig.dialects.statement import Statement

__all__ = ["StatementByStatement", "Waiting"]

_MOST = 100


class StatementByStatement(BaseException):
    """What waited was refused: the step has to begin again. No Exception, because a script may not swallow it."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.error = error


class Waiting:
    """`expected` has to be found in the transaction when it begins. Without `allowed` nothing waits."""

    __slots__ = ("allowed", "expected", "refused", "statements")

    def __init__(self, *, allowed: bool) -> None:
        self.allowed = allowed
        self.expected: Expected | None = None
        self.statements: list[Statement] = []
        self.refused: StatementByStatement | None = None

    def __bool__(self) -> bool:
        return bool(self.statements or self.expected)

    def takes(self, statement: Statement) -> bool:
        """Whether it may wait: nobody reads its answer, and it may stand beside others."""
        plain = statement.clause is None and statement.procedure is None and statement.transactional
        return self.allowed and plain and len(self.statements) < _MOST

    def refuse(self, error: Exception) -> StatementByStatement:
        """Kept: a script with a bare `except:` shall not get past it."""
        self.refused = StatementByStatement(error)
        return self.refused
