"""OpenTelemetry's tracer with the same result for less: spans of the provider that `configure` makes.

A stock span builds two bounded lists and a bounded mapping, cleans each attribute recursively and is copied when it ends. Here
lists are made when something is put in, plain values are taken as they are, and an ended span is its own copy. What is not plain
(a sampler of one's own, odd attributes) takes the SDK's way. These classes reach into the SDK; `fits` says whether it is built as
they expect.

Imports the OpenTelemetry SDK, so only `configure` imports this.
"""

import functools
import inspect
import threading
from collections.abc import Callable, Mapping, Sequence
from time import time_ns
from types import TracebackType
from typing import Any, Final

from opentelemetry import context as context_api
from opentelemetry import trace
from opentelemetry.attributes import BoundedAttributes
from opentelemetry.sdk import trace as sdk
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import sampling
from opentelemetry.sdk.util import BoundedList
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tollbook.sampling import Recording

PLAIN: Final = frozenset((str, int, float, bool))
"""Types of attributes that need no cleaning."""

_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_SAMPLED_RANDOM: Final = TraceFlags(TraceFlags.SAMPLED | getattr(TraceFlags, "RANDOM_TRACE_ID", 0))
_UNSAMPLED: Final = {flags: TraceFlags(flags & ~TraceFlags.SAMPLED) for flags in (_SAMPLED, _SAMPLED_RANDOM)}
_NO_STATE: Final = trace.DEFAULT_TRACE_STATE
_UNSET: Final = Status(StatusCode.UNSET)


class LeanAttributes(BoundedAttributes):
    """A mapping that takes plain values without a look, and does everything else as its base."""

    def __init__(self, maxlen: int | None, attributes: Mapping[str, Any] | None, max_value_len: int | None) -> None:
        self._dict = {}
        self.maxlen = maxlen
        self.dropped = 0
        self.max_value_len = max_value_len
        self._lock = threading.Lock()
        self._immutable = False
        if attributes:
            self._set_items(attributes)

    def __setitem__(self, key: str, value: Any) -> None:
        if self._takes(key, value) and not self._immutable and key not in self._dict:
            self._dict[key] = value
        else:
            super().__setitem__(key, value)

    def _set_items(self, attributes: Mapping[str, Any]) -> None:
        if self._immutable or self.max_value_len is not None or len(attributes) > (self.maxlen or 128):
            super()._set_items(attributes)
            return
        known = self._dict
        for key, value in attributes.items():
            if type(value) in PLAIN and type(key) is str and key and key not in known and len(known) != self.maxlen:
                known[key] = value
            else:
                super()._set_items({key: value})

    def _takes(self, key: str, value: Any) -> bool:
        return (
            type(value) in PLAIN
            and type(key) is str
            and key != ""
            and self.max_value_len is None
            and len(self._dict) != self.maxlen
        )


class LeanSpan(sdk._Span):
    """A span as the SDK's, made and ended with less work."""

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

    def __init__(self, tracer: "LeanTracer", name: str, context: SpanContext, parent: SpanContext | None, kind: SpanKind) -> None:
        self._name = name
        self._context = context
        self._parent = parent
        self._kind = kind
        self._resource = tracer.resource
        self._instrumentation_info = tracer.instrumentation_info
        self._instrumentation_scope = tracer._instrumentation_scope
        self._span_processor = tracer.span_processor
        self._limits = tracer._span_limits
        self._lock = threading.Lock()

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


class LeanTracer(sdk.Tracer):
    """A tracer as the SDK's, whose spans are lean."""

    def start_span(  # noqa: PLR0917 - the API's own signature
        self,
        name: str,
        context: context_api.Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Mapping[str, Any] | None = None,
        links: Sequence[trace.Link] | None = (),
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
    ) -> trace.Span:
        """As the SDK's tracer."""
        parent = trace.get_current_span(context).get_span_context()
        sampler = self.sampler
        decides = not _always_on(sampler) or (parent.is_valid and not parent.trace_flags & TraceFlags.SAMPLED)
        if not self._is_enabled() or not isinstance(parent, SpanContext) or (decides and type(sampler) is not Recording):
            return super().start_span(
                name, context, kind, attributes, links, start_time, record_exception, set_status_on_exception
            )
        if parent.is_valid:
            of_parent: SpanContext | None = parent
            trace_id, state = parent.trace_id, parent.trace_state
            flags = _SAMPLED_RANDOM if getattr(parent.trace_flags, "random_trace_id", False) else _SAMPLED
        else:
            of_parent = None
            trace_id, state = self.id_generator.generate_trace_id(), _NO_STATE
            flags = _SAMPLED_RANDOM if self.id_generator.is_trace_id_random() else _SAMPLED
        decision = sampling.Decision.RECORD_AND_SAMPLE
        if decides:
            decided = sampler.should_sample(context, trace_id, name, kind, attributes, links)
            decision, state, attributes = decided.decision, decided.trace_state or _NO_STATE, decided.attributes
            if decision is not sampling.Decision.RECORD_AND_SAMPLE:
                flags = _UNSAMPLED[flags]
        own = SpanContext(trace_id, self.id_generator.generate_span_id(), False, flags, state)
        span = LeanSpan(self, name, own, of_parent, kind)
        limits = self._span_limits
        span._attributes = LeanAttributes(limits.max_span_attributes, attributes, limits.max_span_attribute_length)
        if links:
            span._links = span._new_links(links)
        if not record_exception:
            span._record_exception = False
        if not set_status_on_exception:
            span._set_status_on_exception = False
        span._record_end_metrics = self._tracer_metrics.start_span(of_parent, decision)
        span._start_time = time_ns() if start_time is None else start_time
        self.span_processor.on_start(span, parent_context=context)
        return span

    def start_as_current_span(self, *args: Any, end_on_exit: bool = True, **kwargs: Any) -> Any:
        """As the SDK's tracer: a context manager, and a decorator of functions and coroutine functions."""
        return _Current(self, args, kwargs, end_on_exit)


class _Current:
    """Starts a span and makes it the current one, while it is entered or while a function it decorates runs."""

    __slots__ = ("_args", "_ends", "_kwargs", "_span", "_token", "_tracer")

    def __init__(self, tracer: LeanTracer, args: tuple[Any, ...], kwargs: dict[str, Any], ends: bool) -> None:
        self._tracer = tracer
        self._args = args
        self._kwargs = kwargs
        self._ends = ends

    def __enter__(self) -> trace.Span:
        self._span = span = self._tracer.start_span(*self._args, **self._kwargs)
        self._token = context_api.attach(trace.set_span_in_context(span))
        return span

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        context_api.detach(self._token)
        span = self._span
        if isinstance(error, Exception) and span.is_recording():
            if self._kwargs.get("record_exception", True):
                span.record_exception(error)
            if self._kwargs.get("set_status_on_exception", True):
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
        if self._ends:
            span.end()

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(function):

            @functools.wraps(function)
            async def awaited(*args: Any, **kwargs: Any) -> Any:
                with _Current(self._tracer, self._args, self._kwargs, self._ends):
                    return await function(*args, **kwargs)

            return awaited

        @functools.wraps(function)
        def called(*args: Any, **kwargs: Any) -> Any:
            with _Current(self._tracer, self._args, self._kwargs, self._ends):
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


@functools.lru_cache(maxsize=8)
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
    """Whether this SDK's spans and mappings hold what ours hold, no more and no less."""
    stock = sdk.TracerProvider(sampler=sampling.ALWAYS_ON, resource=Resource({}), shutdown_on_exit=False)
    tracer = stock.get_tracer("tollbook")
    span = tracer.start_span("stock", attributes={"a": 1})
    if type(tracer) is not sdk.Tracer or type(span) is not sdk._Span:
        return False
    named = {name for name in dir(LeanSpan) if name.startswith("_") and not name.startswith("__")}
    set_here = {
        "_name", "_context", "_parent", "_kind", "_resource", "_instrumentation_info", "_instrumentation_scope",
        "_span_processor", "_limits", "_lock", "_attributes",
    }  # fmt: skip
    held = set(vars(LeanAttributes(None, None, None)))
    return set(vars(span)) <= named | set_here and set(vars(span._attributes)) == held and hasattr(tracer, "_tracer_metrics")
