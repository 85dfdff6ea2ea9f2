"""aiohttp: a span for each request that its client sends, and for each that its server takes."""

from collections import deque
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any, ClassVar, Final

from tollbook.handle import INERT
from tollbook.integrations.base import Integration, Wrapper
from tollbook.integrations.http import Client, Exchange
from tollbook.integrations.serving import Served, http_request
from tollbook.shield import shielded
from tollbook.steps import Steps, failing

_CLIENT: Final = Client(beneath=["opentelemetry.instrumentation.aiohttp_client"])
_SERVERS: Final = ("opentelemetry.instrumentation.aiohttp_server",)
_EXCHANGE: Final = "_tollbook_exchange"
_FOLLOWING: Final = shielded("follow an answer of aiohttp")
_SEEN: Final = "tollbook.seen"


async def _connect(wrapped: Any, _connector: Any, args: Any, kwargs: Any) -> Any:
    """In place of what finds a connection for a request: the first step of each hop, and the one that may fail."""
    request, exchange = args[0] if args else kwargs["req"], None
    with shielded("begin a request of aiohttp"):
        exchange = _CLIENT.begin(request.method, str(request.url), lambda: _content(request.body), measures_cpu=False)
        if exchange is not None:
            request.__dict__[_EXCHANGE] = exchange
    if exchange is None:
        return await wrapped(*args, **kwargs)
    with failing(exchange.finish):
        return await wrapped(*args, **kwargs)


async def _send(wrapped: Any, request: Any, args: Any, kwargs: Any) -> Any:
    exchange = request.__dict__.pop(_EXCHANGE, None)
    if exchange is None:
        return await wrapped(*args, **kwargs)
    with shielded("prepare a request of aiohttp"):
        _prepare(request, exchange)
    with failing(exchange.finish):
        response = await wrapped(*args, **kwargs)
    with _FOLLOWING:
        response.__dict__[_EXCHANGE] = exchange
        exchange.ends_with(response)
    return response


def _prepare(request: Any, exchange: Exchange) -> None:
    """Count the body, and put our headers in: each hop has headers of its own."""
    size = _size(request.body)
    if size is not None:
        exchange.sent(size or None)
    elif hasattr(request.body, "_iter"):
        request.body._iter = _counted(request.body._iter, exchange)
    for name, value in exchange.headers(request.headers.get("baggage")).items():
        request.headers.popall(name, None)
        if value:
            request.headers[name] = value


def _content(body: Any) -> Any:
    """The body of a request, where it is there as a whole."""
    return body if isinstance(body, bytes | bytearray) else getattr(body, "_value", None)


def _size(body: Any) -> int | None:
    if isinstance(body, bytes | bytearray):
        return len(body)
    size = getattr(body, "size", None)
    return size if isinstance(size, int) else None


async def _counted(pieces: Any, exchange: Exchange) -> AsyncIterator[Any]:
    async for piece in pieces:
        exchange.sent(len(piece.encode() if isinstance(piece, str) else piece))
        yield piece


async def _start(wrapped: Any, response: Any, args: Any, kwargs: Any) -> Any:
    exchange = response.__dict__.get(_EXCHANGE)
    if exchange is None:
        return await wrapped(*args, **kwargs)
    with failing(exchange.finish):
        started = await wrapped(*args, **kwargs)
    with _FOLLOWING:
        exchange.answered(response.status, response.headers.get)
        content = response.content
        if exchange.asks_model:
            content._buffer = Heard(content._buffer, exchange)
        content.on_eof(lambda: _finish(content, exchange))
    return started


class Heard(deque[bytes]):
    """What waits to be read of an answer, told as it comes, decompressed."""

    def __init__(self, pieces: Iterable[bytes], exchange: Exchange) -> None:
        super().__init__(pieces)
        self._exchange = exchange
        for piece in self:
            exchange.heard(piece)

    def append(self, piece: bytes) -> None:
        """As a deque."""
        super().append(piece)
        self._exchange.heard(piece)


def _close(wrapped: Any, response: Any, args: Any, kwargs: Any) -> Any:
    """In place of `close` and `release`: nobody wants more of the answer."""
    exchange = response.__dict__.get(_EXCHANGE)
    if exchange is not None and not exchange.finished and response.content is not None:
        _finish(response.content, exchange)
    return wrapped(*args, **kwargs)


def _finish(content: Any, exchange: Exchange) -> None:
    with _FOLLOWING:
        exchange.received(content.total_bytes)
        came = getattr(content, "total_compressed_bytes", None)
        if came is not None:
            exchange.came(came)
    exchange.finish()


def _application(wrapped: Any, application: Any, args: Any, kwargs: Any) -> None:
    """In place of what makes an application: our middleware is inside those that are there, another instrumentation's too."""
    wrapped(*args, **kwargs)
    with shielded("instrument an application of aiohttp"):
        application._middlewares.append(_middleware)


async def _middleware(request: Any, handler: Any) -> Any:
    served = _begun(request)
    if served is None:
        return await handler(request)
    with failing(lambda error: _failed(served, request, error)):
        response = await Steps(handler(request), served.handle)
    _answered(served, request, response)
    served.end()
    return response


def _failed(served: Served, request: Any, error: BaseException) -> None:
    """An answer may be raised as well."""
    if isinstance(getattr(error, "status", None), int) and hasattr(error, "body_length"):
        _answered(served, request, error)
        served.end()
    else:
        served.end(error)


_middleware.__middleware_version__ = 1  # type: ignore[attr-defined]


def _begun(request: Any) -> Served | None:
    with shielded("begin a request of aiohttp's server"):
        if _SEEN in request:
            return None
        request[_SEEN] = True
        resource = request.match_info.route.resource
        route = None if resource is None else resource.canonical
        return Served.begin(http_request(request.method, route), request.headers.items(), _SERVERS)
    return None


def _answered(served: Served, request: Any, response: Any) -> None:
    with shielded("read an answer of aiohttp's server"):
        if served.handle is INERT:
            return
        served.received(request.content.total_bytes)
        served.answered(response.status)
        size = _size(getattr(response, "body", None))
        served.sent(response.body_length if response.prepared or size is None else size)


class AiohttpClientInstrumentor(Integration):
    """Instruments aiohttp's client."""

    library = "aiohttp"
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]] = {
        "aiohttp.connector": {"BaseConnector.connect": _connect},
        "aiohttp.client_reqrep": {
            "ClientRequest.send": _send,
            "ClientResponse.start": _start,
            "ClientResponse.close": _close,
            "ClientResponse.release": _close,
        },
    }


class AiohttpServerInstrumentor(Integration):
    """Instruments applications of aiohttp's server that are made from now on."""

    library = "aiohttp"
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]] = {"aiohttp.web_app": {"Application.__init__": _application}}
