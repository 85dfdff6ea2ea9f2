"""What of a protobuf request can be kept."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tollbook_collector import wire
from tollbook_collector.errors import BadRequestError
from tollbook_collector.export import Export, checked
from tollbook_collector.signals import LOGS, METRICS, SIGNALS, TRACES, Signal

from tests.collector.conftest import trace_request


def names(export: Export) -> list[str]:
    request = ExportTraceServiceRequest.FromString(export.body)
    return [span.name for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]


def test_a_good_request_is_kept_as_it_came() -> None:
    body = trace_request(3).SerializeToString() + trace_request(2, first=9).SerializeToString()
    assert checked(TRACES, body) == Export(body, 5, 2)


UNKNOWN = {
    "bytes": wire.tagged(1000, b"frame"),
    "a number": b"\xc0\x3e\x05",
    "a group": b"\xc3\x3e\x08\x01\xc4\x3e",
    "bytes with a long tag": b"\xc2\xbe\x80\x00\x05frame",
    "resources that are a number": b"\x08\x05",
}


@pytest.mark.parametrize("unknown", UNKNOWN.values(), ids=UNKNOWN.keys())
@pytest.mark.parametrize("signal", SIGNALS.values(), ids=lambda signal: signal.name)
def test_no_field_at_the_top_but_resources_is_kept(signal: Signal, unknown: bytes) -> None:
    resource = wire.tagged(1, wire.tagged(900, b"inside"))
    assert checked(signal, unknown + resource + unknown + resource + unknown) == Export(resource + resource, 0, 2)


def test_a_salvaged_request_keeps_no_field_at_the_top_but_resources() -> None:
    request = trace_request(2)
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = b"short"
    good = trace_request(1, first=9).SerializeToString()
    kept = checked(TRACES, wire.tagged(1000, b"frame") + request.SerializeToString() + wire.tagged(1000, b"frame") + good)
    assert (kept.records, kept.resources, kept.rejected) == (2, 2, 1)
    assert [field.number for field in wire.fields(kept.body)] == [1, 1]


def test_text_that_is_not_utf_8_is_repaired_and_said() -> None:
    request = trace_request(3, note="VALUE")
    request.resource_spans[0].scope_spans[0].spans[1].name = "HERE"
    body = request.SerializeToString().replace(b"\x2a\x04HERE", b"\x2a\x04H\xffRE").replace(b"VALUE", b"VAL\xc3E", 1)
    kept = checked(TRACES, body)
    assert (kept.records, kept.rejected, kept.repaired) == (3, 0, 2)
    assert names(kept) == ["chat gpt-4o", "H\ufffdRE", "chat gpt-4o"]
    spans = ExportTraceServiceRequest.FromString(kept.body).resource_spans[0].scope_spans[0].spans
    assert [span.attributes[0].value.string_value for span in spans] == ["VAL\ufffdE", "VALUE", "VALUE"]
    assert [span.trace_id for span in spans] == [number.to_bytes(16, "big") for number in (1, 2, 3)]


def test_values_nested_too_deep_cost_their_span_only() -> None:
    deep = b"\x0a\x01x"
    for _ in range(60):
        deep = wire.tagged(5, wire.tagged(1, deep))
    span = wire.tagged(1, b"t" * 16) + wire.tagged(2, b"s" * 8) + wire.tagged(9, wire.tagged(1, b"k") + wire.tagged(2, deep))
    body = trace_request(2).SerializeToString() + wire.tagged(1, wire.tagged(2, wire.tagged(2, span)))
    kept = checked(TRACES, body)
    assert (kept.records, kept.rejected) == (2, 1)


def test_text_of_a_resource_is_repaired() -> None:
    bad = trace_request(4).SerializeToString().replace(b"service.name", b"service.\xffame")
    good = trace_request(1, first=77).SerializeToString()
    kept = checked(TRACES, bad + good)
    assert (kept.records, kept.rejected, kept.repaired) == (5, 0, 1)
    resource = ExportTraceServiceRequest.FromString(kept.body).resource_spans[0].resource
    assert resource.attributes[0].key == "service.\ufffdame"
    assert kept.body.endswith(good)


def test_a_resource_that_cannot_be_read_costs_its_spans_and_not_those_of_others() -> None:
    span = ExportTraceServiceRequest.FromString(trace_request(1).SerializeToString()).resource_spans[0].scope_spans[0]
    bad = wire.tagged(1, wire.tagged(1, b"\x0a\x63cut off") + wire.tagged(2, span.SerializeToString()))
    good = trace_request(1, first=77).SerializeToString()
    kept = checked(TRACES, bad + good)
    assert (kept.records, kept.rejected, kept.body) == (1, 1, good)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("trace_id", b"t" * 24, "trace_id must be 16 bytes and not all zero, got 7474"),
        ("trace_id", b"", "trace_id must be 16 bytes and not all zero, got none"),
        ("trace_id", bytes(16), "trace_id must be 16 bytes and not all zero, got 0000"),
        ("span_id", b"s" * 7, "span_id must be 8 bytes and not all zero, got 7373"),
        ("span_id", bytes(8), "span_id must be 8 bytes and not all zero, got 0000"),
        ("parent_span_id", b"p" * 9, "parent_span_id must be 8 bytes or none, got 7070"),
    ],
)
def test_an_id_that_fits_no_column_costs_its_span_only(field: str, value: bytes, reason: str) -> None:
    request = trace_request(3)
    setattr(request.resource_spans[0].scope_spans[0].spans[0], field, value)
    kept = checked(TRACES, request.SerializeToString())
    assert (kept.records, kept.rejected) == (2, 1)
    assert kept.reason.startswith(reason)


def test_a_link_with_an_id_that_fits_no_column_costs_its_span() -> None:
    request = trace_request(2)
    request.resource_spans[0].scope_spans[0].spans[0].links.add(trace_id=b"t" * 17, span_id=b"s" * 8)
    assert checked(TRACES, request.SerializeToString()).rejected == 1


def test_a_request_of_only_bad_ids_is_a_partial_success_of_nothing() -> None:
    request = trace_request(1)
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = b"x"
    kept = checked(TRACES, request.SerializeToString())
    assert (kept.body, kept.records, kept.rejected) == (b"", 0, 1)


def test_log_records_are_salvaged_one_by_one() -> None:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add().scope_logs.add()
    for text in ("one", "HERE", "three"):
        scope.log_records.add(time_unix_nano=1).body.string_value = text
    kept = checked(LOGS, request.SerializeToString().replace(b"\x0a\x04HERE", b"\x0a\x05HERE"))
    assert (kept.records, kept.rejected) == (2, 1)
    kept = checked(LOGS, request.SerializeToString().replace(b"HERE", b"H\xffRE"))
    assert (kept.records, kept.rejected, kept.repaired) == (3, 0, 1)


def test_a_bad_metric_counts_its_points() -> None:
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    for name in ("good", "HERE"):
        metric = scope.metrics.add(name=name)
        for _ in range(3):
            metric.sum.data_points.add(as_int=1)
    metric.sum.data_points[0].attributes.add(key="KEYS")
    kept = checked(METRICS, request.SerializeToString().replace(b"\x0a\x04KEYS", b"\x0a\x54KEYS"))
    assert (kept.records, kept.rejected) == (3, 3)
    kept = checked(METRICS, request.SerializeToString().replace(b"HERE", b"H\xffRE"))
    assert (kept.records, kept.rejected, kept.repaired) == (6, 0, 1)


@pytest.mark.parametrize("signal", SIGNALS.values(), ids=lambda signal: signal.name)
@pytest.mark.parametrize("body", [b"garbage", b"{}", b"\x0a\x05abc", b"\xff" * 40, b"\x0a\x04\x12\x02\x12\x09"])
def test_what_is_no_export_is_refused(signal: Signal, body: bytes) -> None:
    with pytest.raises(BadRequestError):
        checked(signal, body)


@settings(max_examples=500, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 255), st.sampled_from(list(SIGNALS.values())))
def test_one_changed_byte_never_costs_more_than_an_answer(place: int, byte: int, signal: Signal) -> None:
    body = bytearray(trace_request(3, note="text").SerializeToString())
    body[place % len(body)] = byte
    try:
        kept = checked(signal, bytes(body))
    except BadRequestError:
        return
    message = signal.request.FromString(kept.body)
    assert signal is not TRACES or checked(TRACES, message.SerializeToString()).rejected == 0


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_kept_or_refused_by_name(body: bytes) -> None:
    for signal in SIGNALS.values():
        try:
            signal.request.FromString(checked(signal, body).body)
        except BadRequestError:
            continue
