"""`init -t pyproject` beside a pyproject.toml: the table is appended, and nothing else changes."""

import tomllib
from pathlib import Path

import pytest

from asyncmig.errors import AsyncmigError, UsageError
from asyncmig.scripts.templates import init_directory

BEFORE = {
    "a project": b'[project]\nname = "shop"\n',
    "another tool": b"[tool.ruff]\nline-length = 100\n",
    "no newline at the end": b'[project]\nname = "shop"',
    "nothing": b"",
    "line ends of Windows": b'[project]\r\nname = "shop"\r\n',
    "a comment in no alphabet of ours": "# 帳號\n".encode(),
}
REFUSED = {
    "there already": (b"[tool.asyncmig]\nurl = 'x'\n", r"pyproject\.toml has a \[tool\.asyncmig\] already"),
    "broken": (b"[project\n", "cannot be appended"),
    "tool is closed": (b"tool = {ruff = {}}\n", "cannot be appended"),
}


def init(folder: Path) -> list[Path]:
    return init_directory("pyproject", folder, migrations="db", variables={"script_location": "db"})


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE.keys())
def test_init_appends_its_table_and_keeps_the_bytes_before_it(tmp_path: Path, before: bytes) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(before)
    path.chmod(0o640)
    assert path in init(tmp_path)
    after = path.read_bytes()
    assert after.startswith(before)
    assert after.count(b"\r\n") in (0, after.count(b"\n"))
    parsed = tomllib.loads(after.decode())
    assert parsed["tool"].pop("asyncmig")["script_location"] == "db"
    assert {**parsed, "tool": parsed["tool"] or None} == {"tool": None, **tomllib.loads(before.decode())}
    assert path.stat().st_mode & 0o777 == 0o640
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["db", "pyproject.toml"]


@pytest.mark.parametrize(("before", "words"), REFUSED.values(), ids=REFUSED.keys())
def test_init_refuses_what_it_cannot_append_to_and_writes_nothing(tmp_path: Path, before: bytes, words: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(before)
    with pytest.raises(UsageError, match=words):
        init(tmp_path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    real = tmp_path / "elsewhere" / "pyproject.toml"
    real.write_bytes(b"[tool.ruff]\n")
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pyproject.toml").symlink_to(real)
    init(folder)
    assert (folder / "pyproject.toml").is_symlink()
    assert b"[tool.asyncmig]" in real.read_bytes()


def test_what_was_written_is_taken_away_when_the_table_cannot_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(b"[tool.ruff]\n")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copymode", full)
    with pytest.raises(AsyncmigError, match="No space left on device"):
        init(tmp_path)
    assert path.read_bytes() == b"[tool.ruff]\n"
    assert [entry for entry in tmp_path.rglob("*") if entry.is_file()] == [path]
