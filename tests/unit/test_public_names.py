"""`import asyncmig`: every public name is there, and none is paid for before it is used."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import asyncmig
from asyncmig import errors


@pytest.mark.parametrize("name", asyncmig.__all__)
def test_every_public_name_resolves(name):
    assert getattr(asyncmig, name) is not None
    assert name in dir(asyncmig)


def test_every_error_is_public():
    assert set(errors.__all__) <= set(asyncmig.__all__)


def test_what_type_checkers_see_is_what_is_public():
    tree = ast.parse(Path(asyncmig.__file__).read_text())
    seen = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen - {"import_module"} == set(asyncmig.__all__)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        asyncmig.nothing  # noqa: B018


def test_importing_the_package_loads_nothing_else():
    code = "import sys; before = set(sys.modules); import asyncmig; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert loaded == ["asyncmig"]
