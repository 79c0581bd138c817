"""The pytest plugin in the runs of projects: each in a process of its own."""

import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import entry_points

import pytest
import servers
from projects import Project

pytest_plugins = ["pytester"]

ACCOUNT = 'op.create_table("account", sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))'
ENV = """
import sqlalchemy as sa
from asyncmig import Environment

metadata = sa.MetaData()
sa.Table("account", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.String(20)))
environment = Environment(target_metadata=metadata)
"""
# One round trip through a migrated engine, and the proof that it is this test's own copy.
USE = """
import sqlalchemy as sa

async def use(engine):
    async with engine.begin() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM account"))).scalar() == 0
        await connection.execute(sa.text("INSERT INTO account (name) VALUES ('x')"))

async def migrate(migrator):
    assert (await migrator.upgrade()).applied == ("a1",)
"""
# Installed, the plugin loads by its entry point; from a bare checkout it must be named.
LOADED = (
    [] if any(one.name == "asyncmig" for one in entry_points(group="pytest11")) else ["-p", "asyncmig.testing.plugin"]
)

# Plugins that others bring along, and that take two thirds of what a run costs.
UNUSED = [part for name in ("cacheprovider", "faker", "xdist", "hypothesispytest") for part in ("-p", f"no:{name}")]


@pytest.fixture
def run(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    def run(*arguments: str) -> pytest.RunResult:
        return pytester.runpytest_subprocess(
            *LOADED, "-p", "no:cacheprovider", "-p", "no:faker", *arguments, timeout=120
        )

    return run


@pytest.fixture
def shop(pytester: pytest.Pytester, database_url: str) -> Project:
    shop = Project.create(pytester.path).config(url=database_url).env(ENV)
    return shop.revision("a1", upgrade=ACCOUNT, downgrade='op.drop_table("account")')


def databases_of(url: str) -> list[str]:
    """What is left of the databases of the tests."""
    found = servers.rows(url, "SELECT datname FROM pg_database WHERE datname LIKE 'asyncmig_test_%'")
    return [name for (name,) in found]


@pytest.mark.subset
def test_the_migrations_of_the_project_are_tested(
    shop: Project, database_url: str, database_kind: str, run: Callable[..., pytest.RunResult]
) -> None:
    result = run("--test-migrations", "-v")
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["migrations::test_up_down_consistency PASSED*"])
    if database_kind == "postgresql":
        assert databases_of(database_url) == []
        assert servers.tables(database_url) == []
    else:
        assert not servers.sqlite_path(database_url).exists()


def test_nothing_is_collected_without_the_option(shop: Project, run: Callable[..., pytest.RunResult]) -> None:
    shop.file("test_mine.py", "def test_mine(): pass")
    run().assert_outcomes(passed=1)
    run("--test-migrations", "-k", "mine or single_head").assert_outcomes(passed=2, deselected=5)
    run("--test-migrations", "-k", "migrations and not down").assert_outcomes(passed=4, deselected=3)


BROKEN = {
    "two heads": (lambda shop: shop.revision("b2").revision("c3"), "test_single_head", "3 heads: a1, b2, c3"),
    "a failing upgrade": (
        lambda shop: shop.revision("b2", "a1", upgrade='op.execute("SELECT * FROM nowhere")'),
        "test_upgrade",
        "Upgrade of b2*nowhere",
    ),
    "a failing downgrade": (
        lambda shop: shop.revision("b2", "a1", downgrade='op.drop_table("nowhere")'),
        "test_downgrade",
        "Downgrade of b2*nowhere",
    ),
    "a downgrade that forgets": (
        lambda shop: shop.revision(
            "b2", "a1", upgrade='op.create_table("t", sa.Column("id", sa.Integer, primary_key=True))'
        ),
        "test_up_down_consistency",
        "After the downgrade of b2 the database is not as it was*- Drop table t*",
    ),
    "a model without its revision": (
        lambda shop: shop.env(
            ENV.replace('"name", sa.String(20))', '"name", sa.String(20)), sa.Column("age", sa.Integer)')
        ),
        "test_models_match",
        "The models and the migrations differ: + Add column account.age*",
    ),
    "an upgrade that deletes": (
        lambda shop: shop.revision("b2", "a1", upgrade='op.execute("DELETE FROM account")'),
        "test_data_kept",
        "The upgrade to b2 loses 1 of 1 rows of account",
    ),
}


# A sentence is the same wherever it comes from; what a database itself says is in two of them.
@pytest.mark.parametrize(
    ("database_kind", "name"),
    [
        *(("sqlite", name) for name in BROKEN),
        ("postgresql", "a failing upgrade"),
        ("postgresql", "an upgrade that deletes"),
    ],
)
def test_a_broken_history_is_told_in_a_sentence(name: str, shop: Project, run: Callable[..., pytest.RunResult]) -> None:
    breaks, test, sentence = BROKEN[name]
    breaks(shop)
    result = run("--test-migrations", "-k", test)
    result.assert_outcomes(failed=1, deselected=5)
    result.stdout.fnmatch_lines([f"*{sentence}*"])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*project_tests.py*in*")
    result.stdout.no_fnmatch_line("*another exception*")
    result.stdout.no_fnmatch_line("*direct cause*")


def test_without_models_they_are_not_compared(shop: Project, run: Callable[..., pytest.RunResult]) -> None:
    (shop.folder / "migrations" / "env.py").unlink()
    run("--test-migrations").assert_outcomes(passed=5, skipped=1)


PLUGINS = {
    "pytest-asyncio, auto": (
        "asyncio_mode = auto\nasyncio_default_fixture_loop_scope = function",
        "",
        ["-p", "no:anyio"],
    ),
    "pytest-asyncio, strict": (
        "asyncio_mode = strict\nasyncio_default_fixture_loop_scope = function",
        "import pytest\npytestmark = pytest.mark.asyncio\n",
        [],
    ),
    "anyio": (
        "",
        "import pytest\npytestmark = pytest.mark.anyio\n@pytest.fixture\ndef anyio_backend(): return 'asyncio'\n",
        ["-p", "no:asyncio"],
    ),
}


@pytest.mark.subset
@pytest.mark.parametrize("name", PLUGINS)
def test_the_fixtures_are_used_in_the_loop_of_the_test(
    name: str, shop: Project, database_url: str, database_kind: str, run: Callable[..., pytest.RunResult]
) -> None:
    ini, head, arguments = PLUGINS[name]
    shop.file("pytest.ini", f"[pytest]\nfilterwarnings = error\n{ini}\n")
    body = """
import asyncio, gc, warnings
from use import migrate, use

@pytest.mark.parametrize("round", range(3))
async def test_use(migrated_engine, migrator, round):
    loop = asyncio.get_running_loop()
    await use(migrated_engine)
    await migrate(migrator)
    assert asyncio.get_running_loop() is loop
    assert migrated_engine.url != (await migrator.site()).url

def test_sync(migrated_engine):
    asyncio.run(use(migrated_engine))
"""
    if "mark.asyncio" in head or "mark.anyio" in head:
        body = body.replace("def test_sync", "def no_test_sync")
    shop.file("use.py", USE)
    (shop.folder / "test_use.py").write_text(f"import pytest\n{head}{body}")
    result = run(*arguments, "-q")
    result.assert_outcomes(passed=3 if "no_test_sync" in body else 4)
    if database_kind == "postgresql":
        assert databases_of(database_url) == []


def test_a_conftest_may_name_the_server_and_the_configuration(
    pytester: pytest.Pytester, postgres_url: str, sqlite_url: str, run: Callable[..., pytest.RunResult]
) -> None:
    shop = Project.create(pytester.path / "db").config(url=sqlite_url).revision("a1", upgrade=ACCOUNT)
    pytester.path.joinpath("tests").mkdir()
    pytester.path.joinpath("tests", "conftest.py").write_text(f"""
import pytest
from asyncmig import Config

@pytest.fixture(scope="session")
def asyncmig_url():
    return {postgres_url!r}

@pytest.fixture(scope="session")
def asyncmig_config():
    return Config.from_values(script_location={str(shop.folder / "migrations")!r})
""")
    pytester.path.joinpath("tests", "test_it.py").write_text(
        "def test_it(migrated_engine): assert migrated_engine.dialect.name == 'postgresql'"
    )
    run("--test-migrations", "-k", "upgrade or test_it").assert_outcomes(passed=2, deselected=5)


@pytest.mark.parametrize("how", ["options", "ini"])
def test_options_name_the_configuration_and_the_server(
    how: str, pytester: pytest.Pytester, postgres_url: str, run: Callable[..., pytest.RunResult]
) -> None:
    shop = Project.create(pytester.path / "db").config(databases={"shop": {"url": "sqlite:///never.db"}})
    shop.revision("a1", upgrade=ACCOUNT)
    pytester.path.joinpath("test_it.py").write_text(
        "def test_it(migrated_engine): assert migrated_engine.dialect.name == 'postgresql'"
    )
    given = {"config": "db/asyncmig.toml", "name": "shop", "url": postgres_url}
    if how == "ini":
        lines = "".join(f"asyncmig_{name} = {value}\n" for name, value in given.items())
        pytester.path.joinpath("pytest.ini").write_text(f"[pytest]\n{lines}")
        run("test_it.py").assert_outcomes(passed=1)
    else:
        run(*[f"--asyncmig-{name}={value}" for name, value in given.items()]).assert_outcomes(passed=1)


def test_a_role_that_may_not_create_databases_is_told_so(
    pytester: pytest.Pytester,
    postgres_server: servers.PostgresServer,
    postgres_url: str,
    run: Callable[..., pytest.RunResult],
) -> None:
    name = f"poor_{postgres_url.rpartition('_')[2]}"
    admin = postgres_server.superuser_url()
    servers.execute(admin, f"CREATE ROLE {name} LOGIN PASSWORD 'poor'")
    try:
        url = postgres_server.url(postgres_url.rpartition("/")[2], user=name, password="poor")
        Project.create(pytester.path).config(url=url).revision("a1", upgrade=ACCOUNT)
        result = run("--test-migrations", "-k", "test_upgrade")
        result.assert_outcomes(errors=1, deselected=5)
        result.stdout.fnmatch_lines(["*AccessDenied*give the role CREATEDB*--asyncmig-url*"])
    finally:
        servers.execute(admin, f"DROP ROLE {name}")


def test_loading_the_plugin_imports_nothing_but_itself() -> None:
    program = (
        "import sys, pytest; before = set(sys.modules); import asyncmig.testing.plugin;"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["asyncmig", "asyncmig.testing", "asyncmig.testing.plugin"]


def test_a_run_that_uses_none_of_it_never_loads_sqlalchemy(
    pytester: pytest.Pytester, run: Callable[..., pytest.RunResult]
) -> None:
    pytester.makepyfile("import sys\ndef test_it(): assert 'sqlalchemy' not in sys.modules")
    run().assert_outcomes(passed=1)
