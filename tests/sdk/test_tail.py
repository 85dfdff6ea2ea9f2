"""Traces are kept by how they went, whole; what is not kept is counted, and nothing waits without bound."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from random import Random
from typing import Any

import pytest
import tollbook
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags, TraceState, use_span
from tollbook import configuration, counting, runtime, tail
from tollbook.counting import Counts
from tollbook.lean import LeanTracerProvider
from tollbook.processor import TollbookSpanProcessor
from tollbook.sampling import Share, is_within, sampler
from tollbook.tail import Keep, KeepingSpanProcessor, Waiting

from tests.sdk.receiver import Receiver
from tests.sdk.test_sampling import RESOURCE, totals


@pytest.fixture
def counts() -> Counts:
    counting.counts.forget()
    return counting.counts


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@contextmanager
def keeping(receiver: Receiver, keep: Keep, kind: type[TracerProvider] = LeanTracerProvider) -> Iterator[TracerProvider]:
    provider = kind(resource=RESOURCE, shutdown_on_exit=False, sampler=sampler(None, ALWAYS_ON))
    provider.add_span_processor(KeepingSpanProcessor(keep, receiver.endpoint))
    runtime.use(provider)
    try:
        yield provider
        assert provider.force_flush()
    finally:
        runtime.use(None)
        provider.shutdown()


def names(receiver: Receiver) -> list[str]:
    """Of all spans that came."""
    scopes = [scope for body in receiver.traces for resource in body.resource_spans for scope in resource.scope_spans]
    return sorted(span.name for scope in scopes for span in scope.spans)


def asked(fails: bool = False, tokens: int = 10) -> None:
    with tollbook.request("ask"):
        with tollbook.handoff("read"):
            pass
        with tollbook.inference("gpt-4o", provider="openai") as call:
            call.usage(tokens, 1)
            if fails:
                call.fail("timeout")


@pytest.mark.parametrize("kind", [LeanTracerProvider, TracerProvider])
def test_a_trace_with_an_error_is_sent_whole_and_all_calls_are_counted(
    receiver: Receiver, counts: Counts, kind: type[TracerProvider]
) -> None:
    with keeping(receiver, Keep(errors=True), kind):
        for number in range(20):
            asked(fails=number == 7)
    assert names(receiver) == ["ask", "inference gpt-4o", "read"]
    inputs = "gen_ai.client.inference.usage.input_tokens"
    assert (totals(counts, unsampled=False)[inputs], totals(counts, unsampled=True)[inputs]) == (10, 190)
    assert totals(counts, unsampled=True)["tollbook.handoff.count"] == 19


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        (Keep(tokens=1_000), 3),
        (Keep(tokens=100_000), 0),
        (Keep(slower_s=0.0), 9),
        (Keep(slower_s=60.0), 0),
        (Keep(costlier_usd=0.01), 3),  # 5,000 tokens at $2.50 a million and one at $10 cost $0.01251
        (Keep(share=1.0), 9),
    ],
)
def test_each_rule_keeps_what_it_says(receiver: Receiver, counts: Counts, keep: Keep, kept: int) -> None:
    pytest.importorskip("genai_prices")
    with keeping(receiver, keep):
        for tokens in (10, 5_000, 20):
            asked(tokens=tokens)
    assert len(names(receiver)) == kept


def test_what_ends_after_its_trace_goes_where_that_went(receiver: Receiver, counts: Counts) -> None:
    with keeping(receiver, Keep(errors=True)) as provider:
        tracer = provider.get_tracer("t")
        for name, fails in (("good", False), ("bad", True), ("late failure", False)):
            request = tollbook.request(name)
            with request as handle:
                late = tracer.start_span(f"late in {name}")
                if fails:
                    handle.fail("x")
            if name == "late failure":
                late.set_status(Status(StatusCode.ERROR))
            late.end()
    assert names(receiver) == ["bad", "late in bad", "late in late failure"]


def test_a_call_of_another_service_is_a_part_of_its_own(receiver: Receiver, counts: Counts) -> None:
    headers = {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
    with keeping(receiver, Keep(errors=True)):
        for fails in (False, True, False):
            with tollbook.extract(headers):
                asked(fails=fails)
    # The first part was decided before the second failed; from then on the trace is kept.
    assert len(names(receiver)) == 6


def test_what_waits_is_bounded(counts: Counts) -> None:
    sent: list[ReadableSpan] = []
    dropped: list[ReadableSpan] = []
    waiting = Waiting(Keep(errors=True), sent.append, dropped.append, max_spans=100)
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("t")
    for _ in range(50):
        root = tracer.start_span("never ends")
        waiting.began(root)
        with use_span(root):
            for _number in range(10):
                child: Any = tracer.start_span("child")
                child.end()
                waiting.ended(child)
    assert waiting._waiting <= 100
    assert len(dropped) >= 400
    waiting.settle()
    assert (len(sent), len(dropped), waiting._waiting) == (0, 500, 0)


def test_spans_that_never_end_are_forgotten_in_the_end(counts: Counts) -> None:
    sent: list[ReadableSpan] = []
    waiting = Waiting(Keep(errors=True), sent.append, sent.append, max_spans=100)
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("t")
    for _ in range(1_000):
        waiting.began(tracer.start_span("never ends"))
    assert len(waiting._traces) == 100
    assert sent == []


def test_rules_are_read_and_nonsense_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OTEL_TRACES_SAMPLER", raising=False)
    assert tail.wanted(["errors", "slower = 2"], 0.1) == Keep(errors=True, slower_s=2.0, share=0.1)
    assert tail.wanted(None, None) is None
    monkeypatch.setenv("TOLLBOOK_KEEP", "costlier=0.05, tokens=50000")
    assert tail.wanted(None, None) == Keep(costlier_usd=0.05, tokens=50_000.0, share=0.0)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    assert tail.wanted(["errors"], None) == Keep(errors=True, share=1.0)
    for rule in ("slow", "slower=", "tokens=many", "tokens=-1"):
        with pytest.raises(ValueError, match=f"'{rule}' is no rule: give errors, slower=SECONDS"):
            tail.wanted([rule], None)


def test_configure_keeps_by_how_it_went(receiver: Receiver, counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider(shutdown_on_exit=False)
    tollbook.configure(endpoint=receiver.endpoint, keep=["errors"], sample=0.0, metrics=False, tracer_provider=provider)
    try:
        processors = provider._active_span_processor._span_processors
        assert [type(processor) for processor in processors] == [KeepingSpanProcessor]
        asked()
        asked(fails=True)
        assert tollbook.flush()
    finally:
        tollbook.shutdown()
        provider.shutdown()
    assert len(names(receiver)) == 3
    assert configuration._state.tracer_provider is None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_forked_child_begins_with_nothing(counts: Counts) -> None:
    sent: list[ReadableSpan] = []
    waiting = Waiting(Keep(errors=True), sent.append, sent.append)
    waiting.began(TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("of the parent"))
    pid = os.fork()
    if pid == 0:
        os._exit(len(waiting._traces))
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert len(waiting._traces) == 1


def test_a_share_is_the_same_everywhere_and_follows_the_traces_own_randomness() -> None:
    random = Random(3)
    ids = [random.getrandbits(128) for _ in range(2_000)]
    kept = [number for number in ids if is_within(SpanContext(number, 1, False, TraceFlags(1)), 0.1)]
    assert 140 < len(kept) < 260
    assert kept == [number for number in ids if Share(0.1).should_sample(None, number, "r").decision.is_sampled()]
    for value, within in (("f" * 14, True), ("0" * 14, False)):
        state = TraceState([("ot", f"rv:{value}")])
        assert is_within(SpanContext(ids[0], 1, False, TraceFlags(1), state), 0.1) is within


def test_the_cost_of_a_call_is_what_is_reported_first(counts: Counts) -> None:
    from tollbook.receipts import cost_of

    said = {"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 5, "gen_ai.usage.cost.amount": 0.25}
    span: Any = TracerProvider(shutdown_on_exit=False).get_tracer("t").start_span("c", attributes=said)
    assert cost_of(span) == Decimal("0.25")
    assert issubclass(KeepingSpanProcessor, TollbookSpanProcessor)
