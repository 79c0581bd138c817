"""Costs as a Markdown table with ratios: below 1.00 asyncmig takes less than Alembic."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from benchmarks.measure import Cost


@dataclass(frozen=True, slots=True)
class Row:
    """One case: its name, the cost of each contender, and what was set as the goal."""

    case: str
    costs: Mapping[str, Cost]
    goal: str = ""


def table(rows: Iterable[Row], *, memory: bool = False) -> str:
    """One line a case. A third contender, the raw driver, has columns when a row has it."""
    measured = list(rows)
    raw = any("driver" in row.costs for row in measured)
    header = ["", "CPU Alembic", "CPU asyncmig", "ratio", "wall Alembic", "wall asyncmig", "ratio"]
    header += ["CPU driver", "wall driver"] if raw else []
    header += ["MB Alembic", "MB asyncmig"] if memory else []
    header += ["goal"] if any(row.goal for row in measured) else []
    lines = [header, ["---", *["---:"] * (len(header) - 1)]]
    lines += [_cells(row, raw=raw, memory=memory)[: len(header)] for row in measured]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _cells(row: Row, *, raw: bool, memory: bool) -> list[str]:
    theirs, ours = row.costs["alembic"], row.costs["asyncmig"]
    cells = [row.case]
    cells += [_seconds(theirs.cpu), _seconds(ours.cpu), _ratio(ours.cpu, theirs.cpu)]
    cells += [_seconds(theirs.wall), _seconds(ours.wall), _ratio(ours.wall, theirs.wall)]
    if raw:
        driver = row.costs["driver"]
        cells += [_seconds(driver.cpu), _seconds(driver.wall)]
    if memory:
        cells += [f"{theirs.memory:.0f}", f"{ours.memory:.0f}"]
    return [*cells, row.goal]


def _ratio(ours: float, theirs: float) -> str:
    """`0.45`, or as a factor where that reads better: `1/40`."""
    ratio = ours / theirs
    return f"{ratio:.2f}" if ratio > 0.1 else f"1/{1 / ratio:.0f}"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 0.1 else f"{value * 1000:.0f} ms"
