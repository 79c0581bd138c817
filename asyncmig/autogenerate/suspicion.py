"""Reasons to believe that nobody meant to drop a table: models that were not imported."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from asyncmig.operations.base import Operation
from asyncmig.operations.tables import DropTable
from asyncmig.schema.model import Schema

__all__ = ["remarks_on_drops", "unimported_models"]

_MANY = 3
_FILES = 2_000
_BYTES = 1_000_000


def remarks_on_drops(operations: Iterable[Operation], current: Schema, folders: Iterable[Path]) -> list[str]:
    """Sentences: metadata that lost most of its tables, and modules with a dropped table's model that are not loaded."""
    gone = [operation.ref.name for operation in operations if isinstance(operation, DropTable)]
    if not gone:
        return []
    remarks = [
        f"{path} speaks of {name} and was not imported: import it where the models' metadata is made."
        for name, path in unimported_models(gone, folders, _loaded()).items()
    ]
    if len(gone) >= _MANY and 2 * len(gone) > len(current.tables):
        remarks.append(
            f"{len(gone)} of the {len(current.tables)} tables in the database have no model: "
            "are all modules with models imported?"
        )
    return remarks


def unimported_models(names: Iterable[str], folders: Iterable[Path], loaded: frozenset[Path]) -> dict[str, Path]:
    """By table, the first Python file below `folders` that has its name in quotes beside a model's words."""
    wanted = {name: re.compile(rf"(?:__tablename__\s*=|Table\()\s*[\"']{re.escape(name)}[\"']") for name in names}
    found: dict[str, Path] = {}
    for path in _sources(folders):
        if path in loaded:
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        for name, pattern in wanted.items():
            if name not in found and pattern.search(text):
                found[name] = path
    return found


def _sources(folders: Iterable[Path]) -> Iterator[Path]:
    """Not the ones of virtual environments, nor migrations: those speak of every table."""
    left = _FILES
    for folder in folders:
        for path in sorted(folder.glob("*.py")) + sorted(folder.glob("*/**/*.py")):
            parts = path.relative_to(folder).parts
            if any(part.startswith(".") or part in _OTHERS for part in parts) or path.stat().st_size > _BYTES:
                continue
            left -= 1
            if left < 0:
                return
            yield path.resolve()


_OTHERS = frozenset({"site-packages", "node_modules", "venv", "versions", "migrations", "alembic", "tests", "build"})


def _loaded() -> frozenset[Path]:
    files = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    return frozenset(Path(file).resolve() for file in files if file)
