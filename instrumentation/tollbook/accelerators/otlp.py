"""Samples as OTLP, and the way to a collector of the command that only samples. `samples_as_otlp` is pure."""

import os
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric, ScopeMetrics
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.accelerators.readings import COUNTER, GAUGE, INSTRUMENTS, Attributes, Histogram, Sample
from tollbook.delivery import Answer, Delivery, Outcome
from tollbook.exporters import DEFAULT_ENDPOINT

SCOPE: Final = "tollbook.accelerators"
MOST_WAITING: Final = 720
"""Bodies that wait for a collector: an hour of them at one every 5 s, some kilobytes each."""
OF_A_MACHINE: Final = (A.HOST_ID, A.HOST_TYPE, A.SERVICE_INSTANCE_ID, A.PROCESS_PID)
"""What is not true of samples from another machine."""


def samples_as_otlp(samples: Iterable[Sample], resource: Attributes, time_ns: int) -> bytes:
    """An export request; samples that name another host or service are under a resource of their own."""
    export = ExportMetricsServiceRequest()
    scopes: dict[tuple[tuple[str, str | int], ...], ScopeMetrics] = {}
    metrics: dict[tuple[int, str], Metric] = {}
    for sample in samples:
        told = _resource(resource, sample.resource)
        key = tuple(sorted(told.items()))
        if key not in scopes:
            group = export.resource_metrics.add(schema_url=A.SCHEMA_URL)
            group.resource.attributes.extend(_pairs(told))
            scopes[key] = group.scope_metrics.add()
            scopes[key].scope.name = SCOPE
        place = (id(scopes[key]), sample.name)
        if place not in metrics:
            metrics[place] = _metric(scopes[key], sample.name)
        _add(metrics[place], sample, time_ns)
    return bytes(export.SerializeToString())


class Outbound:
    """Sends bodies, oldest first; while nobody takes them they wait, and the oldest go once there are too many."""

    def __init__(self, delivery: Delivery) -> None:
        self._delivery = delivery
        self._waiting: deque[bytes] = deque(maxlen=MOST_WAITING)
        self.dropped = 0

    def send(self, body: bytes) -> Answer:
        """Sends what waits and then this; the answer to the last that was tried."""
        if len(self._waiting) == MOST_WAITING:
            self.dropped += 1
        self._waiting.append(self._delivery.packed(body))
        answer = Answer(Outcome.DELIVERED)
        while self._waiting:
            answer = self._delivery.send(self._waiting[0])
            if answer.outcome is Outcome.LATER:
                break
            self.dropped += answer.outcome is not Outcome.DELIVERED
            self._waiting.popleft()
        return answer

    def close(self) -> None:
        """Closes the connection."""
        self._delivery.close()


def outbound(endpoint: str | None, environment: Mapping[str, str] = os.environ) -> Outbound:
    """The way to an endpoint, or to where `OTEL_EXPORTER_OTLP_…` says; http://127.0.0.1:4318 if nothing says."""
    from opentelemetry.util.re import parse_env_headers  # noqa: PLC0415

    said = {
        name: environment.get(f"OTEL_EXPORTER_OTLP_METRICS_{name}") or environment.get(f"OTEL_EXPORTER_OTLP_{name}", "")
        for name in ("HEADERS", "CERTIFICATE", "COMPRESSION")
    }
    own = environment.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT")
    base = endpoint or environment.get("OTEL_EXPORTER_OTLP_ENDPOINT") or DEFAULT_ENDPOINT
    url = own if own and endpoint is None else f"{base.rstrip('/').removesuffix('/v1/metrics')}/v1/metrics"
    return Outbound(
        Delivery(
            url,
            parse_env_headers(said["HEADERS"], liberal=True),
            compression="none" if said["COMPRESSION"].lower() == "none" else "gzip",
            verify=said["CERTIFICATE"] or None,
        )
    )


def _resource(ours: Attributes, theirs: Attributes) -> dict[str, str | int]:
    if not theirs:
        return dict(ours)
    elsewhere = A.HOST_NAME in theirs and theirs[A.HOST_NAME] != ours.get(A.HOST_NAME)
    return {**{key: value for key, value in ours.items() if not (elsewhere and key in OF_A_MACHINE)}, **theirs}


def _metric(scope: ScopeMetrics, name: str) -> Metric:
    kind, unit, brief = INSTRUMENTS[name]
    metric = scope.metrics.add(name=name, unit=unit, description=brief)
    if kind == "histogram":
        metric.histogram.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    elif kind != GAUGE:
        metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
        metric.sum.is_monotonic = kind == COUNTER
    return metric


def _add(metric: Metric, sample: Sample, time_ns: int) -> None:
    """A data point. When counting began is not known, and so not said."""
    at = sample.time_ns or time_ns
    if isinstance(sample.value, Histogram):
        counted = metric.histogram.data_points.add(time_unix_nano=at, count=sum(sample.value.counts), sum=sample.value.total)
        counted.bucket_counts.extend(sample.value.counts)
        counted.explicit_bounds.extend(sample.value.bounds)
        counted.attributes.extend(_pairs(sample.attributes))
        return
    points = (
        metric.gauge.data_points if metric.HasField("gauge") or INSTRUMENTS[sample.name].kind == GAUGE else metric.sum.data_points
    )
    point = points.add(time_unix_nano=at)
    if isinstance(sample.value, int) and abs(sample.value) < 2**63:
        point.as_int = sample.value
    else:
        point.as_double = float(sample.value)
    point.attributes.extend(_pairs(sample.attributes))


def _pairs(attributes: Attributes) -> list[KeyValue]:
    pairs = []
    for key, value in sorted(attributes.items()):
        pair = KeyValue(key=key)
        if isinstance(value, int):
            pair.value.int_value = value
        else:
            pair.value.string_value = value.encode("utf-8", "replace").decode()
        pairs.append(pair)
    return pairs
