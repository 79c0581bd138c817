"""Reports as text and as JSON, without a process."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from asyncmig.cli import payloads, report_texts, words
from asyncmig.cli.output import Styles, printable_json
from asyncmig.database.applied import ChangedScript
from asyncmig.database.journal_entry import JournalEntry
from asyncmig.database.placement import RevisionState
from asyncmig.database.planned import PlannedOperation, PlannedStep, PlanReport
from asyncmig.database.report import Outcome, Report, StepReport
from asyncmig.database.status import CurrentRevision, IncompleteRevision, StatusReport
from asyncmig.revisions.plan import Direction
from asyncmig.revisions.revision import Revision

STEP = StepReport("9c1d2e3f4a5b", Direction.UPGRADE, "add email", ("433af9f41996",), Path("/x/9c1d.py"), 2, 0.0249)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0249, "0.02 s"), (9.994, "9.99 s"), (41.2, "41 s"), (185.0, "3 min 5 s"), (3600, "60 min 0 s")],
)
def test_seconds_text_is_short(seconds: float, text: str) -> None:
    assert words.seconds_text(seconds) == text


def test_table_aligns_columns_and_leaves_no_trailing_space() -> None:
    assert words.table([["a", "bb", ""], ["ccc", "d", "e"]]) == ["a    bb", "ccc  d   e"]
    assert words.table([]) == []


def row(state: RevisionState = RevisionState.KNOWN, *, is_head: bool = True) -> CurrentRevision:
    return CurrentRevision("433af9f41996", state, is_head, "create account", ())


@pytest.mark.parametrize(
    ("value", "line"),
    [
        (row(), "433af9f41996 (head)"),
        (row(is_head=False), "433af9f41996"),
        (row(RevisionState.FOREIGN, is_head=False), "433af9f41996 (foreign)"),
        (row(RevisionState.AHEAD, is_head=False), "433af9f41996 (ahead)"),
    ],
)
def test_current_line_says_head_and_state(value: CurrentRevision, line: str) -> None:
    assert report_texts.current_line(value) == line


def test_plan_lines_show_operations_with_sql_below() -> None:
    step = PlannedStep(
        "9c1d2e3f4a5b",
        Direction.UPGRADE,
        "add email",
        ("433af9f41996",),
        None,
        (
            PlannedOperation("+", "Add column account.email", ("ALTER TABLE account ADD COLUMN email VARCHAR",)),
            PlannedOperation(
                "+", "Create index ix", ("CREATE INDEX CONCURRENTLY ix ON account (id)",), transactional=False
            ),
        ),
    )
    report = PlanReport("head", "sqlite:///x", ("433af9f41996",), (step,))
    assert report_texts.plan_lines(report) == [
        "upgrade 9c1d2e3f4a5b add email",
        "  + Add column account.email",
        "      ALTER TABLE account ADD COLUMN email VARCHAR",
        "  + Create index ix (outside the transaction)",
        "      CREATE INDEX CONCURRENTLY ix ON account (id)",
    ]


def test_plan_of_a_dynamic_script_says_why_it_is_not_known() -> None:
    step = PlannedStep("9c1d", Direction.UPGRADE, "m", (), None, (), dynamic="asks the database in line 7")
    assert report_texts.plan_lines(PlanReport("head", "d", (), (step,)))[1] == "  ? asks the database in line 7"


def test_plan_with_no_steps_says_so() -> None:
    assert report_texts.plan_lines(PlanReport("head", "d", ("ab12",), ())) == [
        "Nothing to do: the database is at ab12."
    ]


@pytest.mark.parametrize(
    ("report", "line"),
    [
        (Report("head", "d", ("a",), ("a",)), "Nothing to do: the database is at a."),
        (Report("head", "d", (), ()), "Nothing to do: the database is at base."),
        (Report("head", "d", ("a",), ("b",), (STEP,), seconds=0.5), "The database is at b after 1 step in 0.50 s."),
        (
            Report("head", "d", ("z",), ("z",), ahead=("z",)),
            "Nothing to do: the database is at z; ahead of these scripts: z.",
        ),
        (Report("ab", "d", (), ("ab",)), "The database is at ab."),
    ],
)
def test_outcome_says_where_the_database_is(report: Report, line: str) -> None:
    assert report_texts.outcome_lines(report) == [line]


def status(**changes: object) -> StatusReport:
    values: dict[str, object] = {
        "database": "sqlite+aiosqlite:///shop.db",
        "source": "asyncmig.toml",
        "server": "SQLite 3.40.1",
        "current": (row(),),
        "heads": ("433af9f41996",),
        "pending": (),
        "changed": (),
        "incomplete": (),
    }
    return StatusReport(**{**values, **changes})  # type: ignore[arg-type]


def test_status_of_a_clean_database_is_one_screen() -> None:
    assert report_texts.status_lines(status()) == [
        "database    sqlite+aiosqlite:///shop.db (from asyncmig.toml)",
        "server      SQLite 3.40.1",
        "current     433af9f41996 (head) create account",
        "heads       433af9f41996",
        "pending     none",
        "",
        "up to date",
    ]


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({"pending": ("a", "b")}, "2 revisions to apply"),
        ({"changed": (ChangedScript("a", Path("/x/a.py"), None),)}, "1 applied script changed since"),
        ({"incomplete": (IncompleteRevision("a", Direction.UPGRADE, 2, "boom\nmore"),)}, "1 revision incomplete"),
        (
            {"current": (row(RevisionState.FOREIGN, is_head=False),)},
            "433af9f41996 is known neither to the scripts nor to the journal",
        ),
    ],
)
def test_status_verdict_names_what_is_wrong(changes: dict[str, object], verdict: str) -> None:
    assert report_texts.status_lines(status(**changes))[-1] == verdict


ENTRY = JournalEntry(
    id=1,
    revision="433af9f41996",
    down_revisions=(),
    direction=Direction.UPGRADE,
    outcome=Outcome.FAILED,
    checksum="abc",
    started_at=datetime(2026, 11, 20, 19, 17, 1),
    finished_at=None,
    seconds=None,
    statements_done=1,
    database_user="ann",
    host="db1",
    version="0.1",
    error="no such table: x\nSELECT 1",
)


def test_log_lines_show_time_outcome_and_the_errors_first_line() -> None:
    assert report_texts.log_lines([ENTRY]) == [
        "2026-11-20 19:17:01Z  upgrade  433af9f41996  failed    ann@db1",
        "    no such table: x",
    ]


def test_styles_without_colour_change_nothing() -> None:
    assert Styles().signed("+ Add") == "+ Add"
    assert Styles(colour=True).signed("- Drop") == "\x1b[31m- Drop\x1b[0m"


def test_json_of_a_report_has_version_and_plain_values() -> None:
    report = Report("head", "d", ("a",), ("b",), (STEP,))
    value = json.loads(printable_json(payloads.report_payload(report)))
    assert value["version"] == 1
    assert value["steps"][0]["direction"] == "upgrade"
    assert value["steps"][0]["path"] == "/x/9c1d.py"
    assert "sql" not in value
    assert json.loads(printable_json({"entry": payloads.plain(ENTRY)}))["entry"]["started_at"] == "2026-11-20T19:17:01"


def test_json_keeps_time_zones() -> None:
    assert payloads.plain(datetime(2026, 1, 1, tzinfo=UTC)) == "2026-01-01T00:00:00+00:00"


def test_revision_payload_names_every_field_of_the_header() -> None:
    revision = Revision("a", ("b",), ("c",), ("l",), "m", "m", "2026", Path("/p"))
    assert payloads.revision_payload(revision) == {
        "revision": "a",
        "down_revisions": ["b"],
        "depends_on": ["c"],
        "branch_labels": ["l"],
        "message": "m",
        "create_date": "2026",
        "path": "/p",
    }
