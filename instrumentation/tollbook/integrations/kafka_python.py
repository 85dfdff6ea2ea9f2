"""kafka-python: messages that are sent and read, seen where they are bytes, inside what OpenTelemetry's instrumentation wraps."""

import threading
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

import wrapt

from tollbook.handle import INERT, Handle, Value
from tollbook.integrations.base import Integration
from tollbook.integrations.queues import Message, Queue, Side, Written, labelled, rest, size_of, work
from tollbook.shield import shielded
from tollbook.steps import ending

_OTHERS: Final = "opentelemetry.instrumentation.kafka"
_KAFKA: Final = Queue("kafka", beneath=[_OTHERS])
_APPEND: Final = ("tp", "timestamp_ms", "key", "value", "headers")
_NOTHING: Final[Mapping[str, Value | None]] = {}
_waiting = threading.local()
"""A message of this thread that did not fit into the batch of its partition: it is put into another one at once."""


def _made_producer(wrapped: Callable[..., Any], producer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with shielded("read a producer's configuration"):
        producer._accumulator._tollbook_said = _producing(producer.config).attributes()
    return result


def _append(wrapped: Callable[..., Any], accumulator: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    handle: Handle = INERT
    given = dict(zip(_APPEND, args, strict=False)) | kwargs
    with shielded("size a message"):
        handle = _again(given) or _begun(accumulator, given)
    if handle is INERT:
        return wrapped(*args, **kwargs)
    written: Written | None = None
    with ending(handle) as end:
        with shielded("send headers with a message"):
            headers, written = labelled(handle, given["tp"].topic, given.get("headers"))
            if len(args) >= len(_APPEND):
                args = (*args[: len(_APPEND) - 1], headers, *args[len(_APPEND) :])
            else:
                kwargs = {**kwargs, "headers": headers}
        with handle:
            result = wrapped(*args, **kwargs)
        with shielded("watch a message's delivery"):
            if result[0] is None:
                _waiting.message = (given["value"], handle)
                end.elsewhere()
            elif written is not None:
                result[0].add_errback(_lost, written, _said(accumulator))
    return result


def _again(given: Mapping[str, Any]) -> Handle | None:
    """The handle of the message that was turned away just now."""
    value, handle = getattr(_waiting, "message", (None, None))
    _waiting.message = (None, None)
    if handle is not None and value is given["value"]:
        return handle  # type: ignore[no-any-return]
    if handle is not None:
        handle.fail("not sent").end()
    return None


def _begun(accumulator: Any, given: Mapping[str, Any]) -> Handle:
    said = _said(accumulator)
    return _KAFKA.writing(given["tp"].topic, size_of(given["key"], given["value"]), said)


def _lost(written: Written, said: Mapping[str, Value | None], error: BaseException) -> None:
    with shielded("tell of a message that was not delivered"):
        _KAFKA.lost(written, said, type(error).__name__)


def _made_consumer(wrapped: Callable[..., Any], consumer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    result = wrapped(*args, **kwargs)
    with shielded("read a consumer's configuration"):
        consumer._tollbook_said = _consuming(consumer.config).attributes()
    return result


def _generated(wrapped: Callable[..., Any], consumer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """What `for message in consumer` takes its messages from, one by one."""
    for record in wrapped(*args, **kwargs):
        with shielded("tell of a message that was read"):
            theirs = isinstance(type(consumer).__dict__.get("__next__"), wrapt.BaseObjectProxy)
            work(_KAFKA, [message_of(record)], _said(consumer), _OTHERS if theirs else None)
        yield record
        rest()


def _polled(wrapped: Callable[..., Any], consumer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if kwargs.get("update_offsets") is False:  # for the generator above
        return wrapped(*args, **kwargs)
    rest()
    result = wrapped(*args, **kwargs)
    with shielded("tell of messages that were read"):
        work(_KAFKA, [message_of(record) for records in result.values() for record in records], _said(consumer))
    return result


def _closed(wrapped: Callable[..., Any], _consumer: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    rest()
    return wrapped(*args, **kwargs)


def _said(owner: Any) -> Mapping[str, Value | None]:
    """What each span of a producer or consumer says."""
    return getattr(owner, "_tollbook_said", _NOTHING)


def message_of(record: Any) -> Message:
    """A record, of aiokafka too."""
    size = max(record.serialized_key_size, 0) + max(record.serialized_value_size, 0)
    written_ns = record.timestamp * 1_000_000 if record.timestamp is not None and record.timestamp >= 0 else None
    return Message(record.topic, size, record.headers or (), written_ns, f"{record.partition}@{record.offset}")


def _producing(config: Mapping[str, Any]) -> Side:
    exactly = config.get("transactional_id") or config.get("enable_idempotence")
    delivery = "exactly_once" if exactly else "at_most_once" if config.get("acks") == 0 else "at_least_once"
    return Side(server_of(config), delivery)


def _consuming(config: Mapping[str, Any]) -> Side:
    """It commits what was worked on before the next poll, at the earliest; without a group nothing is ever committed."""
    group = config.get("group_id")
    return Side(server_of(config), "at_least_once" if group else None, str(group) if group else None)


def server_of(config: Mapping[str, Any]) -> str:
    """The first address of those that a client was given."""
    servers = config.get("bootstrap_servers") or ""
    first = servers.split(",")[0] if isinstance(servers, str) else next(iter(servers), "")
    return str(first).rpartition("//")[2]


class KafkaPythonInstrumentor(Integration):
    """Instruments kafka-python."""

    library = "kafka"
    wrappers: ClassVar = {
        "kafka.producer.kafka": {"KafkaProducer.__init__": _made_producer},
        "kafka.producer.record_accumulator": {"RecordAccumulator.append": _append},
        "kafka.consumer.group": {
            "KafkaConsumer.__init__": _made_consumer,
            "KafkaConsumer._message_generator_v2": _generated,
            "KafkaConsumer.poll": _polled,
            "KafkaConsumer.close": _closed,
        },
    }
