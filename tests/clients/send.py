"""Sends the spans of spans.json by an unmodified Python SDK: python send.py http/protobuf|http/json|grpc ENDPOINT SPANS."""

import json
import sys
from pathlib import Path

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import IdGenerator


class GivenIds(IdGenerator):
    """The ids of the file, in order."""

    def __init__(self, trace_id: str, span_ids: list[str]) -> None:
        self.trace_id = int(trace_id, 16)
        self.span_ids = iter(int(span_id, 16) for span_id in span_ids)

    def generate_trace_id(self) -> int:
        return self.trace_id

    def generate_span_id(self) -> int:
        return next(self.span_ids)


def exporter(transport: str, endpoint: str) -> SpanExporter:
    if transport == "grpc":
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Grpc

        return Grpc(endpoint=endpoint, insecure=True)
    if transport == "http/json":
        from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter as Json

        json_exporter: SpanExporter = Json(endpoint=f"{endpoint}/v1/traces")
        return json_exporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter as Protobuf

    return Protobuf(endpoint=f"{endpoint}/v1/traces")


def main(transport: str, endpoint: str, file: str) -> None:
    given = json.loads(Path(file).read_text())
    ids = GivenIds(given["trace_id"], [span["span_id"] for span in given["spans"]])
    provider = TracerProvider(resource=Resource(given["resource"]), id_generator=ids)
    provider.add_span_processor(BatchSpanProcessor(exporter(transport, endpoint)))
    tracer = provider.get_tracer("client", "1.0")
    parent = None
    for span in given["spans"]:
        kind = trace.SpanKind[span["kind"]]
        start = int(span["start_ns"])
        made = tracer.start_span(span["name"], context=parent, kind=kind, attributes=span["attributes"], start_time=start)
        parent = trace.set_span_in_context(made)
        for event in span["events"]:
            made.add_event(event["name"], event["attributes"], int(event["time_ns"]))
        if span["error"]:
            made.set_status(trace.StatusCode.ERROR, span["error"])
        made.end(int(span["end_ns"]))
    provider.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
