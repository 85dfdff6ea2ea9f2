"""pika: messages of RabbitMQ that are published and consumed, by blocking channels and by those with callbacks."""

import copy
import functools
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final

from opentelemetry.context import attach, detach
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.handle import INERT, Handle, Value
from tollbook.integrations.base import Integration
from tollbook.integrations.queues import EVENT_ID, Message, Queue, Side, labelled, rest, size_of, work
from tollbook.runtime import is_off
from tollbook.shield import shielded
from tollbook.steps import ending

_OTHERS: Final = "opentelemetry.instrumentation.pika"
_RABBIT: Final = Queue("rabbitmq", beneath=[_OTHERS], beneath_reading=[_OTHERS])
_SENT: Final = "tollbook-sent-ns"
"""Header with the ns since 1970 when a message was published; its own timestamp has seconds, and is seldom set."""
_PUBLISH: Final = ("exchange", "routing_key", "body", "properties", "mandatory")
_INNER: Final = "_on_consumer_message_delivery"
"""What a blocking channel has called by the channel below it: its own callbacks are wrapped instead."""


def _published(wrapped: Callable[..., Any], channel: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    handle: Handle = INERT
    said = dict(zip(_PUBLISH, args, strict=False)) | kwargs
    with shielded("size a message"):
        queue = _name(said["exchange"], said["routing_key"])
        handle = _RABBIT.writing(queue, size_of(said["body"]), _side(channel))
    if handle is INERT:
        return wrapped(*args, **kwargs)
    with ending(handle):
        with shielded("send headers with a message"):
            said["properties"] = _labelled(handle, queue, said.get("properties"))
            args, kwargs = (), said
        with handle:
            return wrapped(*args, **kwargs)


def _labelled(handle: Handle, queue: str, given: Any) -> Any:
    """Properties with our headers; the application's own stay as they are."""
    properties = copy.copy(given) if given is not None else sys.modules["pika.spec"].BasicProperties()
    sent, written = labelled(handle, queue, {})
    ours = {name: value.decode() for name, value in sent.items()}
    event_id = properties.message_id or written.event_id
    handle.set(A.TOLLBOOK_EVENT_ID, str(event_id))
    properties.headers = {**(properties.headers or {}), **ours, EVENT_ID: str(event_id), _SENT: str(time.time_ns())}
    return properties


def _consuming(wrapped: Callable[..., Any], _channel: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`basic_consume(queue, on_message_callback, auto_ack, …)`: what it calls runs in the context of its message."""
    with shielded("follow a consumer"):
        callback = kwargs.get("on_message_callback", args[1] if len(args) > 1 else None)
        if callable(callback) and getattr(callback, "__name__", "") != _INNER:
            acknowledged = bool(kwargs.get("auto_ack", args[2] if len(args) > 2 else False))
            told = _told(callback, acknowledged)
            if "on_message_callback" in kwargs:
                kwargs = {**kwargs, "on_message_callback": told}
            else:
                args = (args[0], told, *args[2:])
    return wrapped(*args, **kwargs)


def _told(callback: Callable[..., Any], acknowledged: bool) -> Callable[..., Any]:
    def called(channel: Any, method: Any, properties: Any, body: Any) -> Any:
        token = None
        with shielded("tell of a message that came"):
            if _is_seen():
                inside = _RABBIT.reading([_message(method, properties, body)], _side(channel, acknowledged))
                token = attach(inside) if inside is not None else None
        try:
            return callback(channel, method, properties, body)
        finally:
            if token is not None:
                detach(token)

    return functools.update_wrapper(called, callback, [name for name in functools.WRAPPER_ASSIGNMENTS if hasattr(callback, name)])


def _got(wrapped: Callable[..., Any], channel: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    rest()
    found = wrapped(*args, **kwargs)
    _work(channel, found, bool(kwargs.get("auto_ack", args[1] if len(args) > 1 else False)))
    return found


def _consumed(wrapped: Callable[..., Any], channel: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return _each(wrapped(*args, **kwargs), channel, bool(kwargs.get("auto_ack", args[1] if len(args) > 1 else False)))


def _each(messages: Any, channel: Any, acknowledged: bool) -> Iterator[Any]:
    """The messages of a generator: work belongs to each until the next is asked for."""
    try:
        while True:
            rest()
            try:
                found = next(messages)
            except StopIteration:
                return
            _work(channel, found, acknowledged)
            yield found
    finally:
        rest()
        messages.close()


def _ended(wrapped: Callable[..., Any], _of: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A channel or a connection that ends, or consumes no longer: no further message is asked for."""
    rest()
    return wrapped(*args, **kwargs)


def _work(channel: Any, found: Any, acknowledged: bool) -> None:
    with shielded("tell of a message that came"):
        if found is not None and found[0] is not None and _is_seen():
            work(_RABBIT, [_message(*found)], _side(channel, acknowledged))


def _is_seen() -> bool:
    return not is_off() and PikaInstrumentor().is_instrumented_by_opentelemetry


def _message(method: Any, properties: Any, body: Any) -> Message:
    headers: Mapping[str, Any] = properties.headers or {}
    sent = str(headers.get(_SENT) or "")
    seconds = properties.timestamp
    moment = int(sent) if sent.isdecimal() else seconds * 10**9 if isinstance(seconds, int) else None
    queue = _name(method.exchange, method.routing_key)
    event_id = [] if EVENT_ID in headers or not properties.message_id else [(EVENT_ID, str(properties.message_id))]
    return Message(queue, size_of(body), [*headers.items(), *event_id], moment, f"#{method.delivery_tag}")


def _name(exchange: str, routing_key: str) -> str:
    """Where a message goes: a queue by its name, or what an exchange makes of a key."""
    return f"{exchange}:{routing_key}" if exchange else routing_key


def _side(channel: Any, acknowledged: bool | None = None) -> Mapping[str, Value | None]:
    connection = getattr(channel, "connection", None)
    params = getattr(getattr(connection, "_impl", connection), "params", None)
    server = f"{params.host}:{params.port}" if params is not None else ""
    delivery = None if acknowledged is None else "at_most_once" if acknowledged else "at_least_once"
    return Side(server, delivery).attributes()


class PikaInstrumentor(Integration):
    """Instruments pika."""

    library = "pika"
    wrappers: ClassVar = {
        "pika.channel": {"Channel.basic_publish": _published, "Channel.basic_consume": _consuming},
        "pika.adapters.blocking_connection": {
            "BlockingChannel.basic_consume": _consuming,
            "BlockingChannel.basic_get": _got,
            "BlockingChannel.consume": _consumed,
            "BlockingChannel.cancel": _ended,
            "BlockingChannel.close": _ended,
            "BlockingConnection.close": _ended,
        },
    }
