"""Clients of model APIs that are built alike, OpenAI's and Anthropic's: a span for each call of a model, however it is asked.

All their resources go through one `request`, so that one hook sees chat, responses, embeddings, images and speech, streamed or
not, parsed or raw. Where another instrumentation has made a span of the call, that one is told what it lacks.
"""

import atexit
import functools
import time
import weakref
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final

from opentelemetry.context import get_current
from opentelemetry.instrumentation.utils import is_instrumentation_enabled
from opentelemetry.trace import SpanKind, get_current_span
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import digest
from tollbook.handle import INERT, Handle, Value
from tollbook.inputs import opened
from tollbook.integrations.base import Joined, Wrapper
from tollbook.integrations.llm_answers import Chunks, field, of_answer, of_request, operation_of, provider_of
from tollbook.integrations.llm_batches import look
from tollbook.shield import shielded
from tollbook.steps import Steps, ending
from tollbook.work import Work

RESENT: Final = "http.request.resend_count"
_WORK: Final = Work("inference", "chat", {A.TOLLBOOK_INFERENCE_LOCATION: "remote"}, span_kind=SpanKind.CLIENT)
_MADE_BY_SDK_HOOKS: Final = ("opentelemetry.instrumentation.", "opentelemetry.util.genai", "openinference.instrumentation.")
"""Scopes of instrumentations of such clients. Their spans of agents and chains are no calls, and are not told of one."""

_BEGINNING: Final = shielded("begin a model call")
_READING: Final = shielded("read a model's answer")


class Call:
    """One request to a model API, from its beginning until its answer has been read."""

    __slots__ = ("__weakref__", "_chunks", "_first", "_over", "_token", "handle", "streams")

    def __init__(self, handle: Handle, streams: bool) -> None:
        self.handle: Final = handle
        self.streams: Final = streams
        self._chunks = Chunks()
        self._first = True
        self._over = False

    def __enter__(self) -> None:
        self._token = _running.set(self)

    def __exit__(self, *_: object) -> None:
        _running.reset(self._token)

    def answered(self, answer: Any) -> bool:
        """Say what the answer tells; whether more of it will come."""
        with _READING:
            if self.streams and hasattr(answer, "_iterator"):
                watch(answer, self)
                return True
            http = getattr(answer, "http_response", None)
            if http is None:
                self.tell(of_answer(answer))
            elif self.streams or not getattr(http, "is_closed", True):
                _unread[http] = self
                self.forgotten_with(http)
                return True
            else:
                self.tell(of_answer(answer.parse()))  # the client keeps it for the caller
        return False

    def tell(self, said: Mapping[str, Value]) -> None:
        """Add attributes."""
        self.handle.span.set_attributes(said)

    def item(self, chunk: Any) -> None:
        """A chunk has come."""
        with _READING:
            if self._first:
                self._first = False
                self.tell({A.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: _seconds_since_start(self.handle)})
            self._chunks.take(chunk)

    def finish(self, *, whole: bool, error: BaseException | None = None) -> None:
        """The answer has been read, or nobody will read more of it."""
        if self._over:
            return
        self._over = True
        _open.discard(self)
        with _READING:
            if self.streams:
                self.tell(self._chunks.said(whole=whole or error is not None))
        self.handle.end(error)

    def forgotten_with(self, holder: Any) -> None:
        """The call ends with the holder of its answer at the latest."""
        _open.add(self)
        _end_open_at_exit()
        weakref.finalize(holder, self.forgotten).atexit = False  # what is open at the exit is ended by `_end_open`

    def forgotten(self) -> None:
        """Nobody holds the stream any more, so whoever made its span will not end it either."""
        self.finish(whole=False)
        with shielded("end a model call"):
            if self.handle.span.is_recording():
                self.handle.span.end()


_running: Final[ContextVar[Call | None]] = ContextVar("tollbook-model-call", default=None)
"""The call whose request is being made. The client may make a span of its own inside, so the current span does not tell."""
_open: Final[weakref.WeakSet[Call]] = weakref.WeakSet()
_unread: Final[weakref.WeakKeyDictionary[Any, Call]] = weakref.WeakKeyDictionary()
"""Calls by the HTTP response that the caller has yet to read."""


@functools.cache
def _end_open_at_exit() -> None:
    """Once, and late: what is registered last runs first, so before the spans are sent for the last time."""
    atexit.register(_end_open)


def _end_open() -> None:
    for call in list(_open):
        call.forgotten()


class _Step:
    """Ends the call where there is no next chunk, or getting it fails."""

    __slots__ = ("_call",)

    def __init__(self, call: Call) -> None:
        self._call = call

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        if error is not None:
            is_over = isinstance(error, StopIteration | StopAsyncIteration)
            self._call.finish(whole=is_over, error=None if is_over else error)


class Watched:
    """The chunks of a stream, as they come."""

    __slots__ = ("__weakref__", "_body", "call")

    def __init__(self, body: Any, call: Call) -> None:
        self._body = body
        self.call: Final = call
        call.forgotten_with(self)

    def __iter__(self) -> "Watched":
        return self

    def __next__(self) -> Any:
        with _Step(self.call), self.call.handle:
            item = next(self._body)
        self.call.item(item)
        return item

    def close(self) -> None:
        """End where it stands."""
        self._body.close()
        self.call.finish(whole=False)


class AsyncWatched(Watched):
    """Likewise, of an asynchronous stream."""

    __slots__ = ()

    def __aiter__(self) -> "AsyncWatched":
        return self

    async def __anext__(self) -> Any:
        with _Step(self.call):
            item = await Steps(self._body.__anext__(), self.call.handle)
        self.call.item(item)
        return item

    async def aclose(self) -> None:
        """End where it stands."""
        await self._body.aclose()
        self.call.finish(whole=False)


def watch(stream: Any, call: Call) -> None:
    """Listen to a stream's chunks. The caller gets the stream that the client made."""
    kind = AsyncWatched if hasattr(stream._iterator, "__anext__") else Watched
    stream._iterator = kind(stream._iterator, call)


def hooks(package: str, provider: str) -> Mapping[str, Mapping[str, Wrapper]]:
    """The wrappers of one client's package."""

    def requested(wrapped: Callable[..., Any], client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = _begin(client, args, kwargs, provider)
        if call is None:
            answer = wrapped(*args, **kwargs)
            return _looked_at(answer, client, args, kwargs, provider) if _is_batch(args, kwargs) else answer
        with ending(call.handle) as end:
            with call.handle, call:
                answer = wrapped(*args, **kwargs)
            if call.answered(answer):
                end.elsewhere()
        return answer

    def requested_async(wrapped: Callable[..., Any], client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = _begin(client, args, kwargs, provider)
        body = wrapped(*args, **kwargs)
        if call is not None:
            return _awaited(body, call)
        return _awaited_look(body, client, args, kwargs, provider) if _is_batch(args, kwargs) else body

    return {
        f"{package}._base_client": {
            "SyncAPIClient.request": requested,
            "AsyncAPIClient.request": requested_async,
            "BaseClient._build_request": _built,
        },
        f"{package}._streaming": {
            "Stream.__init__": _stream_made,
            "AsyncStream.__init__": _stream_made,
            "Stream.close": _stream_closed,
            "AsyncStream.close": _stream_closed_async,
        },
        f"{package}._response": {
            "APIResponse.parse": _parsed,
            "AsyncAPIResponse.parse": _parsed_async,
            "APIResponse.close": _response_closed,
            "AsyncAPIResponse.close": _response_closed_async,
        },
    }


async def _awaited(body: Any, call: Call) -> Any:
    with ending(call.handle) as end:
        with call:
            answer = await Steps(body, call.handle)
        if call.answered(answer):
            end.elsewhere()
    return answer


def _options(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    return kwargs["options"] if "options" in kwargs else args[1]


def _is_batch(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    with _BEGINNING:
        options = _options(args, kwargs)
        return "/batches/" in options.url and options.method.lower() == "get"
    return False


def _looked_at(answer: Any, client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], provider: str) -> Any:
    """The state or the results of a batch of calls."""
    with _READING:
        look(_options(args, kwargs).url, _server(client, provider), answer)
    return answer


async def _awaited_look(body: Any, client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], provider: str) -> Any:
    return _looked_at(await body, client, args, kwargs, provider)


def _begin(client: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any], provider: str) -> Call | None:
    """The call, if it is one of a model and anything is recorded."""
    with _BEGINNING:
        options = _options(args, kwargs)
        operation = operation_of(options.url) if options.method.lower() == "post" else None
        if operation is None or not is_instrumentation_enabled():
            return None
        body = options.json_data
        streams = bool(kwargs.get("stream")) or field(body, "stream") is True
        said = of_request(body, operation, streams)
        model = said.get(A.GEN_AI_REQUEST_MODEL)
        handle = _joined() or _WORK.begin(f"{operation} {model}" if model else operation, True)
        if handle is INERT:
            return None
        handle.span.set_attributes({A.GEN_AI_OPERATION_NAME: operation, **_server(client, provider), **said})
        return Call(handle, streams)
    return None


def _server(client: Any, default: str) -> dict[str, Value]:
    url = client.base_url
    port = url.port or {"https": 443, "http": 80}.get(url.scheme)
    said: dict[str, Value] = {A.GEN_AI_PROVIDER_NAME: provider_of(url.host, default), A.SERVER_ADDRESS: url.host}
    return said | ({A.SERVER_PORT: port} if port else {})


def _joined() -> Handle | None:
    """The current span, if another instrumentation has made it of this very call."""
    span: Any = get_current_span()
    scope = getattr(getattr(span, "instrumentation_scope", None), "name", "")
    if not scope.startswith(_MADE_BY_SDK_HOOKS) or not span.is_recording():
        return None
    said = span.attributes or {}
    is_call = said.get(A.GEN_AI_REQUEST_MODEL) or said.get("llm.model_name") or said.get("openinference.span.kind") == "LLM"
    if not is_call or said.get(A.GEN_AI_OPERATION_NAME) in {"invoke_agent", "create_agent", "invoke_workflow", "execute_tool"}:
        return None
    span.set_attributes({A.TOLLBOOK_KIND: "inference", A.TOLLBOOK_INFERENCE_LOCATION: "remote"})
    context = get_current()
    return Joined(span, context, opened(context), None, measures_cpu=False)


def _seconds_since_start(handle: Handle) -> float:
    started_ns = getattr(handle.span, "start_time", None)
    return max(time.time_ns() - started_ns, 0) / 1e9 if started_ns else 0.0


def _built(wrapped: Callable[..., Any], _client: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A request is about to be sent, for the first time or again: the same bytes."""
    request = wrapped(*args, **kwargs)
    with shielded("size a request to a model"):
        call = _running.get()
        if call is not None and call.handle.span.is_recording():
            resent = kwargs.get("retries_taken") or 0
            if resent:
                call.handle.set(RESENT, resent)
            _say_body(call.handle, request)
    return request


def _say_body(handle: Handle, request: Any) -> None:
    body = getattr(request, "_content", None)
    if not isinstance(body, bytes):  # a form with files: it is read as it is sent
        return
    handle.payload(input_bytes=len(body))
    if len(body) <= digest.MAX_BYTES:
        handle.set(A.TOLLBOOK_INFERENCE_INPUT_DIGEST, digest.digest([body]))


def _stream_made(wrapped: Callable[..., Any], stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A stream that the caller takes out of a raw response."""
    result = wrapped(*args, **kwargs)
    with _READING:
        call = _unread.pop(stream.response, None)
        if call is not None:
            watch(stream, call)
    return result


def _stream_closed(wrapped: Callable[..., Any], stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return wrapped(*args, **kwargs)
    finally:
        _finish(stream)


def _stream_closed_async(wrapped: Callable[..., Any], stream: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    async def closing() -> Any:
        try:
            return await wrapped(*args, **kwargs)
        finally:
            _finish(stream)

    return closing()


def _finish(stream: Any) -> None:
    with _READING:
        call = getattr(getattr(stream, "_iterator", None), "call", None)
        if isinstance(call, Call):
            call.finish(whole=False)


def _parsed(wrapped: Callable[..., Any], response: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """An answer that the caller reads out of a response of `with_streaming_response`."""
    answer = wrapped(*args, **kwargs)
    _read(response, answer)
    return answer


def _parsed_async(wrapped: Callable[..., Any], response: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    async def parsing() -> Any:
        answer = await wrapped(*args, **kwargs)
        _read(response, answer)
        return answer

    return parsing()


def _read(response: Any, answer: Any) -> None:
    with _READING:
        call = _unread.get(response.http_response)
        if call is not None and not call.streams:
            call.tell(of_answer(answer))
            call.finish(whole=True)


def _response_closed(wrapped: Callable[..., Any], response: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    try:
        return wrapped(*args, **kwargs)
    finally:
        _leave(response)


def _response_closed_async(wrapped: Callable[..., Any], response: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    async def closing() -> Any:
        try:
            return await wrapped(*args, **kwargs)
        finally:
            _leave(response)

    return closing()


def _leave(response: Any) -> None:
    with _READING:
        call = _unread.pop(response.http_response, None)
        if call is not None:
            call.finish(whole=False)
