"""Spans of our own provider are what the SDK's spans are."""

import asyncio
import gc
import inspect
import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanLimits, Tracer, TracerProvider, sampling
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode, TraceFlags, TraceState
from tollbook.lean import LeanSpan, LeanTracer, LeanTracerProvider, fits

RESOURCE = Resource({"service.name": "s"})
REMOTE = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(1), trace_state=TraceState([("k", "v")]))
UNSAMPLED = SpanContext(7, 8, is_remote=True, trace_flags=TraceFlags(0))


def ended(kind: type[TracerProvider], work: Callable[[Any], None], **options: Any) -> list[dict[str, Any]]:
    """What the spans say that some work makes, but for ids and times."""
    memory = InMemorySpanExporter()
    provider = kind(resource=RESOURCE, shutdown_on_exit=False, **options)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    work(provider.get_tracer("scope", "1"))
    return [comparable(span) for span in memory.get_finished_spans()]


def comparable(span: ReadableSpan) -> dict[str, Any]:
    assert span.start_time is not None
    assert span.end_time is not None
    assert span.start_time <= span.end_time
    status, context = span.status, span.context
    assert context is not None
    return {
        "name": span.name,
        "kind": span.kind,
        "attributes": dict(span.attributes or {}),
        "status": (status.status_code, status.description),
        "events": [
            (event.name, [item for item in (event.attributes or {}).items() if "stack" not in item[0]]) for event in span.events
        ],
        "links": [(link.context.trace_id, dict(link.attributes or {})) for link in span.links],
        "parent": span.parent and span.parent.is_remote,
        "context": (dict(context.trace_state), context.trace_flags),
        "scope": (span.instrumentation_scope, span.resource),
        "dropped": (span.dropped_attributes, span.dropped_events, span.dropped_links),
        "json": "trace_id" in span.to_json(),
    }


def plain(tracer: Any) -> None:
    with tracer.start_as_current_span("outer", attributes={"a": 1, "b": "x", "c": [1, 2], "d": 1.5, "e": True}) as outer:
        outer.set_attribute("later", "y")
        outer.set_attribute("a", 2)
        outer.set_attributes({"more": "z", "list": ["p", "q"], "": "dropped"})
        outer.add_event("event", {"k": "v"})
        outer.add_link(REMOTE, {"why": "cause"})
        outer.update_name("renamed")
        with tracer.start_as_current_span("inner", kind=SpanKind.CLIENT) as inner:
            inner.set_status(Status(StatusCode.OK))


def failing(tracer: Any) -> None:
    with pytest.raises(KeyError), tracer.start_as_current_span("failed"):
        raise KeyError("secret")
    with pytest.raises(KeyError), tracer.start_as_current_span("quiet", record_exception=False, set_status_on_exception=False):
        raise KeyError("secret")
    with pytest.raises(KeyError), tracer.start_span("by itself"):
        raise KeyError("secret")
    with pytest.raises(SystemExit), tracer.start_as_current_span("exit"):
        raise SystemExit


def remote(tracer: Any) -> None:
    for parent in (REMOTE, UNSAMPLED):
        context = trace.set_span_in_context(trace.NonRecordingSpan(parent))
        tracer.start_span("child", context, links=[Link(REMOTE, {"k": 1})], start_time=5).end(9)


def odd(tracer: Any) -> None:
    span = tracer.start_span("odd", attributes={"object": object, "none": None, 5: "five", "map": {"k": ("v",)}, "a": 1, "b": 2})
    span.end()
    span.set_attribute("too late", 1)
    span.add_event("too late")
    span.end()


def decorated(tracer: Any) -> None:
    @tracer.start_as_current_span("twice", end_on_exit=True)
    def called(number: int) -> int:
        """Counts."""
        return number + 1

    @tracer.start_as_current_span("awaited")
    async def awaited(number: int) -> int:
        await asyncio.sleep(0)
        return number + 1

    assert (called(1), called(2), asyncio.run(awaited(3))) == (2, 3, 4)
    assert (called.__doc__, inspect.iscoroutinefunction(awaited)) == ("Counts.", True)


WORKS = [plain, failing, remote, odd, decorated]
LIMITS = SpanLimits(max_span_attributes=3, max_events=1, max_links=1, max_span_attribute_length=2)


@pytest.mark.parametrize("work", WORKS)
@pytest.mark.parametrize(
    "options", [{}, {"span_limits": LIMITS}, {"sampler": sampling.ALWAYS_ON}, {"sampler": sampling.ALWAYS_OFF}]
)
def test_they_say_the_same(work: Callable[[Any], None], options: dict[str, Any]) -> None:
    assert ended(LeanTracerProvider, work, **options) == ended(TracerProvider, work, **options)


def test_a_sampler_of_ones_own_is_asked() -> None:
    sampler = sampling.ParentBased(sampling.TraceIdRatioBased(0.0))
    assert ended(LeanTracerProvider, plain, sampler=sampler) == []
    span = LeanTracerProvider(sampler=sampling.TraceIdRatioBased(1.0), shutdown_on_exit=False).get_tracer("t").start_span("s")
    assert span.is_recording()


def test_they_are_ours_where_the_sdk_is_as_expected() -> None:
    assert fits()
    provider = LeanTracerProvider(shutdown_on_exit=False)
    tracer = provider.get_tracer("t")
    assert type(tracer) is LeanTracer
    assert provider.get_tracer("t") is tracer
    assert isinstance(tracer.start_span("s"), LeanSpan)


def test_an_sdk_that_is_built_otherwise_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tollbook.lean.fits", lambda: False)
    assert type(LeanTracerProvider(shutdown_on_exit=False).get_tracer("t")) is Tracer


def test_a_span_is_three_objects_to_the_garbage_collector() -> None:
    tracer = LeanTracerProvider(shutdown_on_exit=False).get_tracer("t")
    gc.collect()
    gc.disable()
    try:
        before = len(gc.get_objects())
        spans = [tracer.start_span("s", attributes={"a": number}) for number in range(100)]
        made = len(gc.get_objects()) - before
    finally:
        gc.enable()
    assert made <= 3 * len(spans) + 10


def test_what_is_said_again_counts_as_the_newest() -> None:
    def full(tracer: Any) -> None:
        with tracer.start_as_current_span("s", attributes={"a": 1, "b": 2, "c": 3}) as span:
            span.set_attribute("a", 4)
            span.set_attributes({"d": 5})
            span.set_attributes({"d": 6, "e": ["x"], "f": 7})

    limits = {"span_limits": SpanLimits(max_span_attributes=3)}
    assert ended(LeanTracerProvider, full, **limits) == ended(TracerProvider, full, **limits)


def test_a_span_that_is_ended_by_many_threads_ends_once() -> None:
    memory = InMemorySpanExporter()
    provider = LeanTracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    spans = [provider.get_tracer("t").start_span("s") for _ in range(50)]
    threads = [threading.Thread(target=lambda: [span.end() for span in spans]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(memory.get_finished_spans()) == 50


def test_a_list_that_changes_later_was_copied() -> None:
    values = ["a"]
    span: Any = LeanTracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("s", attributes={"list": values})
    span.set_attribute("again", values)
    values.append("b")
    assert dict(span.attributes) == {"list": ("a",), "again": ("a",)}
