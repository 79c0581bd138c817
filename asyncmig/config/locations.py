"""Where a folder of the configuration is: beside the file, absolute, or inside an installed package."""

from __future__ import annotations

import os
import re
import sys
from importlib.machinery import PathFinder
from pathlib import Path

__all__ = ["resolve_location"]

_IN_PACKAGE = re.compile(r"(?P<package>[A-Za-z_]\w+(?:\.\w+)*):(?P<folder>[^\\/:].*)")


def resolve_location(text: str, here: Path) -> Path:
    """The absolute folder of "migrations", "/srv/migrations" or "shop.db:migrations"; it need not exist.

    LookupError when a package is named that cannot be found; the package itself is looked for, not imported.
    """
    match = _IN_PACKAGE.fullmatch(text.strip())
    if match is None or (here / text).exists():
        return Path(_normal(here / text.strip()))
    return _package_folder(match["package"], here) / match["folder"]


def _package_folder(package: str, here: Path) -> Path:
    search: list[str] | None = [str(here), *sys.path]
    path = ""
    for part in package.split("."):
        path = f"{path}.{part}" if path else part
        spec = PathFinder.find_spec(path, search)
        if spec is None or spec.submodule_search_locations is None:
            raise LookupError(f"there is no package {path} to find a folder in.")
        search = list(spec.submodule_search_locations)
    return Path(search[0]) if search else here


def _normal(path: Path) -> str:
    # Not resolve(): a folder behind a symbolic link keeps the name that the user gave it.
    return os.path.normpath(path)
