"""adopt: an Alembic project becomes an asyncmig project, and stays an Alembic project too.

Two files are added, asyncmig.toml beside Alembic's configuration and asyncmig_env.py beside env.py. Nothing that Alembic
reads is touched, so that both work on the same scripts and the same version table until one of them is removed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff
from pathlib import Path

from asyncmig.errors import UsageError
from asyncmig.scripts.adopt_config import config_text, script_folder
from asyncmig.scripts.adopt_env import convert_env
from asyncmig.scripts.adopt_source import AlembicProject, find_alembic
from asyncmig.scripts.files import write_new

__all__ = ["Adoption", "NewFile", "plan_adoption"]


@dataclass(frozen=True, slots=True)
class NewFile:
    """A file that adopt writes; none of them exists yet."""

    path: Path
    text: str

    def diff(self, here: Path) -> str:
        """As a unified diff, paths relative to `here`."""
        name = self.path.relative_to(here).as_posix() if self.path.is_relative_to(here) else str(self.path)
        return "".join(unified_diff([], self.text.splitlines(keepends=True), "/dev/null", name))


@dataclass(frozen=True, slots=True)
class Adoption:
    """What adopt does: the files it writes (none where the project is adopted already), and what it could not carry over."""

    here: Path
    files: tuple[NewFile, ...]
    notes: tuple[str, ...] = ()

    def write(self) -> None:
        """Write all files or none. UsageError where one exists by now."""
        written: list[Path] = []
        try:
            for file in self.files:
                write_new(file.path, file.text.encode())
                written.append(file.path)
        except BaseException:
            for path in written:
                path.unlink(missing_ok=True)
            raise


def plan_adoption(folder: Path, named: str | None = None) -> Adoption:
    """Read the Alembic project in `folder`, or whose alembic.ini or pyproject.toml is `named`; nothing is run or written.

    UsageError where there is none, or where a configuration of asyncmig's says something else already.
    """
    source = find_alembic(folder, named)
    existing = source.here / "asyncmig.toml"
    if existing.exists():
        _check_adopted(existing)
    return Adoption(source.here, *_files(source))


def _files(source: AlembicProject) -> tuple[tuple[NewFile, ...], tuple[str, ...]]:
    environment = convert_env(source, script_folder(source) / "env.py")
    config, config_notes = config_text(source, environment)
    wanted = (
        NewFile(source.here / "asyncmig.toml", config),
        NewFile(script_folder(source) / "asyncmig_env.py", environment.text),
    )
    files = tuple(file for file in wanted if not file.path.exists())
    return files, tuple(_notes(source, files, (*config_notes, *environment.notes)))


def _notes(source: AlembicProject, files: tuple[NewFile, ...], notes: tuple[str, ...]) -> Iterator[str]:
    if not files:
        return
    yield from notes
    if source.config.config_file_name and Path(source.config.config_file_name).name != "alembic.ini":
        yield (
            f"options of its own that a script reads from {Path(source.config.config_file_name).name}: asyncmig looks "
            "for them in alembic.ini only."
        )


def _check_adopted(path: Path) -> None:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("asyncmig", {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        table = {}
    if not table.get("alembic_compat"):
        raise UsageError(
            f"{path} is there already, and is not of an adopted project; nothing was written.",
            hint="Move it away, or write alembic_compat = true and the script_location of the Alembic project into it.",
        )
