"""httpx and httpx2: a span for each request that a transport sends, sync and async; clients of model providers go this way."""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, ClassVar, Final

from tollbook.integrations.base import Integration, Wrapper
from tollbook.integrations.http import Client, Exchange
from tollbook.shield import shielded
from tollbook.steps import Steps, failing

_CLIENT: Final = Client(beneath=["opentelemetry.instrumentation.httpx"])
_BEGINNING: Final = shielded("begin a request of httpx")
_BODIES: Final = ("_stream", "_httpcore_stream")
"""Where the layers of an answer hold the layer below."""


def _handle(wrapped: Any, _pool: Any, args: Any, kwargs: Any) -> Any:
    exchange = _begun(args, kwargs)
    if exchange is None:
        return wrapped(*args, **kwargs)
    with failing(exchange.finish), exchange.handle:
        response = wrapped(*args, **kwargs)
    return _followed(response, exchange, Body)


async def _handle_async(wrapped: Any, _pool: Any, args: Any, kwargs: Any) -> Any:
    exchange = _begun(args, kwargs)
    if exchange is None:
        return await wrapped(*args, **kwargs)
    with failing(exchange.finish):
        response = await Steps(wrapped(*args, **kwargs), exchange.handle)
    return _followed(response, exchange, AsyncBody)


def _begun(args: Any, kwargs: Any) -> Exchange | None:
    with _BEGINNING:
        request = args[0] if args else kwargs["request"]
        exchange = _CLIENT.begin(request.method.decode("ascii"), _url(request.url), lambda: _content(request.stream))
        if exchange is not None:
            _prepare(request, exchange)
        return exchange
    return None


def _content(stream: Any) -> Any:
    """The body of a request, where it is there as a whole: httpx keeps it in the stream that it makes of it."""
    return getattr(stream, "_stream", None)


def _url(url: Any) -> str:
    host = url.host.decode("ascii", "replace")
    place = f"[{host}]" if ":" in host else host
    port = "" if url.port is None else f":{url.port}"
    return f"{url.scheme.decode('ascii')}://{place}{port}{url.target.decode('ascii', 'replace')}"


def _prepare(request: Any, exchange: Exchange) -> None:
    """Count the body, and put our headers in: into the transport's request, which the application does not see."""
    known = {name.lower(): value for name, value in request.headers}
    length = known.get(b"content-length", b"").decode("ascii", "replace")
    if length.isdecimal():
        exchange.sent(int(length))
    elif b"transfer-encoding" in known:
        request.stream = (AsyncSent if hasattr(request.stream, "__aiter__") else Sent)(request.stream, exchange)
    said = exchange.headers(known[b"baggage"].decode("latin-1") if b"baggage" in known else None)
    kept = [(name, value) for name, value in request.headers if name.lower().decode("latin-1") not in said]
    request.headers = kept + [(name.encode(), value.encode("latin-1", "replace")) for name, value in said.items() if value]


def _followed(response: Any, exchange: Exchange, body: "type[Body | AsyncBody]") -> Any:
    with shielded("follow an answer of httpx"):
        known = {name.lower(): value for name, value in response.headers}
        exchange.answered(
            response.status, lambda name: known[name.encode()].decode("latin-1") if name.encode() in known else None
        )
        response.stream = body(response.stream, exchange)
        exchange.ends_with(response.stream)
        return response
    exchange.finish()
    return response


class Sent:
    """A request's body of unknown length, counted as it goes."""

    def __init__(self, stream: Any, exchange: Exchange) -> None:
        self._stream = stream
        self._exchange = exchange

    def __iter__(self) -> Iterator[bytes]:
        return self._exchange.sending(self._stream)

    def close(self) -> None:
        """As the body itself."""
        if hasattr(self._stream, "close"):
            self._stream.close()


class AsyncSent:
    """Likewise, where it is made asynchronously."""

    def __init__(self, stream: Any, exchange: Exchange) -> None:
        self._stream = stream
        self._exchange = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._stream:
            self._exchange.sent(len(piece))
            yield piece

    async def aclose(self) -> None:
        """As the body itself."""
        if hasattr(self._stream, "aclose"):
            await self._stream.aclose()


class Body:
    """An answer's body, counted as it comes."""

    def __init__(self, stream: Any, exchange: Exchange) -> None:
        self._stream = stream
        self.exchange: Final = exchange

    def __iter__(self) -> Iterator[bytes]:
        with failing(self.exchange.finish):
            for piece in self._stream:
                self.exchange.came(len(piece), piece)
                yield piece
        self.exchange.finish()

    def close(self) -> None:
        """As the body itself."""
        try:
            self._stream.close()
        finally:
            self.exchange.finish()


class AsyncBody:
    """Likewise, of an async client."""

    def __init__(self, stream: Any, exchange: Exchange) -> None:
        self._stream = stream
        self.exchange: Final = exchange

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with failing(self.exchange.finish):
            async for piece in self._stream:
                self.exchange.came(len(piece), piece)
                yield piece
        self.exchange.finish()

    async def aclose(self) -> None:
        """As the body itself."""
        try:
            await self._stream.aclose()
        finally:
            self.exchange.finish()


def _decoder(wrapped: Any, response: Any, args: Any, kwargs: Any) -> Any:
    """In place of what gives an answer its decoder: where the body is compressed, what the application gets is counted."""
    decoder = wrapped(*args, **kwargs)
    with shielded("count what httpx decodes"):
        if isinstance(decoder, Decoder) or "content-encoding" not in response.headers:
            return decoder
        body = getattr(response, "stream", None)
        while body is not None and not isinstance(body, Body | AsyncBody):
            body = next((inner for name in _BODIES if (inner := getattr(body, name, None)) is not None), None)
        if body is not None:
            response._decoder = decoder = Decoder(decoder, body.exchange)
    return decoder


class Decoder:
    """A decoder whose output is counted, be it bytes (httpx) or pieces of them (httpx2)."""

    def __init__(self, inner: Any, exchange: Exchange) -> None:
        self._inner = inner
        self._exchange = exchange

    def decode(self, data: bytes) -> Any:
        """As the decoder itself."""
        return self._counted(self._inner.decode(data))

    def flush(self) -> Any:
        """As the decoder itself."""
        return self._counted(self._inner.flush())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _counted(self, output: Any) -> Any:
        if isinstance(output, bytes | bytearray):
            self._exchange.received(len(output), bytes(output))
            return output
        return self._each(output) if isinstance(output, Iterator) else output

    def _each(self, pieces: Iterator[Any]) -> Iterator[Any]:
        for piece in pieces:
            if isinstance(piece, bytes | bytearray):
                self._exchange.received(len(piece), bytes(piece))
            yield piece


class HttpxInstrumentor(Integration):
    """Instruments httpx."""

    library = "httpx"
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]] = {
        "httpcore": {
            "ConnectionPool.handle_request": _handle,
            "AsyncConnectionPool.handle_async_request": _handle_async,
        },
        "httpx": {"Response._get_content_decoder": _decoder},
    }


class Httpx2Instrumentor(Integration):
    """Instruments httpx2."""

    library = "httpx2"
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]] = {
        "httpcore2": HttpxInstrumentor.wrappers["httpcore"],
        "httpx2": HttpxInstrumentor.wrappers["httpx"],
    }
