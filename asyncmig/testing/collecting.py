"""The items of `pytest --test-migrations`: the functions of project_tests.py, collected into the project's own tests."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

import pytest

__all__ = ["migration_tests"]


class _ProjectTests(pytest.Module):
    """project_tests.py where the project keeps its tests, so that fixtures in its conftest.py are seen."""

    def _getobj(self) -> ModuleType:
        # Not pytest's own way to import a file: that depends on the project's import mode, and may touch sys.path.
        return importlib.import_module("asyncmig.testing.project_tests")

    def collect(self) -> Iterable[pytest.Item]:
        # By name: the project's python_functions says nothing about ours.
        return [pytest.Function.from_parent(self, name=name) for name in self.obj.__all__]


def migration_tests(session: pytest.Session, collected: Sequence[pytest.Item]) -> Iterable[pytest.Item]:
    """`collected` are the project's own tests: ours stand in the same folder."""
    parent = _tests_folder(session, collected)
    nodeid = f"{parent.nodeid}/migrations" if parent.nodeid not in ("", ".") else "migrations"
    source = Path(__file__).with_name("project_tests.py")
    return _ProjectTests.from_parent(parent, path=source, name="migrations", nodeid=nodeid).collect()


def _tests_folder(session: pytest.Session, collected: Sequence[pytest.Item]) -> pytest.Collector:
    """The node of the folder whose conftest.py counts: the first of testpaths, or `tests`, or the rootdir."""
    root = session.config.rootpath
    folders = [root / path for path in (*session.config.getini("testpaths"), "tests") if (root / path).is_dir()]
    if not folders or folders[0] == root:
        return session
    # pytest hangs the fixtures of a conftest.py on the very node that it has collected.
    for node in {node for item in collected for node in item.listchain()}:
        if isinstance(node, pytest.Directory) and node.path == folders[0]:
            return node
    return _new_node(session, folders[0].relative_to(root))


def _new_node(session: pytest.Session, path: Path) -> pytest.Collector:
    """A folder of which nothing was collected."""
    parent: pytest.Collector = session
    for part in path.parts:
        parent = pytest.Dir.from_parent(parent, path=parent.path / part)
        # Its conftest.py is read when it is collected; what that finds was not asked for.
        session.config.hook.pytest_make_collect_report(collector=parent)
    return parent
