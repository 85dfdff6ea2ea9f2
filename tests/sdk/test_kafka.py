"""Messages over Kafka, real clients and librdkafka's mock broker: bytes, trace, owners, ages and waiting go with them."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import tollbook
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind
from tollbook.integrations import confluent_kafka as ours
from tollbook.integrations.aiokafka import AiokafkaInstrumentor
from tollbook.integrations.confluent_kafka import ConfluentKafkaInstrumentor
from tollbook.integrations.kafka_python import KafkaPythonInstrumentor
from tollbook.testing import Captured

ours.prepare()  # before anything imports the library, as `tollbook.auto()` does
confluent_kafka = pytest.importorskip("confluent_kafka")

FILE_TIME_NS = 1_700_000_000_123_000_000
TIMEOUT_S = 20


@pytest.fixture(scope="module")
def broker() -> Iterator[str]:
    """Address of a broker inside of this process; topics have one partition."""
    quiet = {"log_level": 0, "test.mock.num.brokers": 1, "bootstrap.servers": "none"}
    mock = confluent_kafka.Producer(quiet)
    found = mock.list_topics(timeout=TIMEOUT_S).brokers
    yield ",".join(f"{broker.host}:{broker.port}" for broker in found.values())
    mock.flush(0)


@pytest.fixture(params=["alone", "beside OpenTelemetry's"])
def beside(request: pytest.FixtureRequest) -> bool:
    return bool(request.param != "alone")


@pytest.fixture
def instrumented(captured: Captured) -> Iterator[Callable[..., None]]:
    """Turns instrumentations on for the test."""
    turned_on: list[BaseInstrumentor] = []

    def turn_on(*instrumentors: BaseInstrumentor) -> None:
        for instrumentor in instrumentors:
            instrumentor.instrument(tracer_provider=captured.provider)
            turned_on.append(instrumentor)

    yield turn_on
    for instrumentor in reversed(turned_on):
        instrumentor.uninstrument()


def consumer_of(broker: str, topic: str, **config: Any) -> Any:
    """A consumer that reads the topic from its beginning, without the seconds that joining a group takes."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker, "group.id": "scorers", "log_level": 0, **config})
    consumer.assign([confluent_kafka.TopicPartition(topic, number, 0) for number in range(4)])
    return consumer


def polled(consumer: Any) -> Any:
    until = time.monotonic() + TIMEOUT_S
    while time.monotonic() < until:
        message = consumer.poll(0.5)
        if message is not None and message.error() is None:
            return message
    raise AssertionError("no message came")


def of_scope(captured: Captured, theirs: bool) -> list[ReadableSpan]:
    return [
        span
        for span in captured.spans
        if span.instrumentation_scope is not None and span.instrumentation_scope.name.startswith("opentelemetry") == theirs
    ]


def attributes(span: ReadableSpan) -> dict[str, Any]:
    """What a span says, without what differs from run to run."""
    said = dict(span.attributes or {})
    for key in ("tollbook.cpu.time", "tollbook.handoff.wait.duration", "server.port", "tollbook.asset.version"):
        said.pop(key, None)
    return said


def written(topic: str, event_id: str) -> dict[str, Any]:
    """What each span of a message of 7 bytes says, whichever library wrote it."""
    return {
        "tollbook.kind": "handoff",
        "tollbook.handoff.operation": "write",
        "tollbook.handoff.destination": f"kafka:{topic}",
        "tollbook.handoff.size": 7,
        "tollbook.handoff.records": 1,
        "tollbook.handoff.network": "loopback",
        "tollbook.handoff.delivery": "at_least_once",
        "tollbook.asset.id": f"kafka:{topic}",
        "tollbook.event.id": event_id,
        "tollbook.team": "risk",
        "gen_ai.workflow.name": "intake",
        "messaging.system": "kafka",
        "messaging.destination.name": topic,
        "server.address": "127.0.0.1",
    }


def read(topic: str, event_id: str, delivery: str) -> dict[str, Any]:
    said = written(topic, event_id)
    del said["tollbook.handoff.destination"]
    return said | {
        "tollbook.handoff.operation": "read",
        "tollbook.handoff.source": f"kafka:{topic}",
        "tollbook.handoff.delivery": delivery,
        "tollbook.asset.event_time": FILE_TIME_NS,
        "messaging.consumer.group.name": "scorers",
    }


def check(captured: Captured, topic: str, delivery: str) -> None:
    """One write, one read and one inference make one trace; the inference's data is as old as the file of the producer."""
    (write,) = (span for span in captured.spans if span.kind is SpanKind.PRODUCER)
    reading = next(span for span in captured.spans if span.kind is SpanKind.CONSUMER)
    event_id = f"{write.context.span_id:016x}"
    assert written(topic, event_id).items() <= attributes(write).items()
    assert read(topic, event_id, delivery).items() <= attributes(reading).items()
    assert {span.context.trace_id for span in captured.spans} == {write.context.trace_id}
    assert reading.parent is not None
    assert reading.parent.span_id == write.context.span_id
    assert 0 <= (reading.attributes or {})["tollbook.handoff.wait.duration"] < TIMEOUT_S * 1e9
    inference = captured.attributes("inference scorer")
    assert inference["tollbook.input.event_time.oldest"] == inference["tollbook.input.event_time.newest"] == FILE_TIME_NS
    assert set(inference["tollbook.input.asset.ids"]) == {"file:///orders.csv", f"kafka:{topic}"}
    assert inference["tollbook.team"] == "risk"
    counts = [sum(attributes(span).get("tollbook.handoff.size") == 7 for span in captured.spans), len(captured.names)]
    assert counts[0] == 2, f"nothing is seen twice: {captured.names}"


@contextmanager
def intake() -> Iterator[None]:
    """A request of a team that has read a file."""
    with tollbook.request("intake", team="risk"):
        tollbook.asset("file:///orders.csv", event_time=FILE_TIME_NS)
        yield


def score() -> None:
    with tollbook.inference("scorer"):
        pass


def test_confluent_kafka(broker: str, captured: Captured, instrumented: Callable[..., None], beside: bool) -> None:
    from opentelemetry.instrumentation.confluent_kafka import ConfluentKafkaInstrumentor as Theirs

    instrumented(ConfluentKafkaInstrumentor(), *([Theirs()] if beside else []))
    topic, given, delivered = f"confluent-{beside}", [("x", b"y")], []
    producer = confluent_kafka.Producer({"bootstrap.servers": broker, "log_level": 0})
    with intake():
        producer.produce(topic, b"payload", headers=given, on_delivery=lambda error, message: delivered.append(error))
    assert producer.flush(TIMEOUT_S) == 0
    assert delivered == [None]
    consumer = consumer_of(broker, topic)
    message = polled(consumer)
    assert (message.value(), message.headers()[0]) == (b"payload", ("x", b"y"))
    score()
    assert consumer.poll(0) is None
    consumer.close()
    check(captured, topic, "at_most_once")
    if not beside:
        assert captured.names == ["write kafka:confluent-False", "intake", "read kafka:confluent-False", "inference scorer"]
        assert given == [("x", b"y")], "the application's list is its own"
    with tollbook.inference("later"):
        pass
    assert captured.named("inference later").context.trace_id != captured.named("intake").context.trace_id


def test_several_messages_are_linked_to_their_producers(
    broker: str, captured: Captured, instrumented: Callable[..., None]
) -> None:
    instrumented(ConfluentKafkaInstrumentor())
    producer = confluent_kafka.Producer({"bootstrap.servers": broker, "log_level": 0, "acks": "0"})
    for age_ns in (FILE_TIME_NS, FILE_TIME_NS + 10**9):
        with tollbook.request("intake"):
            tollbook.asset("file:///orders.csv", event_time=age_ns)
            producer.produce("batches", "äß", key="k", partition=0, headers={"ce_id": f"event {age_ns}"})
    producer.flush(TIMEOUT_S)
    consumer = consumer_of(broker, "batches", **{"enable.auto.offset.store": False})
    messages: list[Any] = []
    until = time.monotonic() + TIMEOUT_S
    while not messages and time.monotonic() < until:
        messages = consumer.consume(2, 5)
    score()
    consumer.close()
    writes = [span for span in captured.spans if span.kind is SpanKind.PRODUCER]
    reading = captured.named("read kafka:batches")
    assert [attributes(span)["tollbook.event.id"] for span in writes] == [
        f"event {FILE_TIME_NS}",
        f"event {FILE_TIME_NS + 10**9}",
    ]
    assert {attributes(span)["tollbook.handoff.delivery"] for span in writes} == {"at_most_once"}
    assert [link.context.span_id for link in reading.links] == [span.context.span_id for span in writes]
    said = attributes(reading)
    assert (said["tollbook.handoff.size"], said["tollbook.handoff.records"]) == (10, 2)
    assert said["tollbook.handoff.delivery"] == "at_least_once"
    inference = captured.attributes("inference scorer")
    assert inference["tollbook.input.event_time.oldest"] == FILE_TIME_NS
    assert inference["tollbook.input.event_time.newest"] == FILE_TIME_NS + 10**9
    assert captured.named("inference scorer").context.trace_id == reading.context.trace_id


def test_a_message_that_is_not_delivered_is_told_of_under_its_event(
    captured: Captured, instrumented: Callable[..., None]
) -> None:
    instrumented(ConfluentKafkaInstrumentor())
    failed: list[Any] = []
    config = {"bootstrap.servers": "127.0.0.1:9", "message.timeout.ms": 100, "log_level": 0}
    producer = confluent_kafka.Producer({**config, "on_delivery": lambda error, message: failed.append(error)})
    producer.produce("orders", b"payload")
    producer.flush(TIMEOUT_S)
    assert len(failed) == 1, "the application's own callback is called still"
    sent, lost = captured.spans
    assert attributes(lost)["error.type"] == "_MSG_TIMED_OUT"
    assert attributes(lost)["tollbook.event.id"] == attributes(sent)["tollbook.event.id"]
    assert "tollbook.handoff.size" not in attributes(lost)
    assert lost.context.trace_id == sent.context.trace_id


def test_a_call_that_is_wrong_fails_as_it_does_without_us(
    broker: str, captured: Captured, instrumented: Callable[..., None]
) -> None:
    instrumented(ConfluentKafkaInstrumentor())
    producer = confluent_kafka.Producer({"bootstrap.servers": broker, "log_level": 0})
    with pytest.raises(TypeError, match="topic"):
        producer.produce()
    with pytest.raises(TypeError):
        producer.produce("orders", topic="orders")
    with pytest.raises(TypeError):
        producer.produce("orders", 1)


def test_kafka_python(broker: str, captured: Captured, instrumented: Callable[..., None], beside: bool) -> None:
    kafka = pytest.importorskip("kafka")
    from opentelemetry.instrumentation.kafka import KafkaInstrumentor as Theirs

    instrumented(*([Theirs()] if beside else []), KafkaPythonInstrumentor())
    topic = f"python-{beside}"
    producer = kafka.KafkaProducer(bootstrap_servers=broker, enable_idempotence=False, api_version=(2, 1))
    with intake():
        future = producer.send(topic, b"payload", headers=[("x", b"y")])
    future.get(TIMEOUT_S)
    producer.close()
    consumer = kafka.KafkaConsumer(
        bootstrap_servers=broker,
        api_version=(2, 1),
        group_id="scorers",
        auto_offset_reset="earliest",
        consumer_timeout_ms=TIMEOUT_S * 1000,
    )
    consumer.assign([kafka.TopicPartition(topic, number) for number in range(4)])
    message = next(consumer)
    assert (message.value, message.headers[0]) == (b"payload", ("x", b"y"))
    score()
    consumer.close()
    check(captured, topic, "at_least_once")
    if not beside:
        assert captured.names == ["write kafka:python-False", "intake", "read kafka:python-False", "inference scorer"]


def test_aiokafka(broker: str, captured: Captured, instrumented: Callable[..., None]) -> None:
    aiokafka = pytest.importorskip("aiokafka")
    instrumented(AiokafkaInstrumentor())

    async def run() -> None:
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=broker) as producer:
            with intake():
                await producer.send_and_wait("aio", b"payload", headers=[("x", b"y")])
        consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=broker, group_id="scorers", auto_offset_reset="earliest")
        await consumer.start()
        consumer.assign([aiokafka.TopicPartition("aio", number) for number in range(4)])
        try:
            message = await consumer.getone()
            assert (message.value, message.headers[0]) == (b"payload", ("x", b"y"))
            score()
        finally:
            await consumer.stop()

    asyncio.run(asyncio.wait_for(run(), TIMEOUT_S))
    check(captured, "aio", "at_most_once")
    assert captured.names == ["write kafka:aio", "intake", "read kafka:aio", "inference scorer"]
