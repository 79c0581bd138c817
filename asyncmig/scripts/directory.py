"""The migrations directory: where scripts lie, and the history that they make."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from asyncmig.alembic_names import project_imports
from asyncmig.environment.context import Context
from asyncmig.errors import UsageError
from asyncmig.revisions.graph import RevisionGraph
from asyncmig.revisions.revision import Revision
from asyncmig.scripts.header import assignment_line
from asyncmig.scripts.known import read_revisions

if TYPE_CHECKING:
    from asyncmig.config import Config

__all__ = ["ScriptDirectory"]


class ScriptDirectory:
    """`root` holds env.py and script.py.mako; `locations` the folders of revision scripts, `root/versions` by default.

    Looks at the disk each time it is asked. `imports` surrounds what is loaded of a script.
    """

    def __init__(
        self,
        root: Path,
        version_locations: Sequence[Path] = (),
        recursive: bool = False,
        *,
        max_id_length: int | None = None,
        imports: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self.root = root
        self.locations = tuple(version_locations) or (root / "versions",)
        self.recursive = recursive
        self._given = bool(version_locations)
        self._max_id_length = max_id_length
        self._imports = imports

    @classmethod
    def from_config(cls, config: Config) -> ScriptDirectory:
        return cls(
            config.script_location,
            config.version_locations,
            config.recursive_version_locations,
            imports=lambda: project_imports(Context(config)),
        )

    def read(self) -> list[Revision]:
        """Every script's revision, ordered by location and path. UsageError without the folder, ScriptError else."""
        # A header that is computed is read by importing the script.
        with self._imports():
            return read_revisions(self.locations[0], self.paths())

    def graph(self) -> RevisionGraph:
        """The history that the scripts make; GraphError and ScriptError name the file that is wrong."""
        return RevisionGraph.build(self.read(), locate=assignment_line, max_id_length=self._max_id_length)

    def paths(self) -> list[Path]:
        """The scripts. A file that several locations reach counts once, under the first."""
        self._check()
        found = [path for location in self.locations for path in _scripts_in(location, self.recursive)]
        if len(self.locations) == 1:
            return found
        seen: dict[str, Path] = {}
        for path in found:
            seen.setdefault(os.path.realpath(path), path)
        return list(seen.values())

    def _check(self) -> None:
        if not self.root.is_dir():
            raise UsageError(
                f"There is no migrations directory {self.root}.",
                hint="Create one with `asyncmig init DIRECTORY`, or correct script_location.",
            )
        # The default folder may be missing: version control keeps no empty folders. One that was named may not.
        for location in self.locations if self._given else ():
            if not location.is_dir():
                raise UsageError(f"There is no folder {location}.", hint="Create it, or correct version_locations.")


def _scripts_in(location: Path, recursive: bool) -> Iterator[Path]:
    try:
        with os.scandir(location) as entries:
            ordered = sorted(entries, key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in ordered:
        if entry.name.endswith(".py") and not entry.name.startswith((".", "#", "__init__")):
            yield location / entry.name
    for entry in ordered if recursive else ():
        if entry.is_dir() and entry.name != "__pycache__" and not entry.name.startswith("."):
            yield from _scripts_in(location / entry.name, recursive)
