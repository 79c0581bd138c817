"""The journal that asyncmig keeps, for the raw driver to write as well: a table, and a row of the usual size."""

from datetime import UTC, datetime

from asyncmig.dialects.ledger import JOURNAL_COLUMNS
from asyncmig.dialects.registry import ledger_for
from asyncmig.schema.ref import Ref


def journal_table(kind: str) -> str:
    """CREATE TABLE."""
    return ledger_for(kind, Ref("asyncmig_version")).create()[1]


def journal_row(kind: str) -> str:
    """INSERT, the values written out: what asyncmig sends, worked out beforehand."""
    ledger = ledger_for(kind, Ref("asyncmig_version"))
    now = ledger.time(datetime.now(UTC))
    values = dict.fromkeys(JOURNAL_COLUMNS, ledger.literal(None)) | {
        "revision": ledger.literal("rev000012"),
        "down_revision": ledger.literal("rev000011"),
        "direction": ledger.literal("upgrade"),
        "outcome": ledger.literal("applied"),
        "checksum": ledger.literal("c" * 64),
        "file_hash": ledger.literal("f" * 64),
        "started_at": now,
        "finished_at": now,
        "duration_ms": ledger.literal(1.25),
        "statements_done": ledger.literal(1),
        "statements": ledger.literal("d" * 16),
        "database_user": ledger.user or ledger.literal("root"),
        "host": ledger.literal("benchmark"),
        "asyncmig_version": ledger.literal("0.1.0"),
    }
    return ledger.insert_journal(values)
