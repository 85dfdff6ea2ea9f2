"""requests: a span for each request that an adapter of it sends, each hop of a redirect included."""

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from tollbook.integrations.base import Integration, Wrapper
from tollbook.integrations.http import Client, Exchange
from tollbook.integrations.urllib3 import READING, follow
from tollbook.shield import shielded
from tollbook.steps import failing

_CLIENT: Final = Client(beneath=["opentelemetry.instrumentation.requests"])


def _send(wrapped: Any, _adapter: Any, args: Any, kwargs: Any) -> Any:
    exchange = None
    with shielded("begin a request of requests"):
        request = args[0] if args else kwargs["request"]
        exchange = _CLIENT.begin(request.method, request.url, lambda: request.body)
    if exchange is None:
        return wrapped(*args, **kwargs)
    body = request.body
    with shielded("prepare a request of requests"):
        _prepare(request, exchange)
    try:
        with failing(exchange.finish), exchange.handle:
            response = wrapped(*args, **kwargs)
    finally:
        request.body = body
    follow(response.raw, exchange)
    return response


def _prepare(request: Any, exchange: Exchange) -> None:
    """Count the body, and put our headers in: a redirect to somebody else's host takes them out again."""
    length = request.headers.get("Content-Length")
    if length is not None and length.isdecimal():
        exchange.sent(int(length) if request.body is not None else None)
    elif request.body is not None and hasattr(request.body, "__iter__"):
        request.body = exchange.sending(request.body)
    for name, value in exchange.headers(request.headers.get("baggage")).items():
        request.headers.pop(name, None)
        if value:
            request.headers[name] = value


class RequestsInstrumentor(Integration):
    """Instruments requests."""

    library = "requests"
    wrappers: ClassVar[Mapping[str, Mapping[str, Wrapper]]] = {
        "requests.adapters": {"HTTPAdapter.send": _send},
        "urllib3.response": READING,
    }
