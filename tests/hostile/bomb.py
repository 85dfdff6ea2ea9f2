"""A cardinality bomb: spans of which each has names of its own."""

from collections.abc import Iterator

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tollbook_schema import attributes as A  # noqa: N812

from tests.hostile.senders import MS
from tests.schema.otlp import attributes

BODY_SPANS = 2_000


def bombs(spans: int, start_ns: int) -> Iterator[ExportTraceServiceRequest]:
    """Requests of that many spans together, each with a service, owners, a name and a key of its own; every other asks gpt-4o."""
    for first in range(1, spans + 1, BODY_SPANS):
        request = ExportTraceServiceRequest()
        for number in range(first, min(first + BODY_SPANS, spans + 1)):
            _add(request, number, start_ns)
        yield request


def large(number: int, start_ns: int, value_bytes: int, keys: int) -> ExportTraceServiceRequest:
    """One span with a value of that many bytes and that many keys."""
    request = ExportTraceServiceRequest()
    _add(request, number, start_ns)
    (span,) = request.resource_spans[0].scope_spans[0].spans
    span.attributes.extend(attributes({"large": "v" * value_bytes, **{f"many.{key}": key for key in range(keys)}}))
    return request


def _add(request: ExportTraceServiceRequest, number: int, start_ns: int) -> None:
    resource = request.resource_spans.add()
    resource.resource.attributes.extend(attributes({A.SERVICE_NAME: f"service-{number}", f"resource.{number}": number}))
    named = {
        A.TOLLBOOK_CUSTOMER: f"customer-{number}",
        A.TOLLBOOK_TEAM: f"team-{number}",
        A.GEN_AI_WORKFLOW_NAME: f"workflow-{number}",
    }
    model, provider = ("gpt-4o", "openai") if number % 2 else (f"model-{number}", "house")
    call = {A.TOLLBOOK_KIND: "inference", A.GEN_AI_REQUEST_MODEL: model, A.GEN_AI_PROVIDER_NAME: provider}
    used = {A.GEN_AI_USAGE_INPUT_TOKENS: 10, A.GEN_AI_OPERATION_NAME: "chat"}
    resource.scope_spans.add().spans.add(
        trace_id=number.to_bytes(16, "big"),
        span_id=number.to_bytes(8, "big"),
        name=f"name-{number}",
        start_time_unix_nano=start_ns + number * 1000,
        end_time_unix_nano=start_ns + number * 1000 + MS,
        attributes=attributes({**named, **call, **used, f"key.{number}": "value"}),
    )
