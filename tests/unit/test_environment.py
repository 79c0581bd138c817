"""env.py: its three forms, what each field may be, and what is said when it is wrong."""

import logging
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from asyncmig.config import Config
from asyncmig.environment import Context, Environment, import_path, load_environment
from asyncmig.errors import AsyncmigError, ConfigError, EnvironmentFileError, UsageError

MODELS = """
    import sqlalchemy as sa
    from sqlalchemy.orm import DeclarativeBase

    class Base(DeclarativeBase):
        pass

    other = sa.MetaData()
"""


class Project:
    """A folder with a configuration, env.py and a package of models under a name of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Imported packages stay in sys.modules: each test has its own name.
        self.package = f"models_{abs(hash(folder)):x}"
        (folder / "migrations").mkdir()
        self.file(f"{self.package}.py", MODELS)

    def file(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(dedent(text).replace("MODELS", self.package), encoding="utf-8")
        return path

    def config(self, keys: str = "", **options: object) -> Config:
        self.file("asyncmig.toml", f"[asyncmig]\n{keys}")
        return Config.load(cwd=self.folder, **{"environ": {}, **options})  # type: ignore[arg-type]

    async def load(self, env: str | None, keys: str = "", x: tuple[str, ...] = (), **options: object) -> Environment:
        if env is not None:
            self.file("migrations/env.py", env)
        config = self.config(keys, **options)
        return await load_environment(config, Context(config, x))

    async def refused(self, env: str | None, keys: str = "", **options: object) -> AsyncmigError:
        before = list(sys.path)
        with pytest.raises(UsageError) as caught:
            await self.load(env, keys, **options)
        assert sys.path == before
        assert caught.value.exit_code == 2
        return caught.value

    @property
    def env_py(self) -> Path:
        return self.folder / "migrations" / "env.py"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


@pytest.mark.parametrize(
    "definition",
    [
        "environment = Environment(target_metadata=Base.metadata, url='sqlite:///x.db')",
        "def environment(): return Environment(target_metadata=Base.metadata, url='sqlite:///x.db')",
        "def environment(context): return Environment(target_metadata=Base.metadata, url=context.get_x('url'))",
        "async def environment(): return Environment(target_metadata=Base.metadata, url='sqlite:///x.db')",
        "async def environment(anything, /): return Environment(target_metadata=Base.metadata, url=anything.x['url'])",
        "environment = lambda: Environment(target_metadata=Base.metadata, url='sqlite:///x.db')",
    ],
)
async def test_environment_is_a_value_a_function_or_an_async_function(project: Project, definition: str) -> None:
    env = f"from asyncmig import Environment\nfrom MODELS import Base\n{definition}\n"
    environment = await project.load(env, x=("url=sqlite:///x.db",))
    assert environment.url == "sqlite:///x.db"
    assert environment.metadatas == (sys.modules[project.package].Base.metadata,)


async def test_the_context_says_what_the_run_is(project: Project) -> None:
    project.file(
        "migrations/env.py",
        """
        from asyncmig import Context, Environment

        def environment(context: Context) -> Environment:
            return Environment(
                version_table=f"{context.config.name}_{context.offline}_{context.get_x('tenant')}", options=context.x
            )
        """,
    )
    config = project.config('[databases.audit]\nurl = "sqlite:///a.db"', name="audit")
    context = Context(config, ("tenant=a", "tenant=b", "flag", "path=x=y"), offline=True)
    environment = await load_environment(config, context)
    assert environment.version_table == "audit_True_b"
    assert dict(environment.options) == {"tenant": ("a", "b"), "flag": "", "path": "x=y"}
    assert (context.get_x("nothing"), context.get_x("nothing", "d")) == (None, "d")


async def test_without_env_py_the_configuration_is_enough(project: Project) -> None:
    environment = await project.load(None, f'target_metadata = "{project.package}:Base.metadata"')
    assert environment.target_metadata is sys.modules[project.package].Base.metadata
    assert await project.load(None) == Environment()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [({}, "Base.metadata"), ({"ASYNCMIG_TARGET_METADATA": "{package}:other"}, "other")],
)
async def test_target_metadata_of_env_py_stands_between_variable_and_file(
    project: Project, environ: dict[str, str], expected: str
) -> None:
    environ = {name: value.format(package=project.package) for name, value in environ.items()}
    env = "from asyncmig import Environment\nfrom MODELS import Base\n"
    env += "environment = Environment(target_metadata=Base.metadata)"
    environment = await project.load(env, 'target_metadata = "not_even_there:X"', environ=environ)
    models = sys.modules[project.package]
    assert environment.target_metadata is (models.other if expected == "other" else models.Base.metadata)


async def test_several_metadatas_are_kept_in_order(project: Project) -> None:
    env = "from asyncmig import Environment\nfrom MODELS import Base, other\n"
    environment = await project.load(env + "environment = Environment(target_metadata=[Base.metadata, other])")
    models = sys.modules[project.package]
    assert environment.metadatas == (models.Base.metadata, models.other)


async def test_env_py_leaves_sys_path_modules_and_logging_as_they_were(project: Project) -> None:
    project.file("only_here.py", "NAME = 'x'")
    path, modules, root = list(sys.path), set(sys.modules), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    await project.load("import only_here\nfrom asyncmig import Environment\nenvironment = Environment()")
    assert sys.path == path
    assert {name for name in set(sys.modules) - modules if "env" in name} == set()
    assert (root.handlers, root.level) == (handlers, level)
    assert not (project.folder / "migrations" / "__pycache__").exists()
    del sys.modules["only_here"]


async def test_an_edit_of_env_py_counts_at_once(project: Project) -> None:
    for table in ("aa", "bb"):
        env = f"from asyncmig import Environment\nenvironment = Environment(version_table='{table}')"
        assert (await project.load(env)).version_table == table


def test_import_path_of_two_projects_may_overlap(tmp_path: Path) -> None:
    before = list(sys.path)
    one = Config.from_values(here=tmp_path, environ={}, prepend_sys_path=["a", "b"])
    two = Config.from_values(here=tmp_path, environ={}, prepend_sys_path=["b", "c"])
    first, second = import_path(one), import_path(two)
    first.__enter__()
    assert sys.path[:2] == [str(tmp_path / "a"), str(tmp_path / "b")]
    second.__enter__()
    first.__exit__(None, None, None)
    assert {str(tmp_path / "b"), str(tmp_path / "c")} <= set(sys.path)
    second.__exit__(None, None, None)
    assert sys.path == before


START = "from asyncmig import Environment\nfrom MODELS import Base\n"

WRONG = [
    ("x = 1\n\nraise RuntimeError('no settings')", 3, "RuntimeError: no settings.", ""),
    ("x = (\n", 1, "SyntaxError", ""),
    ("import shp_models", 1, "No module named 'shp_models'", "(prepend_sys_path)"),
    ("import sys\nsys.exit(3)", 2, "SystemExit: 3", ""),
    ("import asyncio\nasync def main(): pass\nmain = main()\nmain.close()\n1/0", 5, "ZeroDivisionError", ""),
    ("def f():\n    return 1/0\n\nf()", 2, "ZeroDivisionError: division by zero.", ""),
    (START + "enviroment = Environment()", None, "env.py defines no `environment`", "environment = Environment("),
    (START + "environment = {'url': 'x'}", None, "environment is a value of type dict, not an Environment.", "Write"),
    (START + "def environment(): pass", None, "the function environment returned None, not an Environment.", "Write"),
    (
        START + "environment = Environment(target_metdata=Base.metadata)",
        3,
        "Environment has no field target_metdata.",
        "Did you mean target_metadata?",
    ),
    (START + "environment = Environment(zzz=1)", 3, "Environment has no field zzz.", "Its fields: target_metadata,"),
    (START + "environment = Environment(url='x', engine=3)", 3, "url= or engine=, not both.", ""),
    (
        START + "environment = Environment(target_metadata=Base)",
        None,
        "target_metadata is the class Base, not a MetaData.",
        "Did you mean Base.metadata?",
    ),
    (START + "environment = Environment(target_metadata=[3])", None, "target_metadata is of type int", ""),
    (START + "def environment(context, more): pass", None, "missing 1 required positional argument: 'more'", ""),
    ("raise RuntimeError('at postgresql://u:s3cret@h/d')", 1, "postgresql://u:***@h/d", ""),
    ("raise RuntimeError('''many\n\n   lines''')", 1, "RuntimeError: many lines.", ""),
    (
        "from logging.config import fileConfig\ndef run_migrations_online(): pass\nrun_migrations_online()",
        None,
        "env.py defines no `environment`",
        "This env.py is written for Alembic",
    ),
    ("context = None\ncontext.configure(url='x')", 2, "AttributeError", "This env.py is written for Alembic"),
]


@pytest.mark.parametrize(("env", "line", "message", "hint"), WRONG)
async def test_a_wrong_env_py_is_named_with_its_line(
    project: Project, env: str, line: int | None, message: str, hint: str
) -> None:
    error = await project.refused(env)
    assert isinstance(error, EnvironmentFileError)
    place = f"{project.env_py}:{line}: " if line else f"{project.env_py}: "
    assert error.message.startswith(place)
    assert message in error.message
    assert hint in (error.hint or "")
    assert "s3cret" not in str(error)
    assert "\n" not in str(error)


async def test_the_cause_is_kept_and_the_line_is_the_one_in_env_py(project: Project) -> None:
    project.file(f"broken_{project.package}.py", "\n\nvalue = {}['settings']")
    error = await project.refused("import sys\n\nimport broken_MODELS")
    assert isinstance(error, EnvironmentFileError)
    assert (error.line, type(error.__cause__)) == (3, KeyError)


async def test_an_error_of_asyncmig_raised_in_env_py_is_the_users_own(project: Project) -> None:
    env = """
        from asyncmig import UsageError

        def environment(context):
            raise UsageError("Which tenant?", hint="Say -x tenant=NAME.")
    """
    assert str(await project.refused(env)) == "Which tenant? Say -x tenant=NAME."


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("MODELS", 'target_metadata must look like "package.module:Base.metadata"'),
        ("MODELS:", "target_metadata must look like"),
        ("MODELZ:Base", "target_metadata: there is no module"),
        ("MODELS.deeper:Base", "target_metadata: there is no module"),
        ("MODELS:Bas.metadata", "has no Bas. Did you mean Base?"),
        ("MODELS:Base.metdata", "MODELS.Base has no metdata. Did you mean metadata?"),
        ("MODELS:Base", "is the class Base, not a MetaData. Did you mean MODELS:Base.metadata?"),
        ("MODELS:sa", "is of type module, not a MetaData."),
        ("broken_MODELS:Base", "importing broken_MODELS failed with KeyError: 'settings'"),
    ],
)
async def test_a_wrong_target_metadata_says_which_part_is_wrong(project: Project, place: str, expected: str) -> None:
    project.file(f"broken_{project.package}.py", "value = {}['settings']")
    error = await project.refused(None, f'target_metadata = "{place.replace("MODELS", project.package)}"')
    assert isinstance(error, ConfigError)
    assert error.key == "target_metadata"
    assert expected.replace("MODELS", project.package) in str(error)


@pytest.mark.parametrize(
    ("keys", "environ", "given", "expected", "source"),
    [
        ("", {}, {}, "asyncmig_version", None),
        ('version_table = "f"', {}, {}, "f", "asyncmig.toml"),
        ('version_table = "f"', {}, {"version_table": "e"}, "e", "migrations/env.py"),
        ('version_table = "f"', {"ASYNCMIG_VERSION_TABLE": "v"}, {"version_table": "e"}, "v", "ASYNCMIG_VERSION_TABLE"),
    ],
)
def test_env_py_stands_between_the_environment_and_the_file(
    project: Project, keys: str, environ: dict[str, str], given: dict[str, str], expected: str, source: str | None
) -> None:
    config = project.config(keys, environ=environ).with_environment(Environment(**given), source="migrations/env.py")
    assert (config.version_table, config.sources.get("version_table")) == (expected, source)


def test_false_in_env_py_is_a_value_and_the_command_line_stands_above(project: Project) -> None:
    environment = Environment(include_schemas=False, version_table_schema="e")
    config = project.config("include_schemas = true", overrides={"version_table_schema": "c"})
    merged = config.with_environment(environment)
    assert (merged.include_schemas, merged.version_table_schema) == (False, "c")
