"""Recording a script: what it does is kept, what only a database can answer is refused with its line."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from asyncmig import op
from asyncmig.errors import DynamicScript, NoMigrationRunning, ScriptError
from asyncmig.operations.context import ContextSettings
from asyncmig.operations.recorder import Recorder, record
from asyncmig.operations.sink import StepOwner, current_sink, running

HERE = Path(__file__)


def recorder(**keywords) -> Recorder:
    return Recorder(HERE, postgresql.dialect(), **keywords)


def sentences(function) -> list[str]:
    return [operation.describe() for operation in record(function, recorder()).operations]


def line_with(text: str) -> int:
    return next(n for n, line in enumerate(HERE.read_text().splitlines(), 1) if text in line)


def test_operations_are_kept_in_order_with_their_lines():
    def upgrade():
        op.execute("select 1")
        op.drop_table("marked")  # line of the drop

    recording = record(upgrade, recorder())
    assert [item.operation.describe() for item in recording] == ["Execute select 1", "Drop table marked"]
    assert [item.origin.line for item in recording][1] == line_with("# line of the drop")
    assert recording.script == HERE


def test_autocommit_blocks_mark_what_stands_in_them():
    def upgrade():
        op.execute("1")
        with op.autocommit_block():
            op.execute("2")
            with op.get_context().autocommit_block():
                op.execute("3")
            op.execute("4")
        with op.get_context().begin_transaction():
            op.execute("5")

    assert [item.autocommit for item in record(upgrade, recorder())] == [False, True, True, True, False]


def test_an_async_script_that_waits_for_nothing_is_recorded():
    async def more():
        op.execute("2")

    async def upgrade():
        op.execute("1")
        await more()

    assert sentences(upgrade) == ["Execute 1", "Execute 2"]


async def ask_connection():
    op.execute("1")
    await op.connection()  # asks for the connection


async def sleep():
    op.execute("1")
    await asyncio.sleep(0)  # sleeps


async def sleep_in_helper():
    await sleep()


def ask_bind():
    op.execute("1")
    op.get_bind().execute(sa.text("select 1"))  # asks for the bind


def ask_context():
    op.execute("1")
    op.get_context().connection.execute(sa.text("select 1"))  # asks the context


def ask_async():
    op.run_async(sleep)  # runs async


def swallow():
    op.execute("1")
    try:
        op.get_bind().commit()  # swallows
    except Exception:
        op.execute("2")


def rewrap():
    try:
        sa.inspect(op.get_bind())  # wraps
    except DynamicScript as error:
        raise ValueError("mine") from error


def raise_without_database():
    bind = op.get_bind()  # raises
    if not isinstance(bind, sa.Connection):
        raise TypeError("no connection")


DYNAMIC = [
    (raise_without_database, "# raises"),
    (ask_connection, "# asks for the connection"),
    (sleep, "# sleeps"),
    (sleep_in_helper, "# sleeps"),
    (ask_bind, "# asks for the bind"),
    (ask_context, "# asks the context"),
    (ask_async, "# runs async"),
    (swallow, "# swallows"),
    (rewrap, "# wraps"),
]


@pytest.mark.parametrize(("upgrade", "mark"), DYNAMIC, ids=[function.__name__ for function, _ in DYNAMIC])
def test_what_needs_the_database_is_dynamic_with_its_line_and_never_half_recorded(upgrade, mark):
    with pytest.raises(DynamicScript) as caught:
        record(upgrade, recorder())
    assert (caught.value.path, caught.value.line) == (HERE, line_with(mark))
    assert caught.value.hint


def test_an_error_of_the_script_comes_through():
    def upgrade():
        op.execute("1")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        record(upgrade, recorder())
    assert current_sink.get(None) is None


def test_the_context_answers_without_a_database():
    settings = ContextSettings(
        opts={"mine": 1}, version_table="v", version_table_schema="s", config="config", as_sql=True
    )
    seen = {}

    def upgrade():
        context = op.get_context()
        seen.update(
            dialect=context.dialect.name,
            bind=context.bind,
            connection=context.connection,
            as_sql=context.as_sql,
            opts=context.opts["mine"],
            version_table=context.version_table,
            schema=context.version_table_schema,
            config=context.config,
            result=context.execute("select 1"),
        )

    recording = record(upgrade, recorder(settings=settings))
    assert seen == {
        "dialect": "postgresql",
        "bind": None,
        "connection": None,
        "as_sql": True,
        "opts": 1,
        "version_table": "v",
        "schema": "s",
        "config": "config",
        "result": None,
    }
    (item,) = recording
    assert (item.operation.describe(), item.origin is not None) == ("Execute select 1", True)


def read_rows():
    for _ in op.get_bind().execute(sa.text("select 1")):
        op.execute("1")


def read_whether():
    if op.get_bind().execute(sa.text("select 1")):
        op.execute("1")


def read_value():
    op.get_bind().execute(sa.text("select 1")).scalar()


def update_with_parameters():
    op.get_bind().execute(sa.update(sa.table("t", sa.column("x"))), [{"x": 1}])


@pytest.mark.parametrize("function", [read_rows, read_whether, read_value, update_with_parameters])
def test_for_sql_a_result_is_refused(function):
    with pytest.raises(DynamicScript, match="as_sql"):
        record(function, recorder(settings=ContextSettings(as_sql=True)))


def test_for_sql_the_bind_writes_down_what_it_executes():
    def upgrade():
        bind = op.get_bind()
        bind.execute(sa.text("update t set x = :x"), {"x": 1})
        bind.execute(sa.insert(sa.table("t", sa.column("x"))), [{"x": 1}, {"x": 2}])
        kind = sa.Enum("a", "b", name="kind")
        kind.create(bind.execution_options(), checkfirst=True)
        sa.Table("u", sa.MetaData(), sa.Column("id", sa.Integer, index=True)).create(bind.connect())
        kind.drop(bind, checkfirst=False)

    operations = record(upgrade, recorder(settings=ContextSettings(as_sql=True))).operations
    assert [operation.describe() for operation in operations] == [
        "Execute update t set x = :x",
        "Execute INSERT INTO t (x) VALUES (:x)",
        "Execute INSERT INTO t (x) VALUES (:x)",
        "Create enum kind (a, b)",
        "Execute CREATE TABLE u ( id INTEGER )",
        "Execute CREATE INDEX ix_u_id ON u (id)",
        "Drop enum kind",
    ]
    assert [operation.sql.compile().params for operation in operations[:3]] == [{"x": 1}, {"x": 1}, {"x": 2}]
    assert (operations[3].if_not_exists, operations[6].if_exists) == (True, False)


def make_coroutine():
    async def later():
        op.execute("1")

    return later()


def yield_one():
    op.execute("1")
    yield


async def yield_async():
    op.execute("1")
    yield


async def return_coroutine():
    return make_coroutine()


def return_awaitable():
    class Later:
        def __await__(self):
            return iter(())

    return Later()


@pytest.mark.parametrize(
    ("upgrade", "what"),
    [
        (make_coroutine, "a coroutine that nobody awaits.*`async def"),
        (yield_one, "a generator that nobody iterates.*yield"),
        (yield_async, "an async generator that nobody iterates.*yield"),
        (return_coroutine, "a coroutine that nobody awaits"),
        (return_awaitable, "a Later that nobody awaits"),
    ],
)
def test_a_script_that_was_not_run_is_an_error_naming_the_file(upgrade, what):
    with pytest.raises(ScriptError, match=what) as caught:
        record(upgrade, recorder())
    assert caught.value.path == HERE


@pytest.mark.parametrize("value", [None, 1, [], sa.text("select 1"), make_coroutine, op])
def test_any_other_result_is_nobodys_business(value):
    assert sentences(lambda: value) == []


def test_op_from_a_foreign_thread_is_refused():
    def upgrade():
        # A copied context is what asyncio.to_thread gives its threads.
        with ThreadPoolExecutor(1) as pool:
            pool.submit(contextvars.copy_context().run, op.execute, "1").result()

    with pytest.raises(NoMigrationRunning, match="another thread"):
        record(upgrade, recorder())


async def test_op_from_a_child_task_is_refused():
    owner = StepOwner(asyncio.current_task)
    owner.check()

    async def child():
        owner.check()

    with pytest.raises(NoMigrationRunning, match="a task that the migration started"):
        await asyncio.create_task(child())


def test_two_threads_record_without_noticing_each_other():
    barrier = threading.Barrier(2)

    def recorded(name: str) -> list[str]:
        def upgrade():
            for n in range(50):
                if n % 10 == 0:
                    barrier.wait(5)
                op.execute(f"{name} {n}")

        return sentences(upgrade)

    with ThreadPoolExecutor(2) as pool:
        results = [future.result() for future in [pool.submit(recorded, name) for name in "ab"]]
    assert results == [[f"Execute {name} {n}" for n in range(50)] for name in "ab"]


def test_running_restores_the_sink_that_was_there():
    outer, inner = Recorder(HERE, sqlite.dialect()), Recorder(HERE, sqlite.dialect())
    with running(outer):
        with running(inner):
            op.execute("inner")
        op.execute("outer")
    assert [len(outer.items), len(inner.items)] == [1, 1]
    assert current_sink.get(None) is None


def test_a_script_may_ask_the_connection_for_its_dialect():
    def upgrade():
        bind = op.get_bind()
        if bind.dialect.name == bind.engine.name == bind.engine.dialect.name == op.get_context().bind.dialect.name:
            op.execute(f"-- {bind.dialect.name}")

    (item,) = record(upgrade, Recorder(__file__, sqlite.dialect()))
    assert item.operation.sql == "-- sqlite"
