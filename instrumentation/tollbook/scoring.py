"""How good an answer was: `score`, said while the request runs or long after, by its trace or by the answer's id.

A score is OpenTelemetry's event `gen_ai.evaluation.result`, a log record of its own: it does not wait for a span, and sampling
does not drop it.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.trace import Span, SpanContext
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import answered
from tollbook.handle import Handle, current
from tollbook.shield import shielded

EVENT: Final = "gen_ai.evaluation.result"


@dataclass(frozen=True, slots=True)
class Score:
    """A judgement of an answer."""

    name: str
    """What is judged, such as `relevance`."""
    value: float | None
    """The judgement as a number."""
    label: str | None
    """The judgement as a word."""
    explanation: str | None
    """Why."""
    trace_id: int
    """Request it is about; 0 where only the answer's id is known."""
    span_id: int
    """Part of the request; 0 for all of it."""
    response_id: str | None
    """The provider's identity of the answer."""
    time_ns: int = field(default_factory=time.time_ns)
    """When it was judged, in ns since 1970-01-01 UTC."""

    def attributes(self) -> dict[str, str | float]:
        """What the event says."""
        said = {
            A.GEN_AI_EVALUATION_NAME: self.name,
            A.GEN_AI_EVALUATION_SCORE_VALUE: self.value,
            A.GEN_AI_EVALUATION_SCORE_LABEL: self.label,
            A.GEN_AI_EVALUATION_EXPLANATION: self.explanation,
            A.GEN_AI_RESPONSE_ID: self.response_id,
        }
        return {key: value for key, value in said.items() if value is not None}


Sink = Callable[[Score], None]
_sink: Sink | None = None


def use(sink: Sink | None) -> Sink | None:
    """Send scores there from now on; returns where they went before."""
    global _sink
    before, _sink = _sink, sink
    return before


def drop(sink: Sink) -> None:
    """Send no more scores there."""
    if _sink == sink:
        use(None)


def score(
    name: str,
    value: float | bool | None = None,
    *,
    label: str | None = None,
    explanation: str | None = None,
    span: Handle | Span | SpanContext | None = None,
    trace_id: str | None = None,
    response_id: str | None = None,
) -> None:
    """Say how good an answer was: `tollbook.score("relevance", 0.9)`, `tollbook.score("thumbs", label="good", trace_id=…)`.

    Works inside the request, and later where its feedback comes in, in this process or another one. The newest score of a name
    counts; labels such as `good`, `pass`, `bad` or `thumbs_down` decide, else values from one half on are good. Never raises.

    Args:
        name: what is judged, such as `relevance` or `thumbs`.
        value: the judgement as a number, usually 0 to 1; true and false are 1 and 0.
        label: the judgement as a word. Either this or a value is needed.
        explanation: why; sent as it is, so it should hold no content that must stay.
        span: handle, span or span context it is about, by default the current one.
        trace_id: request it is about, 32 hex digits as `Handle.trace_id` has them.
        response_id: the provider's identity of the answer it is about, one of the newest 8,192 of this process. A score of
            another process's answer has to name the trace: without it, it is kept among the logs and counts nowhere.
    """
    with shielded("note a score"):
        if value is None and label is None:
            raise ValueError(f"score {name!r} has neither a value nor a label")
        trace, part = _place(span, trace_id, response_id)
        if not trace and response_id is None:
            raise ValueError(f"score {name!r} is of no request: none runs here, and no trace or response id is given")
        number = None if value is None else float(value)
        (_sink or _emit)(Score(str(name), number, label, explanation, trace, part, response_id))


def _emit(score: Score) -> None:
    """By the application's own logs pipeline of OpenTelemetry; nowhere if it has none, as spans go nowhere then."""
    from opentelemetry import _logs  # noqa: PLC0415 - 10 ms, for those alone who have it
    from opentelemetry.trace import NonRecordingSpan, TraceFlags, set_span_in_context  # noqa: PLC0415

    about = SpanContext(score.trace_id, score.span_id or 1, is_remote=False, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    record = _logs.LogRecord(
        timestamp=score.time_ns,
        context=set_span_in_context(NonRecordingSpan(about)),
        severity_number=_logs.SeverityNumber.INFO,
        attributes=score.attributes(),
        event_name=EVENT,
    )
    _logs.get_logger("tollbook").emit(record)


def _place(span: Handle | Span | SpanContext | None, trace_id: str | None, response_id: str | None) -> tuple[int, int]:
    """Trace and span that the score is about, zeros where they are not known."""
    if trace_id is not None:
        return int(trace_id, 16), 0
    if span is None and response_id is not None:
        return answered.place(response_id)
    found: Any = current() if span is None else span
    found = found.span if isinstance(found, Handle) else found
    context = found if isinstance(found, SpanContext) else found.get_span_context()
    return context.trace_id, context.span_id
