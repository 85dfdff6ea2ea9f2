"""Spans on their way: what a collector says, what waits, what is dropped, and what survives."""

import gzip
import multiprocessing
import os
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.trace import SpanContext
from tollbook import exporters
from tollbook import outbox as outboxes
from tollbook.delivery import LONGEST_ANSWER, Answer, Delivery, Outcome
from tollbook.outbox import Outbox
from tollbook.processor import TollbookSpanProcessor
from tollbook.sending import losses
from tollbook.shelf import Shelf

RESOURCE = Resource({"service.name": "s"})


class Collector:
    """Answers as it is told: a status, headers and a body for each request, the last for all that follow."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], bytes]] = [(200, {}, b"")]
        self.bodies: list[bytes] = []
        """Of those that were taken, uncompressed."""
        self.codings: list[str] = []
        self.times: list[float] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1/traces"
        threading.Thread(target=self._server.serve_forever, args=[0.01], daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def names(self) -> list[str]:
        """Names of the spans that were taken with 200, in order."""
        requests = [ExportTraceServiceRequest.FromString(body) for body in self.bodies]
        return [span.name for request in requests for rs in request.resource_spans for ss in rs.scope_spans for span in ss.spans]

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        collector = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.times.append(time.monotonic())
                answers = collector.answers
                status, headers, content = answers.pop(0) if len(answers) > 1 else answers[0]
                if status == 200:
                    collector.codings.append(self.headers.get("content-encoding", ""))
                    collector.bodies.append(gzip.decompress(body) if collector.codings[-1] == "gzip" else body)
                self.send_response(status)
                for name, value in {"content-length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    yield found
    found.close()


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    losses.forget()
    losses._failing = False
    losses._told.clear()
    monkeypatch.setattr(outboxes, "FIRST_WAIT_S", 0.05)


def span(name: str, text: str = "") -> ReadableSpan:
    return ReadableSpan(
        name, SpanContext(1, 2, is_remote=False), resource=RESOURCE, attributes={"text": text}, start_time=1, end_time=2
    )


def filled(outbox: Outbox, *names: str) -> Outbox:
    for name in names:
        outbox.put(span(name))
    return outbox


def test_spans_arrive_in_order_and_few_bodies(collector: Collector) -> None:
    outbox = filled(Outbox(Delivery(collector.url)), *map(str, range(1000)))
    assert outbox.flush(10)
    assert collector.names == [str(number) for number in range(1000)]
    assert len(collector.bodies) < 20
    outbox.stop(1)
    assert (outbox.dropped, outbox._bytes) == (0, 0)


def test_nobody_has_to_flush(collector: Collector) -> None:
    outbox = filled(Outbox(Delivery(collector.url), delay_s=0.05), "a")
    until = time.monotonic() + 10
    while collector.names != ["a"]:
        assert time.monotonic() < until
        time.sleep(0.01)
    outbox.stop(1)


def test_only_bodies_that_leave_the_machine_are_made_smaller(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    own = collector.url.removesuffix("/v1/traces")
    for address, compressed in ((own, False), ("http://[::1]:1", False), ("https://collector.example", True)):
        assert exporters.outbox(address, None, 1, None)._delivery.packed(b"body").startswith(b"\x1f\x8b") is compressed
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    assert exporters.outbox(own, None, 1, None)._delivery.packed(b"body").startswith(b"\x1f\x8b")


def test_what_waits_on_the_shelf_is_sent_as_it_was_packed(tmp_path: Path, collector: Collector) -> None:
    for compression in ("gzip", "none"):
        outbox = Outbox(Delivery("http://127.0.0.1:9", compression=compression), shelf=Shelf(tmp_path))
        assert filled(outbox, compression).flush(10)
        outbox.stop(1)
    later = filled(Outbox(Delivery(collector.url, compression="none"), shelf=Shelf(tmp_path)), "now")
    until = time.monotonic() + 10
    while collector.names != ["gzip", "none", "now"]:
        later.flush(1)
        assert time.monotonic() < until, collector.names
    later.stop(1)
    assert collector.codings == ["gzip", "", ""]


def test_the_environment_is_read_once_and_holds(collector: Collector, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    session = Delivery("https://collector.example")._opened()
    assert (session.proxies["https"], session.verify, session.trust_env) == ("http://proxy.example:3128", str(tmp_path), False)
    assert Delivery("https://collector.example", verify="own.pem")._opened().verify == "own.pem"
    monkeypatch.setenv("NO_PROXY", "collector.example")
    assert not Delivery("https://collector.example")._opened().proxies


def test_a_span_that_cannot_be_written_costs_only_itself(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TOLLBOOK_STRICT", raising=False)
    outbox = Outbox(Delivery(collector.url), body_spans=3)
    for number in range(200):
        outbox.put(object() if number % 50 == 25 else span(str(number)))
    assert outbox.flush(10) is False
    assert outbox.dropped == 4
    assert collector.names == [str(number) for number in range(200) if number % 50 != 25]
    assert len(collector.bodies) == 66
    outbox.stop(1)


@pytest.mark.parametrize("status", [408, 429, 502, 503, 504])
def test_the_same_bytes_are_sent_until_they_are_taken(collector: Collector, status: int) -> None:
    collector.answers = [(status, {}, b""), (status, {}, b"never read"), (200, {}, b"")]
    outbox = filled(Outbox(Delivery(collector.url)), "a", "b")
    assert outbox.flush(10)
    assert collector.names == ["a", "b"]
    assert len(collector.times) == 3
    outbox.stop(1)


def test_retry_after_is_kept(collector: Collector) -> None:
    collector.answers = [(503, {"retry-after": "1"}, b""), (200, {}, b"")]
    outbox = filled(Outbox(Delivery(collector.url)), "a")
    assert outbox.flush(10)
    assert collector.times[1] - collector.times[0] >= 1
    outbox.stop(1)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 301])
def test_what_is_refused_is_dropped_and_counted(collector: Collector, status: int, caplog: pytest.LogCaptureFixture) -> None:
    collector.answers = [(status, {"location": collector.url}, b"")]
    outbox = filled(Outbox(Delivery(collector.url)), "a", "b", "c")
    assert outbox.flush(10) is False
    assert (outbox.dropped, losses.spans, len(collector.times)) == (3, 3, 1)
    assert caplog.messages == [
        f"tollbook drops spans for {collector.url}: the collector refuses them (status {status}); they are counted"
    ]
    outbox.stop(1)


def test_a_body_that_is_too_large_is_halved(collector: Collector) -> None:
    collector.answers = [(413, {}, b""), (413, {}, b""), (200, {}, b"")]
    outbox = filled(Outbox(Delivery(collector.url)), "a", "b", "c", "d")
    assert outbox.flush(10)
    assert collector.names == ["a", "b", "c", "d"]
    outbox.stop(1)


def test_what_a_collector_rejects_of_a_body_is_counted(collector: Collector) -> None:
    said = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=2, error_message="no id"))
    collector.answers = [(200, {}, said.SerializeToString())]
    outbox = filled(Outbox(Delivery(collector.url)), "a", "b", "c")
    assert outbox.flush(10) is False
    assert outbox.dropped == 2
    outbox.stop(1)


@pytest.mark.parametrize("content", [b"garbage", b"<html>", b"x" * (LONGEST_ANSWER * 4)])
def test_a_2xx_that_cannot_be_read_is_a_delivery(collector: Collector, content: bytes) -> None:
    collector.answers = [(200, {}, content)]
    outbox = filled(Outbox(Delivery(collector.url)), "a")
    assert outbox.flush(10)
    assert len(collector.bodies) == 1
    outbox.stop(1)


def test_an_answer_that_never_ends_is_left_alone(collector: Collector) -> None:
    collector.answers = [(200, {"content-length": str(10 * 1024**3)}, b"x" * 100_000)]
    outbox = filled(Outbox(Delivery(collector.url, timeout_s=0.5)), "a")
    assert outbox.flush(10)
    outbox.stop(1)


def test_what_waits_is_bounded_and_the_rest_counted_exactly(collector: Collector) -> None:
    collector.answers = [(503, {}, b"")]
    outbox = Outbox(Delivery(collector.url), max_bytes=50_000)
    for number in range(2000):
        outbox.put(span(str(number), "x" * 100))
    outbox.flush(0.5)
    kept = 2000 - outbox.dropped
    assert 0 < kept < 400
    assert outbox._bytes <= 50_000
    collector.answers = [(200, {}, b"")]
    assert outbox.flush(10)
    assert len(collector.names) == kept
    outbox.stop(1)


def test_an_absent_collector_is_found_when_it_comes(collector: Collector) -> None:
    delivery = Delivery("http://127.0.0.1:9/v1/traces")
    outbox = filled(Outbox(delivery), "a", "b")
    assert outbox.flush(0.3) is False
    delivery.url = collector.url
    assert outbox.flush(10)
    assert collector.names == ["a", "b"]
    outbox.stop(1)


def test_the_application_never_waits_for_a_deaf_collector() -> None:
    outbox = Outbox(Delivery("http://127.0.0.1:9/v1/traces"), max_bytes=200_000)
    slowest = 0.0
    spans = [span(str(number)) for number in range(5000)]
    for each in spans:
        began = time.thread_time()
        outbox.put(each)
        slowest = max(slowest, time.thread_time() - began)
    outbox.stop(0.2)
    assert slowest < 0.05
    assert outbox.dropped == 5000


class _Stuck(Delivery):
    """Takes a body each time that it is let, and says that there is more than one sender."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1/v1/traces")
        self.let = threading.Semaphore(0)
        self.began = threading.Semaphore(0)
        self.ended = threading.Semaphore(0)

    def send(self, packed: bytes) -> Answer:
        self.began.release()
        self.let.acquire()
        self.ended.release()
        return Answer(Outcome.LATER)


def test_a_try_that_was_given_up_hides_no_later_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "OVERDUE_S", 0.05)
    delivery = _Stuck()
    outbox = Outbox(delivery, delay_s=0.01)
    outbox.put(span("first"))
    assert delivery.began.acquire(timeout=10)
    outbox.put(span("second"))  # the writing thread looks up, and has another thread send
    assert delivery.began.acquire(timeout=10)
    monkeypatch.setattr(outboxes, "OVERDUE_S", 60.0)
    delivery.let.release()  # the first comes back after all
    assert delivery.ended.acquire(timeout=10)
    time.sleep(0.05)
    outbox.stop(0.1)
    assert outbox.dropped == 2
    delivery.let.release(10)


def test_a_server_that_dribbles_holds_the_shelf_no_longer_than_a_try(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "OVERDUE_S", 0.05)
    shelf, delivery = Shelf(tmp_path), _Stuck()
    assert shelf.put(b"waits", 1)
    outbox = Outbox(delivery, delay_s=0.01, shelf=shelf)
    outbox.put(span("behind it"))  # goes to the shelf, and the body before it is tried
    assert delivery.began.acquire(timeout=10)
    outbox.put(span("later"))
    assert delivery.began.acquire(timeout=10), "no other thread took over"
    monkeypatch.setattr(outboxes, "OVERDUE_S", 60.0)
    outbox.stop(0.1)
    delivery.let.release(10)
    assert outbox.dropped == 0
    assert len(list(tmp_path.rglob("*.otlp"))) == 3


def test_what_cannot_be_read_on_the_shelf_is_counted(tmp_path: Path, collector: Collector) -> None:
    shelf = Shelf(tmp_path)
    for spans in (3, 4):
        assert shelf.put(b"", spans)
    for path in tmp_path.rglob("*.otlp"):
        path.unlink()
    outbox = filled(Outbox(Delivery(collector.url), shelf=shelf), "after")
    until = time.monotonic() + 10
    while collector.names != ["after"]:
        outbox.flush(1)
        assert time.monotonic() < until, collector.names
    outbox.stop(1)
    assert outbox.dropped == 7


def test_what_cannot_be_delivered_waits_on_the_shelf_and_goes_in_order_later(tmp_path: Path, collector: Collector) -> None:
    gone = "http://127.0.0.1:9/v1/traces"
    for names in (("a", "b"), ("c",)):
        outbox = filled(Outbox(Delivery(gone), shelf=Shelf(tmp_path)), *names)
        assert outbox.flush(10)
        outbox.stop(1)
        assert outbox.dropped == 0
    files = list(tmp_path.rglob("*.otlp"))
    assert len(files) == 2
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    later = filled(Outbox(Delivery(collector.url), shelf=Shelf(tmp_path)), "d")
    later.flush(10)
    until = time.monotonic() + 10
    while collector.names != ["a", "b", "c", "d"]:
        assert time.monotonic() < until, collector.names
        time.sleep(0.02)
    later.stop(1)
    assert list(tmp_path.iterdir()) == []


def test_the_part_of_a_process_that_lives_is_left_alone(tmp_path: Path) -> None:
    living = Shelf(tmp_path)
    assert living.put(b"body", 3)
    other = Shelf(tmp_path)
    assert other.empty
    found = living.oldest()
    assert found is not None
    assert (found.content, found.spans) == (b"body", 3)
    other.close()
    living.close()
    last = Shelf(tmp_path)
    assert not last.empty
    last.close()


def test_a_shelf_is_bounded(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, max_bytes=10)
    assert shelf.put(b"12345678", 1)
    assert not shelf.put(b"123", 1)
    shelf.close()


def test_a_forked_child_sends_its_own_spans_only(collector: Collector) -> None:
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(TollbookSpanProcessor(collector.url.removesuffix("/v1/traces")))
    tracer = provider.get_tracer("t")
    tracer.start_span("of the parent").end()

    def child() -> None:
        tracer.start_span("of the child").end()
        os._exit(0 if provider.force_flush() else 1)

    forked = multiprocessing.get_context("fork").Process(target=child)
    forked.start()
    forked.join(30)
    assert forked.exitcode == 0
    assert provider.force_flush()
    assert sorted(collector.names) == ["of the child", "of the parent"]
    provider.shutdown()


def test_a_processor_of_an_application_needs_nothing_else(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.removesuffix("/v1/traces"))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    provider = TracerProvider(resource=RESOURCE, shutdown_on_exit=False)
    provider.add_span_processor(TollbookSpanProcessor())
    with provider.get_tracer("t").start_as_current_span("work"):
        pass
    assert provider.force_flush()
    assert collector.names == ["work"]
    provider.shutdown()
