"""OTLP exporters, by the environment variables that OpenTelemetry defines."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.trace.export import SpanExporter

DEFAULT_ENDPOINT: Final = "http://127.0.0.1:4318"
Signal = Literal["traces", "metrics"]


def span_exporter(endpoint: str | None, headers: Mapping[str, str] | None) -> "SpanExporter | None":
    """Exporter of spans, or `None` where `OTEL_TRACES_EXPORTER=none`."""
    if _is_off("traces", endpoint):
        return None
    from tollbook.sending import watched  # noqa: PLC0415

    if _is_grpc("traces", endpoint):
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc  # noqa: PLC0415

        return watched(Grpc)(headers=dict(headers) if headers else None)
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    return watched(OTLPSpanExporter)(endpoint=url("traces", endpoint), headers=headers)


def metric_exporter(endpoint: str | None, headers: Mapping[str, str] | None) -> "MetricExporter | None":
    """Exporter of metrics, or `None` where `OTEL_METRICS_EXPORTER=none`."""
    if _is_off("metrics", endpoint):
        return None
    from tollbook.sending import watched  # noqa: PLC0415

    if _is_grpc("metrics", endpoint):
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as Grpc  # noqa: PLC0415

        return watched(Grpc)(headers=dict(headers) if headers else None)
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415

    return watched(OTLPMetricExporter)(endpoint=url("metrics", endpoint), headers=dict(headers) if headers else None)


def url(signal: Signal, endpoint: str | None) -> str | None:
    """Where a signal goes; `None` leaves it to the exporter, which reads the environment."""
    if endpoint is None and is_in_environment(signal):
        return None
    base = (endpoint or DEFAULT_ENDPOINT).rstrip("/")
    return f"{base.removesuffix('/v1/traces')}/v1/{signal}"


def is_in_environment(signal: Signal) -> bool:
    """Whether the environment says where the signal goes."""
    return any(os.environ.get(name) for name in _names(signal, "ENDPOINT"))


def _is_off(signal: Signal, endpoint: str | None) -> bool:
    return endpoint is None and os.environ.get(f"OTEL_{signal.upper()}_EXPORTER", "").strip().lower() == "none"


def _is_grpc(signal: Signal, endpoint: str | None) -> bool:
    said = [os.environ[name] for name in _names(signal, "PROTOCOL") if os.environ.get(name)]
    return endpoint is None and said[:1] == ["grpc"]


def _names(signal: Signal, setting: str) -> tuple[str, str]:
    return f"OTEL_EXPORTER_OTLP_{signal.upper()}_{setting}", f"OTEL_EXPORTER_OTLP_{setting}"
