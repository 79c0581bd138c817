"""Reports about a database as text for people, a line or a block each: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from asyncmig.cli.output import Styles
from asyncmig.cli.words import counted, first_line, seconds_text, shown_path, table, time_text

if TYPE_CHECKING:
    from asyncmig.database.differences import Difference
    from asyncmig.database.journal_entry import JournalEntry
    from asyncmig.database.planned import Loss, PlannedOperation, PlannedStep, PlanReport
    from asyncmig.database.report import Report
    from asyncmig.database.status import CurrentRevision, StatusReport

__all__ = [
    "current_block",
    "current_line",
    "difference_lines",
    "log_lines",
    "loss_line",
    "outcome_lines",
    "plan_lines",
    "status_lines",
]

_PLAIN = Styles()
_BASE = "<base>"


def current_line(row: CurrentRevision, styles: Styles = _PLAIN) -> str:
    """`433af9f41996 (head)`; a revision that is not in the scripts is called ahead or foreign."""
    mark = " (head)" if row.is_head else ""
    state = "" if row.state.value == "known" else f" ({row.state.value})"
    return f"{styles.paint(row.revision, 'id')}{mark}{state}"


def current_block(row: CurrentRevision, styles: Styles = _PLAIN) -> str:
    """The same with parents, file and message."""
    rows = [("Rev", current_line(row, styles)), ("Parent", ", ".join(row.down_revisions) or _BASE)]
    if row.labels:
        rows.append(("Branch labels", ", ".join(row.labels)))
    if row.path:
        rows.append(("Path", str(row.path)))
    lines = [f"{name}: {value}" for name, value in rows]
    return "\n".join([*lines, "", f"    {first_line(row.message)}"] if row.message else lines)


def difference_lines(differences: Sequence[Difference]) -> list[str]:
    """`+ Create table account ...`, a line each."""
    return [f"{one.sign} {one.description}" for one in differences]


def plan_lines(report: PlanReport, styles: Styles = _PLAIN) -> list[str]:
    """Each step with its operations in words and the SQL below each."""
    if not report.steps:
        at = ", ".join(report.current) or "base"
        return [f"Nothing to do: the database is at {at}."]
    lines: list[str] = []
    for step in report.steps:
        if lines:
            lines.append("")
        lines += _step_lines(step, styles)
    return lines


def _step_lines(step: PlannedStep, styles: Styles) -> list[str]:
    heading = f"{step.direction.value} {step.revision} {first_line(step.message)}".rstrip()
    lines = [styles.paint(heading, "strong")]
    if step.dynamic:
        lines.append(f"  ? {step.dynamic}")
    elif not step.operations:
        lines.append("  (no operations)")
    for operation in step.operations:
        lines += _operation_lines(operation, styles)
    return lines


def _operation_lines(operation: PlannedOperation, styles: Styles) -> list[str]:
    outside = "" if operation.transactional else " (outside the transaction)"
    lines = ["  " + styles.signed(f"{operation.sign} {operation.description}{outside}")]
    for statement in operation.sql:
        lines += [styles.paint(f"      {line}".rstrip(), "dim") for line in statement.strip().splitlines()]
    return lines


def status_lines(report: StatusReport, styles: Styles = _PLAIN) -> list[str]:
    """One screen, a line a fact, the verdict last."""
    rows: list[tuple[str, list[str]]] = [
        ("database", [f"{report.database} (from {report.source})"]),
        ("server", [report.server]),
        ("current", [f"{current_line(row, styles)} {row.message}".rstrip() for row in report.current] or [_BASE]),
        ("heads", list(report.heads) or ["none: there are no revisions"]),
        ("pending", list(report.pending) or ["none"]),
    ]
    if report.changed:
        rows.append(
            (
                "changed",
                [f"{item.revision} {shown_path(item.path)}{_applied(item.applied_at)}" for item in report.changed],
            )
        )
    if report.incomplete:
        rows.append(
            (
                "incomplete",
                [
                    f"{item.revision} after statement {item.statements_done}{_because(item.error)}"
                    for item in report.incomplete
                ],
            )
        )
    if report.not_compared:
        rows.append(("drift", [f"not compared: {report.not_compared}"]))
    if report.drift is not None:
        rows.append(("drift", [styles.signed(line) for line in difference_lines(report.drift.items)] or ["none"]))
    lines = [f"{name if first else '':<10}  {value}" for name, values in rows for first, value in _first(values)]
    return [*lines, "", _verdict(report, styles)]


def _first(values: Sequence[str]) -> Iterable[tuple[bool, str]]:
    return ((index == 0, value) for index, value in enumerate(values))


def _applied(when: datetime | None) -> str:
    return f", applied {time_text(when)}" if when else ""


def _because(error: str | None) -> str:
    return f": {first_line(error)}" if error else ""


def _verdict(report: StatusReport, styles: Styles) -> str:
    foreign = [row.revision for row in report.current if row.state.value == "foreign"]
    wrong = []
    if foreign:
        wrong.append(f"{', '.join(foreign)} is known neither to the scripts nor to the journal")
    if report.incomplete:
        wrong.append(f"{counted(len(report.incomplete), 'revision')} incomplete")
    if report.changed:
        wrong.append(f"{counted(len(report.changed), 'applied script')} changed since")
    if report.pending:
        wrong.append(f"{counted(len(report.pending), 'revision')} to apply")
    if report.drift and report.drift.items:
        wrong.append(f"{counted(len(report.drift.items), 'difference')} to the models")
    if not wrong:
        return styles.paint("up to date", "add")
    return styles.paint("; ".join(wrong), "change")


def outcome_lines(report: Report) -> list[str]:
    """Where the database is after a run, and what is special about that."""
    at = ", ".join(report.after) or "base"
    ahead = f"; ahead of these scripts: {', '.join(report.ahead)}" if report.ahead else ""
    if not report.steps and report.before == report.after:
        return [f"Nothing to do: the database is at {at}{ahead}."]
    done = f" after {counted(len(report.steps), 'step')} in {seconds_text(report.seconds)}" if report.steps else ""
    return [f"The database is at {at}{done}{ahead}."]


def log_lines(entries: Sequence[JournalEntry], *, verbose: bool = False) -> list[str]:
    """A table, the entries in the order given; errors indented below their line."""
    rows = [_log_row(entry, verbose=verbose) for entry in entries]
    lines: list[str] = []
    for entry, line in zip(entries, table(rows), strict=True):
        lines.append(line)
        if entry.error:
            lines.append(f"    {entry.error.strip() if verbose else first_line(entry.error)}")
    return lines


def _log_row(entry: JournalEntry, *, verbose: bool) -> list[str]:
    by = "@".join(part for part in (entry.database_user, entry.host) if part)
    row = [
        time_text(entry.finished_at or entry.started_at),
        entry.direction.value,
        entry.revision,
        entry.outcome.value,
        "" if entry.seconds is None else seconds_text(entry.seconds),
        by,
    ]
    if verbose:
        row += [counted(entry.statements_done, "statement"), f"asyncmig {entry.version}", (entry.checksum or "")[:12]]
    return row


def loss_line(loss: Loss) -> str:
    """`- table account (3 rows)`; an estimate says that it is one, a script that cannot be known before says that."""
    if loss.kind == "script":
        return f"? script {loss.name}: what it drops is not known before it runs"
    if loss.rows is None:
        return f"- {loss.kind} {loss.name} (rows not counted)"
    about = "about " if loss.estimated else ""
    return f"- {loss.kind} {loss.name} ({about}{counted(loss.rows, 'row')})"
