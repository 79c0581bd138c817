"""Generate from A to B and upgrade: nothing is left to do. Downgrade: the database is as A had it, with its rows.

Scripts are written, read and run as a user's are. Every table has rows while it changes.
"""

import itertools
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import servers
import sqlalchemy as sa
from change_cases import CHANGES, SCRIPTED, Change
from object_changes import OBJECT_CHANGES
from projects import Project
from schema_cases import CASES, Case, wherever

TEMPLATE = Path(__file__).parents[2] / "templates" / "async" / "migrations" / "script.py.mako"
ENV = """\
from asyncmig import Environment
import models_under_test

environment = Environment(
    target_metadata=models_under_test.METADATA, naming_convention=models_under_test.METADATA.naming_convention
)
"""

# No row of the one table is one of the other: a string is no value of an enum or array, a key's target is dropped, and a new key has no values.
NO_ROWS = frozenset(
    {
        "a parent goes and its child stays",
        "a string becomes an enum",
        "text becomes an array",
        "no column of a table stays, and keys point at what is to come",
    }
)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    module: Any = ModuleType("models_under_test")
    monkeypatch.setitem(sys.modules, "models_under_test", module)
    yield module


@pytest.fixture
def generating(database_project: Project) -> Project:
    shutil.copy(TEMPLATE, database_project.folder / "migrations")
    return database_project.env(ENV)


async def told(project: Project) -> list[str]:
    """What check would say."""
    async with project.migrator() as migrator:
        found = await migrator.differences()
    return [one.description for one in found.items]


async def generate(project: Project, message: str) -> str:
    """Write the script and apply it; its text."""
    async with project.migrator() as migrator:
        (path,) = await migrator.revision(message, autogenerate=True, allow_drops=True)
        await migrator.upgrade("head")
    for command in (["check", "--select=E4,E7,E9,F"], ["format", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", path], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout
    return path.read_text()


def fill(url: str, metadata: sa.MetaData) -> dict[str, int]:
    """Two rows for each table that takes some; how many each has."""
    engine = sa.create_engine(url.replace("+asyncpg", "+psycopg").replace("+aiosqlite", ""))
    counts: dict[str, int] = {}
    with engine.connect() as connection:
        tables = [table for table in metadata.sorted_tables if not getattr(table, "is_view", False)]
        for table, number in itertools.product(tables, (1, 2)):
            values = {c.name: _value(c, number) for c in table.columns if not (c.computed or c.identity or c.system)}
            try:
                with connection.begin():
                    connection.execute(sa.table(table.name, *(sa.column(n) for n in values)).insert(), values)
                counts[table.name] = number
            except (sa.exc.SQLAlchemyError, ValueError):
                continue  # a row that this table cannot have: a key to another, a type of which we know no value
    engine.dispose()
    return counts


def _value(column: sa.Column[Any], number: int) -> Any:
    type_ = column.type
    if isinstance(type_, sa.Enum):
        return type_.enums[0]
    values = ((sa.Boolean, True), (sa.Integer, 10 + number), (sa.Numeric, number), (sa.String, str(number)))
    return next((value for kind, value in values if isinstance(type_, kind)), None)


def rows(url: str, counts: dict[str, int], kept: set[str]) -> dict[str, int]:
    return {name: servers.rows(url, f'SELECT count(*) FROM "{name}"')[0][0] for name in counts if name in kept}


# No models at all is an error of its own.
WITH_MODELS = [change for change in (*CHANGES, *SCRIPTED, *OBJECT_CHANGES) if change.metadata(change.after).tables]


@pytest.mark.parametrize(("database_kind", "change"), wherever(WITH_MODELS))
async def test_a_change_is_written_applied_and_taken_back(
    change: Change, generating: Project, database_url: str, models: Any
) -> None:
    before, after = change.metadata(change.before), change.metadata(change.after)
    models.METADATA = before
    if before.tables:
        await generate(generating, "before")
        assert await told(generating) == []
    counts = {} if change.name in NO_ROWS else fill(database_url, before)
    models.METADATA = after
    sentences = await told(generating)
    assert [text for text in change.told if not any(text in sentence for sentence in sentences)] == [], sentences
    script = await generate(generating, "after") if sentences else ""
    assert await told(generating) == [], script
    async with generating.migrator() as migrator:
        assert await migrator.revision("again", autogenerate=True) == ()
        await migrator.downgrade("-1" if before.tables else "base")
    models.METADATA = before
    if before.tables:
        assert await told(generating) == [], script
    assert rows(database_url, counts, set(before.tables) & set(after.tables)) == {
        name: count for name, count in counts.items() if name in after.tables
    }


def types_of(kind: str) -> Case:
    """The cases of a single type as one, a table each: a database for each of them would take minutes."""

    def fill(m: sa.MetaData) -> None:
        for number, case in enumerate(SINGLE):
            if kind in case.runs_on:
                case.metadata().tables["t"].to_metadata(m, name=f"t{number}")

    return Case(f"types of {kind}", fill, frozenset({kind}))


SINGLE = [
    case
    for case in CASES
    if case.name.startswith(("generic ", "postgresql ", "sqlite ", "custom "))
    and set(case.metadata().tables) == {"t"}
    and "(" in case.name
]
WHOLE = [*(case for case in CASES if case not in SINGLE), types_of("postgresql"), types_of("sqlite")]


# What needs a schema or a collation that no DDL of the case makes is read in test_reading_cases.py.
COMPLETE = [case for case in WHOLE if "schema" not in case.name and "collation" not in case.name]


@pytest.mark.parametrize(("database_kind", "case"), wherever(COMPLETE))
async def test_the_first_script_makes_what_the_models_say(
    case: Case, generating: Project, database_url: str, models: Any
) -> None:
    models.METADATA = case.metadata()
    if not await told(generating):
        return
    script = await generate(generating, "first")
    assert await told(generating) == [], script
    async with generating.migrator() as migrator:
        await migrator.downgrade("base")
        await migrator.upgrade("head")
    assert await told(generating) == [], script
