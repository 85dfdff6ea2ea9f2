"""gRPC: a span for each call that a client makes and a server takes, unary and streaming, of threads and of asyncio.

Bytes are those of the serialized messages. Metadata carries what HTTP carries in headers.
"""

import copy
import inspect
import sys
import time
import weakref
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, ClassVar, Final

from opentelemetry.trace import SpanKind
from tollbook_schema import attributes as A  # noqa: N812

from tollbook import carriers, hosts
from tollbook.handle import INERT, Handle, Value
from tollbook.integrations.base import Handover, Integration, Joined, Wrapper
from tollbook.integrations.http import Held, cover, is_covered
from tollbook.integrations.serving import Served, rpc_request
from tollbook.shield import shielded
from tollbook.steps import Steps, failing

_SCOPE: Final = "opentelemetry.instrumentation.grpc"
_CALL: Final = Handover("call", beneath=[_SCOPE], kind=SpanKind.CLIENT, attributes={A.RPC_SYSTEM_NAME: "grpc"})
_OK: Final = "OK"
_STATUS: Final = "rpc.response.status_code"
_COUNTING: Final = shielded("count messages of gRPC")

Codec = Callable[[Any], Any]


class Call:
    """One call of a client."""

    def __init__(self, handle: Handle, targets: tuple[tuple[str, int | None], ...]) -> None:
        self.handle: Final = handle
        self._targets = targets
        self._bytes = 0
        self._took_ns = 0
        self._finished = False
        cover(handle)
        self._held = Held.on(handle.span) if isinstance(handle, Joined) else None

    @classmethod
    def begin(cls, target: str, method: str, *, measures_cpu: bool) -> "Call | None":
        """A call that begins; nothing where nothing is recorded."""
        with shielded("begin a call of gRPC"):
            if is_covered():
                return None
            handle = _CALL.begin(method.strip("/"), _said_of(target, method), measures_cpu=measures_cpu)
            return None if handle is INERT else cls(handle, _places(target))
        return None

    def metadata(self, known: Any) -> list[tuple[str, Any]]:
        """The metadata with ours."""
        pairs = [(name, value) for name, value in (known or ())]
        with shielded("prepare metadata of gRPC"):
            ours = bool(self._targets) and all(hosts.is_ours(host, port) for host, port in self._targets)
            said = carriers.told(ours=ours, context=self.handle._context)
            there = ",".join(str(value) for name, value in pairs if name.lower() == "baggage")
            baggage = said.get("baggage", "")
            if there:
                baggage = carriers.merged(there, baggage) if ours else carriers.public(there)
            said["baggage"] = baggage
            kept = [(name, value) for name, value in pairs if name.lower() not in said]
            return kept + [(name.lower(), value) for name, value in said.items() if value]
        return [(name, value) for name, value in pairs if name.lower() != "baggage"]

    def serializer(self, inner: Codec | None) -> Codec:
        """What turns a message into bytes, with its output counted."""

        def serialize(message: Any) -> Any:
            start_ns = time.perf_counter_ns()
            data = message if inner is None else inner(message)
            self._count(data, start_ns)
            return data

        return serialize

    def deserializer(self, inner: Codec | None, then: Callable[[], None] | None = None) -> Codec:
        """What makes a message of bytes, with its input counted."""

        def deserialize(data: Any) -> Any:
            start_ns = time.perf_counter_ns()
            try:
                return data if inner is None else inner(data)
            finally:
                self._count(data, start_ns)
                if then is not None:
                    then()

        return deserialize

    def finish(self, code: Any = None, error: BaseException | None = None) -> None:
        """Tell what was counted and end the span, once."""
        if self._finished:
            return
        self._finished = True
        with shielded("finish a call of gRPC"):
            self.handle.bytes(self._bytes)
            if self._took_ns:
                self.handle._serialized(self._took_ns)
            name = getattr(code, "name", None)
            if name is not None:
                self.handle.set(_STATUS, name)
            if name not in {None, _OK}:
                self.handle.fail(name)
                error = None
        self.handle.end(error)
        if self._held is not None:
            self._held.release()

    def failed(self, error: BaseException) -> None:
        """Say with which status the call has failed, and end the span."""
        self.finish(_code(error), error)

    def _count(self, data: Any, start_ns: int) -> None:
        with _COUNTING:
            self._took_ns += time.perf_counter_ns() - start_ns
            self._bytes += len(data)


def _said_of(target: str, method: str) -> dict[str, Value | None]:
    service, _slash, name = method.strip("/").rpartition("/")
    host, port = next(iter(_places(target)), ("", None))
    place = f"[{host}]" if ":" in host else host
    return {
        A.TOLLBOOK_HANDOFF_DESTINATION: (place if port is None else f"{place}:{port}") or None,
        A.TOLLBOOK_HANDOFF_NETWORK: "loopback" if host and hosts.is_this_machine(host) else None,
        A.SERVER_ADDRESS: host or None,
        A.SERVER_PORT: port,
        "rpc.service": service,
        "rpc.method": name,
    }


@lru_cache(256)
def _places(target: str) -> tuple[tuple[str, int | None], ...]:
    """Hosts and ports of a target: `host:80`, `dns:///host:80`, `ipv4:10.0.0.1:80,10.0.0.2:80`, `unix:/run/socket`."""
    scheme, colon, rest = target.partition(":")
    if scheme in {"unix", "unix-abstract"} and colon:
        return (("/" + rest.lstrip("/"), None),)
    if colon and (rest.startswith("//") or scheme in {"dns", "ipv4", "ipv6", "passthrough"}):
        target = rest.removeprefix("//").partition("/")[2] if rest.startswith("//") else rest
    found = [hosts._split(place) for place in target.split(",") if place]
    return tuple((host.strip("[]"), port) for host, port in found)


# Clients of threads: each call is made by a copy of the object that makes calls, which counts for this one.


def _unary(wrapped: Any, maker: Any, args: Any, kwargs: Any) -> Any:
    """A call that waits for its one answer: `stub.Method(request)`, also `with_call`."""
    call, ask, kwargs = _prepared(wrapped, maker, args, kwargs)
    if call is None:
        return wrapped(*args, **kwargs)
    with failing(call.failed), call.handle:
        result = ask(*args[:2], **kwargs)
    call.finish(sys.modules["grpc"].StatusCode.OK)
    return result


def _later(wrapped: Any, maker: Any, args: Any, kwargs: Any) -> Any:
    """A call whose answer or answers come later: a stream, or `future`."""
    call, ask, kwargs = _prepared(wrapped, maker, args, kwargs)
    if call is None:
        return wrapped(*args, **kwargs)
    with failing(call.failed), call.handle:
        result = ask(*args[:2], **kwargs)
    with shielded("follow a call of gRPC"):
        state = result._state  # not the call itself: one that nobody keeps is cancelled, and ends
        if not result.add_callback(lambda: call.finish(state.code)):
            call.finish(state.code)
    return result


def _prepared(wrapped: Any, maker: Any, args: Any, kwargs: Any) -> tuple[Call | None, Any, dict[str, Any]]:
    call = None
    with shielded("prepare a call of gRPC"):
        call = Call.begin(maker._target.decode(), maker._method.decode(), measures_cpu=wrapped.__name__ != "future")
        if call is None:
            return None, wrapped, kwargs
        counting = copy.copy(maker)
        counting._request_serializer = call.serializer(maker._request_serializer)
        counting._response_deserializer = call.deserializer(maker._response_deserializer)
        names = ("metadata", "credentials", "wait_for_ready", "compression")
        kwargs = {**kwargs, **dict(zip(names, args[2:], strict=False))}
        kwargs["metadata"] = call.metadata(kwargs.get("metadata"))
        return call, wrapped.__func__.__get__(counting), kwargs
    if call is not None:
        call.finish()
    return None, wrapped, kwargs


def _code(error: BaseException) -> Any:
    with shielded("read an error of gRPC"):
        code = getattr(error, "code", None)
        return code() if callable(code) else None
    return None


# Clients of asyncio: a call counts for itself.

_targets: Final[dict[int, str]] = {}
"""Targets of the channels that are open, by the identity of what they hold inside."""


def _open(wrapped: Any, channel: Any, args: Any, kwargs: Any) -> None:
    wrapped(*args, **kwargs)
    with shielded("note a channel of gRPC"):
        inner = id(channel._channel)
        _targets[inner] = str(args[0] if args else kwargs["target"])
        weakref.finalize(channel, _targets.pop, inner, None)


def _call(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> None:
    call = None
    with shielded("begin a call of gRPC"):
        given = inspect.signature(wrapped).bind(*args, **kwargs)
        said = given.arguments
        call = Call.begin(_targets.get(id(said["channel"]), ""), _text(said["method"]), measures_cpu=False)
        if call is not None:
            one = "UnaryCall" in type(instance).__mro__[0].__name__
            then = (lambda: call.finish(sys.modules["grpc"].StatusCode.OK)) if one else None
            metadata = call.metadata(said.get("metadata"))
            said["metadata"] = sys.modules["grpc.aio"].Metadata(*metadata)
            said["request_serializer"] = call.serializer(said.get("request_serializer"))
            said["response_deserializer"] = call.deserializer(said.get("response_deserializer"), then)
            args, kwargs = given.args, given.kwargs
    wrapped(*args, **kwargs)
    if call is not None:
        with shielded("follow a call of gRPC"):
            instance.add_done_callback(lambda ended: _done(ended, call))


def _done(ended: Any, call: Call) -> None:
    """An answer that is one message is made after this: its call goes on until then."""
    with shielded("follow a call of gRPC"):
        code = _now(ended.code())
        if getattr(code, "name", None) != _OK or "UnaryCall" not in type(ended).__name__:
            call.finish(code)


def _now(coroutine: Any) -> Any:
    """The result of a coroutine that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    coroutine.close()
    return None


def _text(name: Any) -> str:
    return name.decode() if isinstance(name, bytes) else str(name)


# Servers: an interceptor behind all others, so that spans of another instrumentation are there already.


def _create_server(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
    with shielded("instrument a server of gRPC"):
        args, kwargs = _with(Interceptor(), args, kwargs)
    return wrapped(*args, **kwargs)


def _aio_server(wrapped: Any, _instance: Any, args: Any, kwargs: Any) -> Any:
    with shielded("instrument a server of gRPC"):
        base = sys.modules["grpc.aio"].ServerInterceptor
        args, kwargs = _with(type("AioInterceptor", (AioInterceptor, base), {})(), args, kwargs)
    return wrapped(*args, **kwargs)


def _with(interceptor: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    """Arguments of a server, whose third are its interceptors."""
    if len(args) > 2:
        return (*args[:2], (*(args[2] or ()), interceptor), *args[3:]), kwargs
    return args, {**kwargs, "interceptors": (*(kwargs.get("interceptors") or ()), interceptor)}


class Interceptor:
    """Gives each call that comes in a handler that counts for it."""

    def intercept_service(self, continuation: Any, details: Any) -> Any:
        """The handler."""
        handler = continuation(details)
        with shielded("instrument a handler of gRPC"):
            return handler if handler is None else Handler(handler, details)
        return handler


class AioInterceptor:
    """Likewise, of asyncio."""

    async def intercept_service(self, continuation: Any, details: Any) -> Any:
        """The handler; one that is no coroutine runs on a thread of the server's, and is left alone."""
        handler = await continuation(details)
        with shielded("instrument a handler of gRPC"):
            inner = None if handler is None else _behaviour(handler)
            if inspect.iscoroutinefunction(inner) or inspect.isasyncgenfunction(inner):
                return AioHandler(handler, details)
        return handler


def _behaviour(handler: Any) -> Any:
    return getattr(handler, _shape(handler))


def _shape(handler: Any) -> str:
    return f"{'stream' if handler.request_streaming else 'unary'}_{'stream' if handler.response_streaming else 'unary'}"


class Handler:
    """A handler of one call, with its messages counted."""

    def __init__(self, handler: Any, details: Any) -> None:
        self.request_streaming = handler.request_streaming
        self.response_streaming = handler.response_streaming
        self.request_deserializer = self._received(handler.request_deserializer)
        self.response_serializer = self._sent(handler.response_serializer)
        self.unary_unary = self.unary_stream = self.stream_unary = self.stream_stream = None
        self._inner = _behaviour(handler)
        self._details = details
        self._served: Served | None = None
        self._sizes = [0, 0]
        setattr(self, _shape(handler), self._behave())

    def _behave(self) -> Any:
        return self._stream if self.response_streaming else self._answer

    def _received(self, inner: Codec | None) -> Codec:
        def deserialize(data: Any) -> Any:
            with _COUNTING:
                self._sizes[0] += len(data)
            return data if inner is None else inner(data)

        return deserialize

    def _sent(self, inner: Codec | None) -> Codec:
        def serialize(message: Any) -> Any:
            data = message if inner is None else inner(message)
            with _COUNTING:
                self._sizes[1] += len(data)
            return data

        return serialize

    def _begin(self, context: Any) -> Served | None:
        with shielded("begin a call that comes in"):
            self._served = Served.begin(
                rpc_request(_text(self._details.method)), self._details.invocation_metadata or (), [_SCOPE]
            )
            if self._served is not None and not self._follow(context):
                self._end(context)
            return self._served
        return None

    def _follow(self, context: Any) -> bool:
        return bool(context.add_callback(lambda: self._end(context)))

    def _answer(self, request: Any, context: Any) -> Any:
        served = self._begin(context)
        if served is None:
            return self._inner(request, context)
        with failing(lambda error: self._end(context, error)), served.handle:
            return self._inner(request, context)

    def _stream(self, request: Any, context: Any) -> Iterator[Any]:
        served = self._begin(context)
        if served is None:
            yield from self._inner(request, context)
            return
        with failing(lambda error: self._end(context, error)):
            with served.handle:
                answers = iter(self._inner(request, context))
            while True:
                with served.handle:
                    try:
                        answer = next(answers)
                    except StopIteration:
                        break
                yield answer

    def _end(self, context: Any, error: BaseException | None = None) -> None:
        with shielded("end a call that came in"):
            served, self._served = self._served, None
            if served is None:
                return
            code = getattr(context.code(), "name", None)
            served.handle.set(_STATUS, code or (_OK if error is None else "UNKNOWN"))
            served.received(self._sizes[0])
            served.sent(self._sizes[1])
            if code not in {None, _OK}:
                served.handle.fail(code)
                error = None
            served.end(error)


class AioHandler(Handler):
    """A handler of one call, of asyncio."""

    def _behave(self) -> Any:
        return self._astream if inspect.isasyncgenfunction(self._inner) else self._aanswer

    def _follow(self, context: Any) -> bool:
        context.add_done_callback(lambda _: self._end(context))
        return True

    async def _aanswer(self, request: Any, context: Any) -> Any:
        served = self._begin(context)
        if served is None:
            return await self._inner(request, context)
        with failing(lambda error: self._end(context, error)):
            return await Steps(self._inner(request, context), served.handle)

    async def _astream(self, request: Any, context: Any) -> AsyncIterator[Any]:
        served = self._begin(context)
        answers = self._inner(request, context)
        if served is None:
            async for answer in answers:
                yield answer
            return
        with failing(lambda error: self._end(context, error)):
            while True:
                try:
                    answer = await Steps(answers.asend(None), served.handle)
                except StopAsyncIteration:
                    break
                yield answer


_UNARY: Final[Iterable[str]] = ("_UnaryUnaryMultiCallable", "_StreamUnaryMultiCallable")
_STREAM: Final[Iterable[str]] = (
    "_UnaryStreamMultiCallable",
    "_SingleThreadedUnaryStreamMultiCallable",
    "_StreamStreamMultiCallable",
)
_AIO: Final[Iterable[str]] = ("UnaryUnaryCall", "UnaryStreamCall", "StreamUnaryCall", "StreamStreamCall")


class GrpcClientInstrumentor(Integration):
    """Instruments clients of gRPC."""

    library = "grpc"
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]] = {
        "grpc._channel": {
            **{f"{name}.{way}": _unary for name in _UNARY for way in ("__call__", "with_call")},
            **{f"{name}.future": _later for name in _UNARY},
            **{f"{name}.__call__": _later for name in _STREAM},
        },
        "grpc.aio._channel": {"Channel.__init__": _open},
        "grpc.aio._call": {f"{name}.__init__": _call for name in _AIO},
    }


class GrpcServerInstrumentor(Integration):
    """Instruments servers of gRPC that are made from now on."""

    library = "grpc"
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]] = {
        "grpc._server": {"create_server": _create_server},
        "grpc.aio._server": {"Server.__init__": _aio_server},
    }
