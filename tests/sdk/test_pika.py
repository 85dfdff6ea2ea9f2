"""pika against a broker of the tests' own that speaks AMQP: messages are handoffs, their work goes on with what was known."""

import contextlib
import socket
import threading
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
import tollbook
from opentelemetry.context import attach, get_current
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind
from tollbook.integrations.pika import PikaInstrumentor
from tollbook.testing import Captured

pika = pytest.importorskip("pika")
EVENT_TIME_NS = 1_700_000_000 * 10**9
ORDERS = {"alone": [0], "contrib inside": [1, 0], "contrib outside": [0, 1]}


class Broker:
    """One connection at a time: queues in memory, as much of AMQP 0-9-1 as a client needs."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._queues: dict[str, list[Any]] = defaultdict(list)
        self._consumers: dict[str, str] = {}
        self._tag = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(10)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                peer, _address = self._listener.accept()
                with peer:
                    self._talk(peer)

    def _talk(self, peer: socket.socket) -> None:
        from pika import frame, spec

        self._peer, self._consumers = peer, {}
        peer.recv(8, socket.MSG_WAITALL)
        self._send(0, spec.Connection.Start(server_properties={"capabilities": {}}))
        waiting = b""
        publishing: list[Any] = []
        while data := peer.recv(65536):
            waiting += data
            while (decoded := frame.decode_frame(waiting))[0]:
                waiting, found = waiting[decoded[0] :], decoded[1]
                publishing.append(found)
                if isinstance(found, frame.Method) and not isinstance(found.method, spec.Basic.Publish):
                    publishing.clear()
                    self._answer(found.channel_number, found.method)
                elif isinstance(found, frame.Body) or (isinstance(found, frame.Header) and not found.body_size):
                    method, header, *bodies = publishing
                    body = b"".join(part.fragment for part in bodies)
                    self._queues[method.method.routing_key].append((method.method, header.properties, body))
                    publishing.clear()
                    self._deliver()

    def _answer(self, number: int, asked: Any) -> None:
        from pika import spec

        match asked:
            case spec.Connection.StartOk():
                self._send(0, spec.Connection.Tune(0, 131072, 0))
            case spec.Connection.Open():
                self._send(0, spec.Connection.OpenOk())
            case spec.Connection.Close():
                self._send(0, spec.Connection.CloseOk())
            case spec.Channel.Open():
                self._send(number, spec.Channel.OpenOk())
            case spec.Channel.Close():
                self._send(number, spec.Channel.CloseOk())
            case spec.Basic.Cancel():
                self._consumers.pop(asked.consumer_tag)
                self._send(number, spec.Basic.CancelOk(asked.consumer_tag))
            case spec.Basic.Consume():
                self._send(number, spec.Basic.ConsumeOk(asked.consumer_tag))
                self._consumers[asked.consumer_tag] = asked.queue
                self._deliver()
            case spec.Basic.Get() if self._queues[asked.queue]:
                method, properties, body = self._queues[asked.queue].pop(0)
                got = spec.Basic.GetOk(1, False, method.exchange, method.routing_key, 0)
                self._send(number, got, properties, body)
            case spec.Basic.Get():
                self._send(number, spec.Basic.GetEmpty())

    def _deliver(self) -> None:
        from pika import spec

        for tag, queue in self._consumers.items():
            while self._queues[queue]:
                method, properties, body = self._queues[queue].pop(0)
                self._tag += 1
                said = spec.Basic.Deliver(tag, self._tag, False, method.exchange, method.routing_key)
                self._send(1, said, properties, body)

    def _send(self, number: int, method: Any, properties: Any = None, body: bytes = b"") -> None:
        from pika import frame

        parts = [frame.Method(number, method)]
        if properties is not None:
            parts += [frame.Header(number, len(body), properties), frame.Body(number, body)]
        self._peer.sendall(b"".join(part.marshal() for part in parts))


@pytest.fixture(params=ORDERS)
def channel(request: pytest.FixtureRequest, captured: Captured) -> Iterator[Any]:
    kinds: list[Any] = [PikaInstrumentor]
    if len(ORDERS[request.param]) > 1:
        kinds.append(pytest.importorskip("opentelemetry.instrumentation.pika").PikaInstrumentor)
    with contextlib.ExitStack() as stack:
        stack.callback(attach, get_current())  # OpenTelemetry's leaves its own there when a generator is given up
        for number in ORDERS[request.param]:
            kinds[number]().instrument(tracer_provider=captured.provider)
            stack.callback(kinds[number]().uninstrument)
        broker = Broker()
        stack.callback(broker.close)
        connection = stack.enter_context(
            contextlib.closing(pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", broker.port)))
        )
        yield connection.channel()


def publish(channel: Any, **properties: Any) -> str:
    """A message of 5 bytes, made of data that has an age; the request's id."""
    with tollbook.request("order", team="shop") as request:
        with tollbook.handoff("read") as span:
            span.asset("s3://orders/1", event_time=EVENT_TIME_NS)
        channel.basic_publish("", "orders", b"order", pika.BasicProperties(**properties) if properties else None)
    return request.trace_id


def score() -> None:
    with tollbook.inference("scorer"):
        pass


def of(captured: Captured, operation: str) -> ReadableSpan:
    (span,) = [span for span in captured.spans if (span.attributes or {}).get("tollbook.handoff.operation") == operation
               and str((span.attributes or {}).get("messaging.system")) == "rabbitmq"]  # fmt: skip
    return span


def by_callback(channel: Any) -> None:
    def called(inside: Any, method: Any, properties: Any, body: bytes) -> None:
        assert body == b"order"
        score()
        inside.stop_consuming()

    channel.basic_consume("orders", called, auto_ack=True)
    channel.start_consuming()


def by_generator(channel: Any) -> None:
    for _method, _properties, body in channel.consume("orders", auto_ack=True):
        assert body == b"order"
        score()
        break
    channel.cancel()


def by_asking(channel: Any) -> None:
    assert channel.basic_get("orders", auto_ack=True)[2] == b"order"
    score()
    assert channel.basic_get("orders", auto_ack=True)[0] is None


@pytest.mark.parametrize("take", [by_callback, by_generator, by_asking])
def test_what_a_message_starts_goes_on_with_what_its_sender_knew(take: Any, channel: Any, captured: Captured) -> None:
    trace_id = publish(channel, message_id="m-1", headers={"own": "header"})
    take(channel)
    written, read = of(captured, "write"), of(captured, "read")
    for span, kind in ((written, SpanKind.PRODUCER), (read, SpanKind.CONSUMER)):
        said = span.attributes or {}
        assert (said["tollbook.handoff.size"], said["tollbook.handoff.records"]) == (5, 1)
        assert (span.kind, said["tollbook.event.id"], said["tollbook.handoff.network"]) == (kind, "m-1", "loopback")
        assert span.context is not None
        assert f"{span.context.trace_id:032x}" == trace_id
    assert (read.attributes or {})["tollbook.handoff.wait.duration"] > 0
    assert (read.attributes or {})["tollbook.handoff.delivery"] == "at_most_once"
    inference = captured.attributes("inference scorer")
    assert inference["tollbook.input.event_time.oldest"] == EVENT_TIME_NS
    assert inference["tollbook.team"] == "shop"


@pytest.mark.parametrize("channel", ["alone"], indirect=True)  # OpenTelemetry's own writes into what the application keeps
def test_the_applications_properties_stay_as_they_are(channel: Any, captured: Captured) -> None:
    properties = pika.BasicProperties(headers={"own": "header"})
    channel._impl.basic_publish("", "orders", b"order", properties)
    assert properties.headers == {"own": "header"}
    method, got, _body = channel.basic_get("orders")
    assert method.routing_key == "orders"
    assert got.headers["own"] == "header"
    assert got.headers["traceparent"]
