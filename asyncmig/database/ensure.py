"""`ensure-version`: the version table and its journal, there and wide enough."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asyncmig.dialects.ledger import VERSION_LENGTH

if TYPE_CHECKING:
    from asyncmig.database.ledger import Ledger
    from asyncmig.database.session import Session

__all__ = ["ensure"]


async def ensure(session: Session) -> None:
    """Create what is missing, widen what is too narrow; nothing where all is well."""
    await session.create_ledger()
    await session.ledger(_widen)


def _widen(ledger: Ledger) -> None:
    length = ledger.version_length()
    if length is not None and length < VERSION_LENGTH:
        for statement in ledger.sql.widen():
            ledger.driver.run(statement)
