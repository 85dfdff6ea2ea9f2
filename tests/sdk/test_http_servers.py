"""Requests that come in over HTTP: one span each by its route, owners and ages as the caller says, whoever else instruments."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import requests
import tollbook
import uvicorn
from fastapi import BackgroundTasks, FastAPI, Request
from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
from opentelemetry.trace import SpanKind
from starlette.responses import StreamingResponse
from tollbook import testing
from tollbook.integrations.asgi import FastApiInstrumentor, Middleware, StarletteInstrumentor
from tollbook.integrations.requests import RequestsInstrumentor

from tests.processes import free_port

READ_NS = 1_795_320_000_123_000_000
AFTER: list[int] = []
"""When work began that follows an answer."""


def application() -> FastAPI:
    import fastapi

    app = fastapi.FastAPI()  # by its module, where OpenTelemetry puts its own class

    @app.post("/items/{item}")
    async def item(item: str, request: Request) -> dict[str, int]:
        body = await request.body()
        with tollbook.inference("scorer", provider="own", location="in_process"):
            await asyncio.sleep(0)
        return {"size": len(body)}

    @app.get("/events")
    async def events() -> StreamingResponse:
        async def lines() -> AsyncIterator[bytes]:
            for number in range(3):
                await asyncio.sleep(0.01)
                yield b"data: %d\n\n" % number

        return StreamingResponse(lines(), media_type="text/event-stream")

    @app.get("/later")
    def later(tasks: BackgroundTasks) -> str:
        tasks.add_task(lambda: AFTER.append(time.time_ns()))
        return "ok"

    @app.get("/broken")
    def broken() -> None:
        raise ValueError("secret")

    inner = fastapi.FastAPI()

    @inner.get("/of/{user}")
    def of(user: str) -> str:
        return user

    app.mount("/parts", inner)
    return app


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """The application, served by a thread while the block runs."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off", loop="asyncio"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


ORDERS = {"alone": [0], "contrib inside": [1, 0], "contrib outside": [0, 1]}


@pytest.fixture(params=ORDERS)
def site(request: pytest.FixtureRequest, captured: testing.Captured) -> Iterator[str]:
    with contextlib.ExitStack() as stack:
        for number in ORDERS[request.param]:
            instrumentor = [FastApiInstrumentor, FastAPIInstrumentor][number]()
            instrumentor.instrument(tracer_provider=captured.provider, exclude_spans=["receive", "send"])
            stack.callback(instrumentor.uninstrument)
        yield stack.enter_context(served(application()))


def ended(captured: testing.Captured, count: int = 1) -> list[Any]:
    """The server spans: they end a moment after the caller has its answer."""
    for _ in range(200):
        found = [span for span in captured.spans if span.kind is SpanKind.SERVER]
        if len(found) >= count:
            return found
        time.sleep(0.01)
    raise AssertionError(f"no server span among {captured.names}")


OLD = tuple(
    f"http.{name}" for name in ("method", "url", "status_code", "host", "scheme", "target", "flavor", "server_name", "user_")
)
"""Names of the conventions' older generation, which OpenTelemetry's instrumentations still use."""


def said(span: Any) -> dict[str, Any]:
    others = (*OLD, "http.response_", "http.request_", "net.", "tollbook.cpu.time")
    return {name: value for name, value in span.attributes.items() if not name.startswith(others)}


def test_a_request_is_its_route_with_the_callers_owners_and_ages(site: str, captured: testing.Captured) -> None:
    RequestsInstrumentor().instrument()
    try:
        with tollbook.request("caller", team="search") as request:
            with tollbook.handoff("read") as read:
                read.asset("file:///corpus", event_time=READ_NS)
            answer = requests.post(f"{site}/items/user-17?q=secret", data=b"x" * 100, timeout=10)
    finally:
        RequestsInstrumentor().uninstrument()
    assert answer.json() == {"size": 100}
    (span,) = ended(captured)
    assert said(span) == {
        "tollbook.kind": "request",
        "tollbook.team": "search",
        "gen_ai.workflow.name": "caller",
        "http.request.method": "POST",
        "http.route": "/items/{item}",
        "http.response.status_code": 200,
        "http.request.body.size": 100,
        "http.response.body.size": len(answer.content),
    }
    assert span.name == "POST /items/{item}"
    assert f"{span.context.trace_id:032x}" == request.trace_id
    model = captured.attributes("inference scorer")
    assert model["tollbook.input.event_time.oldest"] == READ_NS
    assert model["tollbook.input.asset.ids"] == ("file:///corpus",)
    assert model["tollbook.team"] == "search"
    assert captured.attributes("POST")["tollbook.handoff.size"] == 100 + len(answer.content)


def test_a_route_is_the_workflow_where_nobody_has_named_one(site: str, captured: testing.Captured) -> None:
    requests.post(f"{site}/items/user-17", timeout=10)
    (span,) = ended(captured)
    assert span.attributes["gen_ai.workflow.name"] == "/items/{item}"
    assert captured.attributes("inference scorer")["gen_ai.workflow.name"] == "/items/{item}"


def test_a_path_that_nobody_serves_names_no_workflow(site: str, captured: testing.Captured) -> None:
    assert requests.get(f"{site}/user-17/wp-login", timeout=10).status_code == 404
    (span,) = ended(captured)
    assert "gen_ai.workflow.name" not in span.attributes
    assert "error.type" not in span.attributes, "a client's mistake"


def test_a_stream_ends_when_its_last_piece_is_sent(site: str, captured: testing.Captured) -> None:
    assert requests.get(f"{site}/events", timeout=10).content == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"
    (span,) = ended(captured)
    assert span.attributes["http.response.body.size"] == 27
    assert span.end_time - span.start_time > 25_000_000


def test_work_after_the_answer_is_not_the_callers_wait(site: str, captured: testing.Captured) -> None:
    requests.get(f"{site}/later", timeout=10)
    (span,) = ended(captured)
    assert span.end_time <= AFTER[-1]


def test_a_fault_of_the_application_is_named(site: str, captured: testing.Captured) -> None:
    assert requests.get(f"{site}/broken", timeout=10).status_code == 500
    (span,) = ended(captured)
    assert span.attributes["error.type"] in {"ValueError", "500"}


def test_a_fault_is_named_without_its_text(captured: testing.Captured) -> None:
    FastApiInstrumentor().instrument()
    try:
        with served(application()) as site:
            requests.get(f"{site}/broken", timeout=10)
            (span,) = ended(captured)
    finally:
        FastApiInstrumentor().uninstrument()
    assert "secret" not in span.to_json()


def test_a_mounted_application_is_one_request_with_its_whole_route(captured: testing.Captured) -> None:
    for instrumentor in (FastApiInstrumentor(), StarletteInstrumentor()):
        instrumentor.instrument()
    try:
        with served(application()) as site:
            requests.get(f"{site}/parts/of/user-17", timeout=10)
            (span,) = ended(captured)
    finally:
        for instrumentor in (FastApiInstrumentor(), StarletteInstrumentor()):
            instrumentor.uninstrument()
    assert span.attributes["http.route"] == "/parts/of/{user}"
    assert len([span for span in captured.spans if span.kind is SpanKind.SERVER]) == 1


def test_any_application_can_be_wrapped_and_websockets_pass(captured: testing.Captured) -> None:
    seen: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])
        if scope["type"] == "http":
            await receive()
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})

    async def play() -> None:
        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"abc"}

        async def send(message: Any) -> None:
            seen.append(message["type"])

        for kind in ("lifespan", "websocket", "http"):
            await Middleware(app)({"type": kind, "method": "PUT", "headers": []}, receive, send)

    asyncio.run(play())
    assert seen == ["lifespan", "websocket", "http", "http.response.start", "http.response.body"]
    assert captured.names == ["PUT"]
    assert captured.attributes("PUT")["http.request.body.size"] == 3
