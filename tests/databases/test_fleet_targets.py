"""A fleet brings many databases and schemas to a revision: each on its own, on connections that are shared and cleaned."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import servers
from projects import Project
from sqlalchemy.ext.asyncio import create_async_engine

from asyncmig.config.fleet import FleetSettings
from asyncmig.database.events import Event, StepFailed, StepFinished, StepStarted
from asyncmig.errors import FleetFailed, RevisionNotFound, ScriptError, UsageError
from asyncmig.fleet import Query, Target, TargetFinished, TargetOutcome, TargetResult, TargetState

ACCOUNT = 'op.create_table("account", sa.Column("id", sa.Integer, primary_key=True))'
EMAIL = 'op.add_column("account", sa.Column("email", sa.String(50)))'
# Fails where somebody made the table before.
ORDERS = 'op.create_table("orders", sa.Column("id", sa.Integer, primary_key=True))'


@pytest.fixture
def shop(project: Project) -> Project:
    project.revision("a1", upgrade=ACCOUNT, downgrade='op.drop_table("account")')
    project.revision("b2", "a1", upgrade=EMAIL, downgrade='op.drop_column("account", "email")')
    return project.revision("c3", "b2", upgrade=ORDERS, downgrade='op.drop_table("orders")')


def files(folder: Path, count: int) -> list[str]:
    return [servers.sqlite_url(folder / f"tenant{number}.db") for number in range(count)]


def schemas(url: str, count: int) -> list[str]:
    names = [f"tenant{number}" for number in range(count)]
    servers.execute(url, *(f"CREATE SCHEMA {name}" for name in names))
    return names


@pytest.fixture
def tenants(shop: Project, request: pytest.FixtureRequest, database_kind: str, tmp_path: Path) -> list[str]:
    """Six targets of the project: files, or schemas of its database."""
    if database_kind == "sqlite":
        return files(tmp_path, 6)
    url = request.getfixturevalue("postgres_url")
    shop.config(url=url)
    return schemas(url, 6)


def look(shop: Project, tenant: str) -> tuple[str, str]:
    """The URL of a tenant, and its schema."""
    if "://" in tenant:
        return tenant, "main"
    line = next(line for line in shop.config_file.read_text().splitlines() if line.startswith("url"))
    return line.split('"')[1], tenant


def tables(shop: Project, tenant: str) -> list[str]:
    url, schema = look(shop, tenant)
    return [name for name in servers.tables(url, schema) if not name.startswith("asyncmig")]


def journal(shop: Project, tenant: str) -> list[tuple[str, str]]:
    url, schema = look(shop, tenant)
    return servers.rows(url, f"SELECT revision, outcome FROM {schema}.asyncmig_version_journal ORDER BY id")


def in_the_way(shop: Project, tenant: str) -> None:
    url, schema = look(shop, tenant)
    if schema == "main":
        import sqlite3

        sqlite3.connect(servers.sqlite_path(url)).close()
        servers.sqlite_path(url).touch()
    servers.execute(url, f"CREATE TABLE {schema}.orders (id INTEGER)")


def outcomes(results: tuple[TargetResult, ...]) -> list[str]:
    return [str(result.outcome) for result in results]


@pytest.mark.subset
async def test_every_target_is_brought_up_and_down(shop: Project, tenants: list[str]) -> None:
    fleet = shop.migrator().fleet(tenants, concurrency=3)
    report = await fleet.upgrade()
    assert outcomes(report.results) == ["changed"] * 6
    assert {result.applied for result in report.results} == {("a1", "b2", "c3")}
    for tenant in tenants:
        assert tables(shop, tenant) == ["account", "orders"]
        assert journal(shop, tenant) == [("a1", "applied"), ("b2", "applied"), ("c3", "applied")]
    assert outcomes((await fleet.upgrade()).results) == ["unchanged"] * 6
    assert {result.after for result in (await fleet.downgrade("a1")).results} == {("a1",)}
    assert {tuple(tables(shop, tenant)) for tenant in tenants} == {("account",)}


@pytest.mark.subset
async def test_one_failure_harms_no_other_and_is_tried_again_alone(shop: Project, tenants: list[str]) -> None:
    in_the_way(shop, tenants[2])
    with pytest.raises(FleetFailed, match=r"1 of 6 targets failed\. .*tenant2.*orders.* already exists") as caught:
        await shop.migrator().fleet(tenants).upgrade()
    results = caught.value.report.results
    assert outcomes(results) == ["changed", "changed", "failed", "changed", "changed", "changed"]
    assert (caught.value.exit_code, results[2].applied) == (4, ("a1", "b2"))
    assert journal(shop, tenants[2])[-1] == ("c3", "failed")
    url, schema = look(shop, tenants[2])
    servers.execute(url, f"DROP TABLE {schema}.orders")
    again = await shop.migrator().fleet(tenants, only=[one.target for one in caught.value.report.missed]).upgrade()
    assert [(one.target, one.applied) for one in again.results] == [(results[2].target, ("c3",))]


async def test_a_failing_canary_stops_before_the_others(shop: Project, tenants: list[str]) -> None:
    in_the_way(shop, tenants[1])
    with pytest.raises(FleetFailed, match="4 were not started: 1 of 2 canaries failed") as caught:
        await shop.migrator().fleet(tenants, canary=2).upgrade()
    assert outcomes(caught.value.report.results) == ["changed", "failed", *["not started"] * 4]
    assert look(shop, tenants[5])[1] != "main" or not servers.sqlite_path(tenants[5]).exists()


@pytest.mark.parametrize(("limit", "failures"), [(2, 2), ("50%", 3), (0.5, 3)])
async def test_it_stops_after_so_many_failures(shop: Project, tmp_path: Path, limit: object, failures: int) -> None:
    tenants = files(tmp_path, 6)
    for tenant in tenants:
        in_the_way(shop, tenant)
    fleet = shop.migrator().fleet(tenants, max_failures=limit, concurrency=1)
    with pytest.raises(FleetFailed, match=f"{failures} of 6 targets failed; {6 - failures} were not started") as caught:
        await fleet.upgrade()
    counts = caught.value.report.counts
    assert (counts[TargetOutcome.FAILED], counts[TargetOutcome.NOT_STARTED]) == (failures, 6 - failures)


async def test_the_observer_hears_of_each_target(shop: Project, tmp_path: Path) -> None:
    events: list[TargetFinished] = []

    async def observe(event: TargetFinished) -> None:
        await asyncio.sleep(0)
        events.append(event)

    await shop.migrator().fleet(files(tmp_path, 4), observer=observe).upgrade("a1")
    assert [(event.done, event.total) for event in events] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert events[-1].counts[TargetOutcome.CHANGED] == 4


async def test_scripts_are_loaded_once_and_their_functions_run_for_each(shop: Project, tmp_path: Path) -> None:
    log = tmp_path / "log"
    shop.revision(
        "d4",
        "c3",
        upgrade=f'with open({str(log)!r}, "a") as log: log.write("run ")',
        before=f'with open({str(log)!r}, "a") as log: log.write("load ")',
    )
    await shop.migrator().fleet(files(tmp_path, 5), concurrency=3).upgrade()
    assert sorted(log.read_text().split()) == ["load", *["run"] * 5]


async def test_a_broken_script_is_said_once(shop: Project, tmp_path: Path) -> None:
    shop.revision("d4", "c3", upgrade="pass", before="raise RuntimeError('broken')")
    with pytest.raises(ScriptError, match="broken"):
        await shop.migrator().fleet(files(tmp_path, 5), concurrency=1).upgrade()
    assert sum(path.exists() for path in map(servers.sqlite_path, files(tmp_path, 5))) == 1


async def test_an_unknown_revision_is_said_before_anything_is_connected_to(shop: Project, tmp_path: Path) -> None:
    with pytest.raises(RevisionNotFound):
        await shop.migrator().fleet(files(tmp_path, 2)).upgrade("nothing")
    assert not list(tmp_path.glob("*.db"))


# where targets come from


async def test_a_query_a_function_a_file_and_databases_name_targets(
    project: Project, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = schemas(postgres_url, 2)
    servers.execute(postgres_url, "CREATE TABLE tenant (name text)", "INSERT INTO tenant VALUES ('tenant0')")
    project.config(url=postgres_url, databases={"one": {"url": files(tmp_path, 1)[0]}}).revision("a1")
    project.file("named_tenants.py", "async def every():\n    yield 'tenant0'\n    yield 'tenant1'\n")
    listed = project.file("tenants.txt", "# all of them\ntenant1\n\nsqlite:///some.db\n").folder / "tenants.txt"
    migrator = project.migrator()

    async def named(**settings: object) -> list[str]:
        fleet = migrator.fleet(settings=replace(FleetSettings(), **settings))  # type: ignore[arg-type]
        return [target.name for target in await fleet.targets()]

    assert await named(query="SELECT name FROM tenant") == ["tenant0"]
    assert await named(function="named_tenants:every") == names
    assert await named(file=listed) == ["tenant1", "sqlite+aiosqlite:///some.db"]
    assert await named() == await named(databases=True) == ["one"]
    assert await named(databases=True, targets=("tenant1", "tenant1")) == ["tenant1", "one"]
    assert [one.name for one in await migrator.fleet(Query("SELECT 'x' || name FROM tenant")).targets()] == ["xtenant0"]
    assert [one.schema for one in await migrator.fleet(lambda: [f"{postgres_url}?schema=a"]).targets()] == ["a"]
    report = await migrator.fleet([*names, Target(database="one"), f"{postgres_url}?schema=public"]).upgrade()
    assert outcomes(report.results) == ["changed"] * 4
    assert "s3cret" not in repr(report)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "No targets are given"),
        ({"function": "nowhere:all"}, "cannot be imported"),
        ({"function": "nowhere"}, "must look like"),
        ({"function": "sys:maxsize"}, "not a function"),
        ({"file": Path("missing.txt")}, "cannot be read"),
    ],
)
async def test_a_source_that_names_none_is_a_usage_error(shop: Project, settings: dict[str, object], says: str) -> None:
    fleet = shop.config(url="sqlite:///own.db").migrator().fleet(settings=replace(FleetSettings(), **settings))  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=says):
        await fleet.targets()


@pytest.mark.parametrize("changes", [{"concurrency": 0}, {"canary": -1}, {"max_failures": "many"}, {"colour": 1}])
def test_a_setting_that_cannot_be_is_a_usage_error(shop: Project, changes: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        shop.migrator().fleet(["a"], **changes)


async def test_what_cannot_be_reached_fails_alone(shop: Project, tmp_path: Path, postgres_url: str) -> None:
    good = files(tmp_path, 1)
    bad = [
        "sqlite:////nowhere/at/all.db",
        "postgresql://nobody@127.0.0.1:1/none",
        f"{postgres_url}?schema=missing",
        "a_schema",
        "sqlite://",
    ]
    with pytest.raises(FleetFailed, match="5 of 6 targets failed") as caught:
        await shop.config(url=servers.sqlite_url(tmp_path / "own.db")).migrator().fleet([*good, *bad]).upgrade()
    found = {result.target: str(result.error) for result in caught.value.report.missed}
    for part in ("cannot be opened", "does not answer", "there is no such schema", "has no schemas", "in-memory"):
        assert any(part in error for error in found.values()), (part, found)


# schemas


TOKENS = """
    op.create_table("item", sa.Column("id", sa.Integer, primary_key=True), schema="tenant")
    op.create_index("item_id", "item", ["id"], schema="tenant")
    item = sa.Table("item", sa.MetaData(), sa.Column("id", sa.Integer), schema="tenant")
    note = sa.Table("note", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True))
    op.get_bind().execute(item.insert(), [{"id": 1}])
    note.create(op.get_bind())
    op.execute(item.insert().values(id=2))
    op.execute("INSERT INTO item VALUES (3)")
    op.bulk_insert(item, [{"id": 4}])
    assert {"item", "note"} <= set(sa.inspect(op.get_bind()).get_table_names())
"""


@pytest.mark.subset
@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_a_schema_is_where_unqualified_names_and_the_token_are(
    project: Project, postgres_url: str, driver: str
) -> None:
    names = ["one", "Two words", 'a"quote']
    servers.execute(postgres_url, *('CREATE SCHEMA "{}"'.format(name.replace('"', '""')) for name in names))
    project.config(url=postgres_url.replace("asyncpg", driver)).revision("a1", upgrade=TOKENS)
    await project.migrator().fleet(names, schema_token="tenant", concurrency=2).upgrade()
    for name in names:
        assert servers.tables(postgres_url, name) == ["asyncmig_version", "asyncmig_version_journal", "item", "note"]
        quoted = name.replace('"', '""')
        assert servers.rows(postgres_url, f'SELECT id FROM "{quoted}".item ORDER BY id') == [(1,), (2,), (3,), (4,)]
    assert servers.tables(postgres_url) == []


@pytest.mark.parametrize("driver", ["asyncpg", "psycopg"])
async def test_what_a_script_sets_does_not_reach_the_next_schema(
    project: Project, postgres_url: str, driver: str
) -> None:
    names = schemas(postgres_url, 4)
    servers.execute(postgres_url, "CREATE TABLE public.seen (what text)")
    asks = "SELECT current_setting('search_path') || current_setting('work_mem') || count(*) FROM pg_class WHERE relname = 'left'"
    project.config(url=postgres_url.replace("asyncpg", driver)).revision(
        "a1",
        upgrade=f"""
        op.execute("INSERT INTO public.seen {asks}")
        op.execute("SELECT set_config('search_path', '', false); SET work_mem = '7MB'; CREATE TEMP TABLE \\"left\\" (id int)")
        """,
    )
    await project.migrator().fleet(names, concurrency=1).upgrade()
    seen = {
        what.replace(name, "")
        for name, (what,) in zip(
            names, servers.rows(postgres_url, "SELECT what FROM public.seen ORDER BY what"), strict=True
        )
    }
    assert seen == {'""4MB0'}


async def test_the_application_s_engine_is_used_and_left_as_it_was(project: Project, postgres_url: str) -> None:
    names = schemas(postgres_url, 5)
    project.revision("a1", upgrade=ACCOUNT)
    engine = create_async_engine(postgres_url, pool_size=2, max_overflow=0)
    try:
        await project.migrator(engine=engine).fleet(names, concurrency=4).upgrade()
        assert engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        async with engine.connect() as connection:
            assert (await connection.exec_driver_sql("SHOW search_path")).scalar_one() == '"$user", public'
    finally:
        await engine.dispose()
    assert {tuple(servers.tables(postgres_url, name))[:1] for name in names} == {("account",)}


async def test_connections_are_bounded(project: Project, postgres_url: str) -> None:
    names = schemas(postgres_url, 12)
    servers.execute(postgres_url, "CREATE TABLE public.seen (connections bigint)")
    count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'asyncmig'"
    project.config(url=postgres_url).revision("a1", upgrade=f'op.execute("INSERT INTO public.seen {count}")')
    await project.migrator().fleet(names, concurrency=3).upgrade()
    ((most,),) = servers.rows(postgres_url, "SELECT max(connections) FROM public.seen")
    assert 1 <= most <= 3


async def test_shared_schemas_are_behind_the_tenant_s(project: Project, postgres_url: str) -> None:
    (name,) = schemas(postgres_url, 1)
    servers.execute(
        postgres_url, "CREATE TABLE public.country (id int)", "CREATE TABLE public.asyncmig_version (x int)"
    )
    project.config(url=postgres_url).revision("a1", upgrade='op.execute("CREATE TABLE mine AS SELECT * FROM country")')
    with pytest.raises(FleetFailed, match="country"):
        await project.migrator().fleet([name]).upgrade()
    await project.migrator().fleet([name], shared_schemas=("public",)).upgrade()
    assert servers.tables(postgres_url, name) == ["asyncmig_version", "asyncmig_version_journal", "mine"]


# status


@pytest.mark.subset
async def test_status_counts_the_targets_by_revision(shop: Project, tenants: list[str]) -> None:
    await shop.migrator().fleet(tenants[:3]).upgrade()
    await shop.migrator().fleet(tenants[3:4]).upgrade("a1")
    url, schema = look(shop, tenants[2])
    servers.execute(url, f"UPDATE {schema}.asyncmig_version SET version_num = 'foreign'")
    status = await shop.migrator().fleet([*tenants, "postgresql://nobody@127.0.0.1:1/none"]).status()
    assert [(bar.current, str(bar.state), bar.pending, bar.count) for bar in status.histogram] == [
        (("c3",), "at head", 0, 2),
        (("a1",), "behind", 2, 1),
        ((), "behind", 3, 2),
        ((), "failed", 0, 1),
        (("foreign",), "foreign", 0, 1),
    ]
    assert not status.clean
    assert status.heads == ("c3",)
    assert not servers.sqlite_path(tenants[5]).exists() if schema == "main" else True


async def test_status_tells_ahead_and_incomplete(shop: Project, tmp_path: Path) -> None:
    ahead, incomplete = files(tmp_path, 2)
    await shop.migrator().fleet([ahead, incomplete]).upgrade()
    path = next(shop.versions.glob("c3_*"))
    path.unlink()
    servers.execute(incomplete, "UPDATE asyncmig_version SET version_num = 'b2'")
    servers.execute(incomplete, "UPDATE asyncmig_version_journal SET outcome = 'incomplete' WHERE revision = 'b2'")
    status = await shop.migrator().fleet([ahead, incomplete]).status()
    assert [one.state for one in status.targets] == [TargetState.AHEAD, TargetState.INCOMPLETE]


def make_many(factory: Callable[[], str], count: int) -> list[str]:
    return [factory() for _ in range(count)]


async def test_many_databases_of_one_server(shop: Project, postgres_databases: Callable[[], str]) -> None:
    urls = make_many(postgres_databases, 3)
    report = await shop.migrator().fleet(urls).upgrade()
    assert outcomes(report.results) == ["changed"] * 3
    assert all("***" in result.target for result in report.results)


async def test_observers_hear_where_it_happened(shop: Project, tenants: list[str]) -> None:
    heard: list[Event] = []

    async def observe(event: Event) -> None:
        heard.append(event)

    in_the_way(shop, tenants[1])
    fleet = shop.migrator(observer=observe).fleet(tenants, concurrency=3)
    with pytest.raises(FleetFailed) as failed:
        await fleet.upgrade()
    names = {result.target for result in failed.value.report.results}
    assert {event.target for event in heard} == names
    for name in names:
        own = [event for event in heard if event.target == name]
        started = [event.revision for event in own if isinstance(event, StepStarted)]
        assert started == ["a1", "b2", "c3"]
    (failure,) = (event for event in heard if isinstance(event, StepFailed))
    assert failure.revision == "c3"
    assert failure.target == failed.value.report.missed[0].target


async def test_an_observer_that_hears_no_statements_hears_the_rest(shop: Project, tenants: list[str]) -> None:
    class Steps:
        hears_statements = False

        def __init__(self) -> None:
            self.heard: list[Event] = []

        def __call__(self, event: Event) -> None:
            self.heard.append(event)

    steps = Steps()
    await shop.migrator(observer=steps).fleet(tenants).upgrade()
    assert {type(event) for event in steps.heard} == {StepStarted, StepFinished}
    assert len(steps.heard) == 2 * 3 * len(tenants)


@pytest.mark.parametrize("overflow", [0, 1])
async def test_an_engine_with_few_connections_is_not_asked_for_more(
    project: Project, postgres_url: str, overflow: int
) -> None:
    """Else a target would wait in the pool's queue behind long steps, and fail at its timeout."""
    project.revision("a1", upgrade='op.execute("SELECT pg_sleep(0.4)")')
    engine = create_async_engine(postgres_url, pool_size=1, max_overflow=overflow, pool_timeout=0.2)
    try:
        fleet = project.migrator(engine=engine).fleet(schemas(postgres_url, 5), concurrency=5)
        assert set(outcomes((await fleet.upgrade()).results)) == {"changed"}
        assert {one.state for one in (await fleet.status()).targets} == {TargetState.AT_HEAD}
    finally:
        await engine.dispose()
