"""init and list-templates, help and the cost of starting, in real processes."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from projects import Project

from asyncmig.version import __version__

ROOT = Path(__file__).parents[2]
HEAVY = {"sqlalchemy", "pydantic", "rich", "asyncio", "anyio", "mako"}

WATCH = """
import sys
sys.argv[0] = "asyncmig"
from asyncmig.cli.app import run
code = run()
print(code, *sorted(set({heavy}) & set(sys.modules)), file=sys.stderr)
"""


@pytest.fixture
def empty(project: Project) -> Project:
    """The project's folder before `init`."""
    project.config_file.unlink()
    (project.folder / "migrations" / "versions").rmdir()
    (project.folder / "migrations").rmdir()
    return project


def test_init_lays_out_what_revision_needs(cli: Any, empty: Project) -> None:
    done = cli("init", "db/migrations").expect(0)
    assert done.stdout.splitlines()[0] == "asyncmig.toml"
    assert "Next: " in done.stderr
    assert cli("heads").expect(0).stdout == ""
    assert cli("revision", "-m", "create account").expect(0).stdout.endswith("_create_account.py\n")


def test_init_overwrites_nothing_and_names_what_is_in_the_way(cli: Any, empty: Project) -> None:
    empty.file("asyncmig.toml", "# mine\n")
    refused = cli("init", "migrations").expect(2)
    assert "asyncmig.toml" in refused.stderr
    assert empty.config_file.read_text() == "# mine\n"
    assert not (empty.folder / "migrations").exists()


def test_quickstart_is_a_whole_project_in_its_folder(cli: Any, empty: Project) -> None:
    cli("init", "-t", "quickstart", "shop").expect(0)
    assert (empty.folder / "shop" / "asyncmig.toml").is_file()
    assert not empty.config_file.exists()
    unknown = cli("init", "-t", "quikstart", "other").expect(2)
    assert unknown.stderr.endswith("Did you mean quickstart?\n")


def test_list_templates_names_all(cli: Any) -> None:
    names = [line.split()[0] for line in cli("list-templates").expect(0).stdout.splitlines()]
    assert names == ["async", "multidb", "pyproject", "quickstart"]


def test_version_and_help_without_a_command(cli: Any) -> None:
    assert cli("--version").expect(0).stdout == f"asyncmig {__version__}\n"
    nothing = cli().expect(2)
    assert nothing.stdout == ""
    assert "Usage: asyncmig" in nothing.stderr


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [
        (["--help"], set()),
        (["heads"], set()),
        (["history", "-r", "base:head", "-v"], set()),
        (["show", "head", "--json"], set()),
        (["upgrade", "--help"], {"asyncio"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_needs_no_database_imports_nothing_heavy(shop: Project, arguments: list[str], allowed: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WATCH.format(heavy=HEAVY), *arguments],
        cwd=shop.folder,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    code, *loaded = done.stderr.splitlines()[-1].split()
    assert (code, set(loaded) - allowed) == ("0", set()), done.stderr


COMPLETIONS = [
    ("asyncmig up", 1, {"upgrade"}),
    ("asyncmig upgrade 43", 2, {"433af9f41996"}),
    ("asyncmig downgrade ba", 2, {"base"}),
    ("asyncmig upgrade 9c1d2e3f4a5b:he", 2, {"9c1d2e3f4a5b:head", "9c1d2e3f4a5b:heads"}),
    ("asyncmig init -t qu", 3, {"quickstart"}),
    ("asyncmig stamp --pu", 2, {"--purge"}),
]


@pytest.mark.parametrize(("words", "position", "offered"), COMPLETIONS, ids=[case[0] for case in COMPLETIONS])
def test_shell_completion_offers(cli: Any, shop: Project, words: str, position: int, offered: set[str]) -> None:
    env = {"_ASYNCMIG_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(position)}
    assert set(cli(env=env).stdout.split()) == offered


@pytest.mark.parametrize("template", ["async", "multidb", "quickstart"])
def test_init_makes_packages_when_asked_to(cli: Any, empty: Project, template: str) -> None:
    cli("init", "--package", "-t", template, "made").expect(0)
    migrations = empty.folder / ("made/migrations" if template == "quickstart" else "made")
    folders = {migrations, *(path for path in migrations.rglob("*") if path.is_dir())}
    assert {path.parent for path in migrations.rglob("__init__.py")} == folders


def test_init_takes_no_configuration_and_needs_a_name(cli: Any, empty: Project) -> None:
    assert "-c has no place here" in cli("init", "-c", "other.toml", "migrations").expect(2).stderr
    assert "needs the name of a folder" in cli("init", " ").expect(2).stderr
    assert list(empty.folder.iterdir()) == []
