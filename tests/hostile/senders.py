"""Export requests of a sender who means harm, and the way in by the door."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import httpx2 as httpx
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from tollbook_schema import attributes as A  # noqa: N812

from tests.schema.otlp import attributes

MS = 1_000_000
PROTOBUF = {"content-type": "application/x-protobuf"}
PATHS = {
    ExportTraceServiceRequest: "/v1/traces",
    ExportMetricsServiceRequest: "/v1/metrics",
    ExportLogsServiceRequest: "/v1/logs",
}
KINDS = {"request": Span.SPAN_KIND_SERVER, "handoff": Span.SPAN_KIND_CLIENT, "inference": Span.SPAN_KIND_CLIENT}


def named(trace: int, name: str, start_ns: int) -> ExportTraceServiceRequest:
    """One request whose every name is `name`: it reads data and asks the same model in its own process and behind a network."""
    owner = {A.TOLLBOOK_TEAM: name, A.TOLLBOOK_PROJECT: name, A.TOLLBOOK_FEATURE: name, A.TOLLBOOK_CUSTOMER: name}
    model = {
        A.TOLLBOOK_KIND: "inference",
        A.GEN_AI_REQUEST_MODEL: name,
        A.GEN_AI_PROVIDER_NAME: name,
        A.GEN_AI_OPERATION_NAME: name,
    }
    read = {A.TOLLBOOK_KIND: "handoff", A.TOLLBOOK_HANDOFF_OPERATION: "copy", A.TOLLBOOK_SCAFFOLDING_CLASS: "copy"}
    asset = {A.TOLLBOOK_ASSET_ID: name, A.TOLLBOOK_ASSET_EVENT_TIME: start_ns - 3_600_000 * MS, A.TOLLBOOK_HANDOFF_SIZE: 1000}
    root = [(1, 0, "request", {A.TOLLBOOK_KIND: "request"}), (2, 1, "handoff", read | asset)]
    where = ((3, "in_process", f"{name} "), (4, "remote", name))
    calls = [
        (span, 1, "inference", model | {A.TOLLBOOK_INFERENCE_LOCATION: place, A.GEN_AI_WORKFLOW_NAME: flow})
        for span, place, flow in where
    ]
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add(schema_url=name)
    host = {A.HOST_ID: name, A.HOST_NAME: name, A.HOST_TYPE: name, A.CLOUD_REGION: name}
    resource.resource.attributes.extend(attributes({A.SERVICE_NAME: name, **host, name: name}))
    scope = resource.scope_spans.add(schema_url=name)
    scope.scope.name, scope.scope.version = name, name
    for span, parent, kind, own in [*root, *calls]:
        described = {
            A.GEN_AI_WORKFLOW_NAME: name,
            **owner,
            **own,
            name: name,
            f"list.{name}": [name, name],
            f"map.{name}": {name: name},
        }
        added = scope.spans.add(
            trace_id=trace.to_bytes(16, "big"),
            span_id=(trace * 10 + span).to_bytes(8, "big"),
            parent_span_id=(trace * 10 + parent).to_bytes(8, "big") if parent else b"",
            trace_state=name,
            name=name,
            kind=KINDS[kind],
            start_time_unix_nano=start_ns + span * MS,
            end_time_unix_nano=start_ns + (40 if span == 1 else 5 * span) * MS,
            attributes=attributes(described),
        )
        added.status.code, added.status.message = 2, name
        event = added.events.add(name=name, time_unix_nano=start_ns + span * MS)
        event.attributes.extend(attributes({name: name}))
    return request


def measured(name: str, at_ns: int) -> ExportMetricsServiceRequest:
    """One metric, of a device, whose every name is `name`."""
    request = ExportMetricsServiceRequest()
    resource = request.resource_metrics.add()
    resource.resource.attributes.extend(attributes({A.SERVICE_NAME: name, A.HOST_ID: name, A.HOST_NAME: name, A.HOST_TYPE: name}))
    metrics = resource.scope_metrics.add().metrics
    for metric in ("hw.gpu.utilization", name):
        point = metrics.add(name=metric, description=name, unit=name).gauge.data_points.add(time_unix_nano=at_ns, as_double=0.5)
        point.attributes.extend(attributes({A.HW_ID: name, A.HW_MODEL: name, name: name}))
    return request


def said(name: str, at_ns: int) -> ExportLogsServiceRequest:
    """One log record whose every name is `name`."""
    request = ExportLogsServiceRequest()
    resource = request.resource_logs.add()
    resource.resource.attributes.extend(attributes({A.SERVICE_NAME: name}))
    record = resource.scope_logs.add().log_records.add(time_unix_nano=at_ns, severity_text=name, event_name=name)
    record.body.string_value = name
    record.attributes.extend(attributes({name: name}))
    return request


def send(web: httpx.Client, *requests: Message) -> None:
    """Sends them; every one must be taken whole."""
    for request in requests:
        answer = post(web, PATHS[type(request)], request.SerializeToString())
        assert (answer.status_code, answer.content) == (200, b""), answer.text


def post(web: httpx.Client, path: str, body: bytes, headers: Mapping[str, str] = PROTOBUF) -> httpx.Response:
    """One export request as bytes."""
    return web.post(path, content=body, headers=dict(headers))


def ask(web: httpx.Client, question: str) -> list[list[Any]]:
    """Rows of an answer to SQL."""
    answer = web.post("/api/v1/sql", json={"query": question})
    assert answer.status_code == 200, answer.text
    rows: list[list[Any]] = answer.json()["rows"]
    return rows


def until(web: httpx.Client, question: str, rows: Sequence[Sequence[Any]], seconds: float = 60) -> None:
    """Waits until a question is answered so."""
    deadline = time.monotonic() + seconds
    while (found := ask(web, question)) != [list(row) for row in rows]:
        assert time.monotonic() < deadline, f"{question} is still {found}"
        time.sleep(0.2)


def all_loaded(web: httpx.Client, seconds: float = 120) -> None:
    """Waits until nothing that was acknowledged waits for the store."""
    deadline = time.monotonic() + seconds
    while (found := web.get("/api/v1/collector")).status_code != 200 or found.json()["spool"]["segments"]:
        assert time.monotonic() < deadline, found.text
        time.sleep(0.1)


def settle(web: httpx.Client) -> dict[str, Any]:
    """Settles what has changed."""
    answer = web.post("/api/v1/settle", json={})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found
