"""The account of a revision's statements: which came, which are through, and which an earlier run has done already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncmig.errors import OperationError

if TYPE_CHECKING:
    from asyncmig.database.ledger import Incomplete
    from asyncmig.dialects.statement import Statement
    from asyncmig.operations.base import Origin

__all__ = ["Tally"]


class Tally:
    """`left` is what the journal knows of an interrupted run: its statements are skipped, told by position and digest.

    `cursor` is how far such a run had come with the backfill that starts next, or a running one has come.
    """

    def __init__(self, revision: str, left: Incomplete | None) -> None:
        self.revision = revision
        self.cursor = left.cursor if left else None
        self._resumed = left is not None
        self._done = left.digests if left else ()
        self._statements: list[Statement] = []
        self._finished = 0

    @property
    def count(self) -> int:
        return len(self._statements)

    @property
    def digests(self) -> tuple[str, ...]:
        """Those of every finished statement, skipped ones included."""
        return tuple(statement.digest for statement in self._statements[: self._finished])

    @property
    def newest(self) -> Statement:
        return self._statements[-1]

    @property
    def skipping(self) -> bool:
        """Whether statements that an earlier run did are still to come."""
        return self.count < len(self._done)

    @property
    def may_repeat(self) -> bool:
        """Whether an interrupted run may have carried out the newest statement without being able to say so."""
        return self._resumed and self.count == len(self._done) + 1

    def take(self, statement: Statement) -> bool:
        """Count the statement as the next one; True where an earlier run has done it."""
        done = self.take_backfill(statement)
        if not done and self.cursor is not None:
            raise self.cannot_resume("a backfill was under way that is no longer there", statement.origin)
        return done

    def take_backfill(self, statement: Statement) -> bool:
        """The same for one that goes on from the cursor."""
        self._statements.append(statement)
        if self.count > len(self._done):
            return False
        if statement.digest != self._done[self.count - 1]:
            raise self.cannot_resume(f"statement {self.count} is no longer the one that was run", statement.origin)
        self.finish()
        return True

    def finish(self) -> None:
        """All that came so far is through."""
        self._finished = self.count

    def cannot_resume(self, why: str, origin: Origin | None) -> OperationError:
        where = f" ({origin})" if origin else ""
        return OperationError(
            f"Revision {self.revision} was left incomplete after statement {len(self._done)}, and cannot go on: "
            f"{why}{where} at statement {self.count}.",
            hint=(
                "Put the script back as it was; or finish its work by hand and `asyncmig stamp` it; "
                "or undo its work by hand and `asyncmig stamp` the revision before it."
            ),
        )
