"""Looking at a database: nothing is created, locked or changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread

from asyncmig.database.applied import ChangedScript, changed_scripts
from asyncmig.database.placement import Placement
from asyncmig.database.request import placed
from asyncmig.database.status import IncompleteRevision, StatusReport, current_revisions
from asyncmig.revisions.plan import pending

if TYPE_CHECKING:
    from asyncmig.database.session import Session
    from asyncmig.revisions.graph import RevisionGraph

__all__ = ["changed_since", "look", "server_of"]


async def look(session: Session, graph: RevisionGraph, database: str, source: str) -> StatusReport:
    """Everything that `status` shows."""
    placement = await placed(session, graph)
    has_journal = await _has_journal(session)
    left = await session.ledger(lambda ledger: ledger.incomplete()) if has_journal else {}
    return StatusReport(
        database=database,
        source=source,
        server=server_of(session),
        current=current_revisions(placement, graph),
        heads=graph.effective_heads,
        pending=pending(graph, placement.effective),
        changed=await changed_since(session, graph, placement),
        incomplete=tuple(IncompleteRevision(one.revision, one.direction, one.done, one.error) for one in left.values()),
    )


async def changed_since(session: Session, graph: RevisionGraph, placement: Placement) -> tuple[ChangedScript, ...]:
    """The applied scripts that mean something else now; none where `checksums` is "off"."""
    if session.config.checksums == "off" or not await _has_journal(session):
        return ()
    applied = await session.ledger(lambda ledger: ledger.applied_scripts())
    return await anyio.to_thread.run_sync(changed_scripts, graph, placement.known, applied)


async def _has_journal(session: Session) -> bool:
    return (await session.ledger(lambda ledger: ledger.exists()))[1]


def server_of(session: Session) -> str:
    """Such as "PostgreSQL 18.1"."""
    version = session.connection.sync.dialect.server_version_info or ()
    return f"{session.dialect.title} {'.'.join(str(part) for part in version)}".strip()
