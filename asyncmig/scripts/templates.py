"""The project templates, and `init`: a template's files written into a folder."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from asyncmig.errors import TemplateError, UsageError
from asyncmig.scripts.files import replace_file, write_new
from asyncmig.scripts.pyproject import with_table
from asyncmig.scripts.rendering import render

__all__ = ["TemplateFile", "init_directory", "list_templates", "template_files", "templates_root"]

_SCRIPT_TEMPLATE = "script.py.mako"
_SKIPPED = frozenset({"__pycache__", ".DS_Store"})


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """One file of a template: where it is, and where it goes relative to the destination."""

    source: Path
    target: Path

    @property
    def rendered(self) -> bool:
        """`name.mako` is rendered to `name`; script.py.mako is a template of the project's own."""
        return self.source.suffix == ".mako" and self.source.name != _SCRIPT_TEMPLATE


def templates_root() -> Path:
    """`asyncmig/templates` in an installation, `templates/` beside the package in a source checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "templates", package.parent / "templates"):
        if folder.is_dir():
            return folder
    raise TemplateError("The templates are missing from this installation.", hint="Install asyncmig again.")


def list_templates() -> list[tuple[str, str]]:
    """Each template's name and the first line of its README, in order of names."""
    return [(folder.name, _summary(folder)) for folder in sorted(templates_root().iterdir()) if _is_template(folder)]


def template_files(template: str, migrations: str = "migrations") -> list[TemplateFile]:
    """The files of a template; its `migrations/` goes to the folder named `migrations`. TemplateError for no template."""
    root = templates_root() / template
    if not _is_template(root) or root.parent != templates_root():
        names = [name for name, _ in list_templates()]
        near = get_close_matches(template, names, n=1)
        raise TemplateError(
            f"There is no template {template!r}.",
            hint=f"Did you mean {near[0]}?" if near else f"There are {', '.join(names)}.",
        )
    return [_file(path, root, migrations) for path in sorted(root.rglob("*")) if path.is_file() and _wanted(path, root)]


def init_directory(
    template: str,
    destination: Path,
    *,
    migrations: str = "migrations",
    variables: Mapping[str, object] | None = None,
    package: bool = False,
) -> list[Path]:
    """Write a template's files below `destination`; the paths written come back.

    All is rendered and every place looked at before the first file is written: UsageError names what is in the way,
    and nothing is overwritten. A pyproject.toml that is there gets the template's table appended. `variables` go to
    the rendered files. With `package` the folders of env.py and of the scripts get an empty `__init__.py`.
    """
    files = template_files(template, migrations)
    if package:
        files += _package_files(files, Path(migrations))
    appended = [file for file in files if file.rendered and _is_pyproject(destination / file.target)]
    new = [file for file in files if file not in appended]
    _check_free(new, destination)
    after = {destination / file.target: _appended(file, destination, variables or {}) for file in appended}
    _write_all({destination / file.target: _content(file, variables or {}) for file in new}, after)
    return [destination / file.target for file in files]


def _package_files(files: list[TemplateFile], migrations: Path) -> list[TemplateFile]:
    inside = [file.target for file in files if file.target.is_relative_to(migrations)]
    folders = {parent for target in inside for parent in target.parents if parent.is_relative_to(migrations)}
    return [TemplateFile(Path(os.devnull), folder / "__init__.py") for folder in sorted(folders)]


def _is_pyproject(path: Path) -> bool:
    return path.name == "pyproject.toml" and path.is_file()


def _content(file: TemplateFile, variables: Mapping[str, object]) -> bytes:
    return render(file.source, variables).encode() if file.rendered else file.source.read_bytes()


def _appended(file: TemplateFile, destination: Path, variables: Mapping[str, object]) -> bytes:
    return with_table(destination / file.target, render(file.source, variables))


def _write_all(new: Mapping[Path, bytes], after: Mapping[Path, bytes]) -> None:
    """Write the new files, then those that are replaced; when one fails, the new ones are taken away again."""
    written = []
    try:
        for path, content in new.items():
            write_new(path, content)
            written.append(path)
        for path, content in after.items():
            replace_file(path, content)
    except BaseException:
        for path in written:
            path.unlink(missing_ok=True)
        raise


def _check_free(files: list[TemplateFile], destination: Path) -> None:
    if destination.exists() and not destination.is_dir():
        raise UsageError(f"{destination} is a file.", hint="Name a folder.")
    taken = [file.target for file in files if (destination / file.target).exists()]
    # A file where a folder is needed is in the way too.
    taken += [
        parent
        for parent in dict.fromkeys(parent for file in files for parent in file.target.parents)
        if (destination / parent).exists() and not (destination / parent).is_dir()
    ]
    if taken:
        names = ", ".join(str(path) for path in taken)
        raise UsageError(
            f"{destination} has {names} already; nothing was written.", hint="Move that away, or choose another folder."
        )


def _file(path: Path, root: Path, migrations: str) -> TemplateFile:
    target = path.relative_to(root)
    if target.parts[0] == "migrations":
        target = Path(migrations, *target.parts[1:])
    file = TemplateFile(path, target)
    return TemplateFile(path, target.with_suffix("")) if file.rendered else file


def _wanted(path: Path, root: Path) -> bool:
    return path.suffix != ".pyc" and not _SKIPPED.intersection(path.relative_to(root).parts)


def _is_template(folder: Path) -> bool:
    return folder.is_dir() and any(folder.rglob(_SCRIPT_TEMPLATE))


def _summary(folder: Path) -> str:
    for readme in (*sorted(folder.glob("README*")), *sorted(folder.glob("*/README*"))):
        for line in readme.read_text(encoding="utf-8").splitlines():
            if text := line.strip("# \t"):
                return text
    return ""
