"""OTLP exporters, by the environment variables that OpenTelemetry defines."""

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

from tollbook.shield import shielded

if TYPE_CHECKING:
    from pathlib import Path

    from opentelemetry.sdk.metrics.export import MetricExporter
    from opentelemetry.sdk.trace.export import SpanExporter

    from tollbook.outbox import Outbox
    from tollbook.shelf import Shelf
    from tollbook.wire import Encoder

BUFFER_VARIABLE: Final = "TOLLBOOK_BUFFER"
DEFAULT_ENDPOINT: Final = "http://127.0.0.1:4318"
Signal = Literal["traces", "metrics", "logs"]


def grpc_exporter(headers: Mapping[str, str] | None) -> "SpanExporter":
    """Exporter of spans by gRPC, to where the environment says."""
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415

    from tollbook.sending import watched  # noqa: PLC0415

    return watched(OTLPSpanExporter)(headers=dict(headers) if headers else None)


def speaks_grpc(endpoint: str | None) -> bool:
    """Whether the environment wants spans sent by gRPC, which the stock exporter does."""
    return _is_grpc("traces", endpoint)


def are_off(endpoint: str | None) -> bool:
    """Whether the environment wants no spans sent."""
    return _is_off("traces", endpoint)


def outbox(
    endpoint: str | None,
    headers: Mapping[str, str] | None,
    max_bytes: int,
    buffer: "Path | str | None",
    *,
    signal: Signal = "traces",
    encoder: "Encoder | None" = None,
) -> "Outbox":
    """The way of spans, or of another signal, to an endpoint, by the environment's settings where nothing else is said."""
    from opentelemetry.util.re import parse_env_headers  # noqa: PLC0415

    from tollbook.delivery import Delivery  # noqa: PLC0415
    from tollbook.outbox import DELAY_S, Outbox  # noqa: PLC0415

    def _said(setting: str) -> str:
        return next((os.environ[name].strip() for name in _names(signal, setting) if os.environ.get(name)), "")

    said = parse_env_headers(_said("HEADERS"), liberal=True)
    certificate, key = _said("CLIENT_CERTIFICATE"), _said("CLIENT_KEY")
    address = url(signal, endpoint) or _own_url(signal)
    delivery = Delivery(
        address,
        {**said, **(headers or {})},
        compression=_said("COMPRESSION").lower() or ("none" if _is_here(address) else "gzip"),
        timeout_s=_number(_said("TIMEOUT"), 10.0),
        verify=_said("CERTIFICATE") or None,
        cert=(certificate, key) if certificate and key else certificate or None,
    )
    return Outbox(
        delivery,
        max_bytes=max_bytes,
        delay_s=_number(os.environ.get("OTEL_BSP_SCHEDULE_DELAY", ""), DELAY_S * 1000) / 1000,
        body_spans=int(_number(os.environ.get("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", ""), 8192)),
        shelf=_shelf(buffer or os.environ.get(BUFFER_VARIABLE, "")) if signal == "traces" else None,
        encoder=encoder,
    )


def _shelf(folder: "Path | str") -> "Shelf | None":
    if not folder:
        return None
    from pathlib import Path  # noqa: PLC0415

    from tollbook.shelf import Shelf  # noqa: PLC0415

    with shielded("open the buffer"):
        return Shelf(Path(folder))
    return None


def _is_here(address: str) -> bool:
    """Whether it is on this machine, where making bodies smaller costs more than sending them."""
    from urllib.parse import urlsplit  # noqa: PLC0415

    host = urlsplit(address).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def _own_url(signal: Signal) -> str:
    """Where the environment says that a signal goes: an address of its own as it is, a base with the path of the signal."""
    own, base = (os.environ.get(name, "") for name in _names(signal, "ENDPOINT"))
    return own or f"{base.rstrip('/')}/v1/{signal}"


def _number(text: str, otherwise: float) -> float:
    try:
        return float(text) if float(text) > 0 else otherwise
    except ValueError:
        return otherwise


def metric_exporter(endpoint: str | None, headers: Mapping[str, str] | None) -> "MetricExporter | None":
    """Exporter of metrics, or `None` where `OTEL_METRICS_EXPORTER=none`."""
    if _is_off("metrics", endpoint):
        return None
    from tollbook.counting import with_counts  # noqa: PLC0415
    from tollbook.sending import watched  # noqa: PLC0415

    if _is_grpc("metrics", endpoint):
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter as Grpc  # noqa: PLC0415

        by_grpc: MetricExporter = watched(with_counts(Grpc))(headers=dict(headers) if headers else None)
        return by_grpc
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter  # noqa: PLC0415

    exporter: MetricExporter = watched(with_counts(OTLPMetricExporter))(
        endpoint=url("metrics", endpoint), headers=dict(headers) if headers else None
    )
    return exporter


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
