"""The benchmark measures what it says it measures."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.measures import Figure
from benchmarks.payload import Payload

END_NS = 1_795_331_042_000_000_000


def spans_of(content: bytes) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(content)
    return [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]


def test_a_body_has_the_shape_that_the_protocol_names() -> None:
    body = Payload(seed=1).body(END_NS)
    request = ExportTraceServiceRequest.FromString(body.content)
    assert len(request.resource_spans[0].resource.attributes) == 11
    assert {len(span.attributes) for span in spans_of(body.content)} == {17}
    assert body.spans == len(spans_of(body.content)) == 512
    assert 700 < len(body.content) / 512 < 730


def test_ids_never_repeat_and_tokens_are_counted() -> None:
    bodies = Payload(seed=1).bodies(40, END_NS)
    spans = [span for body in bodies for span in spans_of(body.content)]
    assert len({span.span_id for span in spans}) == len({span.trace_id for span in spans}) == 40 * 512
    tokens = [
        attribute.value.int_value
        for span in spans
        for attribute in span.attributes
        if attribute.key == "gen_ai.usage.input_tokens"
    ]
    assert sum(tokens) == sum(body.input_tokens for body in bodies)


def test_spans_end_evenly_over_the_time_before_the_body() -> None:
    ends = [span.end_time_unix_nano for span in spans_of(Payload(seed=1, spans_per_body=3).body(END_NS, spread_ns=200).content)]
    assert ends == [END_NS - 200, END_NS - 100, END_NS]


def test_a_figure_is_its_median_round() -> None:
    figure = Figure("ingest", "spans/s", [70_000, 50_000, 90_000], 60_000, more_is_better=True, notes=[])
    assert (figure.median, figure.met) == (70_000, True)
    assert not Figure("start", "s", [3.0, 5.0, 4.5], 4, more_is_better=False, notes=[]).met
