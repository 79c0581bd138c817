"""Compiled scripts that are kept: found again for exactly the same bytes, and for nothing else."""

import shutil
import sys
from pathlib import Path

import pytest

from asyncmig.errors import ScriptError
from asyncmig.revisions.revision import Revision
from asyncmig.scripts.checksum import checksum, file_hash
from asyncmig.scripts.compiled import compile_script
from asyncmig.scripts.loader import load_script

SOURCE = b'revision = "a1"\ndown_revision = None\nx = 1\n'


@pytest.fixture(autouse=True)
def _writing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "versions" / "a1_script.py"


def kept(path: Path) -> list[Path]:
    return list((path.parent / "__pycache__").glob("*"))


def value(path: Path, source: bytes) -> object:
    found = compile_script(path, source)
    assert (found.checksum, found.file_hash) == (checksum(source), file_hash(source))
    assert found.code.co_filename == str(path)
    names: dict[str, object] = {}
    exec(found.code, names)
    return names["x"]


def test_a_second_run_compiles_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = value(path, SOURCE)
    (file,) = kept(path)
    assert file.suffix == ".pyc"  # what every .gitignore knows
    monkeypatch.setattr("asyncmig.scripts.compiled.checksum_of", None)
    found = compile_script(path, SOURCE)
    assert found.checksum == checksum(SOURCE)
    assert first == 1
    assert kept(path) == [file]


def test_other_bytes_of_the_same_size_and_second_are_compiled(path: Path) -> None:
    for number in (1, 2, 1, 3):
        assert value(path, SOURCE.replace(b"x = 1", b"x = %d" % number)) == number
    assert len(kept(path)) == 1


def test_a_script_that_moved_is_compiled_again(path: Path, tmp_path: Path) -> None:
    value(path, SOURCE)
    moved = tmp_path / "elsewhere" / path.name
    shutil.copytree(path.parent, moved.parent)
    assert value(moved, SOURCE) == 1


@pytest.mark.parametrize("size", [0, 10, 64, 100, -1])
def test_a_torn_file_is_no_cache(path: Path, size: int) -> None:
    value(path, SOURCE)
    (file,) = kept(path)
    whole = file.read_bytes()
    file.write_bytes(whole[:size] + bytes(len(whole[size:])))
    assert value(path, SOURCE) == 1
    assert file.read_bytes() == whole


def test_nothing_is_kept_where_python_keeps_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert value(path, SOURCE) == 1
    assert not path.parent.exists()
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys.implementation, "cache_tag", None)
    assert value(path, SOURCE) == 1
    assert not path.parent.exists()


def test_the_prefix_of_pythons_own_cache_is_followed(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path / "cache"))
    assert value(path, SOURCE) == 1
    assert not path.parent.exists()
    assert list((tmp_path / "cache").rglob("*.pyc"))


def test_a_folder_that_takes_no_files_is_no_failure(path: Path) -> None:
    path.parent.mkdir()
    (path.parent / "__pycache__").write_text("a file where the folder would be")
    assert value(path, SOURCE) == 1
    assert [entry.name for entry in path.parent.iterdir()] == ["__pycache__"]


def test_what_is_no_python_is_not_kept(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b'revision = "a1"\ndown_revision = None\ndef upgrade(:\n')
    with pytest.raises(ScriptError, match="not valid Python"):
        load_script(Revision("a1", (), path=path))
    assert kept(path) == []
