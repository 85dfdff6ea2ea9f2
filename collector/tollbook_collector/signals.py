"""The three signals: what each is called in URLs, tables and protobuf."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.trace.v1 import trace_pb2
from tollbook_schema.store import Signal as Table

SignalName: TypeAlias = Literal["traces", "metrics", "logs"]


@dataclass(frozen=True)
class Signal:
    """One signal of OTLP."""

    name: SignalName
    """As in `/v1/traces`."""

    table: Table
    """Table it is stored in."""

    records: str
    """What its records are called, for messages to people."""

    service: str
    """Its gRPC service."""

    request: type[Message]
    """Message that senders send."""

    response: type[Message]
    """Message that answers it."""

    record: type[Message]
    """Message of one record, three levels down: request, resource, scope, record. For metrics a metric with its points."""

    resource_field: str
    """Field of the request that holds everything, in JSON."""

    rejected_field: str
    """Field of the partial success that counts what was not taken."""


TRACES = Signal(
    "traces",
    "spans",
    "spans",
    "opentelemetry.proto.collector.trace.v1.TraceService",
    trace_service_pb2.ExportTraceServiceRequest,
    trace_service_pb2.ExportTraceServiceResponse,
    trace_pb2.Span,
    "resourceSpans",
    "rejected_spans",
)
METRICS = Signal(
    "metrics",
    "metrics",
    "data points",
    "opentelemetry.proto.collector.metrics.v1.MetricsService",
    metrics_service_pb2.ExportMetricsServiceRequest,
    metrics_service_pb2.ExportMetricsServiceResponse,
    metrics_pb2.Metric,
    "resourceMetrics",
    "rejected_data_points",
)
LOGS = Signal(
    "logs",
    "logs",
    "log records",
    "opentelemetry.proto.collector.logs.v1.LogsService",
    logs_service_pb2.ExportLogsServiceRequest,
    logs_service_pb2.ExportLogsServiceResponse,
    logs_pb2.LogRecord,
    "resourceLogs",
    "rejected_log_records",
)
SIGNALS: dict[SignalName, Signal] = {signal.name: signal for signal in (TRACES, METRICS, LOGS)}
