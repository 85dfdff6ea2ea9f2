"""Spans as bytes of OTLP, written field by field: no protobuf message is built.

Attributes recur from span to span, so the bytes of a key with its value are kept and used again. Field numbers are those of
`opentelemetry/proto/trace/v1/trace.proto` and `common/v1/common.proto`; parsed, the bytes equal what OpenTelemetry's encoder
sends.

Imports the OpenTelemetry SDK, so only `configure` imports this.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from struct import Struct
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.trace import DEFAULT_TRACE_STATE

from tollbook.lean import LeanSpan

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import Event, ReadableSpan
    from opentelemetry.sdk.util.instrumentation import InstrumentationScope
    from opentelemetry.trace import Link, SpanContext

VALUES_KEPT: Final = 1024
"""Different values of one key whose bytes are kept; all others of it are written anew each time."""
KEYS_KEPT: Final = 2048
ALL_KEPT: Final = 32_768
"""Values of all keys together: some 8 MB at most, 2 in practice."""
SHAPES_KEPT: Final = 2048
"""Sets of keys and types that are known."""
HEADS_KEPT: Final = 8192
LOOKED_UP: Final = frozenset((str, int, float, bool))
"""Types whose values are kept."""
SHORT: Final = 120
"""Bytes of key and value up to which all lengths around them fit one byte."""
DEEPEST: Final = 28
"""Lists within lists that are written; receivers refuse what is nested deeper."""

_HALVES: Final = re.compile("[\ud800-\udfff]")
_HAS_REMOTE: Final = 0x100
_IS_REMOTE: Final = 0x200

_SHORT: Final = tuple(bytes((number,)) for number in range(128))
_ids: Final = Struct(">2sQQ2sQ").pack
_id: Final = Struct(">Q").pack
_times: Final = Struct("<cQcQ").pack
_fixed32: Final = Struct("<I").pack
_double: Final = Struct("<d").pack
_LOW: Final = (1 << 64) - 1
_FROM_HERE: Final = b"\x85\x01" + _fixed32(_HAS_REMOTE)
_FROM_AFAR: Final = b"\x85\x01" + _fixed32(_HAS_REMOTE | _IS_REMOTE)
_NO_STATE: Final = DEFAULT_TRACE_STATE
_KINDS: Final = tuple(b"\x30" + bytes((number + 1,)) for number in range(5))
"""Kinds of OpenTelemetry's API begin with 0, those of OTLP with 1."""


_NONE: Final[dict[Any, bytes]] = {}
_found: Final = dict.get
_STATUSES: Final = (b"\x7a\x00", b"\x7a\x02\x18\x01", b"\x7a\x02\x18\x02")
"""Those without a description, by their code."""


def varint(number: int) -> bytes:
    """A number of 0 or more, seven bits a byte."""
    if number < 128:
        return _SHORT[number]
    if number < 1 << 14:
        return bytes((number & 127 | 128, number >> 7))
    if number < 1 << 21:
        return bytes((number & 127 | 128, number >> 7 & 127 | 128, number >> 14))
    written = bytearray()
    while number > 127:
        written.append(number & 127 | 128)
        number >>= 7
    written.append(number)
    return bytes(written)


def sized(tag: bytes, content: bytes) -> bytes:
    """A field of bytes with its tag and length."""
    return tag + varint(len(content)) + content


def utf8(text: str) -> bytes:
    """Text as UTF-8; half a surrogate pair, which UTF-8 cannot say, becomes U+FFFD."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _HALVES.sub("\ufffd", text).encode()


class Encoder:
    """Writes spans. For one thread at a time."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, bytes]] = {}
        self._values: dict[type, dict[str, dict[Any, bytes]]] = {int: {}, float: {}, bool: {}}
        self._kept = 0
        self._shapes: dict[tuple[Any, ...], tuple[dict[Any, bytes], ...]] = {}
        """By the keys and types of a span's attributes, where the bytes of each are kept."""
        self._keys: dict[str, bytes] = {}
        self._text_heads: dict[tuple[str, int], bytes] = {}
        self._number_heads: dict[tuple[str, int], bytes] = {}
        self._names: dict[str, bytes] = {}
        self._heads: dict[tuple[int, int], tuple[Any, Any, bytes, bytes, bytes]] = {}

    def request(self, spans: Iterable["ReadableSpan"]) -> bytes:
        """The export request of these spans."""
        return self.requested([(span.resource, span.instrumentation_scope, [self.span(span)]) for span in spans])

    def requested(self, written: Iterable[tuple["Resource", "InstrumentationScope | None", list[bytes]]]) -> bytes:
        """The export request of spans that `span` has written, with the resource and scope that they share."""
        groups: dict[int, dict[int, list[bytes]]] = {}
        heads: dict[int, bytes] = {}
        ends: dict[tuple[int, int], bytes] = {}
        for resource, scope, some in written:
            scopes = groups.setdefault(id(resource), {})
            spans = scopes.get(id(scope))
            if spans is None:
                heads[id(resource)], before, ends[id(resource), id(scope)] = self._head(resource, scope)
                spans = scopes[id(scope)] = [before]
            spans += some
        parts: list[bytes] = []
        for of_resource, scopes in groups.items():
            content = [heads[of_resource]]
            for of_scope, spans in scopes.items():
                spans.append(ends[of_resource, of_scope])
                content += (b"\x12", varint(sum(map(len, spans))), *spans)
            parts += (b"\x0a", varint(sum(map(len, content))), *content)
        return b"".join(parts)  # of all these bytes there is no other copy

    def span(self, span: "ReadableSpan") -> bytes:
        """One span, as a field of its scope."""
        context, parent, name, kind, attributes, status, begun_ns, ended_ns, more = _facts(span)
        trace_id = context[0]
        parts = [_ids(b"\x0a\x10", trace_id >> 64, trace_id & _LOW, b"\x12\x08", context[1])]
        if context[4] is not _NO_STATE and context[4]:
            parts.append(sized(b"\x1a", _trace_state(context)))
        if parent:
            parts.append(b"\x22\x08" + _id(parent[1]))
        parts.append(self._names.get(name) or self._name(name))
        parts.append(_KINDS[kind._value_])  # `value` is a function of Enum's
        parts.append(_times(b"\x39", begun_ns or 0, b"\x41", ended_ns or 0))
        if attributes:
            parts += self._all(attributes)
        if more:
            parts.append(self._more(span))
        if status.description:
            parts.append(self._described(span))
        else:
            parts.append(_STATUSES[status.status_code._value_])
        parts.append(_FROM_AFAR if parent and parent[2] else _FROM_HERE)
        content = b"".join(parts)
        return b"\x12" + varint(len(content)) + content

    def _all(self, attributes: Mapping[str, Any]) -> list[bytes]:
        """A span's attributes. Those whose bytes are kept are found in one go, without a step of Python's for each."""
        values = attributes.values()
        shape = (*attributes, *map(type, values))
        places = self._shapes.get(shape)
        if places is None:
            places = self._shape(shape)
        if not places:
            return [self._one(key, value) for key, value in attributes.items()]
        written: list[Any] = list(map(_found, places, values))
        if not all(written):
            for place, (key, value) in enumerate(attributes.items()):
                if written[place] is None:
                    written[place] = self._anew(key, value)
        return written

    def _shape(self, shape: tuple[Any, ...]) -> tuple[dict[Any, bytes], ...]:
        """Where the bytes of attributes with these keys and types are kept; nowhere if some cannot be looked up."""
        half = len(shape) // 2
        keys, kinds = shape[:half], shape[half:]
        if len(self._shapes) >= SHAPES_KEPT or not LOOKED_UP.issuperset(kinds):
            return ()
        places = self._shapes[shape] = tuple(map(self._place, keys, kinds))
        return places

    def _place(self, key: str, kind: type) -> dict[Any, bytes]:
        """Where the bytes of a key's values are kept. Types are apart: 1, 1.0 and True are equal."""
        of_key: dict[Any, dict[Any, bytes]] = self._texts if kind is str else self._values[kind]
        found = of_key.get(key)
        if found is None:
            if len(of_key) >= KEYS_KEPT:
                return _NONE
            found = of_key[key] = {}
        return found

    def _one(self, key: str, value: Any) -> bytes:
        """An attribute, whose bytes may be kept."""
        kind = type(value)
        known = self._texts.get(key, _NONE).get(value) if kind is str else None
        return known or self._anew(key, value)

    def _anew(self, key: str, value: Any) -> bytes:
        """An attribute whose bytes are not kept yet."""
        kind = type(value)
        if kind is str:
            return self._text(key, value)
        return self._number(key, value) if kind is int else self._other(key, value)

    def _keep(self, key: str, value: Any, written: bytes) -> bytes:
        known = self._place(key, type(value))
        if len(known) < VALUES_KEPT and self._kept < ALL_KEPT and known is not _NONE:
            known[value] = written
            self._kept += 1
        return written

    def _text(self, key: str, value: str) -> bytes:
        """A span's attribute that is text."""
        content = utf8(value)
        size = len(content)
        head = self._text_heads.get((key, size)) or self._text_head(key, size)
        if head:
            return self._keep(key, value, head + content)
        return self._plain(key, value)

    def _text_head(self, key: str, size: int) -> bytes:
        """What stands before a key's text of that size; nothing where lengths take more than a byte."""
        head = self._key(key)
        if size + len(head) >= SHORT:
            return b""
        around = b"".join((b"\x4a", _SHORT[len(head) + size + 4], head, b"\x12", _SHORT[size + 2], b"\x0a", _SHORT[size]))
        if len(self._text_heads) < HEADS_KEPT:
            self._text_heads[key, size] = around
        return around

    def _plain(self, key: str, value: str) -> bytes:
        """The same, not kept: content that never comes again, or that is not written as it is."""
        return sized(b"\x4a", self._key(key) + sized(b"\x12", sized(b"\x0a", utf8(value))))

    def _remember(self, key: str, value: str, written: bytes) -> None:
        """Keep what is written of a value."""
        if len(value) + len(written) <= 2 * SHORT:
            self._keep(key, value, written)

    def _more(self, span: "ReadableSpan") -> bytes:
        """What few spans have: attributes that did not fit, events and links."""
        dropped = span.dropped_attributes
        return (b"\x50" + varint(dropped) if dropped else b"") + self._lists(span)

    def _lists(self, span: "ReadableSpan") -> bytes:
        return events(span.events, span)

    def _described(self, span: "ReadableSpan") -> bytes:
        return _status(span)

    def _number(self, key: str, value: int) -> bytes:
        """A span's attribute that is an int."""
        if not 0 <= value < 1 << 63:
            return self._written(key, value)
        content = varint(value)
        size = len(content)
        head = self._number_heads.get((key, size)) or self._number_head(key, size)
        return self._keep(key, value, head + content) if head else self._written(key, value)

    def _number_head(self, key: str, size: int) -> bytes:
        """What stands before a key's number of that size; nothing where lengths take more than a byte."""
        head = self._key(key)
        if size + len(head) >= SHORT:
            return b""
        around = b"".join((b"\x4a", _SHORT[len(head) + size + 3], head, b"\x12", _SHORT[size + 1], b"\x18"))
        if len(self._number_heads) < HEADS_KEPT:
            self._number_heads[key, size] = around
        return around

    def _other(self, key: str, value: Any) -> bytes:
        """A span's attribute of any other type."""
        written = self._written(key, value)
        kind = type(value)
        if kind is bool or (kind is float and value and value == value):  # noqa: PLR0124 - 0.0 equals -0.0, and NaN nothing
            self._keep(key, value, written)
        return written

    def _written(self, key: str, value: Any) -> bytes:
        return sized(b"\x4a", self._key(key) + sized(b"\x12", _value(value)))

    def _key(self, key: str) -> bytes:
        found = self._keys.get(key)
        if found is None:
            found = sized(b"\x0a", utf8(str(key)))
            if len(self._keys) < KEYS_KEPT:
                self._keys[key] = found
        return found

    def _name(self, name: str) -> bytes:
        written = sized(b"\x2a", utf8(str(name)))
        if len(self._names) < KEYS_KEPT:
            self._names[name] = written
        return written

    def _head(self, resource: "Resource", scope: "InstrumentationScope | None") -> tuple[bytes, bytes, bytes]:
        """A resource's first fields, a scope's first and its last ones."""
        place = id(resource), id(scope)
        found = self._heads.get(place)
        if found is None or found[0] is not resource or found[1] is not scope:
            before = sized(b"\x0a", _scope(scope) if scope else b"")
            after = sized(b"\x1a", utf8(scope.schema_url)) if scope and scope.schema_url else b""
            about = sized(b"\x0a", pairs(b"\x0a", resource.attributes))
            if resource.schema_url:
                about += sized(b"\x1a", utf8(resource.schema_url))
            if len(self._heads) > VALUES_KEPT:
                self._heads.clear()
            found = self._heads[place] = resource, scope, about, before, after
        return found[2:]


def _facts(span: Any) -> tuple[Any, ...]:
    """Context, parent, name, kind, attributes, status and times of a span, and whether there is more to it.

    A lean span's are read where they are: a property costs as much as what it gives takes to write.
    """
    if type(span) is LeanSpan:
        kept = span._kept
        return (
            span._context, span._parent, span._name, span._kind, span._said, span._status, span._start_time, span._end_time,
            span._events or span._links or (kept is not None and kept.dropped),
        )  # fmt: skip
    kept = span.attributes
    return (
        span.context, span.parent, span.name, span.kind, getattr(kept, "_dict", kept), span.status,
        span.start_time, span.end_time,
        span.events or span.links or span.dropped_attributes or span.dropped_events or span.dropped_links,
    )  # fmt: skip


def events(told: Iterable[Any], span: "ReadableSpan") -> bytes:
    """These events and the span's links, and how many of them were dropped."""
    written = b"".join(sized(b"\x5a", _event(event)) for event in told)
    links = b"".join(sized(b"\x6a", _link(link)) for link in span.links)
    dropped_events = b"\x60" + varint(span.dropped_events) if span.dropped_events else b""
    return written + dropped_events + links + (b"\x70" + varint(span.dropped_links) if span.dropped_links else b"")


def _event(event: "Event") -> bytes:
    content = b"\x09" + event.timestamp.to_bytes(8, "little") + sized(b"\x12", utf8(event.name))
    content += pairs(b"\x1a", event.attributes)
    return content + b"\x20" + varint(event.dropped_attributes) if event.dropped_attributes else content


def _link(link: "Link") -> bytes:
    context = link.context
    content = _ids(b"\x0a\x10", context.trace_id >> 64, context.trace_id & _LOW, b"\x12\x08", context.span_id)
    content += pairs(b"\x22", link.attributes)
    if link.dropped_attributes:
        content += b"\x28" + varint(link.dropped_attributes)
    return content + b"\x35" + _fixed32(_flags(context))


def _scope(scope: "InstrumentationScope") -> bytes:
    version = sized(b"\x12", utf8(scope.version)) if scope.version else b""
    return sized(b"\x0a", utf8(scope.name)) + version + pairs(b"\x1a", scope.attributes)


def pairs(tag: bytes, attributes: Mapping[str, Any] | None) -> bytes:
    """Attributes, each as a field of that tag."""
    return b"".join(sized(tag, _pair(key, value, 0)) for key, value in attributes.items()) if attributes else b""


def _pair(key: object, value: Any, depth: int) -> bytes:
    return sized(b"\x0a", utf8(str(key))) + sized(b"\x12", _value(value, depth))


def _value(value: Any, depth: int = 0) -> bytes:
    """The content of an AnyValue; an int beyond 64 bits is text, and what no type fits is its `str`."""
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value, depth)
    return sized(b"\x0a", utf8(str(value)))


def _int(value: int, _: int) -> bytes:
    return b"\x18" + varint(value & _LOW) if -(1 << 63) <= value < 1 << 63 else sized(b"\x0a", utf8(str(value)))


def _array(values: Sequence[Any], depth: int) -> bytes:
    if depth > DEEPEST:
        return sized(b"\x0a", utf8(str(values)))
    return sized(b"\x2a", b"".join(sized(b"\x0a", _value(value, depth + 1)) for value in values))


def _mapping(values: Mapping[Any, Any], depth: int) -> bytes:
    if depth > DEEPEST:
        return sized(b"\x0a", utf8(str(values)))
    return sized(b"\x32", b"".join(sized(b"\x0a", _pair(key, value, depth + 1)) for key, value in values.items()))


_WRITERS: Final[tuple[tuple[Any, Callable[[Any, int], bytes]], ...]] = (
    (str, lambda value, _: sized(b"\x0a", utf8(value))),
    (bool, lambda value, _: b"\x10\x01" if value else b"\x10\x00"),
    (int, _int),
    (float, lambda value, _: b"\x21" + _double(value)),
    (type(None), lambda value, _: b""),  # noqa: ARG005 - as all others
    ((bytes, bytearray), lambda value, _: sized(b"\x3a", bytes(value))),
    (Sequence, _array),
    (Mapping, _mapping),
)


def _status(span: "ReadableSpan") -> bytes:
    status = span.status
    code = status.status_code._value_
    if not code and not status.description:
        return b"\x7a\x00"
    message = sized(b"\x12", utf8(status.description)) if status.description else b""
    return sized(b"\x7a", message + (b"\x18" + _SHORT[code] if code else b""))


def _flags(context: "SpanContext | None") -> int:
    return _HAS_REMOTE | _IS_REMOTE if context and context.is_remote else _HAS_REMOTE


def _trace_state(context: "SpanContext") -> bytes:
    return utf8(",".join(f"{key}={value}" for key, value in context.trace_state.items()))
