"""`alembic` is ours inside a run, the installed one outside, and missing where it is not installed: by context."""

import asyncio
import importlib
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from textwrap import dedent

import pytest
from alembic.operations.ops import MigrateOperation as InstalledMigrateOperation

from asyncmig import Config
from asyncmig.alembic_names import catalog, project_imports
from asyncmig.dialects.registry import dialect_for
from asyncmig.environment import Context
from asyncmig.operations.recorder import Recorder
from asyncmig.operations.sink import running

Run = Callable[..., AbstractContextManager[Recorder]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """A run of an adopted project, with a step that is recorded."""

    @contextmanager
    def made(*, compat: bool = True, x: tuple[str, ...] = ()) -> Iterator[Recorder]:
        config = Config.from_values(here=tmp_path, script_location="migrations", alembic_compat=compat, environ={})
        recorder = Recorder("script.py", dialect_for("sqlite").sqlalchemy)
        with project_imports(Context(config, x)), running(recorder):
            yield recorder

    return made


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], object]]:
    """Writes a module and imports it; it is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names: list[str] = []

    def imported(name: str, text: str) -> object:
        (tmp_path / f"{name}.py").write_text(dedent(text))
        importlib.invalidate_caches()
        names.append(name)
        return importlib.import_module(name)

    yield imported
    for name in names:
        del sys.modules[name]


def test_names_are_ours_inside_and_installed_outside(run: Run) -> None:
    from alembic import op

    with run() as recorder:
        op.execute("SELECT 1")
    assert [item.operation.describe() for item in recorder.items] == ["Execute SELECT 1"]
    with pytest.raises(NameError, match="proxy object"):
        op.execute("SELECT 1")


def test_nothing_is_left_in_sys_modules_or_meta_path(run: Run) -> None:
    import alembic.op

    before = {name: (module, type(module)) for name, module in sys.modules.items() if name.startswith("alembic")}
    finders = list(sys.meta_path)
    with run(), run():
        assert type(alembic.op) is not before["alembic.op"][1]
    assert {name: (sys.modules[name], type(sys.modules[name])) for name in before} == before
    assert sys.meta_path == finders
    assert "_proxy" not in vars(alembic.op)


def test_nothing_happens_without_alembic_compat(run: Run) -> None:
    from alembic import op

    finders = list(sys.meta_path)
    with run(compat=False), pytest.raises(NameError, match="proxy object"):
        assert sys.meta_path == finders
        op.execute("SELECT 1")


@pytest.mark.parametrize("when", ["before", "during"])
def test_helper_works_in_every_run_whenever_it_was_imported(
    run: Run, module: Callable[[str, str], object], when: str
) -> None:
    text = """
        from alembic import op
        from alembic.op import execute

        def work():
            op.execute("SELECT 1")
            execute("SELECT 2")
    """
    name = f"helper_imported_{when}"
    helper = module(name, text) if when == "before" else None
    with run() as first:
        helper = helper or module(name, text)
        helper.work()  # type: ignore[attr-defined]
    with run() as second:
        helper.work()  # type: ignore[attr-defined]
    for recorder in (first, second):
        assert [item.operation.sql for item in recorder.items] == ["SELECT 1", "SELECT 2"]  # type: ignore[attr-defined]
    with pytest.raises(NameError):
        helper.work()  # type: ignore[attr-defined]


def test_installed_alembic_works_in_another_thread_during_a_run(run: Run, tmp_path: Path) -> None:
    """The other thread runs an operation through the installed alembic while a run is under way here."""
    entered, done = threading.Event(), threading.Event()
    found: list[object] = []

    def other() -> None:
        import sqlalchemy as sa
        from alembic import op
        from alembic.migration import MigrationContext
        from alembic.operations import Operations

        entered.wait(10)
        with sa.create_engine(f"sqlite:///{tmp_path}/other.db").begin() as connection:
            with Operations.context(MigrationContext.configure(connection)):
                op.create_table("t", sa.Column("id", sa.Integer))
            found.append(sa.inspect(connection).get_table_names())
        done.set()

    thread = threading.Thread(target=other)
    thread.start()
    with run() as recorder:
        entered.set()
        assert done.wait(10)
        from alembic import op

        op.execute("SELECT 1")
    thread.join()
    assert found == [["t"]]
    assert len(recorder.items) == 1


def test_runs_in_two_threads_do_not_notice_each_other(run: Run, module: Callable[[str, str], object]) -> None:
    helper = module("helper_of_two", 'from alembic import op\ndef work(n):\n    op.execute(f"SELECT {n}")\n')
    barrier = threading.Barrier(2, timeout=10)
    recorded: dict[int, list[str]] = {}

    def work(number: int) -> None:
        for _ in range(20):
            with run() as recorder:
                barrier.wait()
                helper.work(number)  # type: ignore[attr-defined]
            recorded.setdefault(number, []).extend(str(item.operation.sql) for item in recorder.items)  # type: ignore[attr-defined]

    threads = [threading.Thread(target=work, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert recorded == {1: ["SELECT 1"] * 20, 2: ["SELECT 2"] * 20}


async def test_another_task_is_outside(run: Run) -> None:
    from alembic import op

    async def host() -> str:
        await started.wait()
        try:
            op.execute("SELECT 1")
        except NameError:
            return "installed"
        return "ours"

    started = asyncio.Event()
    task = asyncio.create_task(host())
    with run():
        started.set()
        assert await task == "installed"


@pytest.mark.parametrize("name", list(catalog.MODULES))
def test_every_module_imports_with_its_names(run: Run, name: str) -> None:
    with run():
        found = importlib.import_module(name)
        for attribute in catalog.public_names(name):
            if (name, attribute) != ("alembic.op", "impl"):
                assert getattr(found, attribute) is not None
        assert set(catalog.public_names(name)) <= set(dir(found))


def test_star_import_brings_directives(run: Run) -> None:
    names: dict[str, object] = {}
    with run() as recorder:
        exec("from alembic.op import *\nexecute('SELECT 1')", names)
    assert len(recorder.items) == 1 and "create_table" in names


def test_undocumented_modules_are_the_installed_ones(run: Run) -> None:
    with run():
        from alembic.command import upgrade
        from alembic.util import sqla_compat
    assert upgrade.__module__ == "alembic.command" and sqla_compat.__name__ == "alembic.util.sqla_compat"


def test_context_answers_from_the_run(run: Run, tmp_path: Path) -> None:
    (tmp_path / "alembic.ini").write_text(
        "[alembic]\nscript_location = migrations\nmine = 50%%\n[other]\nkey = value\n"
    )
    with run(x=("a=1", "b=2", "b=3")):
        from alembic import context

        assert context.get_x_argument() == ["a=1", "b=2", "b=3"]
        assert context.get_x_argument(as_dictionary=True) == {"a": "1", "b": "3"}
        assert context.is_offline_mode() is False
        assert context.get_context().dialect.name == "sqlite"
        assert context.config.get_main_option("mine") == "50%"
        assert context.config.get_section("other") == {"here": str(tmp_path), "key": "value"}
        assert context.config.get_section("missing", {"a": "b"}) == {"a": "b"}
        context.config.set_main_option("sqlalchemy.url", "sqlite:///p%%40.db")
        assert context.config.get_main_option("sqlalchemy.url") == "sqlite:///p%40.db"
        with pytest.raises(Exception, match="asyncmig runs the migrations itself"):
            context.run_migrations()


def test_plug_in_registered_with_the_installed_alembic_runs(run: Run) -> None:
    """A plug-in that the application imported before the run, with the installed alembic."""
    from alembic.operations import Operations

    class Shout(InstalledMigrateOperation):
        def __init__(self, word: str) -> None:
            self.word = word

        @classmethod
        def shout(cls, operations: Operations, word: str) -> object:
            return operations.invoke(cls(word))

    Operations.register_operation("shout")(Shout)
    Operations.implementation_for(Shout)(lambda operations, op: operations.execute(f"SELECT '{op.word}'"))
    with run() as recorder:
        from alembic import op

        op.shout("hello")  # type: ignore[attr-defined]
    assert [item.operation.sql for item in recorder.items] == ["SELECT 'hello'"]  # type: ignore[attr-defined]


def test_plug_in_registered_inside_a_run_goes_before_a_directive_of_the_same_name(run: Run) -> None:
    """The replaceable objects of Alembic's cookbook are called create_view and the like."""
    with run() as recorder:
        from alembic import op
        from alembic.autogenerate import comparators, renderers
        from alembic.operations import MigrateOperation, Operations

        @Operations.register_operation("rename_table", "go")
        class Renamed(MigrateOperation):
            @classmethod
            def go(cls, operations: Operations, name: str) -> object:
                return operations.invoke(cls())

        @Operations.implementation_for(Renamed)
        def run_it(operations: Operations, operation: Renamed) -> None:
            operations.execute(f"-- {operations.migration_context.dialect.name}")
            operations.impl._exec("SELECT 2")

        @renderers.dispatch_for(Renamed)
        def render(autogen_context: object, op: Renamed) -> str:
            return "op.rename_table('x')"

        @comparators.dispatch_for("schema")
        def compare(autogen_context: object, upgrade_ops: object, schemas: object) -> None: ...

        try:
            op.rename_table("x")  # type: ignore[call-arg]
        finally:
            delattr(Operations, "rename_table")
        assert renderers.dispatch(Renamed())(None, None) == "op.rename_table('x')"
    assert [item.operation.sql for item in recorder.items] == ["-- sqlite", "SELECT 2"]  # type: ignore[attr-defined]


def test_operation_without_implementation_is_refused(run: Run) -> None:
    with run():
        from alembic import op
        from alembic.operations import MigrateOperation

        with pytest.raises(Exception, match="Nobody said how to run MigrateOperation"):
            op.invoke(MigrateOperation())


def test_standard_operations_run_their_directive(run: Run) -> None:
    import sqlalchemy as sa

    with run() as recorder:
        from alembic import op
        from alembic.operations import ops

        op.invoke(ops.CreateTableOp("t", [sa.Column("id", sa.Integer)]))
        op.invoke(ops.AddColumnOp("t", sa.Column("b", sa.Integer)))
        op.invoke(ops.DropTableOp("t"))
        op.invoke(ops.ExecuteSQLOp("SELECT 1"))
    assert [item.operation.describe() for item in recorder.items] == [
        "Create table t with column id",
        "Add column t.b",
        "Drop table t",
        "Execute SELECT 1",
    ]


def test_rewriter_replaces_and_drops_operations(run: Run) -> None:
    with run():
        from alembic.autogenerate import rewriter
        from alembic.operations import ops

        first, second = rewriter.Rewriter(), rewriter.Rewriter()
        first.rewrites(ops.DropTableOp)(lambda context, revision, op: [])
        second.rewrites(ops.AddColumnOp)(lambda context, revision, op: [op, ops.ExecuteSQLOp("SELECT 1")])
        script = ops.MigrationScript(
            "a",
            ops.UpgradeOps([ops.ModifyTableOps("t", [ops.AddColumnOp("t", None)])]),
            ops.DowngradeOps([ops.DropTableOp("t")]),
        )
        first.chain(second)(None, None, [script])
        assert script.downgrade_ops.is_empty()
        assert [type(op).__name__ for op in script.upgrade_ops.ops[0].ops] == ["AddColumnOp", "ExecuteSQLOp"]  # type: ignore[attr-defined]


WITHOUT_ALEMBIC = """
import importlib.machinery, sys
real = importlib.machinery.PathFinder.find_spec
importlib.machinery.PathFinder.find_spec = staticmethod(
    lambda name, path=None, target=None: None if name == "alembic" else real(name, path, target)
)
from pathlib import Path
from asyncmig import Config
from asyncmig.alembic_names import project_imports
from asyncmig.dialects.registry import dialect_for
from asyncmig.environment import Context
from asyncmig.operations.recorder import Recorder
from asyncmig.operations.sink import running

config = Config.from_values(here=Path.cwd(), script_location="migrations", alembic_compat=True, environ={})
def run():
    recorder = Recorder("script.py", dialect_for("sqlite").sqlalchemy)
    with project_imports(Context(config)), running(recorder):
        import alembic, alembic.op
        from alembic import op, context
        from alembic.op import execute
        from alembic.operations.base import BatchOperations
        from alembic.autogenerate import renderers
        from alembic.runtime.migration import MigrationContext
        from alembic.util import CommandError
        assert alembic.operations.ops.MigrateOperation and alembic.__version__
        assert isinstance(op.get_context(), MigrationContext)
        op.execute("SELECT 1")
        execute("SELECT 2")
        import helper
        helper.work()
        try:
            import alembic.command
        except ModuleNotFoundError:
            pass
        else:
            raise AssertionError("alembic.command is not ours")
    assert [item.operation.sql for item in recorder.items] == ["SELECT 1", "SELECT 2", "SELECT 3", "SELECT 4"]
    return op, execute

def absent():
    assert not [name for name in sys.modules if name.partition(".")[0] == "alembic"], sys.modules.keys()
    try:
        import alembic
    except ModuleNotFoundError:
        return
    raise AssertionError("alembic can be imported")

absent()
op, execute = run()
absent()
run()
absent()
assert not hasattr(op, "execute")
try:
    execute("SELECT 1")
except Exception as error:
    assert type(error).__name__ == "NoMigrationRunning", error
else:
    raise AssertionError("a kept function ran outside")
print("done")
"""


def test_without_alembic_installed(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text(
        'from alembic import op\nfrom alembic.op import execute\ndef work():\n    op.execute("SELECT 3")\n    execute("SELECT 4")\n'
    )
    # A project's own folder of scripts is often called alembic, and is no alembic.
    (tmp_path / "alembic").mkdir()
    (tmp_path / "alembic" / "__init__.py").write_text("raise AssertionError('imported')")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_ALEMBIC], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr


def test_alembic_is_imported_no_earlier_than_a_script_asks(tmp_path: Path) -> None:
    text = """
        import sys
        from pathlib import Path
        from asyncmig import Config
        from asyncmig.alembic_names import project_imports
        from asyncmig.environment import Context
        config = Config.from_values(here=Path.cwd(), script_location="m", alembic_compat=True, environ={})
        with project_imports(Context(config)):
            assert "alembic" not in sys.modules and "sqlalchemy" not in sys.modules
    """
    done = subprocess.run([sys.executable, "-c", dedent(text)], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
