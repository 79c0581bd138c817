"""Numbers, times, paths and columns as people read them: pure functions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["counted", "first_line", "seconds_text", "shown_path", "table", "time_text"]


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns aligned on the left, two spaces apart, no spaces at the line's end."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def seconds_text(seconds: float) -> str:
    """`0.02 s`, `41 s`, `3 min 5 s`."""
    if seconds < 10:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def shown_path(path: Path) -> str:
    """Relative to the working directory where it lies below it."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def time_text(when: datetime | None) -> str:
    if when is None:
        return ""
    utc = when.replace(tzinfo=UTC) if when.tzinfo is None else when.astimezone(UTC)
    return utc.strftime("%Y-%m-%d %H:%M:%SZ")


def counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def first_line(text: str) -> str:
    return text.strip().partition("\n")[0]
