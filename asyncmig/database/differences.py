"""What comparing a database with the models comes back with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["AutogenerateReport", "Difference", "Differences"]


@dataclass(frozen=True, slots=True)
class Difference:
    """`sign` is '+', '-' or '~' as seen from the database: what the models have more, less or otherwise."""

    sign: str
    description: str
    operation: str
    objects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Differences:
    """What leads from a database to the models. `uncertain` names comparisons that only texts decided."""

    database: str  # URL without password
    items: tuple[Difference, ...]
    uncertain: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AutogenerateReport:
    """What autogenerate found and wrote: no files where nothing differs. `warnings` are for somebody to look into."""

    database: str  # URL without password
    files: tuple[Path, ...]
    differences: tuple[Difference, ...]
    warnings: tuple[str, ...] = ()
