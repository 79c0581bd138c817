"""What a user can get wrong: exit code, one paragraph on stderr that says what to do, and nothing changed.

Each test is one command in a copy of the same project: `account` with one row, at the first of two revisions.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field

import pytest
from mistakes import FIRST, SECOND, SECRET, THIRD, check_words, files
from projects import Project


@dataclass(frozen=True)
class Mistake:
    """`prepare` makes it, `command` meets it; `words` must all be in the message."""

    code: int
    words: tuple[str, ...]
    prepare: Callable[[Project], object] = lambda project: None
    command: tuple[str, ...] = ("upgrade", "head")
    env: Mapping[str, str] = field(default_factory=dict)


def config(text: str) -> Callable[[Project], object]:
    return lambda project: project.file("asyncmig.toml", f'[asyncmig]\nscript_location = "migrations"\n{text}\n')


def env(text: str) -> Callable[[Project], object]:
    return lambda project: project.env(text)


def branch(project: Project) -> object:
    return project.revision(THIRD, FIRST, message="other way")


def script(name: str, text: str) -> Callable[[Project], object]:
    return lambda project: project.script(name, text)


def foreign(project: Project) -> None:
    with closing(sqlite3.connect(project.folder / "shop.db")) as database, database:
        database.execute("UPDATE asyncmig_version SET version_num = 'ffffffffffff'")


def driver_missing(project: Project) -> None:
    """Python as it is where asyncpg is not installed: nothing finds it."""
    project.file(
        "shim/sitecustomize.py",
        """
        import sys

        class Without:
            def __init__(self, finder):
                self.finder = finder

            def find_spec(self, name, path=None, target=None):
                return None if name.partition(".")[0] == "asyncpg" else self.finder.find_spec(name, path, target)

        sys.meta_path[:] = [Without(finder) for finder in sys.meta_path if hasattr(finder, "find_spec")]
        """,
    )
    config('url = "postgresql://ann@127.0.0.1:1/shop"')(project)


def driver_broken(project: Project) -> None:
    """A driver that is there and cannot be imported, as psycopg without a libpq."""
    project.file("shim/asyncpg.py", "raise ImportError('no library of that name')\n")
    config('url = "postgresql://ann@127.0.0.1:1/shop"')(project)


def raises(project: Project) -> None:
    create = 'op.execute("SELECT 1")\nop.create_tabel("half")'
    project.revision(SECOND, FIRST, message="add email", upgrade=create, downgrade=create)


def has_no_type(project: Project) -> None:
    create = 'op.create_table("half", sa.Column("id"))'
    project.revision(SECOND, FIRST, message="add email", upgrade=create)


HEADER = 'revision = "{0}"\ndown_revision = {1!r}\n\ndef upgrade():\n    pass\n'

MISTAKES = {
    "no config": Mistake(
        2, ("asyncmig.toml", "asyncmig init"), lambda project: project.config_file.unlink()
    ),
    "no such config": Mistake(2, ("nowhere.toml",), command=("-c", "nowhere.toml", "upgrade", "head")),
    "config is not TOML": Mistake(2, ("asyncmig.toml", "line 3"), config("url = nothing quoted")),
    "config key misspelt": Mistake(2, ("asyncmig.toml", "urll", "Did you mean url?"), config('urll = "sqlite:///a.db"')),
    "config value of another type": Mistake(2, ("lock_timeout", "asyncmig.toml"), config('lock_timeout = "soon"')),
    "variable missing": Mistake(2, ("url", "SHOP_DB", "asyncmig.toml"), config('url = "sqlite:///${SHOP_DB}"')),
    "no url": Mistake(2, ("url", "asyncmig.toml"), config("")),
    "url is none": Mistake(2, ("asyncmig.toml", "not a database URL"), config('url = "shop.db"')),
    "no such database name": Mistake(2, ("audit", "[databases.NAME]"), command=("-n", "audit", "upgrade", "head")),
    "folder missing": Mistake(
        2, ("migrations", "asyncmig init"), lambda project: shutil.rmtree(project.folder / "migrations")
    ),
    "folder of the database missing": Mistake(3, ("nowhere/shop.db", "folder"), config('url = "sqlite:///nowhere/shop.db"')),
    "env.py raises": Mistake(2, ("migrations/env.py:2", "RuntimeError", "no settings"), env('x = 1\nraise RuntimeError("no settings")\n')),
    "env.py imports what is not there": Mistake(2, ("migrations/env.py:1", "shopp"), env("import shopp\n")),
    "env.py has a syntax error": Mistake(2, ("migrations/env.py:2",), env("x = 1\nx = = 2\n")),
    "env.py without environment": Mistake(2, ("migrations/env.py", "environment"), env("environmant = 1\n")),
    "env.py of alembic": Mistake(
        2, ("migrations/env.py:3", "Alembic", "environment = Environment("), env("from alembic import context\n\ncontext.configure()\n")
    ),
    "env.py gives a text for a function": Mistake(
        2, ("migrations/env.py:2", "before_step has to be a function, not 'x'"), env("from asyncmig import Environment\nenvironment = Environment(before_step='x')\n")
    ),
    "env.py gives a number for a name": Mistake(
        2, ("migrations/env.py:2", "version_table has to be text, not 42"), env("from asyncmig import Environment\nenvironment = Environment(version_table=42)\n")
    ),
    "env.py gives an option that no engine takes": Mistake(
        2, ("engine_options", "nonsense"), env("from asyncmig import Environment\nenvironment = Environment(engine_options={'nonsense': 1})\n")
    ),
    "sync driver": Mistake(
        2, ("psycopg2", "postgresql+asyncpg"), config(f'url = "postgresql+psycopg2://ann:{SECRET}@db.example.org/shop"')
    ),
    "other database": Mistake(2, ("mysql",), config(f'url = "mysql://ann:{SECRET}@db.example.org/shop"')),
    "driver package missing": Mistake(
        2, ("asyncpg", 'pip install "asyncmig[postgresql]"'), driver_missing, env={"PYTHONPATH": "shim"}
    ),
    "driver package broken": Mistake(
        2, ("asyncpg", "no library of that name", 'pip install "asyncmig[postgresql]"'), driver_broken, env={"PYTHONPATH": "shim"}
    ),
    "server not reachable": Mistake(
        5, ("127.0.0.1:1", "does not answer", "--wait"), config(f'url = "postgresql://ann:{SECRET}@127.0.0.1:1/shop"')
    ),
    "server not reachable, psycopg": Mistake(
        5, ("127.0.0.1:1", "does not answer", "--wait"), config(f'url = "postgresql+psycopg://ann:{SECRET}@127.0.0.1:1/shop"')
    ),
    "host unknown": Mistake(
        5, ("db.invalid", "--wait"), config(f'url = "postgresql://ann:{SECRET}@db.invalid/shop"')
    ),
    "in memory": Mistake(2, ("memory", "engine"), config('url = "sqlite://"')),
    "SQLite opened read-only": Mistake(
        3, ("readonly", "read-only"), config('url = "sqlite:///file:${here}/shop.db?mode=ro&uri=true"')
    ),
    "not a database": Mistake(3, ("shop.db", "not a database"), lambda project: project.file("shop.db", "text " * 500)),
    "two heads": Mistake(2, (SECOND, THIRD, "heads", "merge"), branch),
    "unknown revision": Mistake(2, ("deadbeef",), command=("upgrade", "deadbeef")),
    "nearly known revision": Mistake(2, ("433af9f41999", FIRST), command=("upgrade", "433af9f41999")),
    "ambiguous revision": Mistake(2, ("433af", FIRST, THIRD), branch, command=("upgrade", "433af")),
    "malformed revision": Mistake(2, ("head@@shop",), command=("upgrade", "head@@shop")),
    "a range without --sql": Mistake(2, ("433af9f41996:head", "--sql"), command=("upgrade", "433af9f41996:head")),
    "too far up": Mistake(2, ("+5",), command=("upgrade", "+5")),
    "too far down": Mistake(2, ("-5",), command=("downgrade", "-5", "--yes")),
    "script without downgrade": Mistake(
        2,
        (FIRST, "downgrade", f"{FIRST}_create_account.py"),
        lambda project: project.revision(FIRST, downgrade=None, message="create account"),
        command=("downgrade", "base", "--yes"),
    ),
    "version table with a foreign id": Mistake(3, ("ffffffffffff", "asyncmig stamp"), foreign),
    "foreign id on the way down": Mistake(3, ("ffffffffffff", "asyncmig stamp"), foreign, command=("downgrade", "-1", "--yes")),
    "script with a syntax error": Mistake(
        2, ("broken.py:2",), script("broken.py", "revision = 'a1b2c3d4e5f6'\ndef upgrade(:\n")
    ),
    "script that is not text": Mistake(
        2, ("broken.py",), lambda project: (project.versions / "broken.py").write_bytes(b"revision = '\xff\xfe'\n")
    ),
    "script without revision": Mistake(2, ("broken.py", "revision"), script("broken.py", "down_revision = None\n")),
    "duplicate id": Mistake(
        2, (SECOND, "other.py", f"{SECOND}_add_email.py"), script("other.py", HEADER.format(SECOND, FIRST))
    ),
    "unknown parent": Mistake(
        2, ("other.py", "eeeeeeeeeeee"), script("other.py", HEADER.format("a1b2c3d4e5f6", "eeeeeeeeeeee"))
    ),
    "cycle": Mistake(
        2,
        ("a1b2c3d4e5f6", "b1b2c3d4e5f6"),
        lambda project: project.script("a.py", HEADER.format("a1b2c3d4e5f6", "b1b2c3d4e5f6")).script(
            "b.py", HEADER.format("b1b2c3d4e5f6", "a1b2c3d4e5f6")
        ),
    ),
    "script that raises, in a plan": Mistake(2, (f"{SECOND}_add_email.py:16", "create_tabel"), raises, command=("plan",)),
    "script that raises, as SQL": Mistake(
        2, (f"{SECOND}_add_email.py:16", "create_tabel"), raises, command=("upgrade", "head", "--sql")
    ),
    "column without a type, in a plan": Mistake(2, (f"{SECOND}_add_email.py:15", "type"), has_no_type, command=("plan",)),
    "column without a type, as SQL": Mistake(
        2, (f"{SECOND}_add_email.py:15", "type"), has_no_type, command=("upgrade", "head", "--sql")
    ),
    "nobody to ask": Mistake(1, ("--yes",), command=("downgrade", "base")),
    "unknown template": Mistake(2, ("asink", "async"), command=("init", "-t", "asink", "other")),
    "init over a project": Mistake(2, ("asyncmig.toml", "migrations/env.py"), command=("init", "migrations")),
    "unknown option": Mistake(2, ("--hed", "asyncmig upgrade --help"), command=("upgrade", "--hed")),
    "option without its value": Mistake(2, ("-t", "asyncmig init --help"), command=("init", "-t")),
    "unknown command": Mistake(2, ("upgarde", "upgrade"), command=("upgarde",)),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_one_paragraph_and_changes_nothing(shop: Project, mistake: Mistake) -> None:
    mistake.prepare(shop)
    before = files(shop)
    env = dict(mistake.env)
    if "PYTHONPATH" in env:
        env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(shop.folder / "shim"), os.environ.get("PYTHONPATH")]))
    done = shop.run(*mistake.command, env=env)
    check_words(done.expect(mistake.code), mistake.words)
    assert files(shop) == before
