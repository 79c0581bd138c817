"""Autogenerate through the API on both databases: rows are counted, drops refused, renames keep rows, errors say what to do."""

import asyncio
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from projects import Project
from servers import columns, execute, libpq_url, rows, tables

from asyncmig.errors import CheckFailed, ConnectionFailed, Declined, MigrationFailed, NotAtHead, UsageError

TEMPLATE = Path(__file__).parents[2] / "templates" / "async" / "migrations" / "script.py.mako"
ENV = """\
from asyncmig import Environment
import models_under_test

environment = Environment(**models_under_test.ENVIRONMENT)
"""


class Models:
    """What env.py declares; `table` says anew what the table account is."""

    def __init__(self, module: Any) -> None:
        self._module = module
        self.declare(target_metadata=None)

    def declare(self, **environment: Any) -> None:
        self._module.ENVIRONMENT = environment

    def table(self, *columns: Any, name: str = "account", **environment: Any) -> None:
        metadata = sa.MetaData()
        sa.Table(name, metadata, sa.Column("id", sa.Integer, primary_key=True), *columns)
        self.declare(target_metadata=metadata, **environment)


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> Models:
    module = ModuleType("models_under_test")
    monkeypatch.setitem(sys.modules, "models_under_test", module)
    return Models(module)


@pytest.fixture
def shop(database_project: Project) -> Project:
    shutil.copy(TEMPLATE, database_project.folder / "migrations")
    return database_project.env(ENV)


async def write(project: Project, message: str = "change", **options: Any) -> list[str]:
    """The texts of the scripts that were written."""
    async with project.migrator() as migrator:
        return [path.read_text() for path in await migrator.revision(message, autogenerate=True, **options)]


async def upgrade(project: Project) -> None:
    async with project.migrator() as migrator:
        await migrator.upgrade("head")


async def with_rows(project: Project, models: Models, url: str, *columns: Any) -> None:
    """The table account with these columns, and two rows."""
    models.table(*columns)
    await write(project, "account")
    await upgrade(project)
    execute(url, "INSERT INTO account (id, name) VALUES (1, 'ann'), (2, 'bob')")


@pytest.mark.subset
async def test_a_renamed_column_keeps_its_rows_and_its_index(shop: Project, models: Models, database_url: str) -> None:
    await with_rows(shop, models, database_url, sa.Column("name", sa.String(50), index=True))
    models.table(sa.Column("full_name", sa.String(50), index=True))
    (script,) = await write(shop, renames=["account.name:full_name"])
    assert 'op.rename_column("account", "name", "full_name")' in script
    assert "drop" not in script
    await upgrade(shop)
    assert rows(database_url, "SELECT full_name FROM account ORDER BY id") == [("ann",), ("bob",)]
    async with shop.migrator() as migrator:
        await migrator.check()
        await migrator.downgrade("-1")
    assert rows(database_url, "SELECT name FROM account ORDER BY id") == [("ann",), ("bob",)]


async def test_a_renamed_table_keeps_its_rows(shop: Project, models: Models, database_url: str) -> None:
    await with_rows(shop, models, database_url, sa.Column("name", sa.String(50), unique=True))
    models.table(sa.Column("name", sa.String(50), unique=True), sa.Column("more", sa.Text), name="customer")
    await write(shop, renames=["account:customer"])
    await upgrade(shop)
    assert rows(database_url, "SELECT name, more FROM customer ORDER BY id") == [("ann", None), ("bob", None)]
    async with shop.migrator() as migrator:
        await migrator.check()


async def test_a_model_that_says_its_old_name_is_renamed_once(shop: Project, models: Models, database_url: str) -> None:
    await with_rows(shop, models, database_url, sa.Column("name", sa.String(50)))
    models.table(sa.Column("label", sa.String(50), info={"renamed_from": "name"}))
    assert len(await write(shop)) == 1
    await upgrade(shop)
    assert rows(database_url, "SELECT label FROM account ORDER BY id") == [("ann",), ("bob",)]
    assert await write(shop) == []


async def test_values_of_an_enum_are_renamed_or_removed_without_losing_a_row(
    at_postgres: Project, models: Models, postgres_url: str
) -> None:
    """The database follows a new name in rows, defaults, CHECKs and predicates; a value in use cannot be removed."""
    shutil.copy(TEMPLATE, at_postgres.folder / "migrations")
    shop = at_postgres.env(ENV)

    def declare(first: str, *others: str) -> None:
        kind = sa.Column("kind", sa.Enum(first, *others, name="account_kind"), server_default=first)
        value = "'" + first.replace("'", "''") + "'"
        check = sa.CheckConstraint(sa.text(f"kind <> {value} OR id > 0"), name="kind_fits")
        index = sa.Index("ix_kind", "id", postgresql_where=sa.text(f"kind = {value}"))
        models.table(kind, check, index, sa.Column("kinds", sa.ARRAY(kind.type)))

    declare("a", "m", "z")
    await write(shop, "account")
    await upgrade(shop)
    execute(postgres_url, "INSERT INTO account (id, kinds) VALUES (1, '{a,m}')")
    declare("it's b", "m", "z")
    (script,) = await write(shop, renames=["account_kind.'a':'it''s b'"])
    assert script.count("op.") == 2
    await upgrade(shop)
    assert rows(postgres_url, "SELECT kind::text, kinds::text FROM account") == [("it's b", '{"it\'s b",m}')]
    async with shop.migrator() as migrator:
        await migrator.check()
        assert (await migrator.differences(offline=True)).items == ()
        await migrator.downgrade("-1")
        assert rows(postgres_url, "SELECT kind::text FROM account") == [("a",)]
        await migrator.upgrade("head")
    declare("it's b", "z", "n")
    (script,) = await write(shop)
    assert "# Rows that hold 'm' make this fail: give them another value before it." in script
    with pytest.raises(MigrationFailed, match="m"):
        await upgrade(shop)
    assert rows(postgres_url, "SELECT kinds::text FROM account") == [('{"it\'s b",m}',)]
    execute(postgres_url, "UPDATE account SET kinds = '{z}'")
    await upgrade(shop)
    assert rows(postgres_url, "SELECT kind::text, kinds::text FROM account") == [("it's b", "{z}")]
    async with shop.migrator() as migrator:
        await migrator.check()
    declare("c", "n", "q", "z")  # a new name, a new order and a new value at once
    await write(shop, renames=["account_kind.'it''s b':'c'"])
    async with shop.migrator() as migrator:
        await migrator.upgrade("head")
        await migrator.check()
        await migrator.downgrade("-1")
        assert rows(postgres_url, "SELECT kind::text, kinds::text FROM account") == [("it's b", "{z}")]
        await migrator.upgrade("head")
    assert rows(postgres_url, "SELECT kind::text, kinds::text FROM account") == [("c", "{z}")]


async def test_a_look_that_waits_for_a_lock_says_whose(
    at_postgres: Project,
    models: Models,
    postgres_url: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("asyncmig.database.blockers.READING_PERIOD", 0.05)
    execute(postgres_url, "CREATE TABLE account (id serial PRIMARY KEY, n int DEFAULT 1)")
    models.table(sa.Column("n", sa.Integer, server_default="1"))
    at_postgres.env(ENV)
    with psycopg.connect(libpq_url(postgres_url)) as holder:
        holder.execute("LOCK TABLE account IN ACCESS EXCLUSIVE MODE")
        async with at_postgres.migrator() as migrator:
            looking = asyncio.create_task(migrator.differences())
            while not caplog.messages:  # noqa: ASYNC110 - nobody sets an event where a line is logged
                await asyncio.sleep(0.02)
            holder.rollback()
            assert (await looking).items == ()
    (said,) = caplog.messages
    assert "reading waits for a lock; blocked by" in said
    assert "LOCK TABLE account" in said


def _numbered(name: str, column: str, *how: Any, key: str | None = None, **options: Any) -> sa.MetaData:
    metadata = sa.MetaData()
    numbers = sa.Column(column, sa.Integer, *how, nullable=False, **options)
    sa.Table(name, metadata, numbers, sa.Column("n", sa.Text), sa.PrimaryKeyConstraint(column, name=key))
    return metadata


async def test_rows_are_numbered_by_a_new_key(shop: Project, models: Models, database_url: str) -> None:
    def declare(*columns: sa.Column[Any], **options: Any) -> None:
        metadata = sa.MetaData()
        pair = [sa.Column(name, sa.Integer, nullable=False, **options) for name in "ab"]
        sa.Table("link", metadata, *columns, *pair, sa.PrimaryKeyConstraint(*(columns or pair), name="pk_link"))
        models.declare(target_metadata=metadata)

    declare()
    await write(shop, "first")
    await upgrade(shop)
    execute(database_url, "INSERT INTO link (a, b) VALUES (1, 1), (1, 2), (2, 1)")
    declare(sa.Column("id", sa.Integer))
    await write(shop)
    await upgrade(shop)
    assert sorted(rows(database_url, "SELECT id FROM link")) == [(1,), (2,), (3,)]
    async with shop.migrator() as migrator:
        await migrator.check()
        await migrator.downgrade("-1")
    assert len(rows(database_url, "SELECT a, b FROM link")) == 3


async def test_names_that_are_exchanged_take_their_rows_along(shop: Project, models: Models, database_url: str) -> None:
    """Two tables and two columns: one of them steps aside, and nothing is dropped."""

    def declare(one: str, other: str, *columns: str) -> None:
        metadata = sa.MetaData(naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(column_0_label)s"})
        numbers = [sa.Column(name, sa.Integer, index=True) for name in columns]
        sa.Table(one, metadata, sa.Column("id", sa.Integer, primary_key=True), *numbers)
        sa.Table(other, metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("t", sa.Text))
        models.declare(target_metadata=metadata)

    declare("one", "two", "a", "b", "c")
    await write(shop, "first")
    await upgrade(shop)
    execute(database_url, "INSERT INTO one (a, b, c) VALUES (10, 20, 30)", "INSERT INTO two (t) VALUES ('x')")
    declare("two", "one", "b", "a", "d")
    (script,) = await write(shop, renames=["one:two", "two:one", "one.a:b", "one.b:a", "one.c:d"])
    assert "drop_column" not in script
    async with shop.migrator() as migrator:
        for _ in range(2):
            await migrator.upgrade("head")
            await migrator.check()
            assert rows(database_url, "SELECT b, a, d FROM two") == [(10, 20, 30)]
            assert rows(database_url, "SELECT t FROM one") == [("x",)]
            await migrator.downgrade("-1")
            assert rows(database_url, "SELECT a, b, c FROM one") == [(10, 20, 30)]
        await migrator.upgrade("head")
    declare("two", "one", "b", "d")
    with pytest.raises(UsageError, match="b is in the database already"):
        await write(shop, renames=["two.a:b"])


def _numbered_by(name: str) -> sa.MetaData:
    numbers = sa.Sequence(name, start=50)
    metadata = _numbered("u", "i", numbers, server_default=numbers.next_value())
    numbers._set_metadata(metadata)
    return metadata


NUMBERINGS = [
    (_numbered("t", "id"), ()),
    (_numbered("t", "id", autoincrement=False), ()),
    (_numbered("t", "id"), ()),
    (_numbered("u", "i"), ("t:u", "u.id:i")),
    (_numbered("u", "i", sa.Identity()), ()),
    (_numbered("t", "id"), ("u:t", "t.i:id")),
    (_numbered("u", "n2"), ("t:u",)),  # another column
    (_numbered("t", "i", sa.Identity()), ("u:t", "t.n2:i")),
    (_numbered("t", "i"), ()),
    (_numbered("t", "i", key="other"), ()),
    (_numbered_by("numbers"), ("t:u",)),
    (_numbered("u", "i"), ()),
]


async def test_numbering_changes_hands_with_names_online_and_offline(
    at_postgres: Project, models: Models, postgres_url: str
) -> None:
    """A sequence keeps its name when its table or column gets another, and a history tells it as the database does."""
    shutil.copy(TEMPLATE, at_postgres.folder / "migrations")
    shop = at_postgres.env(ENV)
    for number, (metadata, renames) in enumerate(NUMBERINGS):
        models.declare(target_metadata=metadata)
        await write(shop, f"step {number}", renames=renames, allow_drops=True)
        async with shop.migrator() as migrator:
            await migrator.upgrade("head")
            for offline in (False, True):
                assert [one.description for one in (await migrator.differences(offline=offline)).items] == [], number
        (table,) = metadata.tables.values()
        if next(iter(table.c)).autoincrement is not False:
            execute(postgres_url, f"INSERT INTO {table.name} (n) VALUES ('x')")
    async with shop.migrator() as migrator:
        await migrator.downgrade("base")
        await migrator.upgrade("head")


async def test_a_drop_of_rows_is_refused_with_their_number(shop: Project, models: Models, database_url: str) -> None:
    await with_rows(shop, models, database_url, sa.Column("name", sa.String(50)))
    models.table(sa.Column("full_name", sa.String(50)))
    with pytest.raises(Declined, match=r"column account\.name \(2 rows\)") as refused:
        await write(shop)
    assert "Was account.name renamed to account.full_name?" in str(refused.value)
    assert "--allow-drops" in str(refused.value)
    assert len(list(shop.versions.glob("*.py"))) == 1
    (script,) = await write(shop, allow_drops=True)
    assert "# Data is lost here: account.name goes with its values." in script
    assert "--rename account.name:full_name" in " ".join(script.replace("#", "").split())


async def test_what_a_renamed_table_loses_or_lacks_is_counted(shop: Project, models: Models, database_url: str) -> None:
    columns = sa.Column("name", sa.String(50)), sa.Column("city", sa.Text), sa.Column("kind", sa.Text)
    await with_rows(shop, models, database_url, *columns)
    models.table(sa.Column("label", sa.Text, nullable=False), sa.Column("name", sa.String(50)), name="customer")
    renames = ["account:customer", "account.kind:label"]
    execute(database_url, "UPDATE account SET city = 'x' WHERE id = 1")
    with pytest.raises(Declined, match=r"column account\.city \(1 row\)"):
        await write(shop, renames=renames)
    await write(shop, renames=renames, allow_drops=True, defaults={"customer.label": "'new'"})
    await upgrade(shop)
    assert rows(database_url, "SELECT name, label FROM customer ORDER BY id") == [("ann", "new"), ("bob", "new")]
    execute(database_url, "INSERT INTO customer (id, name, label) VALUES (3, 'eve', 'own')")
    async with shop.migrator() as migrator:
        await migrator.downgrade("-1")
    kept = [("ann", None, "new"), ("bob", None, "new"), ("eve", None, "own")]
    assert rows(database_url, "SELECT name, city, kind FROM account ORDER BY id") == kept
    models.table(sa.Column("name", sa.String(50)), sa.Column("city", sa.Text), sa.Column("kind", sa.Text))
    async with shop.migrator() as migrator:
        assert (await migrator.differences()).items == ()


async def test_a_generated_column_that_is_made_again_loses_nothing(
    at_postgres: Project, models: Models, postgres_url: str
) -> None:
    """PostgreSQL gives no column another type under one that is computed from it."""
    shutil.copy(TEMPLATE, at_postgres.folder / "migrations")
    shop = at_postgres.env(ENV)

    def long() -> sa.Column[Any]:
        return sa.Column("long", sa.Text, sa.Computed("name || '!'", persisted=True))

    await with_rows(shop, models, postgres_url, sa.Column("name", sa.String(50)), long())
    models.table(sa.Column("name", sa.String(60)), long())
    (script,) = await write(shop)
    assert "lost" not in script.partition("def downgrade")[0]
    await upgrade(shop)
    assert rows(postgres_url, "SELECT long FROM account ORDER BY id") == [("ann!",), ("bob!",)]


async def test_a_drop_of_nothing_is_nobodys_loss(shop: Project, models: Models, database_url: str) -> None:
    models.table(sa.Column("name", sa.String(50)))
    await write(shop)
    await upgrade(shop)
    models.table()
    assert len(await write(shop)) == 1


@pytest.mark.parametrize("split", [False, True])
async def test_a_default_fills_the_rows_and_does_not_stay(
    shop: Project, models: Models, database_url: str, split: bool
) -> None:
    await with_rows(shop, models, database_url, sa.Column("name", sa.String(50)))
    models.table(sa.Column("name", sa.String(50)), sa.Column("kind", sa.String(5), nullable=False))
    scripts = await write(shop, defaults={"account.kind": "a"}, split=split)
    assert len(scripts) == (3 if split else 1)
    assert not split or "existing_type=sa.String(length=5)" in scripts[-1].partition("def downgrade")[2]
    await upgrade(shop)
    assert rows(database_url, "SELECT kind FROM account") == [("a",), ("a",)]
    async with shop.migrator() as migrator:
        await migrator.check()
        await migrator.downgrade(f"-{len(scripts)}")
    assert columns(database_url, "account") == ["id", "name"]


async def test_null_that_becomes_not_null_is_filled_first(shop: Project, models: Models, database_url: str) -> None:
    await with_rows(shop, models, database_url, sa.Column("name", sa.String(50)), sa.Column("kind", sa.String(5)))
    models.table(sa.Column("name", sa.String(50)), sa.Column("kind", sa.String(5), nullable=False))
    await write(shop, defaults={"account.kind": "'a'"})
    await upgrade(shop)
    assert rows(database_url, "SELECT kind FROM account") == [("a",), ("a",)]


async def test_nothing_that_differs_writes_nothing(shop: Project, models: Models, database_url: str) -> None:
    models.table()
    await write(shop)
    await upgrade(shop)
    assert await write(shop) == []
    (empty,) = await write(shop, "empty", empty_ok=True)
    assert "def upgrade() -> None:\n    pass" in empty


async def test_a_database_that_is_behind_is_not_compared_with(shop: Project, models: Models) -> None:
    models.table()
    await write(shop)
    with pytest.raises(NotAtHead, match="lacks 1 revision") as behind:
        await write(shop)
    assert "asyncmig upgrade head" in str(behind.value)
    assert len(behind.value.pending) == 1


async def test_without_models_the_error_says_where_to_name_them(shop: Project, models: Models) -> None:
    with pytest.raises(UsageError, match="target_metadata is not set"):
        await write(shop)
    models.declare(target_metadata=sa.MetaData())
    with pytest.raises(UsageError, match="holds no tables"):
        await write(shop)


async def test_a_server_that_does_not_answer_is_an_error_of_its_own(project: Project, models: Models) -> None:
    models.table()
    project.config(url="postgresql://nobody@127.0.0.1:9/none").env(ENV)
    with pytest.raises(ConnectionFailed):
        await write(project)


async def test_offline_compares_with_the_scripts(shop: Project, models: Models, database_url: str) -> None:
    models.table(sa.Column("name", sa.String(50)))
    await write(shop, "one", offline=True)
    assert await write(shop, "none", offline=True) == []
    models.table(sa.Column("name", sa.String(60)))
    (script,) = await write(shop, "two", offline=True)
    assert "sa.String(length=60)" in script
    assert await write(shop, "none", offline=True) == []
    await upgrade(shop)
    async with shop.migrator() as migrator:
        await migrator.check()


async def test_a_hook_may_leave_operations_out(shop: Project, models: Models) -> None:
    def hook(operations: list[Any]) -> list[Any]:
        return [one for one in operations if "secret" not in one.describe()]

    metadata = sa.MetaData()
    sa.Table("secret", metadata, sa.Column("id", sa.Integer, primary_key=True))
    sa.Table("plain", metadata, sa.Column("id", sa.Integer, primary_key=True))
    models.declare(target_metadata=metadata, on_autogenerate=hook)
    (script,) = await write(shop)
    assert '"plain"' in script
    assert "secret" not in script
    models.declare(target_metadata=metadata, on_autogenerate=lambda operations: [])
    assert await write(shop, offline=True) == []


async def test_a_hook_of_alembics_signature_gets_directives(shop: Project, models: Models) -> None:
    def leave_out_empty(context: Any, revision: Any, directives: list[Any]) -> None:
        if len(directives[0].upgrade_ops.ops) < 2:
            directives[:] = []

    models.table(on_autogenerate=leave_out_empty)
    assert await write(shop) == []


async def test_a_hook_of_another_signature_is_refused_in_words(shop: Project, models: Models) -> None:
    models.table(on_autogenerate=lambda context, operations: operations)
    with pytest.raises(UsageError, match=r"on_autogenerate takes the list of operations.* this one takes 2"):
        await write(shop)


async def test_check_tells_every_difference(shop: Project, models: Models, database_url: str) -> None:
    models.table()
    await write(shop)
    await upgrade(shop)
    models.table(sa.Column("name", sa.Text))
    with pytest.raises(CheckFailed, match="1 difference") as failed:
        async with shop.migrator() as migrator:
            await migrator.check()
    assert failed.value.data["differences"] == [
        {"sign": "+", "description": "Add column account.name", "operation": "add_column", "objects": ("account",)}
    ]


async def test_several_histories_get_a_script_each(shop: Project, models: Models, databases: Any) -> None:
    models.table()
    for name in ("one", "two"):
        (shop.versions / name).mkdir()
    places = {
        name: {"url": databases(), "version_locations": [f"migrations/versions/{name}"]} for name in ("one", "two")
    }
    shop.config(databases=places)
    done = shop.run("revision", "--autogenerate", "-m", "x", env={"PYTHONPATH": str(shop.folder)})
    assert done.code == 2  # models_under_test is no module of the command's own process
    shop.file("models_under_test.py", _MODULE)
    done = shop.run("revision", "--autogenerate", "-m", "x").expect()
    assert [Path(line).parent.name for line in done.stdout.splitlines()] == ["one", "two"]
    assert "[two] + Create table account" in done.stderr
    for name in ("one", "two"):
        shop.run("-n", name, "upgrade").expect()
    assert [tables(places[name]["url"])[0] for name in ("one", "two")] == ["account", "account"]


_MODULE = """\
import sqlalchemy as sa

metadata = sa.MetaData()
sa.Table("account", metadata, sa.Column("id", sa.Integer, primary_key=True))
ENVIRONMENT = {"target_metadata": metadata}
"""
