"""Our own sending is nobody's request: with every instrumentation of HTTP turned on, it makes no span."""

import contextlib
import time

import requests
import tollbook
from opentelemetry.instrumentation.requests import RequestsInstrumentor as ContribRequests
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tollbook import runtime
from tollbook.integrations.requests import RequestsInstrumentor
from tollbook.integrations.urllib3 import Urllib3Instrumentor
from tollbook.processor import TollbookSpanProcessor

from tests.sdk.receiver import Receiver


def test_sending_spans_makes_no_spans() -> None:
    seen, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(seen))
    with Receiver() as receiver, contextlib.ExitStack() as stack:
        for instrumentor in (RequestsInstrumentor(), Urllib3Instrumentor(), ContribRequests()):
            instrumentor.instrument(tracer_provider=provider)
            stack.callback(instrumentor.uninstrument)
        processor = TollbookSpanProcessor(receiver.endpoint)
        provider.add_span_processor(processor)
        runtime.use(provider)
        stack.callback(runtime.use, None)
        stack.callback(provider.shutdown)
        with tollbook.handoff("read", source="a"):
            pass
        assert provider.force_flush()
        requests.post(f"{receiver.endpoint}/v1/other", data=b"", timeout=10)
        until = time.monotonic() + 2
        assert provider.force_flush()
        while len(receiver.spans) < 2 and time.monotonic() < until:
            time.sleep(0.01)
    assert [span.name for span in seen.get_finished_spans()] == ["read a", "POST"], "an application's request is one"
    assert len(receiver.traces) == 2
