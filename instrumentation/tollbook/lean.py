"""OpenTelemetry's tracer with the same result for less: spans of the provider that `configure` makes.

A stock span builds two bounded lists and a bounded mapping, cleans each attribute recursively, takes a lock for each step and is
copied when it ends. Here lists and locks are made when they are needed, plain values are taken as they are, and an ended span is
its own copy. What is not plain (a sampler of one's own, odd attributes) takes the SDK's way. These classes reach into the SDK;
`fits` says whether it is built as they expect.

Imports the OpenTelemetry SDK, so only `configure` imports this.
"""

import functools
import inspect
import os
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from time import time_ns
from types import TracebackType
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.context import Context
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import sampling
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tollbook.contexts import SPAN_KEY, attach, detach, get_current
from tollbook.sampling import Recording

PLAIN: Final = frozenset((str, int, float, bool))
"""Types of attributes that need no cleaning."""

_TEXT: Final = frozenset((str,))
_RANDOM: Final = getattr(TraceFlags, "RANDOM_TRACE_ID", 0)
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_SAMPLED_RANDOM: Final = TraceFlags(TraceFlags.SAMPLED | _RANDOM)
_UNSAMPLED: Final = {flags: TraceFlags(flags & ~TraceFlags.SAMPLED) for flags in (_SAMPLED, _SAMPLED_RANDOM)}
_NO_STATE: Final = trace.DEFAULT_TRACE_STATE
_UNSET: Final = Status(StatusCode.UNSET)

_made: Final[Any] = object.__new__
_context_of: Final[Any] = tuple.__new__
_bits: Final = random.getrandbits  # ids need no more: as the SDK's
_ending = threading.RLock()  # what is thrown away meanwhile, such as an open file, may end its span inside of it


def _renew() -> None:
    global _ending  # noqa: PLW0603
    _ending = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew)


class _WhenNeeded:
    """A lock that is made when somebody takes it: nearly all spans come and go without."""

    def __get__(self, owner: Any, kind: type[Any]) -> Any:
        return self if owner is None else vars(owner).setdefault("_lock", threading.Lock())


class LeanAttributes(BoundedAttributes):
    """A mapping that takes plain values without a look, and does everything else as its base."""

    dropped = 0
    _lock: Any = _WhenNeeded()

    def __init__(self, said: dict[str, Any], limits: sdk.SpanLimits, immutable: bool) -> None:
        self._dict = said
        self.maxlen = limits.max_span_attributes
        self.max_value_len = limits.max_span_attribute_length
        self._immutable = immutable

    def _set_items(self, attributes: Mapping[str, Any]) -> None:
        plain = {key: value for key, value in attributes.items() if type(value) in PLAIN and type(key) is str and key}
        if self._immutable or not _put(self._dict, plain, self.maxlen, self.max_value_len):
            super()._set_items(attributes)
        elif len(plain) < len(attributes):
            super()._set_items({key: value for key, value in attributes.items() if key not in plain})


def _put(said: dict[str, Any], plain: Mapping[str, Any], most: int | None, longest: int | None) -> bool:
    """Puts in what is plain, if limits allow all of it. What is said again counts as the newest, as the SDK has it."""
    if longest is not None or (most is not None and len(said) + len(plain) > most):
        return False
    if not said.keys().isdisjoint(plain):
        for key in plain:
            said.pop(key, None)
    said.update(plain)
    return True


_keys: Final[set[tuple[str, ...]]] = set()
"""Sets of keys that were looked at."""
_KEYS_KNOWN: Final = 4096


def is_plain(attributes: Mapping[str, Any]) -> bool:
    """Whether nothing of it needs cleaning."""
    return (
        type(attributes) is dict
        and set(map(type, attributes.values())) <= PLAIN
        and ((keys := tuple(attributes)) in _keys or _are_plain(keys))
    )


def _are_plain(keys: tuple[Any, ...]) -> bool:
    if set(map(type, keys)) != _TEXT or "" in keys:
        return False
    if len(_keys) < _KEYS_KNOWN:
        _keys.add(keys)
    return True


class LeanSpan(sdk._Span):
    """A span as the SDK's, made and ended with less work.

    It is three objects to Python's garbage collector, where it was eight: itself, its context and a plain mapping.
    """

    _said: dict[str, Any]
    """Its attributes."""
    _kept: LeanAttributes | None = None
    """The same as the SDK has them, where somebody asks for that."""
    _sampler = None
    _trace_config = None
    _events: Any = ()
    _links: Any = ()
    _status: Status = _UNSET
    _start_time: int | None = None
    _end_time: int | None = None
    _record_exception = True
    _set_status_on_exception = True
    _record_end_metrics: Callable[[], None] | None = None
    _lock: Any = _WhenNeeded()
    _tollbook_started: int | None = None
    _tollbook_inputs: Any = None

    @property
    def _attributes(self) -> LeanAttributes:  # type: ignore[override]  # a field of the SDK's
        kept = self._kept
        if kept is None:
            kept = vars(self).setdefault("_kept", LeanAttributes(self._said, self._limits, self._end_time is not None))
        return kept

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """As the SDK's span."""
        limits = self._limits
        if self._end_time is not None:
            super().set_attributes(attributes)
        elif not (
            is_plain(attributes) and _put(self._said, attributes, limits.max_span_attributes, limits.max_span_attribute_length)
        ):
            self._attributes._set_items(attributes)

    def set_attribute(self, key: str, value: Any) -> None:
        """As the SDK's span."""
        if self._end_time is not None:
            super().set_attribute(key, value)
        elif type(value) in PLAIN and type(key) is str and key and key not in self._said and self._has_room():
            self._said[key] = value
        else:
            self._attributes[key] = value

    def _has_room(self) -> bool:
        limits = self._limits
        return limits.max_span_attribute_length is None and len(self._said) != limits.max_span_attributes

    def add_late(self, key: str, value: int) -> None:
        """Set an attribute while the span is ending.

        The SDK (1.45) freezes attributes before it asks its processors, though the specification wants them open then.
        """
        said = self._said
        if key in said or len(said) != self._limits.max_span_attributes:
            said[key] = value

    def end(self, end_time: int | None = None) -> None:
        """As the SDK's span."""
        now_ns = time_ns() if end_time is None else end_time
        with _ending:
            is_first = self._end_time is None
            if is_first:
                self._end_time = now_ns
        if not is_first:
            super().end(end_time)  # says that it is too late
            return
        if self._kept is not None:
            self._kept._immutable = True
        if self._record_end_metrics is not None:
            self._record_end_metrics()
        processors = _each(self._span_processor)
        for processor in processors:
            processor._on_ending(self)
        for processor in processors:
            processor.on_end(self)

    def _add_event(self, event: sdk.EventBase) -> None:
        if self._end_time is None and not self._events:
            self._events = BoundedList(self._limits.max_events)
        super()._add_event(event)

    def _add_link(self, link: trace.Link) -> None:
        if self._end_time is None and not self._links:
            self._links = BoundedList(self._limits.max_links)
        super()._add_link(link)

    @property
    def dropped_events(self) -> int:
        """Events that did not fit."""
        return self._events.dropped if self._events else 0

    @property
    def dropped_links(self) -> int:
        """Links that did not fit."""
        return self._links.dropped if self._links else 0

    def _readable_span(self) -> sdk.ReadableSpan:
        """Itself: nothing of it can be changed any more."""
        return self


def _each(processor: Any) -> tuple[Any, ...]:
    """The processors that this one hands on to, where it does so one after the other; else itself."""
    return processor._span_processors if type(processor) is sdk.SynchronousMultiSpanProcessor else (processor,)


class _Ways:
    """How a tracer makes its spans, found out once for each sampler."""

    __slots__ = ("always", "asks", "counts", "ids_are_random", "root_flags", "sampler")

    def __init__(self, tracer: "LeanTracer") -> None:
        self.sampler = tracer.sampler
        self.always = _always_on(self.sampler)
        self.asks = type(self.sampler) is Recording
        self.ids_are_random = type(tracer.id_generator) is RandomIdGenerator
        self.root_flags = _SAMPLED_RANDOM if tracer.id_generator.is_trace_id_random() else _SAMPLED
        self.counts = not type(tracer._tracer_metrics).__name__.startswith("NoOp")


_ODD: Final = SpanContext(0, 0, False)
"""What is known of a parent that is not as the API has them: the SDK has something to say to that."""


def _context_around(parent: Any, context: Context | None) -> SpanContext | None:
    """Identity of the span that a new one is inside of; None if that is none."""
    if type(parent) is LeanSpan:
        return parent._context
    found = trace.get_current_span(context).get_span_context()
    if not isinstance(found, SpanContext):
        return _ODD
    return found if found.is_valid else None


class LeanTracer(sdk.Tracer):
    """A tracer as the SDK's, whose spans are lean."""

    _ways: _Ways | None = None

    def start_span(  # noqa: PLR0917 - the API's own signature
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[trace.Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> trace.Span:
        """As the SDK's tracer."""
        ways = self._ways
        if ways is None or ways.sampler is not self.sampler:
            ways = self._ways = _Ways(self)
        parent = (get_current() if context is None else context).get(SPAN_KEY)
        of_parent = None if parent is None else _context_around(parent, context)
        decides = not ways.always or (of_parent is not None and not of_parent[3] & TraceFlags.SAMPLED)
        if (decides and not ways.asks) or not self._tracer_config.is_enabled or of_parent is _ODD:
            return super().start_span(
                name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
            )
        span: LeanSpan = _made(LeanSpan)
        if decides:
            attributes = self._decided(span, of_parent, context, name, kind, attributes, links)
        else:
            span._context = self._sampled(ways, of_parent)
        span._name = name
        span._parent = of_parent
        span._kind = kind
        span._resource = self.resource
        span._instrumentation_info = self.instrumentation_info
        span._instrumentation_scope = self._instrumentation_scope
        span._span_processor = self.span_processor
        span._limits = self._span_limits
        span._said = {}
        if attributes:
            span.set_attributes(attributes)
        if links:
            span._links = span._new_links(links)
        if not record_exception:
            span._record_exception = False
        if not set_status_on_exception:
            span._set_status_on_exception = False
        if ways.counts:
            self._count(span)
        span._start_time = time_ns() if start_time is None else start_time
        for processor in _each(self.span_processor):
            processor.on_start(span, context)
        return span

    def _count(self, span: LeanSpan) -> None:
        """Tell the SDK's own metrics."""
        context: Any = span._context
        sampled = context.trace_flags & TraceFlags.SAMPLED
        decision = sampling.Decision.RECORD_AND_SAMPLE if sampled else sampling.Decision.RECORD_ONLY
        span._record_end_metrics = self._tracer_metrics.start_span(span._parent, decision)

    def _sampled(self, ways: _Ways, parent: SpanContext | None) -> SpanContext:
        """The identity of a span that is sampled, as its parent is."""
        span_id = (ways.ids_are_random and _bits(64)) or self.id_generator.generate_span_id()
        if parent is None:
            trace_id = (ways.ids_are_random and _bits(128)) or self.id_generator.generate_trace_id()
            known: SpanContext = _context_of(SpanContext, (trace_id, span_id, False, ways.root_flags, _NO_STATE, True))
        else:
            flags = _SAMPLED_RANDOM if parent[3] & _RANDOM else _SAMPLED
            known = _context_of(SpanContext, (parent[0], span_id, False, flags, parent[4], True))
        return known

    def _decided(  # noqa: PLR0917 - the sampler's own signature
        self,
        span: LeanSpan,
        parent: SpanContext | None,
        context: Context | None,
        name: str,
        kind: SpanKind,
        attributes: Mapping[str, Any] | None,
        links: Sequence[trace.Link] | None,
    ) -> Mapping[str, Any] | None:
        """Gives a span the identity that its sampler decides on; the attributes that the sampler wants."""
        if parent is None:
            trace_id, is_random = self.id_generator.generate_trace_id(), self.id_generator.is_trace_id_random()
        else:
            trace_id, is_random = parent.trace_id, bool(parent.trace_flags & _RANDOM)
        flags = _SAMPLED_RANDOM if is_random else _SAMPLED
        decided = self.sampler.should_sample(context, trace_id, name, kind, attributes, links)
        if decided.decision is not sampling.Decision.RECORD_AND_SAMPLE:
            flags = _UNSAMPLED[flags]
        state = decided.trace_state or _NO_STATE
        span._context = SpanContext(trace_id, self.id_generator.generate_span_id(), False, flags, state)
        return decided.attributes

    def start_as_current_span(  # noqa: PLR0917 - the API's own signature
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[trace.Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Any:
        """As the SDK's tracer: a context manager, and a decorator of functions and coroutine functions."""
        given = (name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception)
        return _Current(self, given, end_on_exit)


class _Current:
    """Starts a span and makes it the current one, while it is entered or while a function it decorates runs."""

    __slots__ = ("_ends", "_given", "_span", "_token", "_tracer")

    def __init__(self, tracer: LeanTracer, given: tuple[Any, ...], ends: bool) -> None:
        self._tracer = tracer
        self._given = given
        self._ends = ends

    def __enter__(self) -> trace.Span:
        self._span = span = self._tracer.start_span(*self._given)
        self._token = attach(Context({**get_current(), SPAN_KEY: span}))
        return span

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        detach(self._token)
        if isinstance(error, Exception):
            self._failed(error)
        if self._ends:
            self._span.end()

    def _failed(self, error: Exception) -> None:
        """Say what left the block."""
        span, (*_, records, sets) = self._span, self._given
        if span.is_recording():
            if records:
                span.record_exception(error)
            if sets:
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with _Current(self._tracer, self._given, self._ends):
                    return await function(*args, **kwargs)

            return awaited

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with _Current(self._tracer, self._given, self._ends):
                return function(*args, **kwargs)

        return called


class LeanTracerProvider(sdk.TracerProvider):
    """A provider whose tracers are lean, where the SDK is built as they expect."""

    def get_tracer(self, *args: Any, **kwargs: Any) -> trace.Tracer:
        """As the SDK's provider."""
        tracer = super().get_tracer(*args, **kwargs)
        if type(tracer) is sdk.Tracer and fits():
            tracer.__class__ = LeanTracer  # the same fields, other methods; the provider goes on to keep it up to date
        return tracer


def _always_on(sampler: sampling.Sampler) -> bool:
    """Whether every span is sampled whose parent is, and every one without a parent."""
    if type(sampler) is Recording:
        sampler = sampler.inner
    return sampler is sampling.ALWAYS_ON or (
        type(sampler) is sampling.ParentBased
        and sampler._root is sampling.ALWAYS_ON
        and sampler._remote_parent_sampled is sampling.ALWAYS_ON
        and sampler._local_parent_sampled is sampling.ALWAYS_ON
    )


@functools.cache
def fits() -> bool:
    """Whether this SDK's spans, contexts and mappings hold what ours hold, no more and no less."""
    stock = sdk.TracerProvider(sampler=sampling.ALWAYS_ON, resource=Resource({}), shutdown_on_exit=False)
    tracer = stock.get_tracer("tollbook")
    span = tracer.start_span("stock", attributes={"a": 1})
    if type(tracer) is not sdk.Tracer or type(span) is not sdk._Span:
        return False
    named = {name for name in dir(LeanSpan) if name.startswith("_") and not name.startswith("__")}
    set_here = {
        "_name", "_context", "_parent", "_kind", "_resource", "_instrumentation_info", "_instrumentation_scope",
        "_span_processor", "_limits", "_attributes",
    }  # fmt: skip
    held = {*vars(LeanAttributes({}, sdk.SpanLimits(), False)), "dropped", "_lock"}
    return (
        set(vars(span)) <= named | set_here
        and set(vars(span._attributes)) == held
        and tuple(SpanContext(1, 2, False, _SAMPLED, _NO_STATE)) == (1, 2, False, _SAMPLED, _NO_STATE, True)
        and {"_tracer_metrics", "_tracer_config"} <= set(vars(tracer))
        and hasattr(tracer.span_processor, "_span_processors")
        and hasattr(sdk.SpanProcessor, "_on_ending")
    )
