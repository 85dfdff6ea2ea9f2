"""confluent-kafka: messages that are produced and consumed. Its classes are of C, so subclasses of ours stand in their places.

They are put there as soon as the C module is loaded, before the package's own classes and OpenTelemetry's instrumentation are
made of them: whatever the application then uses is made of ours.
"""

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, ClassVar, Final

import wrapt

from tollbook.handle import INERT, Handle, Value
from tollbook.integrations.base import Integration
from tollbook.integrations.queues import Message, Queue, Side, Written, labelled, rest, size_of, work
from tollbook.shield import shielded
from tollbook.steps import ending

_MODULE: Final = "confluent_kafka.cimpl"
_OTHERS: Final = "opentelemetry.instrumentation.confluent_kafka"
_KAFKA: Final = Queue("kafka", beneath=[_OTHERS])
_PRODUCE: Final = ("topic", "value", "key", "partition", "callback", "on_delivery", "timestamp", "headers")
_NO_TIMESTAMP: Final = 0


class _Known:
    """What is known of one producer or consumer."""

    def __init__(self, side: Side, on_delivery: Any = None) -> None:
        self.said: Mapping[str, Value | None] = side.attributes()
        self.on_delivery = on_delivery


_NOTHING: Final = _Known(Side())


def prepare() -> None:
    """Have our classes put in their places when the library is loaded; they do nothing until it is instrumented."""
    wrapt.register_post_import_hook(_put, _MODULE)


def _put(module: ModuleType) -> None:
    with shielded("stand in for confluent-kafka's classes"):
        for name, made in (("Producer", _producer_of), ("Consumer", _consumer_of)):
            theirs = getattr(module, name)
            if hasattr(theirs, "_tollbook_known"):
                continue
            ours = made(theirs)
            ours.__module__, ours.__qualname__, ours.__doc__ = theirs.__module__, theirs.__qualname__, theirs.__doc__
            setattr(module, name, ours)
            package = sys.modules.get("confluent_kafka")
            if getattr(package, name, None) is theirs:  # it was imported before
                setattr(package, name, ours)


def _producer_of(theirs: type[Any]) -> type[Any]:
    class Producer(theirs):  # type: ignore[misc]  # a class of C, known when it runs
        _tollbook_known = _NOTHING

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            with shielded("read a producer's configuration"):
                config = _config(args, kwargs)
                self._tollbook_known = _Known(_producing(config), config.get("on_delivery"))

        def produce(self, *args: Any, **kwargs: Any) -> Any:
            return _produce(super().produce, self._tollbook_known, args, kwargs)

        def produce_batch(self, *args: Any, **kwargs: Any) -> Any:
            return _produce_batch(super().produce_batch, self._tollbook_known, args, kwargs)

    return Producer


def _consumer_of(theirs: type[Any]) -> type[Any]:
    class Consumer(theirs):  # type: ignore[misc]  # a class of C, known when it runs
        _tollbook_known = _NOTHING

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            with shielded("read a consumer's configuration"):
                self._tollbook_known = _Known(_consuming(_config(args, kwargs)))

        def poll(self, *args: Any, **kwargs: Any) -> Any:
            rest()
            message = super().poll(*args, **kwargs)
            _taken(self, [message] if message is not None else [])
            return message

        def consume(self, *args: Any, **kwargs: Any) -> Any:
            rest()
            messages = super().consume(*args, **kwargs)
            _taken(self, messages)
            return messages

        def close(self, *args: Any, **kwargs: Any) -> Any:
            rest()
            return super().close(*args, **kwargs)

    return Consumer


def _produce(wrapped: Callable[..., Any], known: _Known, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    handle: Handle = INERT
    given = dict(zip(_PRODUCE, args, strict=False))
    with shielded("size a message"):
        if ConfluentKafkaInstrumentor.on and len(args) <= len(_PRODUCE) and given.keys().isdisjoint(kwargs):
            given |= kwargs
            if "topic" in given:
                handle = _KAFKA.writing(str(given["topic"]), size_of(given.get("key"), given.get("value")), known.said)
    if handle is INERT:
        return wrapped(*args, **kwargs)
    with ending(handle):
        with shielded("send headers with a message"):
            headers, written = labelled(handle, str(given["topic"]), given.get("headers"))
            own = given.pop("callback", None) or given.get("on_delivery") or known.on_delivery
            given = {**given, "headers": headers, "on_delivery": _reporting(written, known, own)}
            args, kwargs = (), given
        with handle:
            return wrapped(*args, **kwargs)


def _reporting(written: Written, known: _Known, own: Callable[..., Any] | None) -> Callable[[Any, Any], Any]:
    """The application's delivery callback, which now tells of what was not delivered too."""

    def report(error: Any, message: Any) -> Any:
        if error is not None:
            with shielded("tell of a message that was not delivered"):
                _KAFKA.lost(written, known.said, str(error.name()))
        return own(error, message) if own is not None else None

    return report


def _produce_batch(wrapped: Callable[..., Any], known: _Known, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Its messages can have no headers: their consumer does not know whom they are from."""
    handle: Handle = INERT
    with shielded("size a batch of messages"):
        topic, messages = (*args, *(kwargs[name] for name in ("topic", "messages") if name in kwargs))[:2]
        if ConfluentKafkaInstrumentor.on:
            sizes = [size_of(message.get("key"), message.get("value")) or 0 for message in messages]
            handle = _KAFKA.writing(str(topic), sum(sizes), known.said, len(sizes))
    if handle is INERT:
        return wrapped(*args, **kwargs)
    with ending(handle), handle:
        return wrapped(*args, **kwargs)


def _taken(consumer: Any, messages: list[Any]) -> None:
    if not ConfluentKafkaInstrumentor.on:
        return
    with shielded("tell of messages that were read"):
        read = [_message(message) for message in messages if message.error() is None]
        if read:
            known = consumer._tollbook_known
            theirs = any(kind.__module__.startswith(_OTHERS) for kind in type(consumer).__mro__)
            work(_KAFKA, read, known.said, _OTHERS if theirs else None)


def _message(message: Any) -> Message:
    kind, written_ms = message.timestamp()
    return Message(
        message.topic(),
        len(message) + (size_of(message.key()) or 0),
        message.headers() or (),
        None if kind == _NO_TIMESTAMP else written_ms * 1_000_000,
        f"{message.partition()}@{message.offset()}",
    )


def _config(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration under librdkafka's names; keywords spell them with underscores."""
    given = args[0] if args else kwargs.get("config") or {}
    return {**given, **{name.replace("_", ".") if name != "on_delivery" else name: value for name, value in kwargs.items()}}


def _producing(config: Mapping[str, Any]) -> Side:
    acks = str(config.get("acks", config.get("request.required.acks", "all")))
    exactly = config.get("transactional.id") or _true(config.get("enable.idempotence"))
    return Side(_server(config), "exactly_once" if exactly else "at_most_once" if acks == "0" else "at_least_once")


def _consuming(config: Mapping[str, Any]) -> Side:
    """Offsets that are stored as messages are handed over may be committed before these are worked on: then they can be lost."""
    hasty = _true(config.get("enable.auto.commit", True)) and _true(config.get("enable.auto.offset.store", True))
    group = config.get("group.id")
    return Side(_server(config), "at_most_once" if hasty else "at_least_once", str(group) if group else None)


def _server(config: Mapping[str, Any]) -> str:
    return str(config.get("bootstrap.servers", config.get("metadata.broker.list", ""))).split(",")[0].strip().rpartition("//")[2]


def _true(value: Any) -> bool:
    return str(value).lower() in {"true", "1", "t"}


class ConfluentKafkaInstrumentor(Integration):
    """Instruments confluent-kafka."""

    library = "confluent_kafka"
    wrappers: ClassVar = {}
    on: ClassVar = False

    def _instrument(self, **kwargs: Any) -> None:
        super()._instrument(**kwargs)
        ConfluentKafkaInstrumentor.on = True
        prepare()

    def _uninstrument(self, **kwargs: Any) -> None:
        """What was made of our classes stays, and does nothing."""
        ConfluentKafkaInstrumentor.on = False
        super()._uninstrument(**kwargs)
