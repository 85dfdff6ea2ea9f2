"""Files: stored whole or refused with a reason. Counted against a second reader that shares no code with the first."""

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from tollbook_collector.errors import BadRequestError, UnavailableError
from tollbook_collector.export import Export
from tollbook_collector.ingest import HttpSink, Ingested, StoreSink, ingest_file
from tollbook_collector.signals import TRACES, Signal
from tollbook_schema.store import Store

from tests.collector.conftest import Running, trace_request

FOLDERS = (
    "client_captures",
    "otlp_examples",
    "otel_demo_golden",
    "llm_spans_genai",
    "langfuse_framework_traces",
    "llm_traces_k8s",
)
SPAN = {"traceId": "00" * 15 + "01", "spanId": "00" * 7 + "01", "name": "a"}


def json_line(*spans: object) -> bytes:
    return json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}).encode()


def metrics_request() -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="gen_ai.client.token.usage", unit="{token}")
    metric.gauge.data_points.add(as_int=1)
    metric.gauge.data_points.add(as_int=2)
    return request


def logs_request() -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=5, severity_text="INFO")
    return request


class Tray:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.given: list[tuple[str, Export]] = []

    def __call__(self, signal: Signal, request: Export) -> None:
        self.given.append((signal.name, request))


def ingested(tmp_path: Path, content: bytes) -> Ingested:
    path = tmp_path / "file"
    path.write_bytes(content)
    return ingest_file(path, Tray())


@pytest.mark.parametrize(
    ("content", "signal", "records"),
    [
        (trace_request(3).SerializeToString(), "traces", 3),
        (metrics_request().SerializeToString(), "metrics", 2),
        (logs_request().SerializeToString(), "logs", 1),
        (gzip.compress(trace_request(3).SerializeToString()), "traces", 3),
        (json_line(SPAN), "traces", 1),
        (json.dumps(json.loads(json_line(SPAN)), indent=2).encode(), "traces", 1),
        (gzip.compress(json_line(SPAN) + b"\n" + json_line(SPAN, SPAN) + b"\n\n"), "traces", 3),
        (json_line(SPAN) + b"\n" + b'{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}', "traces, logs", 2),
    ],
)
def test_a_file_says_by_itself_which_signal_it_holds(tmp_path: Path, content: bytes, signal: str, records: int) -> None:
    found = ingested(tmp_path, content)
    assert (found.signal, found.records, found.rejected, found.reason) == (signal, records, 0, "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "the file is empty"),
        (b" \n", "the file is empty"),
        (b"# Notes\n\nhello", "not OTLP: it looks like text that starts with '# Notes'"),
        (b"a,b\n1,2\n3,4\n", "not OTLP: it looks like CSV"),
        (b"\x00\x01\x02\x03", "not OTLP: it looks like binary data that starts with 00 01 02 03"),
        (gzip.compress(b"hello")[:-5], "damaged gzip"),
        (gzip.compress(b"hello")[:10] + bytes([255]) * 20, "damaged gzip"),
        (b"{", "not JSON"),
        (b"[]", "not OTLP: it looks like an empty array"),
        (b'[{"traceID":"a","spans":[]}]', "an array of 1, the first a Jaeger trace"),
        (b'{"trace":{},"observations":[]}', "not OTLP: it looks like a Langfuse export"),
        (b'{"trace_id":"x","spans":[]}', "another tool's trace export (trace_id, spans)"),
        (b'{"gen_ai.operation.name":"chat","input":"x"}', "a dictionary of span attributes, without a span around it"),
        (b'{"name":"a","kind":"SERVER","minutes_ago":1}', "a span of sample data without ids and with relative times"),
        (b'{"$defs":{}}', "a JSON schema"),
        (b'{"resource_spans":[]}', "OTLP with snake_case keys"),
        (b'{"a":1,"b":2}', "a JSON object with the keys a, b"),
        (b'{"resourceSpans":{}}', "resourceSpans must be an array, got an object"),
    ],
)
def test_what_is_no_otlp_is_refused_with_what_it_looks_like(tmp_path: Path, content: bytes, reason: str) -> None:
    found = ingested(tmp_path, content)
    assert (found.refused, found.records) == (True, 0)
    assert reason in found.reason


def test_a_bad_line_does_not_cost_the_good_ones(tmp_path: Path) -> None:
    found = ingested(tmp_path, json_line(SPAN) + b"\n{broken\n" + json_line(SPAN, SPAN | {"spanId": "zz"}))
    assert (found.signal, found.records, found.rejected) == ("traces", 2, 2)
    assert found.reason.startswith("line 2: not JSON")


def test_the_lines_of_a_file_are_loaded_together(tmp_path: Path) -> None:
    path, tray = tmp_path / "file", Tray()
    path.write_bytes(b"\n".join(json_line(SPAN | {"name": str(number)}) for number in range(50)))
    assert ingest_file(path, tray).records == 50
    ((_signal, request),) = tray.given
    assert (request.records, request.resources) == (50, 50)


def test_a_file_goes_into_the_store_and_again_changes_nothing(tmp_path: Path, store: Store) -> None:
    path = tmp_path / "file"
    path.write_bytes(trace_request(3).SerializeToString())
    for _ in range(2):
        assert ingest_file(path, StoreSink(store)).records == 3
    assert store.query("SELECT count() AS n FROM spans") == [{"n": 3}]


def test_a_file_goes_to_a_collector_that_runs(tmp_path: Path, running: Running, store: Store) -> None:
    path = tmp_path / "file"
    path.write_bytes(trace_request(3).SerializeToString())
    assert ingest_file(path, HttpSink(running.http)).records == 3
    running.wait()
    assert store.query("SELECT count() AS n FROM spans") == [{"n": 3}]


def test_a_collector_that_is_not_there_or_refuses_is_named(running: Running) -> None:
    with pytest.raises(UnavailableError, match=r"cannot reach the collector at 127\.0\.0\.1:1"):
        HttpSink("http://127.0.0.1:1")(TRACES, Export(b"", 0, 0))
    with pytest.raises(BadRequestError, match="answered 400"):
        HttpSink(running.http)(TRACES, Export(b"garbage", 1, 1))


# The second reader: protobuf by hand, JSON by a walk over its text's tree; it knows field numbers and nothing else.


def ids_in_protobuf(data: bytes) -> Iterator[tuple[str, str]]:
    for scope_spans in (s for r in chunks(data, 1) for s in chunks(r, 2)):
        for span in chunks(scope_spans, 2):
            trace_id, span_id = next(chunks(span, 1), b""), next(chunks(span, 2), b"")
            if len(trace_id) == 16 and len(span_id) == 8:
                yield trace_id.hex(), span_id.hex()


def chunks(data: bytes, wanted: int) -> Iterator[bytes]:
    place = 0

    def number() -> int:
        nonlocal place
        value = shift = 0
        while True:
            byte = data[place]
            place += 1
            value |= (byte % 128) << shift
            shift += 7
            if byte < 128:
                return value

    while place < len(data):
        tag = number()
        if tag % 8 == 2:
            size = number()
            if tag // 8 == wanted:
                yield data[place : place + size]
            place += size
        elif tag % 8 == 0:
            number()
        else:
            place += {1: 8, 5: 4}[tag % 8]


def ids_in_json(tree: object) -> Iterator[tuple[str, str]]:
    if isinstance(tree, dict):
        if "startTimeUnixNano" in tree and "traceId" in tree:
            yield tree["traceId"].lower(), tree["spanId"].lower()
        for inner in tree.values():
            yield from ids_in_json(inner)
    elif isinstance(tree, list):
        for inner in tree:
            yield from ids_in_json(inner)


def ids_in(path: Path) -> list[tuple[str, str]]:
    data = path.read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = zlib.decompress(data, 31)
    if data[:1] == b"{":
        lines = [data] if path.suffix != ".jsonl" else data.splitlines()
        trees = [json.loads(line) for line in lines]
        return [ids for tree in trees if "resourceSpans" in tree for ids in ids_in_json(tree)]
    if path.suffix == ".md" or "metrics" in path.name:
        return []
    return list(ids_in_protobuf(data))


def test_every_real_file_is_stored_whole_or_refused_with_a_reason(shared_data: Path, store: Store) -> None:
    in_files: list[tuple[str, str]] = []
    stored_files = 0
    for path in sorted(path for folder in FOLDERS for path in (shared_data / folder).iterdir()):
        found = ingest_file(path, StoreSink(store))
        ids = ids_in(path)
        in_files += ids
        stored_files += not found.refused
        assert found.rejected == 0 or found.refused, path
        assert found.reason if found.refused else not found.reason, path
        assert found.records == len(ids) if found.signal in ("traces", "") else not ids, path
    rows = store.query("SELECT lower(hex(trace_id)) AS t, lower(hex(span_id)) AS s FROM spans")
    assert sorted((row["t"], row["s"]) for row in rows) == sorted(set(in_files))
    assert (stored_files, len(in_files), len(rows)) == (
        17,
        2022,
        1022,
    )  # two bodies stand in two files each
    assert store.query("SELECT (SELECT count() FROM metrics) AS m, (SELECT count() FROM logs) AS l") == [{"m": 5, "l": 2}]
