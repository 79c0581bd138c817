"""Headers that are kept from run to run: a history that stayed is not read again, one that changed always is."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from asyncmig.errors import ScriptError
from asyncmig.revisions.revision import Revision
from asyncmig.scripts import known
from asyncmig.scripts.directory import ScriptDirectory
from asyncmig.scripts.header import Header, read_header

NUMBER = 60


@pytest.fixture(autouse=True)
def _writing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)


@pytest.fixture(autouse=True)
def read_now(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the scripts that were opened."""
    names: list[str] = []

    def reading(path: Path) -> Header:
        names.append(path.name)
        return read_header(path)

    monkeypatch.setattr(known, "read_header", reading)
    return names


def text(number: int, message: str = "a message") -> str:
    down = repr(f"r{number - 1:03}") if number else "None"
    return (
        f'"""{message}\n\nCreate Date: 2026-11-28\n"""\n\n'
        f'revision = "r{number:03}"\ndown_revision = {down}\nbranch_labels = {("shop",) if number == 7 else None}\n'
    )


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in range(NUMBER):
        path = tmp_path / "versions" / f"r{number:03}_x.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text(number))
    return tmp_path


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes it a minute later, so that what was written counts as settled."""

    def pass_by() -> None:
        now = time.time_ns() + 60 * 10**9
        monkeypatch.setattr(known.time, "time_ns", lambda: now)

    return pass_by


def read(root: Path) -> list[Revision]:
    return ScriptDirectory(root).read()


def kept(root: Path) -> list[Path]:
    return list((root / "versions" / "__pycache__").glob("*"))


def test_what_stayed_is_not_read_again(root: Path, read_now: list[str], later: Callable[[], None]) -> None:
    later()
    first = read(root)
    assert len(read_now) == NUMBER
    assert [file.suffix for file in kept(root)] == [".pyc"]  # what every .gitignore knows
    read_now.clear()
    assert read(root) == first
    assert read_now == []
    assert (first[7].branch_labels, first[7].message, first[7].create_date) == (("shop",), "a message", "2026-11-28")


def test_what_was_written_a_moment_ago_is_read_again(root: Path, read_now: list[str]) -> None:
    read(root)
    assert kept(root) == []
    read(root)
    assert len(read_now) == 2 * NUMBER


@pytest.mark.parametrize("means", ["in place", "another file", "the times put back"])
def test_a_script_that_changed_is_read_again(
    means: str, root: Path, read_now: list[str], later: Callable[[], None]
) -> None:
    later()
    read(root)
    read_now.clear()
    path = root / "versions" / "r003_x.py"
    before = path.stat()
    other = text(3, "A MESSAGE")
    if means == "another file":
        new = root / "versions" / "new"
        new.write_text(other)
        new.replace(path)
    else:
        path.write_text(other)
    if means == "the times put back":
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    assert read(root)[3].message == "A MESSAGE"
    assert read_now == [path.name]


def test_scripts_that_come_go_and_move_are_seen(root: Path, read_now: list[str], later: Callable[[], None]) -> None:
    later()
    read(root)
    read_now.clear()
    versions = root / "versions"
    (versions / f"r{NUMBER - 1:03}_x.py").unlink()
    (versions / "r001_x.py").rename(versions / "r001_y.py")
    (versions / "r999_x.py").write_text(text(999).replace("r998", f"r{NUMBER - 2:03}"))
    assert ScriptDirectory(root).graph().heads == ("r999",)
    assert read_now == ["r001_y.py", "r999_x.py"]


def test_a_few_new_scripts_do_not_write_the_whole_again(
    root: Path, read_now: list[str], later: Callable[[], None]
) -> None:
    later()
    read(root)
    (file,) = kept(root)
    before = file.stat().st_ino
    (root / "versions" / "r060_x.py").write_text(text(60))
    read(root)
    assert file.stat().st_ino == before
    for number in range(61, 120):
        (root / "versions" / f"r{number:03}_x.py").write_text(text(number))
    read(root)
    read_now.clear()
    assert len(read(root)) == 120
    assert read_now == []


def test_what_is_computed_is_computed_each_time(
    root: Path, later: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    later()
    (root / "versions" / "zz_x.py").write_text(
        f'import os\n\nrevision = os.environ["ID"]\ndown_revision = "r{NUMBER - 1:03}"\n'
    )
    for identifier in ("one", "two"):
        monkeypatch.setenv("ID", identifier)
        assert read(root)[-1].id == identifier


@pytest.mark.parametrize("size", [0, 10, 64, 100, -1])
def test_a_torn_file_is_no_cache(size: int, root: Path, later: Callable[[], None]) -> None:
    later()
    first = read(root)
    (file,) = kept(root)
    whole = file.read_bytes()
    file.write_bytes(whole[:size] + bytes(len(whole[size:])))
    assert read(root) == first
    assert file.read_bytes() == whole


def test_what_is_wrong_is_said_each_time(root: Path, later: Callable[[], None]) -> None:
    later()
    read(root)
    wrong = root / "versions" / "r005_x.py"
    wrong.write_text("revision = (\n")
    for _ in range(2):
        with pytest.raises(ScriptError, match="not valid Python") as caught:
            read(root)
        assert (caught.value.path, caught.value.line) == (wrong, 1)
    wrong.unlink()
    wrong.symlink_to(root / "nowhere")
    with pytest.raises(ScriptError, match="cannot be read"):
        read(root)


def test_nothing_is_kept_where_python_keeps_nothing(
    root: Path, read_now: list[str], later: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    later()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    read(root)
    read(root)
    assert len(read_now) == 2 * NUMBER
    assert not (root / "versions" / "__pycache__").exists()


def test_a_short_history_leaves_no_file(root: Path, later: Callable[[], None]) -> None:
    later()
    for path in sorted((root / "versions").iterdir())[20:]:
        path.unlink()
    assert len(read(root)) == 20
    assert not (root / "versions" / "__pycache__").exists()
