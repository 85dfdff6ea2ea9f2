"""The span you hold: what a call may say of itself while it runs."""

import threading
import time
from collections.abc import Mapping, Sequence
from contextvars import Token
from types import TracebackType
from typing import Final, Self

from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, Status, StatusCode, get_current_span
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import answered, cpu, digest, places
from tollbook.contexts import SPAN_KEY, attach, detach, get_current
from tollbook.inputs import HANDLE_KEY, Asset, Inputs, Instant, inputs_of
from tollbook.shield import shielded

Value = str | bool | int | float | Sequence[str] | Sequence[bool] | Sequence[int] | Sequence[float]
"""What an attribute may hold."""

Content = str | bytes | bytearray | memoryview

ABANDONED: Final = "cancelled"
"""Why a stream ended that nobody read to its end; the ledger counts it as waste."""

_OUTPUT_OPERATIONS: Final = frozenset({"write", "delete"})
"""Handoffs whose assets are made, not read: they say nothing about the age of an inference's inputs."""

_PARTS: Final[Mapping[str, str]] = {
    "input_audio": A.GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    "input_image": A.GEN_AI_USAGE_IMAGE_INPUT_TOKENS,
    "input_video": A.GEN_AI_USAGE_VIDEO_INPUT_TOKENS,
    "cache_read_audio": A.GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS,
    "cache_read_image": A.GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS,
    "cache_read_video": A.GEN_AI_USAGE_VIDEO_CACHE_READ_INPUT_TOKENS,
    "cache_write_1h": A.GEN_AI_USAGE_CACHE_WRITE_1H_INPUT_TOKENS,
    "output_audio": A.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
    "output_image": A.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS,
    "output_video": A.GEN_AI_USAGE_VIDEO_OUTPUT_TOKENS,
    "web_search": A.GEN_AI_USAGE_WEB_SEARCH_REQUESTS,
    "audio_second": A.GEN_AI_USAGE_AUDIO_SECONDS,
}
"""The attribute of what has a price of its own in a call, by the ledger's name for it."""


_ENTERING: Final = shielded("make a span current")
_MEASURING: Final = shielded("measure CPU time")
_PAUSING: Final = shielded("pause a span")
_LEAVING: Final = shielded("leave a span")
_CLOSING: Final = shielded("close a span")
_ENDING: Final = shielded("end a span")
_FINDING: Final = shielded("find the current span")


class Handle:
    """One running request, inference or handoff. Its methods return the handle, so they chain, and never raise."""

    __slots__ = (
        "_bytes",
        "_context",
        "_cpu_ns",
        "_cpu_start",
        "_ended",
        "_left_ns",
        "_measures_cpu",
        "_operation",
        "_records",
        "_serializing_ns",
        "_stream",
        "_token",
        "_waited_ns",
        "_wire",
        "inputs",
        "span",
    )

    def __init__(self, span: Span, context: Context, inputs: Inputs | None, operation: str | None, measures_cpu: bool) -> None:
        self.span: Final = span
        """The OpenTelemetry span itself."""
        self._context = Context({**context, SPAN_KEY: span, HANDLE_KEY: self})
        self.inputs: Final = inputs
        """What the request has read so far."""
        self._operation = operation
        self._measures_cpu = measures_cpu
        self._cpu_ns = 0
        self._cpu_start: tuple[int, int, int] | None = None
        self._token: Token[Context] | None = None
        self._ended = False
        self._left_ns: int | None = None
        self._bytes: int | None = None
        self._records: int | None = None
        self._wire: int | None = None
        self._serializing_ns = 0
        self._waited_ns = 0
        self._stream: Stream | None = None

    # What the caller says.

    def set(self, key: str, value: Value) -> Self:
        """Set an attribute, under a name of the vocabulary or any other."""
        with shielded("set an attribute"):
            self.span.set_attribute(key, value)
        return self

    def bytes(self, moved: int) -> Self:
        """Add to the bytes that the handoff moved, both ways where an answer comes back."""
        with shielded("count bytes"):
            self._bytes = (self._bytes or 0) + int(moved)
            self.span.set_attribute(A.TOLLBOOK_HANDOFF_SIZE, self._bytes)
        return self

    def wire(self, moved: int) -> Self:
        """Add to the bytes that went over the wire, headers and compression included, both ways where an answer comes back."""
        with shielded("count bytes on the wire"):
            self._wire = (self._wire or 0) + int(moved)
            self.span.set_attribute(A.TOLLBOOK_HANDOFF_WIRE_SIZE, self._wire)
        return self

    def waited(self, seconds: float) -> Self:
        """Add to the time, in s, that the item waited in a queue or a pool before it was taken."""
        with shielded("count a wait"):
            self._waited_ns += max(0, round(seconds * 1e9))
            self.span.set_attribute(A.TOLLBOOK_HANDOFF_WAIT_DURATION, self._waited_ns)
        return self

    def records(self, moved: int) -> Self:
        """Add to the records that the handoff moved."""
        with shielded("count records"):
            self._records = (self._records or 0) + int(moved)
            self.span.set_attribute(A.TOLLBOOK_HANDOFF_RECORDS, self._records)
        return self

    def asset(
        self,
        id: str | Asset,  # noqa: A002 - the field's own name
        version: str | None = None,
        event_time: Instant | None = None,
        synced_at: Instant | None = None,
    ) -> Self:
        """Name the piece of data that is read, written or moved, and say how old it is.

        Inferences later in the same request carry the ids and the oldest and newest `event_time` of what was read.

        Args:
            id: its identity, such as `s3://corpus/2026/a.parquet`, or a whole `Asset`.
            version: its version.
            event_time: when its content came to be; a `datetime`, its ISO text, a float of seconds or an int of nanoseconds.
            synced_at: when the copy that is read was made.
        """
        with shielded("name an asset"):
            asset = id if isinstance(id, Asset) else Asset(id, version, event_time, synced_at)
            self.span.set_attributes(asset.attributes())
            if self.inputs is not None and self._operation not in _OUTPUT_OPERATIONS:
                self.inputs.add(asset)
        return self

    def usage(
        self,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        *,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        reasoning_tokens: int | None = None,
        response_model: str | None = None,
        response_id: str | None = None,
        finish_reasons: Sequence[str] | None = None,
        service_tier: str | None = None,
        parts: Mapping[str, int] | None = None,
        cost: float | None = None,
        currency: str | None = None,
    ) -> Self:
        """Say what a model call used. As in OpenTelemetry, cached tokens are part of the input, reasoning of the output.

        Args:
            input_tokens: tokens of input billed; what is not known is left out, not given as 0.
            output_tokens: tokens of output billed.
            cache_read_tokens: of the input, read from the provider's cache.
            cache_write_tokens: of the input, written to it.
            reasoning_tokens: of the output, spent on reasoning.
            response_model: model that answered.
            response_id: the provider's identity of the answer; a score may name it later.
            finish_reasons: why the model stopped, one for each choice.
            service_tier: tier that answered, which decides the price.
            parts: what of it has a price of its own, by the name that the ledger has for it: `input_audio`, `input_image`,
                `input_video`, `output_audio`, `output_image`, `output_video`, `cache_read_audio`, `cache_read_image`,
                `cache_read_video`, `cache_write_1h`; and `web_search` and `audio_second`. Other names are passed over.
            cost: what the provider says that the call cost, in `currency`.
            currency: of that cost; USD if not given.
        """
        said: dict[str, Value | None] = {
            A.GEN_AI_USAGE_INPUT_TOKENS: input_tokens,
            A.GEN_AI_USAGE_OUTPUT_TOKENS: output_tokens,
            A.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: cache_read_tokens,
            A.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: cache_write_tokens,
            A.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: reasoning_tokens,
            A.GEN_AI_RESPONSE_MODEL: response_model,
            A.GEN_AI_RESPONSE_ID: response_id,
            A.GEN_AI_RESPONSE_FINISH_REASONS: finish_reasons,
            A.OPENAI_RESPONSE_SERVICE_TIER: service_tier,
            A.GEN_AI_USAGE_COST_AMOUNT: cost,
            A.GEN_AI_USAGE_COST_CURRENCY: None if cost is None else currency or "USD",
        }
        if parts:
            said |= {_PARTS[name]: count for name, count in parts.items() if name in _PARTS}
        if self._stream is not None:
            self._stream.used(output_tokens, finish_reasons)
        if response_id is not None:
            with shielded("remember an answer"):
                answered.remember(response_id, self.span.get_span_context())
        return self._say("count tokens", said)

    def payload(self, *, input_bytes: int | None = None, output_bytes: int | None = None, batch_size: int | None = None) -> Self:
        """Say what went into a model call and came out of it."""
        said: dict[str, Value | None] = {
            A.TOLLBOOK_INFERENCE_INPUT_SIZE: input_bytes,
            A.TOLLBOOK_INFERENCE_OUTPUT_SIZE: output_bytes,
            A.TOLLBOOK_INFERENCE_BATCH_SIZE: batch_size,
        }
        return self._say("size a model call", said)

    def content(self, data: Content) -> Self:
        """Note a keyed digest of the content handed over, so that copies are found; the content is not kept."""
        with shielded("digest content"):
            self.span.set_attribute(A.TOLLBOOK_CONTENT_DIGEST, digest.digest([data]))
        return self

    def schema(self, data: object) -> Self:
        """Note the fields of what is handed over, so that a change of them is found: a digest of their names and types.

        Takes mappings, records in lists, dataclasses, pydantic models, frames and tables, or one of their classes or schemas.
        """
        with shielded("look at fields"):
            from tollbook.fields import fingerprint  # noqa: PLC0415 - OpenSSL takes 5 ms

            found = fingerprint(data)
            if found is not None:
                self.span.set_attribute(A.TOLLBOOK_SCHEMA_FINGERPRINT, found)
        return self

    def between(
        self,
        *,
        source_region: str | None = None,
        source_zone: str | None = None,
        destination_region: str | None = None,
        destination_zone: str | None = None,
    ) -> Self:
        """Say where the data comes from and goes to; the class of the boundary follows where it is certain.

        The end that nobody names is the own region and zone, as the resource says it, where the operation tells which it is.
        """
        said = {
            A.TOLLBOOK_HANDOFF_SOURCE_REGION: source_region,
            A.TOLLBOOK_HANDOFF_SOURCE_ZONE: source_zone,
            A.TOLLBOOK_HANDOFF_DESTINATION_REGION: destination_region,
            A.TOLLBOOK_HANDOFF_DESTINATION_ZONE: destination_zone,
        }
        with shielded("say both ends"):
            here = getattr(getattr(self.span, "resource", None), "attributes", None) or {}
            known = getattr(self.span, "attributes", None) or {}
            found = places.between(self._operation, here, said)
            if A.TOLLBOOK_HANDOFF_NETWORK in known:  # said by whoever knows better
                found.pop(A.TOLLBOOK_HANDOFF_NETWORK, None)
            self.span.set_attributes(found)
        return self

    def streams(self) -> Self:
        """Begin to time a stream: what comes is told by `came`, how it ends by `end`."""
        if self._stream is None:
            self._stream = Stream()
        return self

    def came(self) -> Self:
        """An item of the stream has come."""
        if self._stream is not None and self._stream.came():
            with shielded("time a stream"):
                self.span.set_attribute(A.GEN_AI_REQUEST_STREAM, True)
                self.span.set_attribute(A.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, self._stream.to_first_s)
        return self

    def fail(self, error_type: str) -> Self:
        """Mark the work as failed where no exception says so, such as by an answer's code."""
        with shielded("mark a failure"):
            self.span.set_attribute(A.ERROR_TYPE, error_type)
            self.span.set_status(Status(StatusCode.ERROR))
        return self

    def serializing(self) -> "Serializing":
        """Time what runs in the block as turning objects into bytes or back: `with span.serializing(): json.dumps(x)`."""
        return Serializing(self)

    @property
    def trace_id(self) -> str:
        """The request's id, 32 hex digits: what `tollbook receipt` takes. Zeros while nothing is recorded."""
        return f"{self.span.get_span_context().trace_id:032x}"

    def _say(self, step: str, said: Mapping[str, Value | None]) -> Self:
        with shielded(step):
            self.span.set_attributes({key: value for key, value in said.items() if value is not None})
        return self

    def _serialized(self, took_ns: int) -> None:
        with shielded("time serialization"):
            self._serializing_ns += took_ns
            self.span.set_attribute(A.TOLLBOOK_HANDOFF_SERIALIZATION_DURATION, self._serializing_ns)

    # How it lives. As a context manager the handle is the current span while its own code runs.

    def __enter__(self) -> Self:
        with _ENTERING:
            self._token = attach(self._context)
            if self._measures_cpu:
                self._cpu_start = (threading.get_ident(), time.time_ns(), cpu.clock_ns())
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._left_ns = time.time_ns()
        if self._cpu_start is not None:
            (thread, entered_ns, start_ns), self._cpu_start = self._cpu_start, None
            self._measures_cpu = False
            with _MEASURING:
                took_ns = self._left_ns - entered_ns
                self._cpu_ns += took_ns if 0 <= took_ns < cpu.SHORT_NS else cpu.clock_ns() - start_ns
                self._measures_cpu = thread == threading.get_ident()
        if self._token is not None:
            token, self._token = self._token, None
            with _PAUSING:
                self._context = get_current()  # a suspended body finds its own inner span again
            with _LEAVING:
                detach(token)

    def until_now(self) -> Self:
        """Let the span's time end here, however late `end` is called: by a timer, or when an object is thrown away."""
        self._left_ns = time.time_ns()
        return self

    def end(self, error: BaseException | None = None) -> None:
        """End the span. The decorators and `with` blocks do it for you."""
        if self._ended:
            return
        self._ended = True
        with _CLOSING:
            if self._stream is not None:
                self.span.set_attributes(self._stream.ended(error))
            if self._measures_cpu:
                self.span.set_attribute(A.TOLLBOOK_CPU_TIME, self._cpu_ns)
            if error is not None and _is_failure(error):
                self.span.set_attribute(A.ERROR_TYPE, _error_type(error))
                self.span.set_status(Status(StatusCode.ERROR))  # no message: it may hold content or secrets
        with _ENDING:
            self.span.end(self._left_ns)  # what we do after the work, such as sizing its result, is not its time


class _Inert(Handle):
    """Stands in where nothing is recorded: it takes every call and does nothing."""

    def __init__(self) -> None:
        super().__init__(INVALID_SPAN, Context(), None, None, measures_cpu=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        """Nothing was made current."""

    def end(self, error: BaseException | None = None) -> None:
        """Nothing was begun."""

    def streams(self) -> Self:
        """Nothing is timed."""
        return self


INERT: Final = _Inert()


class Stream:
    """How an answer comes that comes piece by piece."""

    __slots__ = ("_first_ns", "_items", "_last_ns", "_output_tokens", "_reasons", "_started_ns")

    def __init__(self) -> None:
        self._started_ns = time.perf_counter_ns()
        self._first_ns: int | None = None
        self._last_ns = 0
        self._items = 0
        self._output_tokens: int | None = None
        self._reasons = False

    @property
    def to_first_s(self) -> float:
        """Time to the first item."""
        return ((self._first_ns or self._started_ns) - self._started_ns) / 1e9

    def came(self) -> bool:
        """Note an item; whether it is the first."""
        self._items += 1
        self._last_ns = time.perf_counter_ns()
        if self._first_ns is not None:
            return False
        self._first_ns = self._last_ns
        return True

    def used(self, output_tokens: int | None, finish_reasons: Sequence[str] | None) -> None:
        """Note what an item says of the whole."""
        if output_tokens is not None:
            self._output_tokens = output_tokens
        self._reasons = self._reasons or bool(finish_reasons)

    def ended(self, error: BaseException | None) -> dict[str, Value]:
        """What is known now that it has ended. Left midway, it has used what nobody says: no count is better than a wrong one."""
        if isinstance(error, GeneratorExit) or type(error).__name__ == "CancelledError":
            return {} if self._reasons else {A.GEN_AI_RESPONSE_FINISH_REASONS: (ABANDONED,)}
        took_ns = self._last_ns - (self._first_ns or 0)
        if error is None and self._items > 1 and self._output_tokens and took_ns > 0:
            return {A.TOLLBOOK_INFERENCE_OUTPUT_TOKEN_RATE: self._output_tokens / took_ns * 1e9}
        return {}


class Serializing:
    """Times a block as serialization of its handoff."""

    __slots__ = ("_handle", "_start_ns")

    def __init__(self, handle: Handle) -> None:
        self._handle = handle
        self._start_ns = 0

    def __enter__(self) -> None:
        self._start_ns = time.perf_counter_ns()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self._handle._serialized(time.perf_counter_ns() - self._start_ns)


def current() -> Handle:
    """The handle of the current span, whoever started it; one that ignores everything if there is none."""
    with _FINDING:
        context = get_current()
        known = context.get(HANDLE_KEY)
        if isinstance(known, Handle) and known.span is context.get(SPAN_KEY):
            return known
        span = get_current_span(context)
        return Handle(span, context, inputs_of(context), None, measures_cpu=False)
    return INERT


def _is_failure(error: BaseException) -> bool:
    """An abandoned generator and a clean `sys.exit()` are ways to end, not failures."""
    if isinstance(error, SystemExit):
        return error.code not in (None, 0)
    return not isinstance(error, GeneratorExit)


def _error_type(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
