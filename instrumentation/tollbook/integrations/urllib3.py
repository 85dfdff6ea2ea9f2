"""urllib3: a span for each request that a program sends through it directly. Answers of `requests` are counted here too."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

from tollbook.integrations.base import Integration, Wrapper
from tollbook.integrations.http import Client, Exchange, is_covered
from tollbook.shield import shielded
from tollbook.steps import failing

_CLIENT: Final = Client(beneath=["opentelemetry.instrumentation.urllib3", "opentelemetry.instrumentation.requests"])
_READING: Final = "_tollbook_reading"
_FOLLOWING: Final = shielded("follow an answer of urllib3")


class Reading:
    """What is known of an answer while it is read."""

    __slots__ = ("depth", "exchange", "over")

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.depth = 0
        self.over = False


def follow(response: Any, exchange: Exchange) -> None:
    """Count what is read of an answer, and finish the exchange when there is no more of it."""
    with _FOLLOWING:
        exchange.answered(response.status, response.headers.get)
        body = getattr(response, "_body", None)
        if isinstance(body, bytes):  # read already
            exchange.received(len(body), body)
            _finish(response, exchange)
        elif _is_drained(response):
            _finish(response, exchange)
        else:
            response.__dict__[_READING] = Reading(exchange)
            exchange.ends_with(response)
        return
    exchange.finish()


def _read(wrapped: Any, response: Any, args: Any, kwargs: Any) -> Any:
    """In place of what reads: `read`, `read1`, `readinto`. They call each other, differently in each version."""
    reading = response.__dict__.get(_READING)
    if reading is None or reading.depth:
        return wrapped(*args, **kwargs)
    data = _inside(reading, wrapped, *args, **kwargs)
    _took(response, reading, data)
    return data


def _read_chunked(wrapped: Any, response: Any, args: Any, kwargs: Any) -> Any:
    reading = response.__dict__.get(_READING)
    return wrapped(*args, **kwargs) if reading is None else _chunks(wrapped(*args, **kwargs), response, reading)


def _chunks(chunks: Any, response: Any, reading: Reading) -> Iterator[bytes]:
    while (chunk := _inside(reading, next, chunks, None)) is not None:
        _took(response, reading, chunk)
        yield chunk
    with _FOLLOWING:
        _finish(response, reading.exchange)


def _inside(reading: Reading, read: Any, *args: Any, **kwargs: Any) -> Any:
    reading.depth += 1
    try:
        with failing(reading.exchange.finish):
            return read(*args, **kwargs)
    finally:
        reading.depth -= 1


def _took(response: Any, reading: Reading, data: Any) -> None:
    with _FOLLOWING:
        size = data if isinstance(data, int) else len(data or b"")
        reading.exchange.received(size, data if isinstance(data, bytes) else None)
        if (reading.over or _is_drained(response)) and not (size and getattr(response, "_decoded_buffer", None)):
            _finish(response, reading.exchange)


def _handle_chunk(wrapped: Any, response: Any, args: Any, kwargs: Any) -> Any:
    chunk = wrapped(*args, **kwargs)
    reading = response.__dict__.get(_READING)
    if reading is not None and isinstance(chunk, bytes):
        reading.exchange.came(len(chunk))
    return chunk


def _close(wrapped: Any, response: Any, args: Any, kwargs: Any) -> Any:
    """In place of what ends an answer: `close`, `release_conn`; inside a reading method there may be more to count."""
    reading = response.__dict__.get(_READING)
    if reading is not None:
        reading.over = True
        if not reading.depth:
            with _FOLLOWING:
                _finish(response, reading.exchange)
    return wrapped(*args, **kwargs)


def _finish(response: Any, exchange: Exchange) -> None:
    if not exchange.finished:
        came = response.tell()  # nothing where the chunks were counted one by one
        if came:
            exchange.came(came)
        exchange.finish()


def _is_drained(response: Any) -> bool:
    original = getattr(response, "_original_response", None)
    return original is not None and original.isclosed()


READING: Final[Mapping[str, Wrapper]] = {
    "HTTPResponse.read": _read,
    "HTTPResponse.read1": _read,
    "HTTPResponse.readinto": _read,
    "HTTPResponse.read_chunked": _read_chunked,
    "HTTPResponse._handle_chunk": _handle_chunk,
    "HTTPResponse.close": _close,
    "HTTPResponse.release_conn": _close,
}
"""What is wrapped in `urllib3.response`."""


def _make_request(wrapped: Any, pool: Any, args: Any, kwargs: Any) -> Any:
    """One try of a request, beneath the retries."""
    if is_covered():
        return wrapped(*args, **kwargs)
    exchange = None
    with shielded("begin a request of urllib3"):
        method, target, given = args[1], args[2], list(args[3:5])
        place = f"{pool.scheme}://{_host(pool)}{target if target.startswith('/') else '/'}"
        exchange = _CLIENT.begin(method, place, lambda: given[0] if given else kwargs.get("body"))
    if exchange is None:
        return wrapped(*args, **kwargs)
    with shielded("prepare a request of urllib3"):
        body = given[0] if given else kwargs.get("body")
        headers = given[1] if len(given) > 1 else kwargs.get("headers")
        counted, told = _sent(exchange, body, headers), _told(exchange, headers)
        if given:
            args = (*args[:3], *[counted, told][: len(given)], *args[5:])
        if not given or "body" in kwargs:
            kwargs = {**kwargs, "body": counted}
        if len(given) < 2:
            kwargs = {**kwargs, "headers": told}
    with failing(exchange.finish), exchange.handle:
        response = wrapped(*args, **kwargs)
    if hasattr(response, "tell"):
        follow(response, exchange)
    else:  # urllib3 1: its answer is read by another object, which is made of this one
        exchange.answered(response.status, response.getheader)
        exchange.finish()
    return response


def _host(pool: Any) -> str:
    host = pool.host if ":" not in pool.host or pool.host.startswith("[") else f"[{pool.host}]"
    return f"{host}:{pool.port}" if pool.port else host


def _told(exchange: Exchange, headers: Any) -> Any:
    """The headers with ours, of the same kind as they were; the application's own mapping stays as it is."""
    known = {name.lower(): value for name, value in (headers or {}).items()}
    changed = headers.copy() if hasattr(headers, "copy") else dict(headers or {})
    for name, value in exchange.headers(known.get("baggage")).items():
        for there in [there for there in changed if there.lower() == name]:
            del changed[there]
        if value:
            changed[name] = value
    return changed


def _sent(exchange: Exchange, body: Any, headers: Any) -> Any:
    """The body, counted: at once where its length is known, else as it goes."""
    length = next((value for name, value in (headers or {}).items() if name.lower() == "content-length"), None)
    if body is None:
        return None
    if isinstance(body, str | bytes | bytearray | memoryview):
        exchange.sent(len(body.encode()) if isinstance(body, str) else memoryview(body).nbytes)
    elif length is not None and str(length).isdecimal():
        exchange.sent(int(length))
    elif not hasattr(body, "read") and hasattr(body, "__iter__"):
        return exchange.sending(body)
    return body


class Urllib3Instrumentor(Integration):
    """Instruments urllib3, 2 and later in full."""

    library = "urllib3"
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]] = {
        "urllib3.connectionpool": {"HTTPConnectionPool._make_request": _make_request},
        "urllib3.response": READING,
    }
