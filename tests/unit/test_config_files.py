"""Which configuration file is found, and what is said when it cannot be read."""

from pathlib import Path

import pytest

from asyncmig.config import Config
from asyncmig.errors import ConfigError


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load(cwd: Path, path: str | Path | None = None, **environ: str) -> Config:
    return Config.load(path, cwd=cwd, environ=environ)


def message(cwd: Path, path: str | Path | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        load(cwd, path)
    return str(caught.value)


OWN = '[asyncmig]\nversion_table = "own"\n'
PROJECT = '[project]\nname = "x"\n[tool.asyncmig]\nversion_table = "project"\n'
OTHER_PROJECT = '[project]\nname = "x"\n[tool.ruff]\n'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"asyncmig.toml": OWN}, "own"),
        ({"pyproject.toml": PROJECT}, "project"),
        ({"a/asyncmig.toml": OWN, "a/pyproject.toml": PROJECT}, "own"),
        ({"asyncmig.toml": OWN, "a/pyproject.toml": PROJECT}, "project"),
        ({"asyncmig.toml": OWN, "a/b/pyproject.toml": OTHER_PROJECT}, "own"),
        ({"pyproject.toml": PROJECT, "a/asyncmig.toml/keep": ""}, "project"),
    ],
)
def test_the_nearest_file_above_is_found(tmp_path: Path, files: dict[str, str], expected: str) -> None:
    for name, text in files.items():
        put(tmp_path / name, text)
    start = tmp_path / "a" / "b" / "c"
    start.mkdir(parents=True, exist_ok=True)
    config = load(start)
    assert config.version_table == expected
    assert config.path is not None
    assert config.here == config.path.parent


def test_relative_paths_start_at_the_file_and_not_at_the_working_directory(tmp_path: Path) -> None:
    put(tmp_path / "asyncmig.toml", '[asyncmig]\nscript_location = "db"\nfile_template = "${here}"')
    (tmp_path / "sub").mkdir()
    config = load(tmp_path / "sub")
    assert (config.script_location, config.file_template) == (tmp_path / "db", tmp_path.as_posix())


def test_a_file_may_be_named(tmp_path: Path) -> None:
    put(tmp_path / "conf" / "staging.toml", OWN)
    put(tmp_path / "conf" / "pyproject.toml", PROJECT)
    put(tmp_path / "asyncmig.toml", '[asyncmig]\nversion_table = "found"')
    assert load(tmp_path, "conf/staging.toml").version_table == "own"
    assert load(tmp_path, tmp_path / "conf" / "pyproject.toml").version_table == "project"
    assert load(tmp_path, "conf").version_table == "project"
    assert load(tmp_path, ASYNCMIG_CONFIG="conf/staging.toml").version_table == "own"
    assert load(tmp_path, "asyncmig.toml", ASYNCMIG_CONFIG="conf/staging.toml").version_table == "found"


def test_without_a_file_the_error_says_how_to_make_one(tmp_path: Path) -> None:
    said = message(tmp_path)
    assert said.startswith(f"No asyncmig.toml and no [tool.asyncmig] in a pyproject.toml, in {tmp_path} or above.")
    assert "asyncmig init" in said


def test_without_a_file_a_script_location_from_the_environment_is_enough(tmp_path: Path) -> None:
    config = load(tmp_path, ASYNCMIG_SCRIPT_LOCATION="db", ASYNCMIG_URL="sqlite:///x.db")
    assert (config.path, config.script_location, config.url) == (None, tmp_path / "db", "sqlite:///x.db")


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("asyncmig.toml", '[asyncmig]\nurl = "x\n', "line 2, column "),
        ("asyncmig.toml", "[asyncmig\n", "line 1, column "),
        ("asyncmig.toml", "", "There is no [asyncmig] table."),
        ("asyncmig.toml", 'url = "x"', "Unknown key url at the top of the file. Put url under [asyncmig]."),
        ("asyncmig.toml", "[asyncmgi]", "Unknown key asyncmgi at the top of the file."),
        ("asyncmig.toml", "asyncmig = 3", "asyncmig must be a table"),
        (
            "asyncmig.toml",
            "[databases.a]\n[asyncmig.databases.b]",
            "[databases] and [asyncmig.databases] are both given.",
        ),
        ("pyproject.toml", OTHER_PROJECT, "There is no [tool.asyncmig] table."),
        ("pyproject.toml", "[tool]\nasyncmig = 1", "tool.asyncmig must be a table"),
        ("pyproject.toml", '[tool.asyncmig]\nulr = "x"', "Unknown key ulr. Did you mean url?"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_with_the_reason(
    tmp_path: Path, name: str, text: str, expected: str
) -> None:
    path = put(tmp_path / name, text)
    said = message(tmp_path, name)
    assert said.startswith(f"{path}: ")
    assert expected in said


def test_a_named_file_that_is_missing_or_binary_is_an_error(tmp_path: Path) -> None:
    assert "There is no such configuration file." in message(tmp_path, "nowhere.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    assert "The file is not UTF-8 text." in message(tmp_path, "bytes.toml")


def test_a_byte_order_mark_is_no_syntax_error(tmp_path: Path) -> None:
    (tmp_path / "asyncmig.toml").write_bytes(b"\xef\xbb\xbf" + OWN.encode())
    assert load(tmp_path).version_table == "own"
