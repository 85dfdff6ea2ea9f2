"""Python's own `http.client`, and `urllib.request` above it: a span for each request that a program sends by these."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from tollbook.integrations.base import Integration, Wrapper
from tollbook.integrations.http import Client, Exchange, is_covered
from tollbook.integrations.urllib3 import Reading, _sent, _told
from tollbook.shield import shielded
from tollbook.steps import failing

_CLIENT: Final = Client(beneath=["opentelemetry.instrumentation.urllib"])
_EXCHANGE: Final = "_tollbook_exchange"
_READING: Final = "_tollbook_reading"
_FOLLOWING: Final = shielded("follow an answer of http.client")
_ARGUMENTS: Final = ("method", "url", "body", "headers")


def _request(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    if is_covered():
        return wrapped(*args, **kwargs)
    exchange = None
    with shielded("begin a request of http.client"):
        said = {**dict(zip(_ARGUMENTS, args, strict=False)), **kwargs}
        exchange = _CLIENT.begin(said["method"], _url(connection, said["url"]), lambda: said.get("body"))
    if exchange is None:
        return wrapped(*args, **kwargs)
    with shielded("prepare a request of http.client"):
        headers = said.get("headers") or {}
        said |= {"body": _sent(exchange, said.get("body"), headers), "headers": _told(exchange, headers)}
        args, kwargs = (), said
        connection.__dict__[_EXCHANGE] = exchange
    with failing(exchange.finish), exchange.handle:
        return wrapped(*args, **kwargs)


def _url(connection: Any, target: str) -> str:
    if "://" in target:  # by a proxy
        return target
    host = getattr(connection, "_tunnel_host", None) or connection.host
    port = connection.port if not getattr(connection, "_tunnel_host", None) else connection._tunnel_port
    scheme = "https" if connection.default_port == 443 else "http"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port or connection.default_port}{target}"


def _getresponse(wrapped: Any, connection: Any, args: Any, kwargs: Any) -> Any:
    exchange: Exchange | None = connection.__dict__.pop(_EXCHANGE, None)
    if exchange is None:
        return wrapped(*args, **kwargs)
    with failing(exchange.finish), exchange.handle:
        response = wrapped(*args, **kwargs)
    with _FOLLOWING:
        exchange.answered(response.status, response.headers.get)
        exchange.received(0)
        if response.isclosed():
            exchange.finish()
        else:
            response.__dict__[_READING] = Reading(exchange)
            exchange.ends_with(response)
    return response


def _read(wrapped: Any, response: Any, args: Any, kwargs: Any) -> Any:
    """In place of what reads; these call each other, differently in each version of Python."""
    reading = response.__dict__.get(_READING)
    if reading is None or reading.depth:
        return wrapped(*args, **kwargs)
    reading.depth += 1
    try:
        with failing(reading.exchange.finish):
            data = wrapped(*args, **kwargs)
    finally:
        reading.depth -= 1
    with _FOLLOWING:
        size = data if isinstance(data, int) else len(data or b"")
        encoded = response.headers.get("content-encoding", "identity") != "identity"
        reading.exchange.received(size, data if isinstance(data, bytes) and not encoded else None)
        reading.exchange.came(size)
        if response.isclosed():
            reading.exchange.finish()
    return data


def _close(wrapped: Any, response: Any, args: Any, kwargs: Any) -> Any:
    reading = response.__dict__.get(_READING)
    if reading is not None and not reading.depth:
        reading.exchange.finish()
    return wrapped(*args, **kwargs)


class HttpClientInstrumentor(Integration):
    """Instruments `http.client`."""

    library = "http.client"
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]] = {
        "http.client": {
            "HTTPConnection.request": _request,
            "HTTPConnection.getresponse": _getresponse,
            **{f"HTTPResponse.{name}": _read for name in ("read", "read1", "readinto", "readline")},
            "HTTPResponse.close": _close,
        },
    }
