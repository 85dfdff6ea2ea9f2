"""OTLP/JSON to protobuf: bytes in, bytes out."""

import base64
import json
import math
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tollbook_collector import otlp_json
from tollbook_collector.errors import BadRequestError
from tollbook_collector.signals import LOGS, METRICS, SIGNALS, TRACES, Signal

SPAN = {"traceId": "00" * 15 + "01", "spanId": "00" * 7 + "01"}


def request(*spans: Any) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def spans(body: bytes) -> list[Span]:
    message = ExportTraceServiceRequest.FromString(otlp_json.to_protobuf(TRACES, body).body)
    return list(message.resource_spans[0].scope_spans[0].spans)


def value(in_json: str) -> AnyValue:
    """What an AnyValue written in JSON becomes."""
    body = request(SPAN | {"attributes": [{"key": "k", "value": "HERE"}]}).replace(b'"HERE"', in_json.encode())
    return spans(body)[0].attributes[0].value


def fault(in_json: str) -> str:
    """Why a span with this AnyValue is left out."""
    body = request(SPAN, SPAN | {"attributes": [{"key": "k", "value": "HERE"}]}).replace(b'"HERE"', in_json.encode())
    converted = otlp_json.to_protobuf(TRACES, body)
    assert converted.rejected == 1
    assert len(spans(body)) == 1
    return converted.reason


@pytest.mark.parametrize(
    ("in_json", "number"),
    [
        ("5", 5),
        ('"5"', 5),
        ("-9223372036854775808", -(2**63)),
        ('"9223372036854775807"', 2**63 - 1),
        ("9007199254740993", 2**53 + 1),
        ("1e3", 1000),
        ('"1e3"', 1000),
        ("1.0", 1),
        ("-0", 0),
    ],
)
def test_an_integer_is_a_number_or_a_string(in_json: str, number: int) -> None:
    assert value(f'{{"intValue":{in_json}}}').int_value == number


@pytest.mark.parametrize(
    ("in_json", "reason"),
    [
        ("1.5", "intValue must be an integer, got 1.5"),
        ('"1.5"', 'intValue must be an integer, got "1.5"'),
        ("9223372036854775808", "intValue must be from -9223372036854775808 to 9223372036854775807"),
        ("1e99999", "intValue must be an integer, got Infinity"),
        ('"1e999999999"', "intValue must be an integer"),
        ('"five"', 'intValue cannot be "five"'),
        ('""', 'intValue cannot be ""'),
        ("true", "intValue must be an integer, got a boolean"),
        ("[]", "intValue must be an integer, got an array"),
    ],
)
def test_what_is_no_integer_costs_its_span_only(in_json: str, reason: str) -> None:
    assert reason in fault(f'{{"intValue":{in_json}}}')


@pytest.mark.parametrize(
    ("in_json", "number"),
    [("1.5", 1.5), ("2", 2.0), ('"Infinity"', math.inf), ('"-Infinity"', -math.inf), ('"0.25"', 0.25), ("5e-324", 5e-324)],
)
def test_a_double_is_a_number_or_a_word(in_json: str, number: float) -> None:
    assert value(f'{{"doubleValue":{in_json}}}').double_value == number


@pytest.mark.parametrize("in_json", ['"NaN"', "null", "NaN"])
def test_a_double_that_is_null_is_what_javascript_makes_of_nan(in_json: str) -> None:
    found = value(f'{{"doubleValue":{in_json}}}')
    assert found.HasField("double_value")
    assert math.isnan(found.double_value)


@pytest.mark.parametrize(
    ("in_json", "field"),
    [
        ('{"intValue":0}', "int_value"),
        ('{"boolValue":false}', "bool_value"),
        ('{"stringValue":""}', "string_value"),
        ("{}", None),
    ],
)
def test_zero_false_empty_and_absent_stay_distinct(in_json: str, field: str | None) -> None:
    assert value(in_json).WhichOneof("value") == field


@pytest.mark.parametrize(
    ("in_json", "text"),
    [
        (r'"\ud83d"', "\ufffd"),
        (r'"a\ude00b"', "a\ufffdb"),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\u0000"', "\x00"),
        ('"שלום 😀"', "שלום 😀"),
    ],
)
def test_a_lone_surrogate_becomes_the_replacement_character(in_json: str, text: str) -> None:
    assert value(f'{{"stringValue":{in_json}}}').string_value == text


def test_a_byte_that_is_not_utf_8_becomes_the_replacement_character() -> None:
    body = request(SPAN | {"name": "HERE"}).replace(b"HERE", b"a\xffb")
    assert spans(body)[0].name == "a\ufffdb"


@pytest.mark.parametrize("text", ["AAH/", "AAH_", "AAH/==="])
def test_bytes_are_base64_in_either_alphabet(text: str) -> None:
    assert value(json.dumps({"bytesValue": text})).bytes_value == b"\x00\x01\xff"


def test_arrays_and_maps_nest() -> None:
    in_json = '{"kvlistValue":{"values":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":"1"},{}]}}}]}}'
    found = value(in_json).kvlist_value.values[0]
    assert (found.key, found.value.array_value.values[0].int_value) == ("a", 1)


@pytest.mark.parametrize("hex_case", [str.upper, str.lower])
def test_ids_are_hex_in_either_case(hex_case: Any) -> None:
    body = request({"traceId": hex_case("0af7651916cd43dd8448eb211c80319c"), "spanId": hex_case("b7ad6b7169203331"), "kind": 2})
    assert spans(body)[0].trace_id == bytes.fromhex("0af7651916cd43dd8448eb211c80319c")
    assert spans(body)[0].span_id == bytes.fromhex("b7ad6b7169203331")


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"traceId": "abc"}, 'traceId must be hex, got "abc"'),
        ({"traceId": "CvdlGRbNQ92ESOshHIAxnA=="}, "traceId must be hex"),
        ({"spanId": 7}, "spanId must be hex, got a number"),
        ({"name": 7}, "name must be a string, got a number"),
        ({"kind": "CLIENT"}, 'kind cannot be "CLIENT"'),
        ({"startTimeUnixNano": -1}, "startTimeUnixNano must be from 0 to 18446744073709551615, got -1"),
        ({"flags": 2**32}, "flags must be from 0 to 4294967295"),
        ({"attributes": {}}, "attributes must be an array, got an object"),
        ({"attributes": [None]}, "KeyValue must be an object, got null"),
        ({"events": [7]}, "Event must be an object, got a number"),
        ({"status": []}, "Status must be an object, got an array"),
    ],
)
def test_a_value_that_cannot_be_costs_its_span_only(wrong: dict[str, Any], reason: str) -> None:
    converted = otlp_json.to_protobuf(TRACES, request(SPAN | wrong, SPAN, [], SPAN))
    assert converted.rejected == 2
    assert reason in converted.reason
    assert len(spans(request(SPAN | wrong, SPAN))) == 1


def test_an_enum_is_a_number_or_its_name() -> None:
    assert [span.kind for span in spans(request(SPAN | {"kind": 3}, SPAN | {"kind": "SPAN_KIND_CLIENT"}))] == [3, 3]


def test_unknown_fields_and_nulls_are_ignored_and_the_last_of_two_keys_wins() -> None:
    body = b'{"future":1,"resourceSpans":[{"scopeSpans":[{"spans":[{"x":{},"trace_id":"ab","name":null,"kind":1,"kind":2}]}]}]}'
    span = spans(body)[0]
    assert (span.trace_id, span.name, span.kind) == (b"", "", 2)


def nested(depth: int, inside: str) -> str:
    one = '{"arrayValue":{"values":[%s]}}' if inside == "array" else '{"kvlistValue":{"values":[{"key":"k","value":%s}]}}'
    text = "{}"
    for _ in range(depth):
        text = one % text
    return text


@pytest.mark.parametrize(("inside", "deepest"), [("array", 47), ("map", 31)])
def test_json_nests_as_deep_as_protobuf_and_no_deeper(inside: str, deepest: int) -> None:
    value(nested(deepest, inside))
    assert "nested more than 100 deep" in fault(nested(deepest + 1, inside))


@pytest.mark.parametrize("text", ["[1,2]", "7", '"x"', "null", "{'a':1}", "", '{"a":' + "9" * 5000 + "}", "[" * 200_000])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(BadRequestError):
        otlp_json.to_protobuf(TRACES, text.encode())


def test_what_all_spans_share_must_be_right() -> None:
    body = b'{"resourceSpans":[{"resource":{"attributes":[{"key":7}]},"scopeSpans":[]}]}'
    with pytest.raises(BadRequestError, match="key must be a string, got a number"):
        otlp_json.to_protobuf(TRACES, body)


def test_a_bad_data_point_costs_itself_only() -> None:
    points = [{"asInt": "1"}, {"asInt": "x"}, {"asDouble": 2}]
    body = json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": [{"name": "m", "gauge": {"dataPoints": points}}]}]}]})
    converted = otlp_json.to_protobuf(METRICS, body.encode())
    metric = ExportMetricsServiceRequest.FromString(converted.body).resource_metrics[0].scope_metrics[0].metrics[0]
    assert converted.rejected == 1
    assert [point.as_int or point.as_double for point in metric.gauge.data_points] == [1, 2.0]


def test_the_examples_of_the_specification_are_read_field_by_field(shared_data: Path) -> None:
    def read(signal: Signal, name: str) -> Any:
        converted = otlp_json.to_protobuf(signal, (shared_data / "otlp_examples" / name).read_bytes())
        assert converted.rejected == 0
        return signal.request.FromString(converted.body)

    span = read(TRACES, "trace.json").resource_spans[0].scope_spans[0].spans[0]
    assert (span.trace_id.hex(), span.span_id.hex()) == ("5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174")
    assert (span.name, span.kind, span.start_time_unix_nano) == ("I'm a server span", 2, 1544712660000000000)
    metrics = read(METRICS, "metrics.json").resource_metrics[0].scope_metrics[0].metrics
    assert [metric.WhichOneof("data") for metric in metrics] == ["sum", "gauge", "histogram", "exponential_histogram"]
    assert list(metrics[2].histogram.data_points[0].bucket_counts) == [1, 1]
    log = read(LOGS, "logs.json").resource_logs[0].scope_logs[0].log_records[0]
    assert (log.severity_number, log.body.string_value) == (10, "Example log record")
    event = read(LOGS, "events.json").resource_logs[0].scope_logs[0].log_records[0]
    assert event.event_name == "browser.page_view"


# Whatever a protobuf client can send, JSON carries the same: one message, two encodings, the same bytes.

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.one_of(
    st.builds(AnyValue, string_value=TEXT),
    st.builds(AnyValue, bool_value=st.booleans()),
    st.builds(AnyValue, int_value=st.integers(-(2**63), 2**63 - 1)),
    st.builds(AnyValue, double_value=st.floats(allow_nan=False)),
    st.builds(AnyValue, bytes_value=st.binary(max_size=8)),
    st.builds(AnyValue),
)


def _containers(inner: st.SearchStrategy[AnyValue]) -> st.SearchStrategy[AnyValue]:
    array = st.builds(lambda values: AnyValue(array_value={"values": values}), st.lists(inner, max_size=3))
    pairs = st.dictionaries(TEXT, inner, max_size=3)
    return array | st.builds(lambda of: AnyValue(kvlist_value={"values": _attributes(of)}), pairs)


def _attributes(of: dict[str, AnyValue]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in of.items()]


ATTRIBUTES = st.dictionaries(TEXT, st.recursive(SCALARS, _containers, max_leaves=5), max_size=3).map(_attributes)
UINT32 = st.integers(0, 2**32 - 1)
UINT64 = st.integers(0, 2**64 - 1)
SPAN_ID, TRACE_ID = st.binary(min_size=8, max_size=8), st.binary(min_size=16, max_size=16)
EVENT = {"time_unix_nano": UINT64, "name": TEXT, "attributes": ATTRIBUTES}
LINK = {"trace_id": TRACE_ID, "span_id": SPAN_ID, "attributes": ATTRIBUTES, "flags": UINT32}
ONE_SPAN = st.fixed_dictionaries(
    {"trace_id": TRACE_ID, "span_id": SPAN_ID},
    optional={
        "parent_span_id": SPAN_ID,
        "name": TEXT,
        "trace_state": TEXT,
        "kind": st.integers(0, 5),
        "start_time_unix_nano": UINT64,
        "end_time_unix_nano": UINT64,
        "attributes": ATTRIBUTES,
        "dropped_attributes_count": UINT32,
        "events": st.lists(st.fixed_dictionaries(EVENT), max_size=2),
        "links": st.lists(st.fixed_dictionaries(LINK), max_size=2),
        "status": st.fixed_dictionaries({"message": TEXT, "code": st.integers(0, 2)}),
        "flags": UINT32,
    },
)
INT64 = st.integers(-(2**63), 2**63 - 1)
DOUBLE = st.floats(allow_nan=False)
EXEMPLAR = {"time_unix_nano": UINT64, "as_double": DOUBLE, "span_id": SPAN_ID, "trace_id": TRACE_ID}
NUMBER_POINT = {"attributes": ATTRIBUTES, "time_unix_nano": UINT64, "as_int": INT64}
HISTOGRAM_POINT = {
    "count": UINT64,
    "sum": DOUBLE,
    "bucket_counts": st.lists(UINT64, max_size=3),
    "explicit_bounds": st.lists(DOUBLE, max_size=3),
    "exemplars": st.lists(st.fixed_dictionaries(EXEMPLAR), max_size=2),
    "min": DOUBLE,
}
BUCKETS = st.fixed_dictionaries({"offset": st.integers(-(2**31), 2**31 - 1), "bucket_counts": st.lists(UINT64, max_size=3)})
EXPONENTIAL_POINT = {"count": UINT64, "scale": st.integers(-10, 20), "positive": BUCKETS, "zero_threshold": DOUBLE}
SUMMARY_POINT = {
    "count": UINT64,
    "sum": DOUBLE,
    "quantile_values": st.lists(st.fixed_dictionaries({"quantile": DOUBLE, "value": DOUBLE}), max_size=2),
}


def _points(kind: str, point: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    points = st.lists(st.fixed_dictionaries(point), max_size=2)
    return st.builds(lambda name, points: {"name": name, kind: {"data_points": points}}, TEXT, points)


ONE_METRIC = st.one_of(
    _points("gauge", NUMBER_POINT),
    _points("sum", NUMBER_POINT),
    _points("histogram", HISTOGRAM_POINT),
    _points("exponential_histogram", EXPONENTIAL_POINT),
    _points("summary", SUMMARY_POINT),
)
ONE_LOG = st.fixed_dictionaries(
    {"time_unix_nano": UINT64, "body": SCALARS},
    optional={"severity_number": st.integers(0, 24), "attributes": ATTRIBUTES, "trace_id": TRACE_ID, "event_name": TEXT},
)


def _requests(kind: type[Message], words: tuple[str, str, str], record: st.SearchStrategy[Any]) -> st.SearchStrategy[Message]:
    resources, scopes, records = words

    def build(attributes: list[dict[str, Any]], name: str, found: list[Any]) -> Message:
        scope = {"scope": {"name": name}, records: found}
        return kind(**{resources: [{"resource": {"attributes": attributes}, scopes: [scope]}]})

    return st.builds(build, ATTRIBUTES, TEXT, st.lists(record, max_size=2))


REQUESTS = st.one_of(
    _requests(ExportTraceServiceRequest, ("resource_spans", "scope_spans", "spans"), ONE_SPAN),
    _requests(ExportMetricsServiceRequest, ("resource_metrics", "scope_metrics", "metrics"), ONE_METRIC),
    _requests(ExportLogsServiceRequest, ("resource_logs", "scope_logs", "log_records"), ONE_LOG),
)


def hex_ids(tree: Any) -> Any:
    """Google's JSON of a message with its ids in hex, which is OTLP's JSON."""
    if isinstance(tree, list):
        return [hex_ids(element) for element in tree]
    if not isinstance(tree, dict):
        return tree
    return {
        key: _hex(element) if key in ("traceId", "spanId", "parentSpanId") else hex_ids(element) for key, element in tree.items()
    }


def _hex(text: str) -> str:
    return base64.b64decode(text).hex()


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(REQUESTS)
def test_json_becomes_the_bytes_that_a_protobuf_client_sends(message: Message) -> None:
    signal = next(signal for signal in SIGNALS.values() if isinstance(message, signal.request))
    in_json = json.dumps(hex_ids(MessageToDict(message, use_integers_for_enums=True))).encode()
    converted = otlp_json.to_protobuf(signal, in_json)
    assert converted.rejected == 0
    assert converted.body == message.SerializeToString()


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["resourceSpans", "scopeSpans", "spans", "attributes", "value", "key", "traceId", "name"]), inner
            )
        ),
    )
)
def test_any_json_is_taken_or_refused_by_name(tree: Any) -> None:
    try:
        converted = otlp_json.to_protobuf(TRACES, json.dumps({"resourceSpans": tree}).encode())
    except BadRequestError:
        return
    ExportTraceServiceRequest.FromString(converted.body)
