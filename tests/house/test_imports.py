"""Which modules of other distributions each part may import: what the contracts in pyproject.toml cannot say.

Imports under TYPE_CHECKING are exempt: they load nothing and bind nobody.
"""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import Project

import asyncmig

ROOT = Path(asyncmig.__file__).parent
AWAITING = ("database/", "fleet/", "integrations/", "testing/", "cli/runner.py", "migrator/", "environment/")
ALLOWED = {
    "anyio": AWAITING,
    "asyncio": AWAITING,
    "sqlalchemy.ext.asyncio": AWAITING,
    "typer": ("cli/",),
    "click": ("cli/",),
    "rich": ("cli/",),
    "sqlalchemy.dialects.postgresql": ("dialects/", "schema/", "alembic_names/"),
    "alembic": (),
}


@pytest.mark.parametrize("name", ALLOWED)
def test_a_restricted_module_is_imported_only_where_it_may(name: str) -> None:
    offenders = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted(ROOT.rglob("*.py"))
        for imported, line in imported_names(ast.parse(path.read_text(encoding="utf-8")))
        if (imported == name or imported.startswith(name + "."))
        and not path.relative_to(ROOT).as_posix().startswith(ALLOWED[name])
    ]
    assert offenders == []


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import a.b", ["a.b"]),
        ("from a import b", ["a", "a.b"]),
        ("def f():\n    from a.b import c as d", ["a.b", "a.b.c"]),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import a", ["typing", "typing.TYPE_CHECKING"]),
        ("if not TYPE_CHECKING:\n    import a", ["a"]),
    ],
)
def test_imported_names_sees_each_import_that_runs(source: str, names: list[str]) -> None:
    assert [name for name, _ in imported_names(ast.parse(source))] == names


def imported_names(node: ast.AST) -> Iterator[tuple[str, int]]:
    """Every module or name that this code imports when it runs, with its line."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and isinstance(child.test, ast.Name) and child.test.id == "TYPE_CHECKING":
            continue
        if isinstance(child, ast.Import):
            yield from ((alias.name, child.lineno) for alias in child.names)
        elif isinstance(child, ast.ImportFrom) and child.module:
            yield child.module, child.lineno
            yield from ((f"{child.module}.{alias.name}", child.lineno) for alias in child.names)
        yield from imported_names(child)


HEAVY = {"sqlalchemy", "mako", "aiosqlite", "asyncpg", "pydantic"}
TABLE_WORK = {f"asyncmig.dialects.sqlite_{name}" for name in ("change", "edits", "table_text", "translation")}
OBJECTS = {f"asyncmig.operations.{name}" for name in ("views", "routines", "policies", "sequences", "schemas")}


@pytest.mark.parametrize(
    ("arguments", "absent"),
    [
        (("--version",), HEAVY | {"asyncio"}),
        (("heads",), HEAVY | {"asyncio"}),
        (("history",), HEAVY | {"asyncio"}),
        (("upgrade",), TABLE_WORK | OBJECTS | {"asyncmig.autogenerate", "asyncmig.database.status"}),
    ],
)
def test_a_command_loads_what_it_needs_and_no_more(
    arguments: tuple[str, ...], absent: set[str], project: Project
) -> None:
    project.config(url="sqlite:///test.db").revision("a1", upgrade='op.create_table("t", sa.Column("id", sa.Integer))')
    program = (
        "import sys\nfrom asyncmig.cli import main\n"
        f"sys.argv = ['asyncmig', *{list(arguments)!r}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        f"print('loaded:', *sorted({absent!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=project.folder, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded: ".rstrip()
