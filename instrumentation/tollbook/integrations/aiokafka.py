"""aiokafka: messages that are sent and read, seen where they are bytes already, inside what other instrumentations wrap."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar, Final

from tollbook.handle import INERT, Handle, Value
from tollbook.integrations.base import Integration
from tollbook.integrations.kafka_python import message_of, server_of
from tollbook.integrations.queues import Queue, Side, Written, labelled, rest, size_of, work
from tollbook.shield import shielded
from tollbook.steps import Steps, ending

_OTHERS: Final = "opentelemetry.instrumentation.aiokafka"
_KAFKA: Final = Queue("kafka", beneath=[_OTHERS])
_NOTHING: Final[Mapping[str, Value | None]] = {}


def _made_producer(wrapped: Callable[..., Any], producer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with shielded("read a producer's configuration"):
        acks, exactly = kwargs.get("acks"), kwargs.get("transactional_id") or kwargs.get("enable_idempotence")
        delivery = "exactly_once" if exactly else "at_most_once" if acks == 0 else "at_least_once"
        producer._message_accumulator._tollbook_said = Side(server_of(kwargs), delivery).attributes()
    return result


async def _add_message(wrapped: Callable[..., Any], accumulator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    handle: Handle = INERT
    said = _said(accumulator)
    with shielded("size a message"):
        partition, key, value = args[:3]
        handle = _KAFKA.writing(partition.topic, size_of(key, value), said)
    if handle is INERT:
        return await wrapped(*args, **kwargs)
    written: Written | None = None
    with ending(handle):
        with shielded("send headers with a message"):
            headers, written = labelled(handle, partition.topic, kwargs.get("headers"))
            kwargs = {**kwargs, "headers": headers}
        future = await Steps(wrapped(*args, **kwargs), handle)
        with shielded("watch a message's delivery"):
            if written is not None:
                future.add_done_callback(partial(_delivered, written, said))
    return future


def _delivered(written: Written, said: Mapping[str, Value | None], sent: Any) -> None:
    with shielded("tell of a message that was not delivered"):
        error = None if sent.cancelled() else sent.exception()
        if error is not None or sent.cancelled():
            _KAFKA.lost(written, said, type(error).__name__ if error else "CancelledError")


async def _started(wrapped: Callable[..., Any], consumer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = await wrapped(*args, **kwargs)
    with shielded("read a consumer's configuration"):
        group = consumer._group_id
        # It commits every few seconds what was handed over, worked on or not.
        delivery = None if group is None else "at_most_once" if consumer._enable_auto_commit else "at_least_once"
        servers = {"bootstrap_servers": consumer._client._bootstrap_servers}
        consumer._fetcher._tollbook_said = Side(server_of(servers), delivery, group).attributes()
    return result


async def _next_record(wrapped: Callable[..., Any], fetcher: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    rest()
    record = await wrapped(*args, **kwargs)
    with shielded("tell of a message that was read"):
        work(_KAFKA, [message_of(record)], _said(fetcher))
    return record


async def _fetched(wrapped: Callable[..., Any], fetcher: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    rest()
    fetched = await wrapped(*args, **kwargs)
    with shielded("tell of messages that were read"):
        work(_KAFKA, [message_of(record) for records in fetched.values() for record in records], _said(fetcher))
    return fetched


def _said(owner: Any) -> Mapping[str, Value | None]:
    return getattr(owner, "_tollbook_said", _NOTHING)


class AiokafkaInstrumentor(Integration):
    """Instruments aiokafka."""

    library = "aiokafka"
    wrappers: ClassVar = {
        "aiokafka.producer.producer": {"AIOKafkaProducer.__init__": _made_producer},
        "aiokafka.producer.message_accumulator": {"MessageAccumulator.add_message": _add_message},
        "aiokafka.consumer.consumer": {"AIOKafkaConsumer.start": _started},
        "aiokafka.consumer.fetcher": {"Fetcher.next_record": _next_record, "Fetcher.fetched_records": _fetched},
    }
