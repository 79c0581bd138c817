"""What adopt makes of env.py and alembic.ini files as people write them."""

import ast
import tomllib
from pathlib import Path
from textwrap import dedent, indent

import pytest
from projects import Project

from asyncmig import Config, UsageError
from asyncmig.environment import Context, Environment, load_environment
from asyncmig.errors import ScriptError
from asyncmig.migrator import Migrator
from asyncmig.scripts.adopt import Adoption, plan_adoption

HEAD = """
    from logging.config import fileConfig
    from sqlalchemy import engine_from_config, pool, MetaData
    from alembic import context

    config = context.config
    fileConfig(config.config_file_name)
    target_metadata = MetaData()
"""
TAIL = """
    if context.is_offline_mode():
        run_migrations_offline()
    else:
        run_migrations_online()
"""


def _env(
    module: str = "", online: str = "", *, url: str = 'config.get_main_option("sqlalchemy.url")', before: str = ""
) -> str:
    """An env.py of the usual shape; `before` stands inside run_migrations_online, `online` in its configure call."""
    offline = f"""
def run_migrations_offline():
    url = {url}
    context.configure(url=url, target_metadata=target_metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
"""
    running = f"""
def run_migrations_online():
{indent(dedent(before), "    ")}
    connectable = engine_from_config(config.get_section("alembic"), prefix="sqlalchemy.", poolclass=pool.NullPool)
    with connectable.connect() as connection:
        context.configure(connection=connection, target_metadata=target_metadata, {online})
        with context.begin_transaction():
            context.run_migrations()
"""
    parts = [dedent(HEAD), dedent(module), offline, running, dedent(TAIL)]
    return "\n\n".join(parts)


def _adopt(folder: Path, env: str, ini: str = "sqlalchemy.url = sqlite:///%(here)s/shop.db") -> Adoption:
    (folder / "migrations" / "versions").mkdir(parents=True)
    (folder / "alembic.ini").write_text(f"[alembic]\nscript_location = %(here)s/migrations\n{dedent(ini)}\n")
    (folder / "migrations" / "env.py").write_text(env)
    return plan_adoption(folder)


def _fields(adoption: Adoption) -> dict[str, str]:
    """The keywords of the Environment that asyncmig_env.py ends with."""
    tree = ast.parse(adoption.files[1].text)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and ast.unparse(node.func) == "Environment"]
    assert len(calls) == 1
    return {str(keyword.arg): ast.unparse(keyword.value) for keyword in calls[0].keywords}


METADATA = {"target_metadata": "target_metadata"}
CASES: dict[str, tuple[str, dict[str, str], tuple[str, ...]]] = {
    "plain": (_env(), METADATA, ()),
    "filters": (
        _env(
            "def include_object(object, name, type_, reflected, compare_to):\n    return name != 'x'\n",
            "include_object=include_object, compare_type=True, include_schemas=True, render_as_batch=True",
        ),
        METADATA | {"include_object": "include_object", "compare_type": "True", "include_schemas": "True"},
        (),
    ),
    "function inside the runner": (
        _env("", "include_name=include_name", before="def include_name(name, type_, parents):\n    return True\n"),
        METADATA | {"include_name": "include_name"},
        (),
    ),
    "url by a function": (
        _env("import os\ndef get_url():\n    return os.environ['SHOP_URL']\n", url="get_url()"),
        METADATA | {"url": "get_url"},
        (),
    ),
    "url by settings": (
        _env("class settings:\n    url = 'sqlite:///a.db'\n", url="settings.url"),
        METADATA | {"url": "settings.url"},
        (),
    ),
    "url set in the section": (
        _env("def url():\n    return 'x'\n", before='section = {}\nsection["sqlalchemy.url"] = url() + "y"\n'),
        METADATA | {"url": "url() + 'y'"},
        (),
    ),
    "url set at module level": (
        _env("config.set_main_option('sqlalchemy.url', 'sqlite:///b.db')\n"),
        METADATA | {"url": "config.get_main_option('sqlalchemy.url')"},
        (),
    ),
    "url only known inside": (
        _env(
            "def make(x):\n    return x\n",
            before="from os import environ as secret\nengine = create_engine(make(secret))\n",
        ),
        METADATA,
        ("make(secret)",),
    ),
    "hooks of alembic": (
        _env(
            "def hook(context, revision, directives): ...\n", "process_revision_directives=hook, on_version_apply=hook"
        ),
        METADATA,
        ("process_revision_directives=hook", "on_version_apply=hook"),
    ),
    "keywords of the project's own": (
        _env("TENANT = 'acme'\n", "tenant=TENANT, dialect_name=connection.dialect.name, **config.attributes"),
        METADATA | {"options": "{'tenant': TENANT}"},
        ("**config.attributes",),
    ),
    "known only with a connection": (
        _env("", "compare_server_default=connection.dialect.name != 'sqlite'"),
        METADATA,
        ("compare_server_default=connection.dialect.name != 'sqlite'",),
    ),
}


@pytest.mark.parametrize("name", CASES)
async def test_env_py_becomes_an_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    env, fields, uncarried = CASES[name]
    adoption = _adopt(tmp_path, env)
    text = adoption.files[1].text
    assert _fields(adoption) == fields
    assert len(adoption.notes) == len(uncarried), adoption.notes
    for what in uncarried:
        assert any(what in note for note in adoption.notes)
        assert f"#     {what}" in text and "# asyncmig: not carried over:" in text
    for gone in ("run_migrations", "fileConfig", "engine_from_config", "is_offline_mode"):
        assert gone not in text

    # And it loads: what it names is defined.
    adoption.write()
    config = Config.load(tmp_path / "asyncmig.toml", environ={})
    from asyncmig.alembic_names import project_imports

    with project_imports(Context(config)):
        environment = await load_environment(config, Context(config))
    assert isinstance(environment, Environment) and environment.target_metadata is not None


def test_what_is_not_about_running_stays_as_it_is_written(tmp_path: Path) -> None:
    module = """
        import sys
        import shop.models  # its tables

        # Where the settings are.
        sys.path.append("src")


        @decorated(
            "twice",
        )
        class Mine:  # odd   spacing
            x = {  "a":1 }
    """
    text = _adopt(tmp_path, '"""Env."""\nfrom __future__ import annotations\n' + _env(module)).files[1].text
    for line in dedent(module).strip().splitlines():
        assert line in text.splitlines()
    assert text.index("from __future__") < text.index("from asyncmig import Environment") < text.index("import sys")


def test_config_has_what_means_the_same(tmp_path: Path) -> None:
    ini = """
        version_locations = %(here)s/migrations/versions:%(here)s/more
        path_separator = :
        prepend_sys_path = .:src
        recursive_version_locations = true
        file_template = %%(year)d_%%(rev)s_%%(slug)s
        truncate_slug_length = 20
        timezone = UTC
        sourceless = true
        sqlalchemy.url = postgresql+psycopg2://%(user)s:a%%40b$c@localhost/x
        user = joe
        [post_write_hooks]
        hooks = ruff, mine
        ruff.type = exec
        ruff.executable = ruff
        ruff.options = format %(here)s/x REVISION_SCRIPT_FILENAME
        mine.type = registered
    """
    (tmp_path / "more").mkdir()
    adoption = _adopt(tmp_path, _env(online="version_table='shop_versions', version_table_schema='meta'"), ini)
    adoption.write()
    config = Config.load(tmp_path / "asyncmig.toml", environ={})
    assert config.url == "postgresql+asyncpg://joe:a%40b$c@localhost/x"
    assert config.script_location == tmp_path / "migrations"
    assert config.version_locations == (tmp_path / "migrations" / "versions", tmp_path / "more")
    assert config.prepend_sys_path == (tmp_path, tmp_path / "src")
    assert (config.file_template, config.truncate_slug_length, config.timezone) == (
        "%(year)d_%(rev)s_%(slug)s",
        20,
        "UTC",
    )
    assert (config.version_table, config.version_table_schema) == ("shop_versions", "meta")
    assert config.recursive_version_locations and config.alembic_compat
    (hook,) = config.post_write_hooks
    assert (hook.type, hook.target, hook.options) == ("exec", "ruff", f"format {tmp_path}/x REVISION_SCRIPT_FILENAME")
    said = "\n".join(adoption.notes)
    assert "synchronous driver" in said and "hook mine" in said and "sourceless" in said
    assert str(tmp_path) not in adoption.files[0].text


def test_options_of_the_ini_are_there_for_env_py_and_scripts(tmp_path: Path) -> None:
    env = _env("mine = config.get_main_option('mine')\n", "mine=mine")
    _adopt(tmp_path, env, "mine = 100%%\nsqlalchemy.url = sqlite:///%(here)s/shop.db").write()
    script = """
        from alembic import op
        revision = "aaaa"
        down_revision = None
        def upgrade():
            assert op.get_context().opts["mine"] == "100%"
            assert op.get_context().config.get_main_option("mine") == "100%"
            op.execute("CREATE TABLE t (id integer)")
    """
    (tmp_path / "migrations" / "versions" / "aaaa.py").write_text(dedent(script))
    done = Project(tmp_path).run("upgrade", "head").expect()
    assert "aaaa" in done.stderr and (tmp_path / "shop.db").exists()


async def test_sync_driver_of_the_applications_settings_means_the_async_one(tmp_path: Path) -> None:
    env = _env("URL = 'postgresql+psycopg2://joe@localhost/shop'\n", url="URL")
    _adopt(tmp_path, env).write()
    target = await Migrator(tmp_path / "asyncmig.toml").target_database(sql=True)
    assert target.url.startswith("postgresql+asyncpg://joe@localhost/shop")


def test_adopt_changes_nothing_that_is_there(tmp_path: Path) -> None:
    adoption = _adopt(tmp_path, _env())
    (tmp_path / "asyncmig.toml").write_text('[asyncmig]\nscript_location = "elsewhere"\n')
    with pytest.raises(UsageError, match="not of an adopted project"):
        plan_adoption(tmp_path)
    with pytest.raises(Exception, match=r"asyncmig\.toml"):
        adoption.write()
    assert not (tmp_path / "migrations" / "asyncmig_env.py").exists()
    assert "elsewhere" in (tmp_path / "asyncmig.toml").read_text()


def test_second_run_does_nothing_and_a_missing_half_is_written(tmp_path: Path) -> None:
    _adopt(tmp_path, _env()).write()
    assert plan_adoption(tmp_path) == Adoption(tmp_path, ())
    (tmp_path / "migrations" / "asyncmig_env.py").unlink()
    assert [file.path.name for file in plan_adoption(tmp_path).files] == ["asyncmig_env.py"]
    assert tomllib.loads((tmp_path / "asyncmig.toml").read_text())["asyncmig"]["alembic_compat"] is True


def test_adopt_says_what_is_missing_or_broken(tmp_path: Path) -> None:
    project = Project(tmp_path)
    done = project.run("adopt").expect(2)
    assert "There is no alembic.ini" in done.stderr and done.stdout == ""
    done = project.run("-c", "other.ini", "adopt").expect(2)
    assert "other.ini" in done.stderr
    with pytest.raises(ScriptError, match=r"env\.py:2"):
        _adopt(tmp_path, "x = 1\ndef broken(:\n")
    assert "env.py:2" in project.run("adopt").expect(2).stderr
    assert not (tmp_path / "asyncmig.toml").exists()


def test_ini_of_another_name_is_adopted_from_where_it_is(tmp_path: Path) -> None:
    _adopt(tmp_path / "shop", _env())
    # As Alembic has it, a folder without %(here)s is relative to the working directory.
    (tmp_path / "shop" / "alembic.ini").unlink()
    (tmp_path / "shop" / "db.ini").write_text("[alembic]\nscript_location = shop/migrations\nprepend_sys_path = .\n")
    done = Project(tmp_path).run("-c", "shop/db.ini", "adopt", "--json").expect()
    config = Config.load(tmp_path / "shop" / "asyncmig.toml", environ={})
    assert (config.script_location, config.prepend_sys_path) == (tmp_path / "shop" / "migrations", (tmp_path,))
    assert '"dry_run": false' in done.stdout and "db.ini" in done.stderr
