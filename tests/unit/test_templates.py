"""The templates: each is complete, its keys are Config's, and what script.py.mako renders is formatted Python."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import datetime
from pathlib import Path

import pytest
from mako.template import Template

from asyncmig.config import KEYS, Config
from asyncmig.environment import Context, load_environment, resolve_target

TEMPLATES = Path(__file__).parents[2] / "templates"
NAMES = ["async", "multidb", "pyproject", "quickstart"]
WITHOUT_APPLICATION = ["async", "multidb", "pyproject"]
COMMENTED_KEY = re.compile(r"^# (?P<key>[a-z_]+) = ", re.MULTILINE)


def rendered(path: Path) -> str:
    return str(Template(filename=str(path), strict_undefined=True).render(script_location="db/scripts", package="shop"))


def script(name: str = "async", **variables: object) -> str:
    values = {
        "up_revision": "433af9f41996",
        "down_revision": None,
        "branch_labels": None,
        "depends_on": None,
        "create_date": datetime(2026, 11, 20, 19, 17, 1),
        "message": "create account",
        "imports": "",
        "upgrades": "",
        "downgrades": "",
        "data": False,
        "config": None,
    }
    path = TEMPLATES / name / "migrations" / "script.py.mako"
    return str(Template(filename=str(path), strict_undefined=True).render(**{**values, **variables}))


def ruff(folder: Path, *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *arguments, "--isolated", "."], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_templates_are_these() -> None:
    assert sorted(folder.name for folder in TEMPLATES.iterdir() if folder.is_dir()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_template_has_all_that_the_commands_need(name: str) -> None:
    migrations = TEMPLATES / name / "migrations"
    assert all((migrations / file).is_file() for file in ("env.py", "script.py.mako"))
    assert any((migrations / "versions").iterdir())


def test_every_template_writes_the_same_scripts() -> None:
    assert len({(TEMPLATES / name / "migrations" / "script.py.mako").read_text() for name in NAMES}) == 1


@pytest.mark.parametrize("file", ["async/asyncmig.toml.mako", "pyproject/pyproject.toml.mako"])
def test_the_file_of_init_holds_a_url_and_every_other_key_with_its_default(tmp_path: Path, file: str) -> None:
    text = rendered(TEMPLATES / file)
    assert re.search(r"^url = ", text, re.MULTILINE)
    # The keys of the [fleet] table are its own.
    assert set(COMMENTED_KEY.findall(text)) - {"url", "query"} == set(KEYS) - {"url", "script_location", "fleet"}
    assert re.search(r"^# \[(tool\.asyncmig\.)?fleet\]$", text, re.MULTILINE)
    # Every commented key has a line of words above it.
    assert not re.search(r"\n\n# [a-z_]+ = ", text)


@pytest.mark.parametrize("file", ["async/asyncmig.toml.mako", "pyproject/pyproject.toml.mako"])
def test_every_commented_key_is_valid_once_uncommented(tmp_path: Path, file: str) -> None:
    lines = rendered(TEMPLATES / file).replace("# [", "[").splitlines()
    code = re.compile(r"^# ([a-z_]+ = .*|    \{.*|\])$")
    path = tmp_path / file.removesuffix(".mako").split("/")[1]
    path.write_text("\n".join(match[1] if (match := code.match(line)) else line for line in lines))
    config = Config.load(path, environ={}, name="audit")
    given = {key for key, source in config.sources.items() if source == path.name}
    assert given == set(KEYS)
    defaults = {key: value for key, value in _fields(config).items() if key in _SHOWN_DEFAULTS}
    assert defaults == {
        key: value
        for key, value in _fields(Config.load(path=_bare(tmp_path), environ={})).items()
        if key in _SHOWN_DEFAULTS
    }


# Commented with their default, so that the file tells it; the other examples show what a value looks like.
_SHOWN_DEFAULTS = (
    "version_table",
    "recursive_version_locations",
    "truncate_slug_length",
    "prepend_sys_path",
    "lock",
    "lock_timeout",
    "lease_duration",
    "transaction",
    "checksums",
    "include_schemas",
    "alembic_compat",
)


def _fields(config: Config) -> dict[str, object]:
    return {key: getattr(config, key) for key in KEYS}


def _bare(folder: Path) -> Path:
    path = folder / "bare.toml"
    path.write_text("[asyncmig]")
    return path


@pytest.mark.parametrize("name", WITHOUT_APPLICATION)
async def test_a_rendered_template_is_a_project_with_a_database(tmp_path: Path, name: str) -> None:
    (tmp_path / "db").mkdir()
    _copied(TEMPLATES / name / "migrations", tmp_path / "db" / "scripts")
    for path in (TEMPLATES / name).glob("*.mako"):
        (tmp_path / path.stem).write_text(rendered(path))
    config = Config.load(cwd=tmp_path, environ={}, name="audit" if name == "multidb" else None)
    assert config.script_location == tmp_path / "db" / "scripts"
    context = Context(config)
    target, source = await resolve_target(config, await load_environment(config, context), context)
    database = "audit.db" if name == "multidb" else "app.db"
    assert str(target) == f"sqlite+aiosqlite:///{tmp_path.as_posix()}/{database}"
    assert source == ("pyproject.toml" if name == "pyproject" else "asyncmig.toml")


def _copied(source: Path, target: Path) -> None:
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))


async def test_the_databases_of_multidb_have_a_folder_each(tmp_path: Path) -> None:
    (tmp_path / "asyncmig.toml").write_text(rendered(TEMPLATES / "multidb" / "asyncmig.toml.mako"))
    config = Config.load(cwd=tmp_path, environ={})
    assert config.databases == ("primary", "audit")
    for name in config.databases:
        assert config.for_database(name).version_locations == (tmp_path / "db/scripts/versions" / name,)
        assert (TEMPLATES / "multidb" / "migrations" / "versions" / name).is_dir()


def test_a_script_reads_as_documented() -> None:
    text = script(
        upgrades='op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))',
        downgrades='op.drop_table("account")',
    )
    assert (
        text
        == '''"""create account

Revision ID: 433af9f41996
Revises:
Create Date: 2026-11-20 19:17:01
"""

import sqlalchemy as sa
from asyncmig import op

revision = "433af9f41996"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))


def downgrade() -> None:
    op.drop_table("account")
'''
    )


SEVERAL = tuple(f"{number:012x}" for number in range(1, 9))

SCRIPTS = {
    "empty": {},
    "child": {"down_revision": "1" * 12},
    "merge": {"down_revision": SEVERAL[:2], "branch_labels": ("shop",), "depends_on": SEVERAL[2:3]},
    "octopus": {"down_revision": SEVERAL, "depends_on": list(SEVERAL)},
    "data": {"data": True, "down_revision": "1" * 12},
    "imports": {"imports": "from decimal import Decimal", "upgrades": "print(Decimal(1))"},
    "bodies": {"upgrades": 'op.execute("a")\n    op.execute(sa.text("b"))', "downgrades": 'op.execute("c")'},
    "quotes": {"message": r"it\'s \"quoted\" and C:\\path"},
    "leading quote": {"message": '"quoted" first'},
    "two lines": {"message": "first line\n\nmore about it"},
    "not latin": {"message": "créer le compte — 帳號"},
}


@pytest.mark.parametrize("variables", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_a_script_is_linted_formatted_and_says_its_place(tmp_path: Path, variables: dict[str, object]) -> None:
    text = script(**variables)
    (tmp_path / "script.py").write_text(text, encoding="utf-8")
    if "imports" not in variables:
        ruff(tmp_path, "check", "--select=E4,E7,E9,F,I,UP,W")
    ruff(tmp_path, "format", "--check")
    tree = ast.parse(text)
    found = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    expected = {"revision": "433af9f41996", "down_revision": None, "branch_labels": None, "depends_on": None}
    for name, default in expected.items():
        value = variables.get(name, default)
        assert found[name] == (tuple(value) if isinstance(value, list) else value)
    functions = {
        node.name: type(node) for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    kind = ast.AsyncFunctionDef if variables.get("data") else ast.FunctionDef
    assert functions == {"upgrade": kind, "downgrade": kind}


def test_the_docstring_names_the_parents_without_trailing_blanks() -> None:
    assert "\nRevises: 000000000001, 000000000002\n" in script(down_revision=SEVERAL[:2])
    assert "\nRevises: 000000000001\n" in script(down_revision=SEVERAL[0])
    assert "\nRevises:\n" in script()


@pytest.mark.parametrize("name", NAMES)
def test_the_python_of_a_template_is_linted_and_formatted(tmp_path: Path, name: str) -> None:
    _copied(TEMPLATES / name, tmp_path / "project")
    ruff(tmp_path / "project", "check", "--select=E4,E7,E9,F,I,UP,B,SIM", "--extend-exclude=*.mako")
    ruff(tmp_path / "project", "format", "--check", "--extend-exclude=*.mako")


def test_the_configuration_of_quickstart_is_valid(tmp_path: Path) -> None:
    _copied(TEMPLATES / "quickstart", tmp_path / "shop")
    assert Config.load(cwd=tmp_path / "shop", environ={}).script_location == tmp_path / "shop" / "migrations"
    assert tomllib.loads((tmp_path / "shop" / "asyncmig.toml").read_text()) == {
        "asyncmig": {"script_location": "migrations"}
    }


def test_the_revision_of_quickstart_creates_what_its_models_say(tmp_path: Path) -> None:
    """The hand-written script and the models spell the same CREATE TABLE, whatever the order of constraints."""
    _copied(TEMPLATES / "quickstart", tmp_path / "shop")
    code = """
import ast, pathlib, sqlalchemy as sa
from sqlalchemy.schema import CreateTable
from app.models import Base
(path,) = pathlib.Path("migrations/versions").glob("*.py")
(call,) = [node for node in ast.walk(ast.parse(path.read_text()))
           if isinstance(node, ast.Call) and ast.unparse(node.func) == "op.create_table"]
convention = Base.metadata.naming_convention
table = sa.Table(ast.literal_eval(call.args[0]), sa.MetaData(naming_convention=convention),
                 *(eval(ast.unparse(argument)) for argument in call.args[1:]))
(model,) = Base.metadata.sorted_tables
print(sorted(line.strip(" ,\\n") for line in str(CreateTable(table)).splitlines()) ==
      sorted(line.strip(" ,\\n") for line in str(CreateTable(model)).splitlines()))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path / "shop", capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr
