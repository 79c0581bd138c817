"""From random models to random others, in real databases, through scripts that are written, read and run as a user's are.

The upgrade leaves nothing to do, the downgrade leaves the database as it was, and the rows that both sides can hold stay.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import servers
import sqlalchemy as sa
from both_tools import reflected
from drawn_models import KINDS, Models
from hypothesis import HealthCheck, Phase, given, note, settings
from model_pairs import Pair, pairs
from model_rows import Rows
from projects import Project
from sqlalchemy.dialects import postgresql, sqlite

TEMPLATE = Path(__file__).parents[2] / "templates" / "async" / "migrations" / "script.py.mako"
ENV = """\
from asyncmig import Environment
import models_under_law

environment = Environment(target_metadata=models_under_law.METADATA)
"""


def soak(rounds: int) -> Any:
    return pytest.param(rounds, marks=pytest.mark.soak)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    module: Any = ModuleType("models_under_law")
    monkeypatch.setitem(sys.modules, "models_under_law", module)
    yield module


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as found:
        yield found


class Yes:
    """Answers what a careful user would: rows may go, and those without a value get one."""

    def __init__(self, pair: Pair, kind: str) -> None:
        self.pair = pair
        self.postgresql = kind == "postgresql"

    def confirm(self, question: Any) -> bool:
        return self.pair.renames or not hasattr(question, "rename")

    def value(self, question: Any) -> str:
        table = self.pair.after.table(question.table.name)
        column = table.column(question.column) if table is not None else None
        assert column is not None
        family = KINDS[column.kind].family
        return "'1 day'" if family == "interval" and self.postgresql else FILLERS[family]


FILLERS = {
    "integer": "1", "decimal": "1", "text": "'1'", "boolean": "true", "moment": "'2020-01-01'", "interval": "'1970-01-01'",
    "uuid": "'00000000-0000-0000-0000-000000000001'", "bytes": "''", "json": "'{}'", "integers": "'{}'", "texts": "'{}'",
}  # fmt: skip


class Bench:
    """One project and database after the other, made anew for each pair."""

    def __init__(self, project: Project, module: Any, url: str, kind: str, rows_url: str) -> None:
        self.project = project
        self.module = module
        self.url = url
        self.kind = kind
        self.rows_url = rows_url
        shutil.copy(TEMPLATE, project.folder / "migrations")
        project.config(url=url).env(ENV)

    def clear(self, before: Models) -> None:
        """An empty database, and no scripts."""
        for path in self.project.versions.glob("*.py"):
            path.unlink()
        if self.kind == "sqlite":
            path = servers.sqlite_path(self.url)
            for one in path.parent.glob(f"{path.name}*"):
                one.unlink()
        else:
            schema = ["CREATE SCHEMA s"] if any(table.schema for table in before.tables) else []
            drops = ["DROP SCHEMA IF EXISTS s CASCADE", "DROP SCHEMA public CASCADE", "CREATE SCHEMA public"]
            servers.execute(self.url, *drops, *schema)

    def create(self, metadata: sa.MetaData) -> None:
        engine = self._engine()
        metadata.create_all(engine)
        engine.dispose()

    def reflected(self) -> Mapping[str, Any]:
        engine = self._engine()
        with engine.connect() as connection, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of indexes that the inspector cannot read
            found = {name: parts for name, parts in reflected(connection).items() if "asyncmig" not in name}
        engine.dispose()
        if self.kind == "sqlite":
            found = {name: {kind: _unnamed(part) for kind, part in parts.items()} for name, parts in found.items()}
        for parts in found.values():
            parts["checks"] = sorted(_CASTS.sub("", text) for text in parts["checks"])
        return {name: {**parts, "columns": sorted(parts["columns"])} for name, parts in found.items()}

    def _engine(self) -> sa.Engine:
        return sa.create_engine(
            self.url.replace("+asyncpg", "+psycopg").replace("+aiosqlite", ""), poolclass=sa.pool.NullPool
        )

    async def told(self) -> list[str]:
        async with self.project.migrator() as migrator:
            return [one.description for one in (await migrator.differences()).items]

    async def there(self, pair: Pair) -> str | None:
        """Write the script and run it; None where nothing differs."""
        async with self.project.migrator() as migrator:
            done = await migrator.autogenerate("after", allow_drops=True, questioner=Yes(pair, self.kind))
            if not done.files:
                return None
            script = done.files[0].read_text(encoding="utf-8")
            note(script)
            _check_style(done.files[0])
            await migrator.upgrade("head")
            again = await migrator.revision("again", autogenerate=True)
            assert again == (), again[0].read_text(encoding="utf-8")
        return script

    async def back(self) -> None:
        async with self.project.migrator() as migrator:
            await migrator.downgrade("base")


def _unnamed(part: Any) -> Any:
    """SQLite's constraints without a name come back with the one that PostgreSQL would have given them."""
    if isinstance(part, dict):
        return {**part, "name": _unnamed(part["name"])} if "name" in part else part
    if isinstance(part, list):
        return sorted(_NAMED.sub("name: None", item) for item in part)
    return None if isinstance(part, str) and _NAMED.fullmatch(f"name: '{part}'") else part


# PostgreSQL has other casts and parentheses in a CHECK when it reads its own spelling again: what it means is told above.
_CASTS = re.compile(r"::(?:character varying|[a-z]+)(?:\(\d+\))?(?:\[\])?|[()\[\]]")
_NAMED = re.compile(r"name: '\w+_(?:pkey|key|check|fkey)\d*'")


def _check_style(path: Path) -> None:
    for command in (["check", "--select=E4,E7,E9,F"], ["format", "--diff"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--isolated", path], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("rounds", [5, soak(400)])
def test_a_script_leads_there_and_back_with_the_rows(
    rounds: int,
    request: pytest.FixtureRequest,
    database_kind: str,
    database_url: str,
    project: Project,
    models: Any,
    runner: asyncio.Runner,
) -> None:
    bench = Bench(project, models, database_url, database_kind, rows_url(request, database_url))

    # A pair can be read as it is; making it smaller takes minutes.
    @settings(max_examples=rounds, phases=[Phase.reuse, Phase.generate], suppress_health_check=list(HealthCheck))
    @given(pairs(database_kind))
    def law(pair: Pair) -> None:
        there_and_back(bench, pair, runner)

    law()


def rows_url(request: pytest.FixtureRequest, url: str) -> str:
    """For rows that point to each other in a circle: only a superuser may put them in without a look at the keys."""
    if url.startswith("sqlite"):
        return url
    server: servers.PostgresServer = request.getfixturevalue("postgres_server")
    return server.superuser_url(url.rpartition("/")[2].partition("?")[0])


def there_and_back(bench: Bench, pair: Pair, runner: asyncio.Runner) -> None:
    note(shown(pair, bench.kind))
    bench.clear(pair.before)
    bench.module.METADATA = pair.before.metadata(bench.kind)
    bench.create(bench.module.METADATA)
    _same(runner.run(bench.told()), [])
    rows = Rows.of(pair)
    rows.put(bench.rows_url)
    was, held, stays = bench.reflected(), rows.held(bench.url, same=False), rows.held(bench.url, same=True)
    bench.module.METADATA = pair.after.metadata(bench.kind)
    if runner.run(bench.there(pair)) is None:
        return
    _same(runner.run(bench.told()), [])
    _same(rows.held(bench.url, same=True), stays)
    runner.run(bench.back())
    bench.module.METADATA = pair.before.metadata(bench.kind)
    _same(runner.run(bench.told()), [])
    for name, parts in was.items():
        _same(bench.reflected()[name], parts)
    _same(set(bench.reflected()), set(was))
    _same(rows.held(bench.url, same=False), held)


def _same(found: Any, expected: Any) -> None:
    if isinstance(found, dict) and isinstance(expected, dict) and found.keys() == expected.keys():
        for name in expected:
            assert found[name] == expected[name], f"{name}: {found[name]}, expected {expected[name]}"
    assert found == expected, f"{found}, expected {expected}"


def shown(pair: Pair, kind: str) -> str:
    """Both sides as DDL."""
    dialect = postgresql.dialect() if kind == "postgresql" else sqlite.dialect()
    texts = []
    for side in (pair.before, pair.after):
        engine = sa.create_mock_engine(
            f"{kind}://", lambda ddl, *_, **__: texts.append(str(ddl.compile(dialect=dialect)).strip())
        )
        side.metadata(kind).create_all(engine, checkfirst=False)
        texts.append("-- " + "becomes" if side is pair.before else "-- renamed" if pair.renames else "")
    return ";\n".join(texts)
