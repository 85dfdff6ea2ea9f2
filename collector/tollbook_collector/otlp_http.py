"""OTLP over HTTP: one ASGI endpoint per signal, and the collector's health and counters.

`routes` go into the application that serves everything else; `app` is the collector alone.
"""

import asyncio

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send
from tollbook_schema.keys import ANYBODY, Principal

from tollbook_collector import bodies
from tollbook_collector.collector import Collector, Encoding
from tollbook_collector.door import may_send
from tollbook_collector.errors import (
    JSON,
    PROTOBUF,
    MethodNotAllowedError,
    RefusedError,
    UnavailableError,
    UnsupportedMediaTypeError,
    encoded,
)
from tollbook_collector.intake import Held
from tollbook_collector.signals import LOGS, METRICS, TRACES, Signal

ENCODINGS: dict[str, Encoding] = {PROTOBUF: "protobuf", JSON: "json"}
PRINCIPAL = "tollbook.principal"
"""Where an ASGI scope holds who asks, once somebody has looked."""

EXPORTS: dict[str, Signal] = {
    "/v1/traces": TRACES,
    "/v1/metrics": METRICS,
    "/v1/logs": LOGS,
    "/api/public/otel/v1/traces": TRACES,  # where Langfuse's SDK sends
}


def app(collector: Collector) -> Starlette:
    """The collector alone; whoever runs it starts and stops the collector."""
    return Starlette(routes=routes(collector))


def routes(collector: Collector) -> list[BaseRoute]:
    """OTLP/HTTP, `/healthz`, `/readyz` and `/metrics`."""

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> Response:
        health = await collector.health()
        asker: Principal | None = request.scope.get(PRINCIPAL, ANYBODY)
        reason = health.reason if asker and asker.tenant is None else "not ready"
        return PlainTextResponse("ready\n" if health.ready else f"{reason}\n", 200 if health.ready else 503)

    async def metrics(_request: Request) -> Response:
        return PlainTextResponse(collector.metrics(), media_type="text/plain; version=0.0.4")

    return [
        *(Route(path, Exports(collector, signal)) for path, signal in EXPORTS.items()),
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        Route("/metrics", metrics),
    ]


class Exports:
    """The endpoint of one signal."""

    def __init__(self, collector: Collector, signal: Signal) -> None:
        self._collector = collector
        self._signal = signal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request; the one place where a refusal becomes a status."""
        request = Request(scope, receive)
        try:
            response = await self._answer(request)
        except RefusedError as error:
            self._collector.counters.add("refused_total", reason=error.reason)
            response = refusal(error, request.headers)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        tenant = self._admit(request).stores_for
        if request.method != "POST":
            raise MethodNotAllowedError(f"{request.url.path} takes POST, not {request.method}")
        media_type = _media_type(request.headers)
        encoding = ENCODINGS.get(media_type)
        if encoding is None:
            raise UnsupportedMediaTypeError(f"Content-Type must be {PROTOBUF} or {JSON}, got {media_type or 'none'}")
        coding = request.headers.get("content-encoding", "").strip().lower()
        bodies.check_coding(coding)
        with self._collector.intake.request() as held:
            body = await self._body(request, held)
            content = await held.content(coding, body)
            answer = await self._collector.take(self._signal, content, encoding, tenant)
        return Response(encoded(answer, media_type), media_type=media_type)

    def _admit(self, request: Request) -> Principal:
        """Who sends this: as whoever guards all routes has found out, else by its key."""
        if PRINCIPAL in request.scope:
            return may_send(request.scope[PRINCIPAL])
        return self._collector.door.admit(request.headers.get("authorization", ""), request.headers.get("x-api-key", ""))

    async def _body(self, request: Request, held: Held) -> bytes:
        """The body as sent."""
        held.expect(request.headers.get("content-length", ""))
        pieces: list[bytes] = []
        try:
            async with asyncio.timeout(self._collector.settings.body_timeout_ms / 1000):
                async for piece in request.stream():
                    held.add(len(piece))
                    pieces.append(piece)
        except TimeoutError as error:
            raise UnavailableError("the body did not arrive in time") from error
        return b"".join(pieces)


def refusal(error: RefusedError, headers: Headers) -> Response:
    """The answer to a request with these headers that is refused: a google.rpc.Status in the encoding it came in."""
    media_type = _media_type(headers)
    media_type = media_type if media_type in ENCODINGS else JSON
    return Response(error.body(media_type), error.http_status, error.headers(), media_type)


def _media_type(headers: Headers) -> str:
    return headers.get("content-type", "").partition(";")[0].strip().lower()
