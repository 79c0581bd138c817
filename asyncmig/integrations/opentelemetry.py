"""An observer that writes a span a step. Needs the extra `otel`: pip install "asyncmig[otel]"."""

from __future__ import annotations

from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opentelemetry import context, trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, StatusCode

from asyncmig.database.events import (
    BatchFinished,
    Event,
    LockWaiting,
    Retrying,
    StatementStarted,
    StepFailed,
    StepFinished,
    StepStarted,
    Warned,
    facts,
)
from asyncmig.integrations.masked import masked
from asyncmig.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.trace import TracerProvider

__all__ = ["OpenTelemetryObserver"]


@dataclass(frozen=True, slots=True)
class _Open:
    span: Span
    token: Token[Context]


# One run is one task (its greenlets share the task's context), so runs at the same time keep their spans apart.
_running: ContextVar[_Open | None] = ContextVar("asyncmig_span", default=None)


class OpenTelemetryObserver:
    """`Migrator(observer=OpenTelemetryObserver())`: a span a step, below whatever span is current.

    The step's span is the current one while the step runs, so that spans of an instrumented driver are its children.
    Statements are events of the span, with their literals replaced by `?`; errors are recorded without the statement
    and the values that SQLAlchemy writes into its messages.
    """

    def __init__(self, tracer_provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("asyncmig", __version__, tracer_provider)

    def __call__(self, event: Event) -> None:
        match event:
            case StepStarted():
                self._end()
                self._begin(event)
            case StepFinished():
                self._current.set_attributes(_attributes(event))
                self._end()
            case StepFailed():
                told = facts(event)
                self._current.set_attribute("error.type", str(told["error"]))
                self._current.set_status(StatusCode.ERROR, str(told["message"]))
                self._end()
            case StatementStarted():
                attributes = {**_attributes(event), "db.query.text": masked(event.sql)}
                del attributes["asyncmig.sql"]
                self._current.add_event("statement", attributes)
            case LockWaiting() | Retrying() | BatchFinished() | Warned():
                self._current.add_event(str(facts(event)["event"]), _attributes(event))

    @property
    def _current(self) -> Span:
        running = _running.get()
        return running.span if running else trace.get_current_span()

    def _begin(self, event: StepStarted) -> None:
        span = self._tracer.start_span(
            f"asyncmig {event.direction}", kind=SpanKind.CLIENT, attributes=_attributes(event)
        )
        _running.set(_Open(span, context.attach(trace.set_span_in_context(span))))

    def _end(self) -> None:
        running = _running.get()
        if running is not None:
            context.detach(running.token)
            running.span.end()
            _running.set(None)


def _attributes(event: Event) -> Mapping[str, str | bool | int | float]:
    """The event's facts as OpenTelemetry takes them: prefixed, nothing that is None, lists as text."""
    told = {name: value for name, value in facts(event).items() if name != "event" and value is not None}
    return {
        f"asyncmig.{name}": value if isinstance(value, (str, bool, int, float)) else " ".join(map(str, value))  # type: ignore[call-overload]
        for name, value in told.items()
    }
