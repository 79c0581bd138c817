"""Config: where each value comes from, and what is said when one is wrong."""

import os
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from textwrap import dedent

import pytest

from asyncmig.config import KEYS, Config, PostWriteHook, load_env_file
from asyncmig.errors import ConfigError


def written(folder: Path, text: str, name: str = "asyncmig.toml") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(dedent(text), encoding="utf-8")
    return folder


def loaded(folder: Path, text: str = "[asyncmig]", **options: object) -> Config:
    return Config.load(cwd=written(folder, text), **{"environ": {}, **options})  # type: ignore[arg-type]


def refused(folder: Path, text: str = "[asyncmig]", **options: object) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(folder, text, **options)
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_every_key_is_a_field_and_every_field_a_key_or_about_the_file() -> None:
    about_the_file = {"here", "path", "name", "databases", "sources", "url_error", "_layers"}
    assert {field.name for field in fields(Config)} - about_the_file == set(KEYS)


def test_defaults_hold_where_nothing_is_given(tmp_path: Path) -> None:
    config = loaded(tmp_path)
    assert config.script_location == tmp_path / "migrations"
    assert config.prepend_sys_path == (tmp_path,)
    assert (config.url, config.version_table, config.lock, config.lock_timeout) == (
        None,
        "asyncmig_version",
        "auto",
        60.0,
    )
    assert (config.transaction, config.checksums, config.truncate_slug_length) == ("revision", "error", 40)
    assert dict(config.sources) == {}


VALUES = [
    ("script_location", '"db/scripts"', "db/scripts", lambda here: here / "db/scripts"),
    ("script_location", '"../other"', "../other", lambda here: here.parent / "other"),
    ("url", '"sqlite:///x.db"', "sqlite:///x.db", lambda here: "sqlite:///x.db"),
    ("target_metadata", '"a.b:C.metadata"', "a.b:C.metadata", lambda here: "a.b:C.metadata"),
    ("version_table", '"v"', "v", lambda here: "v"),
    ("version_table_schema", '"ops"', "ops", lambda here: "ops"),
    ("version_locations", '["a", "b/c"]', "a,b/c", lambda here: (here / "a", here / "b/c")),
    ("version_locations", '["a", "b/c"]', os.pathsep.join(["a", "b/c"]), lambda here: (here / "a", here / "b/c")),
    ("recursive_version_locations", "true", "yes", lambda here: True),
    ("file_template", '"%(slug)s"', "%(slug)s", lambda here: "%(slug)s"),
    ("truncate_slug_length", "12", " 12 ", lambda here: 12),
    ("timezone", '"UTC"', "UTC", lambda here: "UTC"),
    ("prepend_sys_path", '[".", "src"]', ".,src", lambda here: (here, here / "src")),
    ("lock", '"lease"', "lease", lambda here: "lease"),
    ("lock_timeout", "1", "1.0", lambda here: 1.0),
    ("lease_duration", "10", "10.0", lambda here: 10.0),
    ("statement_lock_timeout", "2.5", "2.5", lambda here: 2.5),
    ("transaction", '"run"', "run", lambda here: "run"),
    ("checksums", '"off"', "off", lambda here: "off"),
    ("include_schemas", "true", "1", lambda here: True),
    ("include_schemas", "false", "off", lambda here: False),
    ("alembic_compat", "true", "TRUE", lambda here: True),
]


@pytest.mark.parametrize(("key", "toml", "text", "expected"), VALUES)
def test_a_key_means_the_same_in_the_file_and_in_the_environment(
    tmp_path: Path, key: str, toml: str, text: str, expected: object
) -> None:
    value = expected(tmp_path)  # type: ignore[operator]
    from_file = loaded(tmp_path, f"[asyncmig]\n{key} = {toml}")
    assert (getattr(from_file, key), from_file.sources[key]) == (value, "asyncmig.toml")
    variable = f"ASYNCMIG_{key.upper()}"
    from_environment = loaded(tmp_path, environ={variable: text})
    assert (getattr(from_environment, key), from_environment.sources[key]) == (value, variable)


def test_every_key_with_a_variable_is_in_the_table_above() -> None:
    assert {row[0] for row in VALUES} == {key.name for key in KEYS.values() if key.variable}


def test_post_write_hooks_are_read_with_their_targets(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        """
        [[asyncmig.post_write_hooks]]
        name = "black"
        type = "console_scripts"
        entrypoint = "black"
        options = "-l 79 REVISION_SCRIPT_FILENAME"
        [[asyncmig.post_write_hooks]]
        name = "ruff"
        type = "exec"
        executable = "${here}/ruff"
        cwd = "sub"
        [[asyncmig.post_write_hooks]]
        type = "module"
        module = "isort"
        """,
    )
    assert config.post_write_hooks == (
        PostWriteHook("black", "console_scripts", "black", "-l 79 REVISION_SCRIPT_FILENAME"),
        PostWriteHook("ruff", "exec", f"{tmp_path.as_posix()}/ruff", cwd=str(tmp_path / "sub")),
        PostWriteHook("isort", "module", "isort"),
    )


@pytest.mark.parametrize(
    ("places", "expected", "source"),
    [
        ("command ASYNCMIG_URL file DATABASE_URL", "sqlite:///command", "command line"),
        ("ASYNCMIG_URL file DATABASE_URL", "sqlite:///asyncmig_url", "ASYNCMIG_URL"),
        ("file DATABASE_URL", "sqlite:///file", "asyncmig.toml"),
        ("DATABASE_URL", "sqlite:///database_url", "DATABASE_URL"),
        ("emptyfile DATABASE_URL", "sqlite:///database_url", "DATABASE_URL"),
        ("emptyfile", None, None),
    ],
)
def test_the_url_comes_from_the_first_place_that_gives_one(
    tmp_path: Path, places: str, expected: str | None, source: str | None
) -> None:
    given = places.split()
    config = loaded(
        tmp_path,
        '[asyncmig]\nurl = "sqlite:///file"' if "file" in given else '[asyncmig]\nurl = ""',
        overrides={"url": "sqlite:///command"} if "command" in given else {"url": None},
        environ={name: f"sqlite:///{name.lower()}" for name in ("ASYNCMIG_URL", "DATABASE_URL") if name in given},
    )
    assert (config.url, config.sources.get("url")) == (expected, source)


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[asyncmig]\nlock = "lease"', environ={"ASYNCMIG_LOCK": "", "ASYNCMIG_URL": " "})
    assert (config.lock, config.url) == ("lease", None)


WRONG = [
    ('lock_timeout = "soon"', 'lock_timeout must be a number of seconds, 0 or more, not "soon".'),
    ("lock_timeout = true", "lock_timeout must be a number of seconds, 0 or more, not true."),
    ("lock_timeout = -1", "not -1."),
    ("lease_duration = 0.5", "lease_duration must be a number of seconds, 1 or more, not 0.5."),
    ("lock_timeout = nan", "0 or more, not NaN."),
    ("truncate_slug_length = 0", "truncate_slug_length must be a whole number, 1 or more, not 0."),
    ("truncate_slug_length = 1.5", "not 1.5."),
    ('include_schemas = "yes"', 'include_schemas must be true or false, not "yes".'),
    ('lock = "advisry"', 'lock must be one of "auto", "advisory", "lease", "none", not "advisry".'),
    ('checksums = "fail"', 'checksums must be one of "error", "warn", "off", not "fail".'),
    ('version_locations = "a"', 'version_locations must be a list of folders, as in ["migrations/versions"], not "a".'),
    ("version_table = ''", 'version_table must be the name of a table, not "".'),
    ("url = 3", "url must be a database URL in a string, not a value of type int."),
    (
        'script_location = "nowhere_at_all:x"',
        "script_location: there is no package nowhere_at_all to find a folder in.",
    ),
    ('script_locaton = "x"', "Unknown key script_locaton. Did you mean script_location?"),
    ('sqlalchemy-url = "x"', "Unknown key sqlalchemy-url."),
    ('[asyncmig.databases.a]\nurll = "x"', "Unknown key databases.a.urll. Did you mean url?"),
    ('[asyncmig.databases.a]\ndatabases = "x"', "Unknown key databases.a.databases."),
    ("databases = 3", "databases must be a table: write [databases]."),
    ('post_write_hooks = [{type = "exec"}]', 'hook 1 is of type "exec" and needs executable = "...".'),
    ('post_write_hooks = [{type = "shell"}]', 'must be one of "console_scripts", "exec", "module", not "shell".'),
    (
        'post_write_hooks = [{type = "exec", executable = "a", option = "b"}]',
        "unknown key option. Did you mean options?",
    ),
]


@pytest.mark.parametrize(("line", "expected"), WRONG)
def test_a_wrong_key_is_named_with_its_file_and_what_was_expected(tmp_path: Path, line: str, expected: str) -> None:
    message = refused(tmp_path, f"[asyncmig]\n{line}")
    assert message.startswith(f"{tmp_path / 'asyncmig.toml'}: ")
    assert expected in message


@pytest.mark.parametrize(
    ("variable", "text", "expected"),
    [
        ("ASYNCMIG_LOCK_TIMEOUT", "soon", 'ASYNCMIG_LOCK_TIMEOUT must be a number of seconds, 0 or more, not "soon".'),
        ("ASYNCMIG_INCLUDE_SCHEMAS", "maybe", 'ASYNCMIG_INCLUDE_SCHEMAS must be true or false, not "maybe".'),
        ("ASYNCMIG_CHECKSUMS", "x", 'ASYNCMIG_CHECKSUMS must be one of "error", "warn", "off", not "x".'),
    ],
)
def test_a_wrong_variable_is_named_itself(tmp_path: Path, variable: str, text: str, expected: str) -> None:
    assert refused(tmp_path, environ={variable: text}) == expected


def test_an_unknown_override_names_the_nearest_key(tmp_path: Path) -> None:
    assert refused(tmp_path, overrides={"version_tabel": "x"}) == (
        "Unknown key version_tabel. Did you mean version_table?"
    )


DATABASES = """
    [asyncmig]
    version_table = "v"
    lock = "none"
    url = "sqlite:///shared.db"
    [databases.app]
    url = "sqlite:///app.db"
    lock = "lease"
    [databases.audit]
    url = "sqlite:///${MISSING_FROM_AUDIT}.db"
"""


def test_a_chosen_database_overrides_the_shared_keys(tmp_path: Path) -> None:
    config = loaded(tmp_path, DATABASES, name="app")
    assert (config.name, config.databases) == ("app", ("app", "audit"))
    assert (config.url, config.lock, config.version_table) == ("sqlite:///app.db", "lease", "v")


def test_a_variable_of_another_database_is_not_asked_for(tmp_path: Path) -> None:
    unchosen = loaded(tmp_path, DATABASES)
    assert (unchosen.name, unchosen.url) == (None, "sqlite:///shared.db")
    assert unchosen.for_database("app").url == "sqlite:///app.db"
    audit = unchosen.for_database("audit")
    assert audit.url is None
    assert "databases.audit.url needs the environment variable MISSING_FROM_AUDIT" in str(audit.url_error)


def test_a_missing_variable_in_the_url_only_matters_to_who_uses_it(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[asyncmig]\nurl = "postgresql://${DB_USER}@h/d"')
    assert config.url is None
    assert str(config.url_error) == (
        f"{tmp_path / 'asyncmig.toml'}: url needs the environment variable DB_USER, which is not set. "
        "Set it, or give it a default: ${DB_USER:-...}."
    )
    overridden = loaded(tmp_path, '[asyncmig]\nurl = "${DB}"', overrides={"url": "sqlite:///x"})
    assert (overridden.url, overridden.url_error) == ("sqlite:///x", None)


def test_a_missing_variable_elsewhere_is_an_error_at_once(tmp_path: Path) -> None:
    message = refused(tmp_path, '[asyncmig]\nversion_table = "${TABLE}"')
    assert message.startswith(f"{tmp_path / 'asyncmig.toml'}: version_table needs the environment variable TABLE")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("aduit", "There is no database 'aduit'. Did you mean audit?"), ("zzz", "Known databases: app, audit.")],
)
def test_an_unknown_database_names_the_known_ones(tmp_path: Path, name: str, expected: str) -> None:
    assert expected in refused(tmp_path, DATABASES, name=name)


def test_a_name_without_databases_is_an_error(tmp_path: Path) -> None:
    assert "no [databases.NAME] is given" in refused(tmp_path, name="app")


def test_a_placeholder_may_stand_for_a_number_or_a_flag(tmp_path: Path) -> None:
    text = '[asyncmig]\nlock_timeout = "${WAIT:-5}"\ninclude_schemas = "${ALL}"'
    config = loaded(tmp_path, text, environ={"ALL": "yes"})
    assert (config.lock_timeout, config.include_schemas) == (5.0, True)
    assert 'lock_timeout must be a number of seconds, 0 or more, not "x"' in refused(
        tmp_path, text, environ={"ALL": "yes", "WAIT": "x"}
    )


def test_a_configuration_never_shows_its_url(tmp_path: Path) -> None:
    config = loaded(tmp_path, '[asyncmig]\nurl = "postgresql://u:hunter2@h/d"', environ={"OTHER": "hunter2"})
    assert config.url is not None
    assert "hunter2" not in repr(config)


def test_from_values_needs_no_file(tmp_path: Path) -> None:
    config = Config.from_values(
        here=tmp_path, environ={}, script_location=Path("db"), version_locations=[tmp_path / "v"], lock_timeout=3
    )
    assert config.script_location == tmp_path / "db"
    assert (config.path, config.version_locations, config.lock_timeout) == (None, (tmp_path / "v",), 3.0)
    assert set(config.sources.values()) == {"arguments"}


def test_a_script_location_may_be_inside_a_package(tmp_path: Path) -> None:
    package = tmp_path / "shop" / "db"
    package.mkdir(parents=True)
    (tmp_path / "shop" / "__init__.py").write_text("raise RuntimeError('looked for, never imported')")
    (package / "__init__.py").touch()
    assert loaded(tmp_path, '[asyncmig]\nscript_location = "shop.db:migrations"').script_location == (
        package / "migrations"
    )


def test_an_environment_file_stands_below_the_environment(tmp_path: Path) -> None:
    env_file = tmp_path / "dev.env"
    env_file.write_text("A=from_file\nB=from_file\nASYNCMIG_LOCK=none\nexport C='with space'\nONLY_A_NAME\n")
    text = '[asyncmig]\nversion_table = "${A}_${B}"'
    config = loaded(tmp_path, text, env_file=env_file, environ={"A": "real"})
    assert (config.version_table, config.lock) == ("real_from_file", "none")
    assert load_env_file(env_file)["C"] == "with space"
    assert "A" not in os.environ


def test_a_missing_environment_file_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path / 'no.env'}: There is no such environment file." in refused(
        tmp_path, env_file=tmp_path / "no.env"
    )


def test_a_line_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    env_file = tmp_path / "dev.env"
    env_file.write_text("A=1\n\n# words\nBAD LINE\nB=2\n")
    assert f"{env_file}: line 4 cannot be read." in refused(tmp_path, env_file=env_file)


def test_without_python_dotenv_the_extra_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1")
    code = (
        "import sys; sys.modules['dotenv'] = None\n"
        "from asyncmig.config import load_env_file\n"
        "try: load_env_file('.env')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("ConfigError .env: Reading an environment file needs python-dotenv")
    assert 'pip install "asyncmig[dotenv]"' in done.stdout


def test_loading_a_configuration_does_not_import_sqlalchemy(tmp_path: Path) -> None:
    written(tmp_path, DATABASES)
    code = "import sys; from asyncmig.config import Config; Config.load(); print('sqlalchemy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
