"""The folder of scripts."""

import subprocess
import sys
from pathlib import Path

import pytest

from asyncmig.errors import GraphError, ScriptError, UsageError
from asyncmig.scripts.directory import ScriptDirectory


def script(path: Path, down: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    identifier = path.stem.partition("_")[0]
    path.write_text(f'"""{path.stem}"""\n\nrevision = {identifier!r}\ndown_revision = {down!r}\n')
    return path


def test_scripts_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    for name in ("c3_x.py", "a1_x.py", "b2_x.py"):
        script(tmp_path / "versions" / name)
    directory = ScriptDirectory(tmp_path)
    assert [revision.id for revision in directory.read()] == ["a1", "b2", "c3"]
    assert directory.read()[0].path == tmp_path / "versions" / "a1_x.py"


@pytest.mark.parametrize("name", ["__init__.py", "__init__old.py", ".#a1_x.py", ".hidden.py", "notes.txt", "a1.pyc"])
def test_what_is_no_script_is_passed_over(name: str, tmp_path: Path) -> None:
    script(tmp_path / "versions" / "a1_x.py")
    (tmp_path / "versions" / name).write_text("not Python (")
    assert len(ScriptDirectory(tmp_path).read()) == 1


def test_a_module_that_is_no_revision_is_named(tmp_path: Path) -> None:
    script(tmp_path / "versions" / "a1_x.py")
    (tmp_path / "versions" / "helpers.py").write_text("x = 1\n")
    with pytest.raises(ScriptError, match="helpers"):
        ScriptDirectory(tmp_path).read()


def test_subfolders_are_read_only_when_asked(tmp_path: Path) -> None:
    script(tmp_path / "versions" / "a1_x.py")
    script(tmp_path / "versions" / "2026" / "11" / "b2_x.py", "a1")
    script(tmp_path / "versions" / "__pycache__" / "c3_x.py")
    assert len(ScriptDirectory(tmp_path).read()) == 1
    assert [revision.id for revision in ScriptDirectory(tmp_path, recursive=True).read()] == ["a1", "b2"]


def test_overlapping_locations_read_a_file_once(tmp_path: Path) -> None:
    script(tmp_path / "versions" / "a1_x.py")
    script(tmp_path / "versions" / "shop" / "b2_x.py", "a1")
    locations = (tmp_path / "versions", tmp_path / "versions" / "shop", tmp_path / "." / "versions")
    assert len(ScriptDirectory(tmp_path, locations, recursive=True).graph()) == 2


def test_a_missing_directory_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="asyncmig init"):
        ScriptDirectory(tmp_path / "nowhere").read()


def test_a_missing_named_location_is_an_error_and_a_missing_versions_is_not(tmp_path: Path) -> None:
    assert ScriptDirectory(tmp_path).read() == []
    with pytest.raises(UsageError, match="version_locations"):
        ScriptDirectory(tmp_path, (tmp_path / "elsewhere",)).read()


def test_a_wrong_history_names_file_and_line(tmp_path: Path) -> None:
    path = script(tmp_path / "versions" / "a1_x.py", "nobody")
    with pytest.raises(GraphError) as caught:
        ScriptDirectory(tmp_path).graph()
    assert (caught.value.path, caught.value.line) == (path, 4)


def test_reading_a_history_imports_nothing_heavy(tmp_path: Path) -> None:
    script(tmp_path / "versions" / "a1_x.py")
    script(tmp_path / "versions" / "b2_x.py", "a1")
    code = (
        "import sys; from pathlib import Path; from asyncmig.scripts.directory import ScriptDirectory;"
        f"graph = ScriptDirectory(Path({str(tmp_path)!r})).graph(); assert graph.heads == ('b2',); graph.range();"
        "heavy = {'sqlalchemy', 'mako', 'tomllib', 'typer', 'rich', 'asyncio'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[3])
    assert done.returncode == 0, done.stderr
