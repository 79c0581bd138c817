"""The hook into Python's imports while runs are under way: put in by the first, taken out by the last.

It is process-wide, because imports are, but it decides nothing: the modules that it lets in dispatch by context.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import Final

from asyncmig.alembic_names.active import outside, project_run
from asyncmig.alembic_names.catalog import MODULES, PACKAGES
from asyncmig.alembic_names.modules import InstalledModule, StandIn
from asyncmig.alembic_names.peer import plant, uproot

__all__ = ["ImportHook", "import_hook"]


class ImportHook(MetaPathFinder):
    """Finds `alembic` and what is below it; `held` counts the runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._runs = 0

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep the hook in for the block."""
        with self._lock:
            self._runs += 1
            if self._runs == 1:
                self._install()
        try:
            yield
        finally:
            with self._lock:
                self._runs -= 1
                if self._runs == 0:
                    self._uninstall()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != "alembic" and not fullname.startswith("alembic."):
            return None
        spec = _installed_spec(fullname, path)
        if spec is not None:
            return spec
        if project_run() is None or fullname not in MODULES:
            return None
        return ModuleSpec(fullname, _StandInLoader(), is_package=fullname in PACKAGES)

    def _install(self) -> None:
        sys.meta_path.insert(0, self)
        for module in _loaded():
            adopt(module)

    def _uninstall(self) -> None:
        sys.meta_path.remove(self)
        for module in _loaded():
            kind: type[ModuleType] = type(module)
            if kind is StandIn:
                del sys.modules[module.__name__]
            elif kind is InstalledModule:
                module.__class__ = ModuleType
                uproot(module)


import_hook: Final = ImportHook()


def adopt(module: ModuleType) -> None:
    """Let an installed alembic's module dispatch; a module of a class of its own is left alone."""
    if type(module) is ModuleType and module.__name__ in MODULES:
        module.__class__ = InstalledModule
        plant(module)


def _loaded() -> list[ModuleType]:
    names = [name for name in list(sys.modules) if name == "alembic" or name.startswith("alembic.")]
    return [module for name in names if isinstance(module := sys.modules.get(name), ModuleType)]


def _installed_spec(fullname: str, path: Sequence[str] | None) -> ModuleSpec | None:
    """The installed alembic's spec, with a loader that makes its module dispatch."""
    if fullname == "alembic":
        spec = next((found for entry in sys.path if (found := _package_in(entry))), None)
    else:
        spec = PathFinder.find_spec(fullname, path)
    if spec is None or spec.loader is None:
        return None
    spec.loader = _InstalledLoader(spec.loader)
    return spec


def _package_in(entry: str) -> ModuleSpec | None:
    """Alembic's own package. The folder of scripts is often called alembic too, and the project is on sys.path."""
    spec = PathFinder.find_spec("alembic", [entry])
    if spec is None or spec.origin is None or not (Path(spec.origin).parent / "runtime" / "migration.py").is_file():
        return None
    return spec


class _InstalledLoader(Loader):
    """Runs the module as its own loader does, with its own names around it, and then lets it dispatch."""

    def __init__(self, real: Loader) -> None:
        self.real = real

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.real.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self.real
        if module.__spec__ is not None:
            module.__spec__.loader = self.real
        with outside():
            self.real.exec_module(module)
        adopt(module)


class _StandInLoader(Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = StandIn(spec.name, "Stands for alembic, which is not installed, inside a run of asyncmig.")
        # Plug-ins ask which directives and keywords there are.
        module.__version__ = "1.20.1"  # type: ignore[attr-defined]
        return module

    def exec_module(self, module: ModuleType) -> None:
        return
