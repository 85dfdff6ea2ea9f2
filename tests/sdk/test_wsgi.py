"""Requests that come in through WSGI."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any
from wsgiref.validate import validator

import pytest
import tollbook
from opentelemetry.trace import SpanKind
from tollbook.integrations.wsgi import Middleware
from tollbook.testing import Captured

READ_NS = 1_795_320_000_123_000_000


class Pieces:
    """An answer that is made while it is sent."""

    closed = False

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = iter(pieces)

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        with tollbook.inference("scorer"):
            return next(self._pieces)

    def close(self) -> None:
        self.closed = True


def ask(app: Any, path: str = "/items/7", body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[str, bytes]:
    """What a server does with an application that keeps to the rules."""
    started: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": "",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": __import__("sys").stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in (headers or {}).items()},
    }

    def start(status: str, head: Any, error: Any = None) -> Any:
        started.append(status)
        return lambda data: None

    answer = validator(app)(environ, start)
    try:
        return started, b"".join(answer)  # type: ignore[return-value]  # read after it is started
    finally:
        answer.close()


def test_a_request_tells_its_route_its_bytes_and_what_the_caller_says(captured: Captured) -> None:
    pieces = Pieces(b"one", b"three")

    def app(environ: Any, start: Any) -> Any:
        assert environ["wsgi.input"].read(4) == b"body"
        start("200 OK", [("Content-Type", "text/plain")])
        return pieces

    with tollbook.request("caller", team="search"):
        with tollbook.handoff("read") as read:
            read.asset("s3://a", event_time=READ_NS)
        headers = dict(tollbook.inject())
    assert ask(Middleware(validator(app), lambda _: "/items/{id}"), body=b"body", headers=headers) == (["200 OK"], b"onethree")
    assert pieces.closed
    span = captured.named("POST /items/{id}")
    assert span.kind is SpanKind.SERVER
    said = {name: value for name, value in span.attributes.items() if name != "tollbook.cpu.time"}
    assert said == {
        "tollbook.kind": "request",
        "tollbook.team": "search",
        "gen_ai.workflow.name": "caller",
        "http.request.method": "POST",
        "http.route": "/items/{id}",
        "http.response.status_code": 200,
        "http.request.body.size": 4,
        "http.response.body.size": 8,
    }
    assert captured.spans[2].attributes["tollbook.input.event_time.oldest"] == READ_NS


def test_a_fault_is_the_applications_own(captured: Captured) -> None:
    def app(environ: Any, start: Any) -> Any:
        raise ValueError("secret")

    with pytest.raises(ValueError, match="secret"):
        ask(Middleware(app))
    assert captured.attributes("POST")["error.type"] == "ValueError"


def test_a_middleware_in_a_middleware_is_one_request(captured: Captured) -> None:
    def app(environ: Any, start: Any) -> Any:
        start("503 Busy", [("Content-Type", "text/plain")])
        return [b"busy"]

    assert ask(Middleware(Middleware(app))) == (["503 Busy"], b"busy")
    assert captured.names == ["POST"]
    assert captured.attributes("POST")["error.type"] == "503"
