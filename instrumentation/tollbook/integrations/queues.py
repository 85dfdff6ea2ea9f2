"""What integrations of queues share: the span of a message, what its headers carry, and the context of whoever works on it.

A message carries the trace, owners and ages of its producer and its event's id in headers. A consumer's code runs, from one poll
to the next, in the context of the message that it was given: what it does belongs to the producer's trace, and inferences carry
the age of the data that the message was made of.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Final

from opentelemetry import propagate
from opentelemetry.context import Context, attach, create_key, detach, get_current, get_value, set_value
from opentelemetry.trace import NonRecordingSpan, SpanContext, SpanKind, get_current_span, set_span_in_context
from tollbook_schema import attributes as A  # noqa: N812

from tollbook.carriers import received, told
from tollbook.handle import INERT, Handle, Value
from tollbook.hosts import is_this_machine
from tollbook.inputs import HANDLE_KEY, Asset, Inputs, arrived, carried
from tollbook.integrations.base import Handover
from tollbook.shield import shielded

EVENT_ID: Final = "tollbook-event-id"
"""Header with the identity of the event, the same for whoever writes and reads it."""
_CLOUD_EVENT_ID: Final = "ce_id"
"""Where the CloudEvents binding for Kafka has it; then no header of ours is needed."""

_BEFORE: Final = create_key("tollbook-before-work")

Pairs = Sequence[tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it was read, whatever the library calls its parts."""

    queue: str
    """Topic or queue it was read from."""
    size: int | None
    """Bytes of key and value; None where nobody says."""
    headers: Pairs = ()
    timestamp_ns: int | None = None
    """When it was written, as the queue says."""
    place: str = ""
    """Where it stands in the queue, such as `partition@offset`; empty where nothing says so."""


@dataclass(frozen=True, slots=True)
class Written:
    """What is remembered of a message until it is delivered."""

    queue: str
    event_id: str
    span: SpanContext


@dataclass(frozen=True, slots=True)
class Side:
    """What is known of one producer or consumer, from its configuration."""

    server: str = ""
    """The first address it was given, such as `broker:9092`."""
    delivery: str | None = None
    """`at_most_once`, `at_least_once` or `exactly_once`."""
    group: str | None = None
    """Consumer group."""
    said: Mapping[str, Value] = field(default_factory=dict)

    def attributes(self) -> dict[str, Value | None]:
        """What each span of it says."""
        host, _colon, port = self.server.rpartition(":") if ":" in self.server else (self.server, "", "")
        return {
            A.SERVER_ADDRESS: host or None,
            A.SERVER_PORT: int(port) if port.isdecimal() else None,
            A.TOLLBOOK_HANDOFF_NETWORK: "loopback" if host and is_this_machine(host) else None,
            A.TOLLBOOK_HANDOFF_DELIVERY: self.delivery,
            "messaging.consumer.group.name": self.group,
            **self.said,
        }


class Queue:
    """One system of queues, such as Kafka.

    Args:
        system: its name, as in `messaging.system`.
        beneath: scopes of other instrumentations of its libraries, whose producer spans are completed instead of doubled.
        beneath_reading: those whose span of a message is the current one while it is worked on.
    """

    def __init__(self, system: str, beneath: Sequence[str] = (), beneath_reading: Sequence[str] = ()) -> None:
        self.system = system
        said = {A.MESSAGING_SYSTEM: system}
        self._write = Handover("write", beneath=beneath, kind=SpanKind.PRODUCER, attributes=said)
        self._read = Handover("read", beneath=beneath_reading, kind=SpanKind.CONSUMER, attributes=said)

    def writing(self, queue: str, size: int | None, side: Mapping[str, Value | None], records: int = 1) -> Handle:
        """The span of messages that are written, not yet current."""
        place = f"{self.system}:{queue}"
        said = {**side, A.MESSAGING_DESTINATION_NAME: queue, A.TOLLBOOK_HANDOFF_DESTINATION: place}
        handle = self._write.begin(f"write {place}", said)
        if handle is not INERT:
            handle.records(records).asset(place)
            if size is not None:
                handle.bytes(size)
        return handle

    def lost(self, written: "Written", side: Mapping[str, Value | None], why: str) -> None:
        """A message that was written is not delivered, and never will be: said in a span of its own, under the same event."""
        place = f"{self.system}:{written.queue}"
        said = {**side, A.MESSAGING_DESTINATION_NAME: written.queue, A.TOLLBOOK_HANDOFF_DESTINATION: place}
        token = attach(set_span_in_context(NonRecordingSpan(written.span)))
        try:
            handle = self._write.begin(f"write {place}", {**said, A.TOLLBOOK_EVENT_ID: written.event_id}, measures_cpu=False)
            handle.fail(why).end()
        finally:
            detach(token)

    def reading(
        self, messages: Sequence[Message], side: Mapping[str, Value | None], *, theirs: str | None = None
    ) -> Context | None:
        """Make the span of messages that were read; the context in which they are worked on, None where nothing is recorded.

        One message goes on with the trace of its producer, unless a span of this process is current already; several begin
        a trace of their own, linked to those of their producers. Either way the ages of all of them are inputs of what follows.

        Args:
            messages: at least one.
            side: what each span of the consumer says.
            theirs: scope of another instrumentation that makes the span; it is told what it lacks.
        """
        carriers = [_wanted(message.headers) for message in messages]
        token = attach(received(carriers[0]) if len(messages) == 1 else arrived(get_current()))
        try:
            said = {**side, A.MESSAGING_DESTINATION_NAME: messages[0].queue}
            return self._read_here(messages, carriers, said, theirs)
        finally:
            detach(token)

    def _read_here(
        self,
        messages: Sequence[Message],
        carriers: Sequence[Mapping[str, str]],
        said: Mapping[str, Value | None],
        theirs: str | None,
    ) -> Context | None:
        place = f"{self.system}:{messages[0].queue}"
        parent = get_current_span().get_span_context()
        said = {**said, A.TOLLBOOK_HANDOFF_SOURCE: place}
        handle = self._read.promise(theirs, said) if theirs else self._read.begin(f"read {place}", said, measures_cpu=False)
        if handle is INERT:
            return None
        sizes = [message.size for message in messages]
        if None not in sizes:
            handle.bytes(sum(size for size in sizes if size is not None))
        handle.records(len(messages))
        for message, carrier in zip(messages, carriers, strict=True):
            remote = propagate.extract(carrier, Context())
            _link(handle, get_current_span(remote).get_span_context(), parent)
            _name_asset(handle, place, message, carried(remote))
        written_ns = min((message.timestamp_ns for message in messages if message.timestamp_ns), default=None)
        now_ns = time.time_ns()
        if written_ns is not None and written_ns <= now_ns:
            handle.waited((now_ns - written_ns) / 1e9)
        if len(messages) == 1:
            handle.set(A.TOLLBOOK_EVENT_ID, _event_id(messages[0], carriers[0]))
        with handle:
            inside = get_current()
        handle.end()
        return inside


def work(queue: Queue, messages: Iterable[Message], side: Mapping[str, Value | None], theirs: str | None = None) -> None:
    """From here on, the current context is that of these messages, until the next poll. Each topic has a span of its own.

    The context itself says what was before: so threads and tasks may share a consumer.
    """
    before = get_current()
    for _topic, of_topic in groupby(messages, lambda message: message.queue):
        inside = queue.reading(list(of_topic), side, theirs=theirs)
        if inside is not None:
            attach(set_value(_BEFORE, before, inside))


def rest() -> None:
    """The current context is again what it was before messages were worked on, whichever consumer they came from."""
    with shielded("leave the context of a message"):
        before = get_value(_BEFORE)
        if isinstance(before, Context):
            attach(before)


def labelled(handle: Handle, queue: str, given: Any) -> tuple[Any, Written]:
    """The headers of a message that is written, and what to remember: the application's, with ours for what it copied of them.

    Pairs or a mapping, as they were given; values as bytes. Owners and ages are sent: what a queue holds is read by one's own.
    """
    pairs = list(given.items() if isinstance(given, Mapping) else given or ())
    names = {_text(name) for name, _value in pairs}
    ours = told(ours=True, context=set_value(HANDLE_KEY, handle, set_span_in_context(handle.span)))
    if _CLOUD_EVENT_ID in names:
        event_id = next(_text(value) for name, value in pairs if _text(name) == _CLOUD_EVENT_ID)
    else:
        event_id = ours[EVENT_ID] = f"{handle.span.get_span_context().span_id:016x}"
    handle.set(A.TOLLBOOK_EVENT_ID, event_id)
    sent = [(name, value) for name, value in pairs if _text(name) not in ours]
    sent += [(name, value.encode()) for name, value in ours.items()]
    written = Written(queue, event_id, handle.span.get_span_context())
    return (dict(sent) if isinstance(given, Mapping) else sent), written


def size_of(*parts: Any) -> int | None:
    """Bytes of key and value; None where one of them is no bytes yet."""
    size = 0
    for part in parts:
        if isinstance(part, str):
            size += len(part.encode("utf-8", "surrogatepass"))
        elif isinstance(part, bytes | bytearray | memoryview):
            size += len(part)
        elif part is not None:
            return None
    return size


def _wanted(headers: Pairs) -> dict[str, str]:
    """Those headers that say where a message comes from."""
    wanted = {*propagate.get_global_textmap().fields, EVENT_ID, _CLOUD_EVENT_ID}
    return {_text(name): _text(value) for name, value in headers if value is not None and _text(name) in wanted}


def _event_id(message: Message, carrier: Mapping[str, str]) -> str:
    """What the producer says, or where it stands in the queue: that is unique, too."""
    return carrier.get(_CLOUD_EVENT_ID) or carrier.get(EVENT_ID) or f"{message.queue}/{message.place}"


def _name_asset(handle: Handle, place: str, message: Message, made_of: Inputs) -> None:
    """A message is as old as the data it was made of; where its producer says nothing of that, as old as itself."""
    ages = made_of.attributes()
    oldest, newest = (ages.get(key) for key in (A.TOLLBOOK_INPUT_EVENT_TIME_OLDEST, A.TOLLBOOK_INPUT_EVENT_TIME_NEWEST))
    event_time = oldest if isinstance(oldest, int) else message.timestamp_ns
    handle.asset(place, message.place or None, event_time)
    ids = ages.get(A.TOLLBOOK_INPUT_ASSET_IDS)
    if handle.inputs is not None and isinstance(ids, tuple):
        for asset_id in ids:
            handle.inputs.add(Asset(asset_id, event_time=newest if isinstance(newest, int) else None))


def _link(handle: Handle, producer: SpanContext, parent: SpanContext) -> None:
    if producer.is_valid and producer.span_id != parent.span_id:
        handle.span.add_link(producer)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes | bytearray) else str(value)
