# mypy: disable-error-code="import-not-found,import-untyped,untyped-decorator,no-untyped-call"
"""A program that is instrumented by one of several SDKs: how much CPU its calls take. Runs alone, in any of their environments.

`python instrumented.py NAME ENDPOINT CALLS SERVICE` makes that many calls of a function that does nothing, each a span of twelve
attributes that is exported to ENDPOINT, and prints one line of JSON. Imports nothing of this repository.
"""

import json
import os
import resource
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

WARM_CALLS = 500
PAUSE_CALLS = 200
PAUSE_SECONDS = 0.02
"""A service does other things between calls; without a pause every queue would overflow."""
ATTRIBUTES: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5-mini",
    "gen_ai.response.model": "gpt-5-mini-2026-08-07",
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 230,
    "gen_ai.request.temperature": 0.2,
    "gen_ai.request.stream": False,
    "server.address": "api.openai.com",
    "server.port": 443,
    "user.id": "user-17",
    "feature": "search",
}


class Sdk(NamedTuple):
    """How one SDK is used."""

    call: Callable[[int], None]
    """One instrumented call."""
    flush: Callable[[], object]
    """Waits until all is delivered."""


def main() -> None:
    """Prints what the calls took: CPU µs of the calling thread and of the whole process, and µs until each returned."""
    name, endpoint, calls, service = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    os.environ |= {
        "OTEL_SERVICE_NAME": service,
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OTEL_BSP_MAX_QUEUE_SIZE": "100000",
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_LOGS_EXPORTER": "none",
    }
    began = time.process_time()
    sdk = SDKS[name]()
    setup_ms = (time.process_time() - began) * 1e3
    _calls(sdk, WARM_CALLS)
    sdk.flush()
    thread, process = time.thread_time_ns(), _process_ns()
    _calls(sdk, calls)
    thread = time.thread_time_ns() - thread
    sdk.flush()
    process = _process_ns() - process
    figures = {"thread_us": thread / calls / 1e3, "process_us": process / calls / 1e3, "setup_ms": setup_ms, "warm": WARM_CALLS}
    print("\n" + json.dumps(figures), flush=True)
    os._exit(0)  # what an SDK still wants to do at the end is not measured, and may take long


def _calls(sdk: Sdk, calls: int) -> None:
    call = sdk.call
    for number in range(calls):
        call(number)
        if number % PAUSE_CALLS == PAUSE_CALLS - 1:
            time.sleep(PAUSE_SECONDS)


def _process_ns() -> int:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return int((used.ru_utime + used.ru_stime) * 1e9)


def _said(number: int) -> dict[str, Any]:
    """Attributes of a call: most are the same each time, as in a service."""
    return {**ATTRIBUTES, "gen_ai.usage.input_tokens": 1000 + number % 977, "user.id": f"user-{number % 501}"}


def _endpoint() -> str:
    return os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]


def _service() -> str:
    return os.environ["OTEL_SERVICE_NAME"]


def nothing() -> Sdk:
    """What the loop itself takes."""

    def call(number: int) -> None:
        _said(number)

    return Sdk(call, lambda: None)


def stock() -> Sdk:
    """OpenTelemetry's SDK with its batch processor and OTLP over HTTP."""
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return Sdk(_spans_of(trace.get_tracer("bench")), provider.force_flush)


def tollbook() -> Sdk:
    """Ours, used through OpenTelemetry's API as the stock one is."""
    import tollbook
    from opentelemetry import trace

    tollbook.configure(metrics=False)
    return Sdk(_spans_of(trace.get_tracer("bench")), tollbook.flush)


def tollbook_call() -> Sdk:
    """Ours, by its decorator."""
    import tollbook

    tollbook.configure(metrics=False)

    @tollbook.inference(model="gpt-5-mini", provider="openai", operation="chat")
    def work(number: int) -> None:
        tollbook.current().span.set_attributes(_said(number))

    return Sdk(work, tollbook.flush)


def openlit() -> Sdk:
    """OpenLIT's decorator."""
    import openlit
    from opentelemetry import trace

    openlit.init(otlp_endpoint=_endpoint(), application_name=_service(), disable_metrics=True, disable_batch=False)

    @openlit.trace
    def work(number: int) -> None:
        trace.get_current_span().set_attributes(_said(number))

    return Sdk(work, trace.get_tracer_provider().force_flush)  # type: ignore[attr-defined]


def traceloop() -> Sdk:
    """OpenLLMetry's decorator."""
    os.environ |= {"TRACELOOP_TELEMETRY": "FALSE", "TRACELOOP_METRICS_ENABLED": "false", "TRACELOOP_TRACE_CONTENT": "false"}
    from opentelemetry import trace
    from traceloop.sdk import Traceloop
    from traceloop.sdk.decorators import task

    Traceloop.init(app_name=_service(), api_endpoint=_endpoint(), disable_batch=False, telemetry_enabled=False)

    @task(name="work")
    def work(number: int) -> None:
        trace.get_current_span().set_attributes(_said(number))

    return Sdk(work, trace.get_tracer_provider().force_flush)  # type: ignore[attr-defined]


def logfire() -> Sdk:
    """Logfire's span."""
    import logfire

    logfire.configure(send_to_logfire=False, service_name=_service(), console=False, metrics=False)

    def work(number: int) -> None:
        with logfire.span("work", **_said(number)):
            pass

    return Sdk(work, logfire.force_flush)


def langfuse() -> Sdk:
    """Langfuse's decorator."""
    os.environ |= {"LANGFUSE_BASE_URL": _endpoint(), "LANGFUSE_PUBLIC_KEY": "pk-lf-x", "LANGFUSE_SECRET_KEY": "sk-lf-x"}
    from langfuse import get_client, observe
    from opentelemetry import trace

    client = get_client()

    @observe(name="work", capture_input=False, capture_output=False)
    def work(number: int) -> None:
        trace.get_current_span().set_attributes(_said(number))

    return Sdk(work, client.flush)


def mlflow() -> Sdk:
    """MLflow's decorator."""
    os.environ |= {
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": f"{_endpoint()}/v1/traces",
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/protobuf",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }
    del os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]  # it would send metrics, too
    import mlflow
    from mlflow.tracing.provider import provider

    @mlflow.trace(name="work")
    def work(number: int) -> None:
        span = mlflow.get_current_active_span()
        if span is not None:
            span.set_attributes(_said(number))

    return Sdk(work, lambda: provider.get().force_flush())


def phoenix() -> Sdk:
    """Phoenix's registration of OpenTelemetry with its decorator."""
    from opentelemetry import trace
    from phoenix.otel import register

    provider = register(
        endpoint=f"{_endpoint()}/v1/traces", project_name=_service(), batch=True, verbose=False, protocol="http/protobuf"
    )

    @provider.get_tracer("bench").chain(name="work")
    def work(number: int) -> None:
        trace.get_current_span().set_attributes(_said(number))

    return Sdk(work, provider.force_flush)


def _spans_of(tracer: Any) -> Callable[[int], None]:
    def work(number: int) -> None:
        with tracer.start_as_current_span("work", attributes=_said(number)):
            pass

    return work


SDKS: dict[str, Callable[[], Sdk]] = {
    "nothing": nothing,
    "stock": stock,
    "tollbook": tollbook,
    "tollbook_call": tollbook_call,
    "openlit": openlit,
    "traceloop": traceloop,
    "logfire": logfire,
    "langfuse": langfuse,
    "mlflow": mlflow,
    "phoenix": phoenix,
}

if __name__ == "__main__":
    main()
