"""How a fleet's results are shown, and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

from asyncmig.cli import payloads
from asyncmig.cli.words import counted, seconds_text, table

if TYPE_CHECKING:
    from asyncmig.cli.output import Console
    from asyncmig.cli.session import Session
    from asyncmig.fleet import FleetReport, FleetStatus, Target, TargetResult

__all__ = ["payload_of", "say_who", "show_report", "show_status"]

_SHOWN = 20


def say_who(console: Console, targets: Sequence[Target], only: frozenset[str] | None) -> None:
    lost = (only or frozenset()) - {target.name for target in targets}
    if lost:
        console.warn(f"{counted(len(lost), 'target')} of the results no longer exist: {', '.join(sorted(lost)[:5])}")
    console.note(f"{counted(len(targets), 'target')}{' that missed' if only is not None else ''}")


def payload_of(report: FleetReport) -> dict[str, object]:
    counts = {str(outcome): count for outcome, count in report.counts.items()}
    return {**payloads.object_payload(report), "counts": counts}


def show_report(console: Console, report: FleetReport) -> None:
    console.data(lambda: payload_of(report))
    rows = [_row(one) for one in report.results if console.verbose or one.outcome.value != "unchanged"]
    if rows:
        console.result("\n".join(table([("target", "result", "revision", "steps", "time"), *rows])))
    console.note(f"{_counts(report.counts)} ({seconds_text(report.seconds)})")
    # The first failure's reason ends the command, as its error.
    first = report.first_failure
    broken = [one for one in report.results if one.error and one is not first]
    for one in broken[:_SHOWN]:
        console.note(f"{console.err_styles.paint(one.target, 'error')}: {one.error}")
    if len(broken) > _SHOWN:
        console.note(f"and {len(broken) - _SHOWN:,} more; --json or --results has them all")


def _row(one: TargetResult) -> tuple[str, ...]:
    begun = one.outcome.value != "not started"
    revision = ", ".join(one.after) or ("<base>" if begun and not one.error else "")
    return (one.target, str(one.outcome), revision, str(len(one.applied)), seconds_text(one.seconds) if begun else "")


def _counts(counts: Mapping[Any, int]) -> str:
    """`12 changed, 1 failed`."""
    return ", ".join(f"{count:,} {outcome}" for outcome, count in counts.items() if count) or "no targets"


def show_status(session: Session, status: FleetStatus) -> None:
    console = session.console
    bars = [
        (", ".join(bar.current) or ("" if bar.state.value == "failed" else "<base>"), f"{bar.count:,}", _state(bar))
        for bar in status.histogram
    ]
    console.result("\n".join(table([("revision", "targets", "state"), *bars])))
    console.data(lambda: {**payloads.object_payload(status), "histogram": payloads.plain(status.histogram)})
    broken = [one for one in status.targets if one.error]
    for one in broken[:_SHOWN]:
        console.note(f"{console.err_styles.paint(one.target, 'error')}: {one.error}")
    if broken:
        raise typer.Exit(broken[0].exit_code)


def _state(bar: Any) -> str:
    return f"behind by {bar.pending}" if bar.state.value == "behind" else str(bar.state)
