"""Spans of real runs: a step each, statements without literals."""

import asyncio
from collections.abc import Callable

import pytest
import servers
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode
from projects import Project

from asyncmig.errors import MigrationFailed
from asyncmig.integrations.opentelemetry import OpenTelemetryObserver

pytestmark = pytest.mark.subset


@pytest.fixture
def exported() -> tuple[TracerProvider, Callable[[], tuple[ReadableSpan, ...]]]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter.get_finished_spans


async def test_a_step_is_a_span_below_the_current_one(database_project: Project, exported) -> None:
    provider, spans = exported
    database_project.revision("a1", upgrade='op.create_table("one", sa.Column("id", sa.Integer))', message="one table")
    database_project.revision("b2", "a1", upgrade='op.execute("INSERT INTO one VALUES (4711)")')
    tracer = provider.get_tracer("test")
    with tracer.start_as_current_span("start") as start:
        await database_project.migrator(observer=OpenTelemetryObserver(provider)).upgrade()
        assert trace.get_current_span() is start
    first, second, _ = spans()
    assert [span.name for span in (first, second)] == ["asyncmig upgrade"] * 2
    assert [span.parent.span_id for span in (first, second)] == [start.context.span_id] * 2
    assert first.attributes["asyncmig.revision"] == "a1"
    assert first.attributes["asyncmig.message"] == "one table"
    assert first.attributes["asyncmig.statements"] == 1
    assert first.status.status_code is StatusCode.UNSET
    (statement,) = second.events
    assert statement.attributes["db.query.text"] == "INSERT INTO one VALUES (?)"
    assert str(statement.attributes["asyncmig.origin"]).endswith("b2_revision.py:15")
    assert "4711" not in str([span.to_json() for span in spans()])


async def test_a_span_of_the_script_is_a_child_of_its_step(database_project: Project, exported) -> None:
    provider, spans = exported
    database_project.revision(
        "a1",
        upgrade="""
from opentelemetry import trace
trace.get_current_span().add_event("from the script")
""",
    )
    await database_project.migrator(observer=OpenTelemetryObserver(provider)).upgrade()
    (span,) = spans()
    assert [event.name for event in span.events] == ["from the script"]


async def test_a_failed_step_ends_its_span_as_an_error_without_values(database_project: Project, exported) -> None:
    provider, spans = exported
    insert = 'op.get_bind().execute(sa.text("INSERT INTO nowhere VALUES (:v)"), {"v": "secret-value"})'
    database_project.revision("a1", upgrade=insert)
    with pytest.raises(MigrationFailed):
        await database_project.migrator(observer=OpenTelemetryObserver(provider)).upgrade()
    (span,) = spans()
    assert span.status.status_code is StatusCode.ERROR
    assert "nowhere" in str(span.status.description)
    assert "secret-value" not in span.to_json()


async def test_a_cancelled_step_ends_its_span(database_project: Project, exported) -> None:
    provider, spans = exported
    begun = database_project.folder / "begun"
    database_project.revision(
        "a1", upgrade=f"import anyio\nopen({str(begun)!r}, 'w').close()\nop.run_async(lambda c: anyio.sleep(60))"
    )
    observer = OpenTelemetryObserver(provider)
    task = asyncio.create_task(database_project.migrator(observer=observer).upgrade())
    while not begun.exists() and not task.done():  # noqa: ASYNC110 - made by the script
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    (span,) = spans()
    assert (span.status.status_code, span.attributes["error.type"]) == (StatusCode.ERROR, "CancelledError")


async def test_runs_at_the_same_time_keep_their_spans_apart(
    project: Project, databases: Callable[[], str], exported
) -> None:
    provider, spans = exported
    for number, down in enumerate([None, "r0", "r1"]):
        project.revision(f"r{number}", down, upgrade="import anyio\nop.run_async(lambda c: anyio.sleep(0.02))")
    observer = OpenTelemetryObserver(provider)
    tracer = provider.get_tracer("test")

    async def run(url: str) -> None:
        with tracer.start_as_current_span(url):
            await project.migrator(url=url, observer=observer).upgrade()

    await asyncio.gather(*[run(databases()) for _ in range(4)])
    roots = [span for span in spans() if span.parent is None]
    assert len(roots) == 4
    for root in roots:
        steps = [span for span in spans() if span.parent and span.parent.span_id == root.context.span_id]
        assert [step.attributes["asyncmig.revision"] for step in steps] == ["r0", "r1", "r2"]


async def test_waiting_for_the_lock_is_seen_on_the_span_around(project: Project, postgres_url: str, exported) -> None:
    from asyncmig.database.lock import lock_key

    provider, spans = exported
    project.config(url=postgres_url).revision("a1")
    with servers.connected(postgres_url) as other, provider.get_tracer("test").start_as_current_span("start"):
        other.execute("SELECT pg_advisory_lock(%s)", (lock_key("public", "asyncmig_version"),))
        asyncio.get_running_loop().call_later(1.2, other.close)
        await project.migrator(observer=OpenTelemetryObserver(provider)).upgrade()
    start = spans()[-1]
    assert [event.name for event in start.events] == ["lock_waiting"]
