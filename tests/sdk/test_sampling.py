"""A sampler drops spans, not what they used: counts are kept apart, and the ledger is right to the cent."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
import tollbook
from opentelemetry.sdk.metrics.export import MetricsData, ResourceMetrics
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags
from tollbook import counting, runtime
from tollbook.counting import Counts
from tollbook.exporters import metric_exporter
from tollbook.lean import LeanTracerProvider
from tollbook.processor import TollbookSpanProcessor
from tollbook.sampling import Recording, Share, sampler
from tollbook_attribution import settle
from tollbook_schema.store import Store

from tests.attribution.facts import Intake
from tests.attribution.laws import assert_the_ledger_balances
from tests.sdk.receiver import Receiver

HOUR_NS = 3_600 * 10**9
RESOURCE = Resource({"service.name": "rag"})
TOKENS = """
SELECT sum(amount_usd) AS usd, uniqExact(trace_id) AS traces FROM ledger WHERE category = 'tokens'
"""


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    counting.counts.forget()
    monkeypatch.setattr(counting.counts, "counts_sampled", True)
    return counting.counts


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


def provider_of(receiver: Receiver, decides: object, kind: type[TracerProvider] = LeanTracerProvider) -> TracerProvider:
    provider = kind(resource=RESOURCE, shutdown_on_exit=False, sampler=decides)  # type: ignore[arg-type]
    provider.add_span_processor(TollbookSpanProcessor(receiver.endpoint))
    return provider


def totals(counts: Counts, *, unsampled: bool) -> dict[str, int]:
    """Sums of all points of a scope, by metric."""
    scope = counting.UNSAMPLED if unsampled else counting.SAMPLED
    found: dict[str, int] = {}
    for metrics in counts.metrics(int(datetime.now(UTC).timestamp()) * 10**9):
        if metrics.scope.name == scope:
            for metric in metrics.metrics:
                found[metric.name] = sum(point.value for point in metric.data.data_points)
    return found


@pytest.mark.parametrize("share", [0.1, 0.7])
def test_at_any_share_of_traces_the_ledger_is_right_to_the_cent(
    store: Store, tmp_path: Path, receiver: Receiver, counts: Counts, share: float
) -> None:
    """200 calls of 1,000 tokens of input, a fifth cached, 50 of output: 160 K fresh at $2.50, 40 K at $1.25, 10 K at $10."""
    provider = provider_of(receiver, sampler(share, ALWAYS_ON))
    provider.id_generator = _Seeded()
    runtime.use(provider)
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)  # one that is over
    at_ns = int(hour.timestamp()) * 10**9
    try:
        tracer = provider.get_tracer("tests")
        for number in range(200):
            attributes = {
                "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "gpt-4o",
                "gen_ai.usage.input_tokens": 1000, "gen_ai.usage.cache_read.input_tokens": 200, "gen_ai.usage.output_tokens": 50,
            }  # fmt: skip
            began = at_ns + number * 10**9
            tracer.start_span("chat", kind=SpanKind.CLIENT, attributes=attributes, start_time=began).end(began + 10**8)
        assert provider.force_flush()
        exporter = metric_exporter(receiver.endpoint, None)
        assert exporter is not None
        exporter.export(MetricsData([ResourceMetrics(RESOURCE, [], "")]))
        exporter.shutdown()
    finally:
        runtime.use(None)
        provider.shutdown()
    sent = sum(len(scope.spans) for body in receiver.traces for r in body.resource_spans for scope in r.scope_spans)
    assert abs(sent - 200 * share) < 25
    intake = Intake(store, tmp_path)
    for body in receiver.traces:
        intake._load("spans", body.SerializeToString())
    for body in receiver.metrics:
        intake._load("metrics", body.SerializeToString())
    settle(store)
    (row,) = store.query(TOKENS)
    assert row["usd"] == Decimal("0.4") + Decimal("0.05") + Decimal("0.1")
    assert row["traces"] == sent + 1
    assert_the_ledger_balances(store)


class _Seeded:
    """Ids of traces that are the same at every run."""

    def __init__(self) -> None:
        self._random = Random(7)

    def generate_trace_id(self) -> int:
        return self._random.getrandbits(128)

    def generate_span_id(self) -> int:
        return self._random.getrandbits(64)

    def is_trace_id_random(self) -> bool:
        return True


@pytest.mark.parametrize("kind", [LeanTracerProvider, TracerProvider])
def test_what_is_not_sampled_is_counted_and_not_sent(receiver: Receiver, counts: Counts, kind: type[TracerProvider]) -> None:
    provider = provider_of(receiver, Recording(ParentBased(ALWAYS_OFF)), kind)
    runtime.use(provider)
    try:
        with tollbook.request("r"):
            with tollbook.handoff("read", network="local_disk") as span:
                span.bytes(500)
            with tollbook.inference("gpt-4o", provider="openai") as call:
                call.usage(10, 5, cache_read_tokens=4)
        assert provider.force_flush()
    finally:
        runtime.use(None)
        provider.shutdown()
    assert receiver.traces == []
    assert totals(counts, unsampled=True) == {
        "tollbook.inference.calls": 1, "gen_ai.client.inference.usage.input_tokens": 10,
        "gen_ai.client.inference.usage.output_tokens": 5, "gen_ai.client.inference.usage.cache_read.input_tokens": 4,
        "tollbook.handoff.count": 1, "tollbook.handoff.bytes": 500,
    }  # fmt: skip


def test_a_call_that_several_spans_tell_of_counts_once(receiver: Receiver, counts: Counts) -> None:
    provider = provider_of(receiver, Recording(ALWAYS_ON))
    runtime.use(provider)
    usage = {"gen_ai.usage.input_tokens": 10, "gen_ai.request.model": "gpt-4o"}
    tracer = provider.get_tracer("other")
    try:
        agent = {"gen_ai.operation.name": "invoke_agent", **usage}
        with tracer.start_as_current_span("agent", attributes=agent), tollbook.inference("gpt-4o") as around:
            with tracer.start_as_current_span("between"), tracer.start_as_current_span("chat", attributes=usage):
                pass
            around.usage(10)
        for _ in range(2):
            with tollbook.inference("gpt-4o") as twin:
                twin.usage(3, response_id="one answer")
        assert provider.force_flush()
    finally:
        runtime.use(None)
        provider.shutdown()
    # Two traces have an answer of one id each: an id counts once in each of them.
    assert totals(counts, unsampled=False)["gen_ai.client.inference.usage.input_tokens"] == 10 + 3 + 3


def test_a_callers_decision_holds_and_an_unsampled_call_is_still_counted(receiver: Receiver, counts: Counts) -> None:
    provider = provider_of(receiver, sampler(None, ParentBased(ALWAYS_ON)))
    runtime.use(provider)
    try:
        for flags in ("00", "01"):
            headers = {"traceparent": f"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}"}
            with tollbook.extract(headers), tollbook.inference("m") as call:
                call.usage(7)
        assert provider.force_flush()
    finally:
        runtime.use(None)
        provider.shutdown()
    assert len(receiver.spans) == 1
    assert totals(counts, unsampled=True)["gen_ai.client.inference.usage.input_tokens"] == 7


@pytest.mark.parametrize(("share", "threshold"), [(1.0, "0"), (0.5, "8"), (0.25, "c"), (0.1, "e6666666666668")])
def test_a_kept_trace_says_what_it_stands_for(share: float, threshold: str) -> None:
    kept = Share(share).should_sample(None, (1 << 128) - 1, "r")
    assert kept.trace_state is not None
    assert kept.trace_state.get("ot") == f"th:{threshold}"
    assert Share(share).should_sample(None, 0, "r").decision.is_sampled() is (share == 1)


def test_what_is_sent_is_counted_where_counts_are_exported(counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    tracer = TracerProvider(shutdown_on_exit=False).get_tracer("t")
    span: Any = tracer.start_span("chat", attributes={"gen_ai.usage.input_tokens": 3, "gen_ai.request.model": "m"})
    for exported, totals in ((True, [1, 3]), (False, [1, 3]), (True, [2, 6])):
        monkeypatch.setattr(counts, "counts_sampled", exported)
        counts.count(span, True)
        assert [series.totals[name] for series in counts._series.values() for name in ("calls", "input")] == totals
    monkeypatch.setattr(counts, "counts_sampled", False)
    counts.count(span, False)
    assert sum(total for name, _, total in counts.unsampled() if name == "input") == 3


def test_a_share_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="no share of traces"):
        Share(1.5)


def test_counts_belong_to_the_hour_that_their_spans_began_in(counts: Counts) -> None:
    span = tollbook.testing.Captured().provider.get_tracer("t").start_span(
        "chat", attributes={"gen_ai.request.model": "m", "gen_ai.usage.input_tokens": 5}, start_time=10 * HOUR_NS - 10**9
    )  # fmt: skip
    span.end(10 * HOUR_NS + 10**9)
    counts.count(span, True)  # type: ignore[arg-type]
    first = points(counts.metrics(10 * HOUR_NS + 5 * 10**9))
    assert [9 * HOUR_NS <= point.time_unix_nano < 10 * HOUR_NS for point in first] == [True, True]
    assert points(counts.metrics(10 * HOUR_NS + 6 * 10**9)) == []
    counts.undelivered()
    again = points(counts.metrics(10 * HOUR_NS + 7 * 10**9))
    assert [point.value for point in again] == [point.value for point in first]
    assert again[0].time_unix_nano > first[0].time_unix_nano
    assert points(counts.metrics(10 * HOUR_NS + timedelta(days=3) // timedelta(microseconds=1) * 1000)) == []


def points(scopes: list) -> list:
    return [point for scope in scopes for metric in scope.metrics for point in metric.data.data_points]


def test_series_are_bounded_and_what_does_not_fit_is_counted(counts: Counts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counting, "MAX_SERIES", 10)
    tracer = tollbook.testing.Captured().provider.get_tracer("t")
    for number in range(15):
        span = tracer.start_span("c", attributes={"gen_ai.request.model": f"m{number}", "gen_ai.usage.input_tokens": 1})
        span.end()
        counts.count(span, False)  # type: ignore[arg-type]
    assert counts.overflow == 5
    assert SpanContext(1, 1, False, TraceFlags(0)).is_valid
