"""A request taken apart: every record once, alone, with what stood around it."""

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tollbook_collector.apart import singles


def test_every_span_comes_alone_with_its_resource_and_scope() -> None:
    request = ExportTraceServiceRequest()
    for service in ("shop", "till"):
        resource = request.resource_spans.add(schema_url=f"of {service}")
        resource.resource.attributes.add(key="service.name").value.string_value = service
        for scope_name in ("http", "sql"):
            scope = resource.scope_spans.add(schema_url="of scope")
            scope.scope.name = scope_name
            for number in range(3):
                scope.spans.add(name=f"{service} {scope_name} {number}")
    whole, told = ExportTraceServiceRequest(), []
    for body in singles(request.SerializeToString()):
        single = ExportTraceServiceRequest.FromString(body)
        ((resource,), (scope,)) = single.resource_spans, single.resource_spans[0].scope_spans
        (span,) = scope.spans
        told.append(f"{resource.resource.attributes[0].value.string_value} {scope.scope.name} {span.name[-1]}")
        assert span.name == told[-1]
        assert (resource.schema_url, scope.schema_url) == (f"of {told[-1].split()[0]}", "of scope")
        whole.MergeFrom(single)
    assert len(told) == len(set(told)) == len(whole.resource_spans) == 12


def test_a_request_without_records_has_none() -> None:
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add()
    assert list(singles(request.SerializeToString())) == []
