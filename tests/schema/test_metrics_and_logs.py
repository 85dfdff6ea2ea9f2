"""OTLP metrics of all five kinds and logs in, rows out."""

from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from tollbook_schema.store import Store

from tests.schema.otlp import START_NS, attributes, load, value

TIMES = {"start_time_unix_nano": START_NS, "time_unix_nano": START_NS + 10}


def metrics(*sent: Metric) -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    resource_metrics = request.resource_metrics.add()
    resource_metrics.resource.attributes.extend(attributes({"service.name": "shop", "host.id": "h", "process.pid": 3}))
    resource_metrics.scope_metrics.add().metrics.extend(sent)
    return request


def rows(store: Store, columns: str) -> list[dict[str, Any]]:
    return store.query(f"SELECT {columns} FROM metrics ORDER BY time, value")


def test_a_gauge_keeps_whole_and_fractional_values_exactly(store: Store, tmp_path: Path) -> None:
    gauge = Metric(name="g", unit="1", description="d")
    gauge.gauge.data_points.add(**TIMES, as_int=2**62 + 1, attributes=attributes({"hw.id": "gpu0"}))
    gauge.gauge.data_points.add(**TIMES, as_double=0.25)
    gauge.gauge.data_points.add(**TIMES, as_int=0)
    load(store, tmp_path, metrics(gauge), signal="metrics")
    found = rows(store, "toString(kind) AS kind, unit, value, value_int, attributes, service_name, host_id, process_pid")
    shared = {"kind": "gauge", "unit": "1", "service_name": "shop", "host_id": "h", "process_pid": 3}
    assert found == [
        {**shared, "value": 0.0, "value_int": 0, "attributes": {}},
        {**shared, "value": 0.25, "value_int": None, "attributes": {}},
        {**shared, "value": float(2**62 + 1), "value_int": 2**62 + 1, "attributes": {"hw.id": "gpu0"}},
    ]


def test_a_sum_keeps_temporality_monotony_and_exemplars(store: Store, tmp_path: Path) -> None:
    counter = Metric(name="c")
    counter.sum.aggregation_temporality, counter.sum.is_monotonic = 2, True
    point = counter.sum.data_points.add(**TIMES, as_double=1.5, flags=1)
    point.exemplars.add(time_unix_nano=START_NS, as_int=4, trace_id=b"\x01" * 16, span_id=b"\x02" * 8)
    load(store, tmp_path, metrics(counter), signal="metrics")
    found = rows(
        store,
        "toString(kind) AS kind, value, toString(temporality) AS t, monotonic, flags, `exemplars.value` AS ev,"
        " arrayMap(id -> hex(id), `exemplars.trace_id`) AS et",
    )
    assert found == [
        {"kind": "sum", "value": 1.5, "t": "cumulative", "monotonic": True, "flags": 1, "ev": [4.0], "et": ["01" * 16]}
    ]


def test_a_histogram_keeps_buckets_and_says_when_it_has_no_extremes(store: Store, tmp_path: Path) -> None:
    histogram = Metric(name="h")
    histogram.histogram.aggregation_temporality = 1
    histogram.histogram.data_points.add(**TIMES, count=3, sum=4.5, bucket_counts=[1, 2], explicit_bounds=[1.0], max=3.0)
    load(store, tmp_path, metrics(histogram), signal="metrics")
    found = rows(
        store,
        "toString(kind) AS k, toString(temporality) AS t, count, sum, min, max, bucket_counts AS b, explicit_bounds AS e, value",
    )
    shared = {"k": "histogram", "t": "delta", "count": 3, "sum": 4.5, "min": None, "max": 3.0}
    assert found == [{**shared, "b": [1, 2], "e": [1.0], "value": None}]


def test_an_exponential_histogram_keeps_both_sides(store: Store, tmp_path: Path) -> None:
    exponential = Metric(name="x")
    point = exponential.exponential_histogram.data_points.add(
        **TIMES, count=6, sum=1.0, scale=-2, zero_count=1, zero_threshold=0.5
    )
    point.positive.offset = -3
    point.positive.bucket_counts.extend([1, 2])
    point.negative.offset = 4
    point.negative.bucket_counts.extend([2])
    load(store, tmp_path, metrics(exponential), signal="metrics")
    found = rows(
        store,
        "toString(kind) AS k, count, scale, zero_count AS z, zero_threshold AS zt, positive_offset AS po, positive_counts AS pc,"
        " negative_offset AS no, negative_counts AS nc",
    )
    counts = {"count": 6, "scale": -2, "z": 1, "zt": 0.5}
    assert found == [{"k": "exponential_histogram", **counts, "po": -3, "pc": [1, 2], "no": 4, "nc": [2]}]


def test_a_summary_keeps_its_quantiles(store: Store, tmp_path: Path) -> None:
    summary = Metric(name="s")
    point = summary.summary.data_points.add(**TIMES, count=2, sum=3.0, attributes=attributes({"a": True}))
    point.quantile_values.add(quantile=0.5, value=1.0)
    point.quantile_values.add(quantile=0.99, value=2.0)
    load(store, tmp_path, metrics(summary), signal="metrics")
    found = rows(
        store, "toString(kind) AS k, count, sum, quantiles AS q, quantile_values AS v, attributes AS a, attribute_types AS t"
    )
    values = {"count": 2, "sum": 3.0, "q": [0.5, 0.99], "v": [1.0, 2.0]}
    assert found == [{"k": "summary", **values, "a": {"a": "true"}, "t": {"a": "bool"}}]


def test_a_log_record_keeps_its_body_and_takes_the_observed_time_where_it_has_none(store: Store, tmp_path: Path) -> None:
    request = ExportLogsServiceRequest()
    resource_logs = request.resource_logs.add()
    resource_logs.resource.attributes.extend(attributes({"service.name": "shop"}))
    records = resource_logs.scope_logs.add().log_records
    records.add(time_unix_nano=START_NS, body=value("hi"), severity_number=9, severity_text="INFO", trace_id=b"\x01" * 16)
    records.add(observed_time_unix_nano=START_NS + 1, body=value([1, "x"]), event_name="e", attributes=attributes({"n": 1}))
    load(store, tmp_path, request, signal="logs")
    found = store.query(
        "SELECT toUnixTimestamp64Nano(time) AS t, body, toString(body_type) AS bt, severity_number AS n, severity_text AS s,"
        " event_name AS e, hex(trace_id) AS trace, attributes AS a, service_name FROM logs ORDER BY time"
    )
    assert found == [
        {
            "t": START_NS,
            "body": "hi",
            "bt": "string",
            "n": 9,
            "s": "INFO",
            "e": "",
            "trace": "01" * 16,
            "a": {},
            "service_name": "shop",
        },
        {
            "t": START_NS + 1,
            "body": '[1,"x"]',
            "bt": "array",
            "n": 0,
            "s": "",
            "e": "e",
            "trace": "",
            "a": {"n": "1"},
            "service_name": "shop",
        },
    ]


def test_every_row_says_the_version_of_the_schema(store: Store, tmp_path: Path) -> None:
    gauge = Metric(name="g")
    gauge.gauge.data_points.add(**TIMES, as_int=1)
    points, logs = metrics(gauge), ExportLogsServiceRequest()
    points.resource_metrics[0].schema_url = "https://tollbook.dev/schemas/0.1.0"
    logs.resource_logs.add(schema_url="https://tollbook.dev/schemas/0.1.0").scope_logs.add().log_records.add(
        time_unix_nano=START_NS
    )
    load(store, tmp_path, points, signal="metrics")
    load(store, tmp_path, logs, signal="logs")
    for table in ("metrics", "logs"):
        said = store.query(f"SELECT resource_schema_url FROM {table}")
        assert said == [{"resource_schema_url": "https://tollbook.dev/schemas/0.1.0"}]
