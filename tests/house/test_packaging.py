"""What a user gets from the wheel and the sdist."""

import email
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from asyncmig.version import __version__

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TEMPLATES = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "templates").rglob("*")
    if path.is_file() and "__pycache__" not in path.parts
)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    return email.message_from_bytes(wheel.read(f"asyncmig-{__version__}.dist-info/METADATA"))


def test_the_wheel_holds_the_package_its_types_and_the_templates(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    modules = {path.relative_to(ROOT).as_posix() for path in (ROOT / "asyncmig").rglob("*.py")}
    assert modules <= names
    assert "asyncmig/py.typed" in names
    assert TEMPLATES
    assert {f"asyncmig/{template}" for template in TEMPLATES} <= names


def test_the_wheel_holds_nothing_outside_the_package(wheel: zipfile.ZipFile) -> None:
    assert {name.split("/")[0] for name in wheel.namelist()} == {"asyncmig", f"asyncmig-{__version__}.dist-info"}


def test_the_sdist_holds_templates_tests_and_docs(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as sdist:
        names = {name.removeprefix(f"asyncmig-{__version__}/") for name in sdist.getnames()}
    assert {*TEMPLATES, "asyncmig/py.typed", "tests/conftest.py", "docs/index.md", "LICENSE", "CHANGELOG.md"} <= names


def test_the_metadata_names_version_python_and_command(metadata: Message, wheel: zipfile.ZipFile) -> None:
    assert metadata["Version"] == __version__
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["License-Expression"] == "MIT"
    entry_points = wheel.read(f"asyncmig-{__version__}.dist-info/entry_points.txt").decode()
    assert "asyncmig = asyncmig.cli:main" in entry_points
    assert "[pytest11]\nasyncmig = asyncmig.testing.plugin" in entry_points


def test_the_extra_all_asks_for_what_the_others_ask_for(metadata: Message) -> None:
    requirements = [Requirement(text) for text in metadata.get_all("Requires-Dist", [])]
    asked = {
        extra: {found.name for found in requirements if found.marker and found.marker.evaluate({"extra": extra})}
        for extra in ("sqlite", "postgresql", "dotenv", "otel", "all")
    }
    assert {name: found for name, found in asked.items() if name != "all"} == {
        "sqlite": {"aiosqlite"},
        "postgresql": {"asyncpg"},
        "dotenv": {"python-dotenv"},
        "otel": {"opentelemetry-api"},
    }
    assert asked["all"] in ({"asyncmig"}, {"aiosqlite", "asyncpg", "opentelemetry-api", "python-dotenv"})


def test_alembic_is_no_dependency_of_the_package(metadata: Message) -> None:
    assert not [text for text in metadata.get_all("Requires-Dist", []) if Requirement(text).name == "alembic"]


def test_each_dependency_has_its_reason_in_the_docs() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    texts = [*PROJECT["dependencies"], *groups["test"], *groups["lint"]]
    texts += [text for extra in PROJECT["optional-dependencies"].values() for text in extra]
    names = {Requirement(text).name for text in texts} - {"asyncmig"}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    assert sorted(name for name in names if f"`{name}" not in page) == []
