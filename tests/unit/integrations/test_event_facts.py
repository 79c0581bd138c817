"""Events as flat objects, and as log records."""

import json
import logging
from pathlib import Path
from typing import get_args

import pytest
import sqlalchemy as sa

from asyncmig.database.events import (
    BatchFinished,
    Event,
    LockWaiting,
    Retrying,
    StatementStarted,
    StepFailed,
    StepFinished,
    StepStarted,
    Warned,
    facts,
)
from asyncmig.database.report import StepReport
from asyncmig.integrations.logging import LoggingObserver
from asyncmig.operations.base import Origin
from asyncmig.revisions.plan import Direction

UP = Direction.UPGRADE
REPORT = StepReport("a1", UP, "create account", ("base1",), Path("/p/a1.py"), 2, 0.25)
ERROR = sa.exc.IntegrityError("INSERT INTO t VALUES (?)", ["secret"], ValueError("UNIQUE constraint failed"))
CASES: list[tuple[Event, dict[str, object], int, str]] = [
    (
        StepStarted("a1", UP, "create account\nand more", 1, 2),
        {
            "event": "step_started",
            "revision": "a1",
            "direction": "upgrade",
            "message": "create account\nand more",
            "index": 1,
            "total": 2,
        },
        logging.INFO,
        "upgrade a1 create account (1 of 2)",
    ),
    (
        StatementStarted("a1", 1, "CREATE TABLE t (id INTEGER)", Origin(Path("/p/a1.py"), 7)),
        {
            "event": "statement_started",
            "revision": "a1",
            "number": 1,
            "sql": "CREATE TABLE t (id INTEGER)",
            "origin": "/p/a1.py:7",
        },
        logging.DEBUG,
        "a1 statement 1: CREATE TABLE t (id INTEGER)",
    ),
    (
        StepFinished(REPORT, 1, 2),
        {
            "event": "step_finished",
            "revision": "a1",
            "direction": "upgrade",
            "message": "create account",
            "down_revisions": ["base1"],
            "path": "/p/a1.py",
            "statements": 2,
            "seconds": 0.25,
            "resumed": False,
            "index": 1,
            "total": 2,
        },
        logging.INFO,
        "upgrade a1 done in 0.25 s",
    ),
    (
        StepFailed("a1", UP, ERROR),
        {
            "event": "step_failed",
            "revision": "a1",
            "direction": "upgrade",
            "error": "IntegrityError",
            "message": "UNIQUE constraint failed",
        },
        logging.ERROR,
        "upgrade a1 failed: UNIQUE constraint failed",
    ),
    (
        LockWaiting(0.5, None),
        {"event": "lock_waiting", "seconds": 0.5, "holder": None},
        logging.INFO,
        "waiting for the run lock, held by another runner",
    ),
    (
        Retrying("a1", 1, 0.1, "deadlock detected"),
        {"event": "retrying", "revision": "a1", "attempt": 1, "delay": 0.1, "reason": "deadlock detected"},
        logging.WARNING,
        "a1: deadlock detected; attempt 2 in 0.10 s",
    ),
    (
        BatchFinished("a1", "account", 2, 2000, None),
        {"event": "batch_finished", "revision": "a1", "table": "account", "number": 2, "rows": 2000, "total": None},
        logging.DEBUG,
        "a1: 2000 rows of account",
    ),
    (Warned("mind this"), {"event": "warned", "message": "mind this"}, logging.WARNING, "mind this"),
]


def test_the_cases_cover_every_event() -> None:
    assert {type(event) for event, *_ in CASES} == set(get_args(Event))


@pytest.mark.parametrize(("event", "told", "level", "sentence"), CASES, ids=lambda value: type(value).__name__)
def test_an_event_is_a_flat_object_and_a_record(
    event: Event, told: dict[str, object], level: int, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert facts(event) == told
    assert json.loads(json.dumps(facts(event))) == told
    with caplog.at_level(logging.DEBUG, "asyncmig"):
        LoggingObserver()(event)
    (record,) = caplog.records
    assert (record.name, record.levelno, record.getMessage()) == ("asyncmig", level, sentence)
    assert record.asyncmig == told  # type: ignore[attr-defined]


def test_a_logger_that_does_not_listen_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR, "asyncmig"):
        LoggingObserver()(CASES[0][0])
    assert caplog.records == []


def test_another_logger_may_be_given(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "shop.db"):
        LoggingObserver(logging.getLogger("shop.db"))(CASES[0][0])
    assert [record.name for record in caplog.records] == ["shop.db"]
