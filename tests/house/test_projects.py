"""The project folders of the tests hold what was asked for."""

import ast
import tomllib
from pathlib import Path

from projects import COMMAND, Project


def test_the_configuration_reads_back(project: Project) -> None:
    values = {
        "url": 'sqlite:///a "quoted" \\ path.db',
        "recursive_version_locations": True,
        "version_locations": ["one", "two"],
        "lock_timeout": 5,
    }
    project.config(**values, databases={"audit": {"url": "sqlite:///audit.db"}})
    read = tomllib.loads(project.config_file.read_text(encoding="utf-8"))["asyncmig"]
    assert read == {"script_location": "migrations", **values, "databases": {"audit": {"url": "sqlite:///audit.db"}}}


def test_a_revision_holds_its_header_and_functions(project: Project) -> None:
    project.revision(
        "aaaa",
        ("bbbb", "cccc"),
        message="two lines",
        upgrade='op.execute("SELECT 1")\nop.execute("SELECT 2")',
        downgrade=None,
    )
    project.revision("dddd", "aaaa", upgrade="async def upgrade() -> None:\n    pass", before="NAMES = ['x']")
    first = ast.parse((project.versions / "aaaa_two_lines.py").read_text(encoding="utf-8"))
    assigned = {n.targets[0].id: ast.literal_eval(n.value) for n in first.body if isinstance(n, ast.Assign)}
    assert assigned["down_revision"] == ("bbbb", "cccc")
    assert [n.name for n in first.body if isinstance(n, ast.FunctionDef)] == ["upgrade"]
    second = ast.parse((project.versions / "dddd_revision.py").read_text(encoding="utf-8"))
    assert [type(n) for n in second.body[-2:]] == [ast.AsyncFunctionDef, ast.FunctionDef]


def test_the_command_is_installed_and_runs_in_the_folder(project: Project, tmp_path: Path) -> None:
    assert COMMAND.exists()
    finished = project.run("--version").expect(0)
    assert finished.stdout.startswith("asyncmig ")
    assert project.run("no-such-command").code == 2
